-- What has changed in cycle_times is taken in by the table $reader; what nobody has still to take in goes.

DELETE FROM ops.change_readers WHERE reader = $reader;

DELETE FROM ops.cycle_time_changes WHERE batch NOT IN (SELECT batch FROM ops.change_readers);
