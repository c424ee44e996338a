-- What censuses found. Idempotent.

CREATE TABLE IF NOT EXISTS ops.issue_census (
    run_id       VARCHAR,
    project_id   VARCHAR,
    project_key  VARCHAR,
    taken_at     TIMESTAMPTZ,
    status       VARCHAR,
    known        BIGINT,
    seen         BIGINT,
    deleted      BIGINT,
    moved_out    BIGINT,
    not_visible  BIGINT,
    moved_in     BIGINT,
    back         BIGINT,
    found        BIGINT,
    hidden       BIGINT,
    suspected    BIGINT,
    held         BIGINT,
    requests     BIGINT,
    error        VARCHAR
);

CREATE TABLE IF NOT EXISTS ops.suspected_issues (
    issue_id     BIGINT,
    project_id   VARCHAR,
    missed_since TIMESTAMPTZ
);

COMMENT ON TABLE ops.issue_census IS 'One row a project and census: which issues had been deleted, had moved, or had come back.';
COMMENT ON COLUMN ops.issue_census.run_id IS 'Dagster''s run id.';
COMMENT ON COLUMN ops.issue_census.project_id IS 'NULL when Jira has never shown the project.';
COMMENT ON COLUMN ops.issue_census.project_key IS 'Project key.';
COMMENT ON COLUMN ops.issue_census.taken_at IS 'The site''s clock when it began.';
COMMENT ON COLUMN ops.issue_census.status IS 'complete; held: too many issues were missing at once, so none was marked; not_visible: the account cannot see the project; archived; pending: never synced; error.';
COMMENT ON COLUMN ops.issue_census.known IS 'Issues stored in the project before, not removed.';
COMMENT ON COLUMN ops.issue_census.seen IS 'Issues that the site shows in it.';
COMMENT ON COLUMN ops.issue_census.deleted IS 'Marked as deleted.';
COMMENT ON COLUMN ops.issue_census.moved_out IS 'Marked as moved to a project that is not tracked.';
COMMENT ON COLUMN ops.issue_census.not_visible IS 'Marked as not visible: gone, or hidden from the account.';
COMMENT ON COLUMN ops.issue_census.moved_in IS 'Stored under another project before, and fetched anew.';
COMMENT ON COLUMN ops.issue_census.back IS 'Removed before, and fetched anew.';
COMMENT ON COLUMN ops.issue_census.found IS 'Not stored before, and fetched: new, or missed by the index.';
COMMENT ON COLUMN ops.issue_census.hidden IS 'There when asked for by id, though searches do not find them.';
COMMENT ON COLUMN ops.issue_census.suspected IS 'Missing, but not to be asked for by id: marked when another census misses them, too.';
COMMENT ON COLUMN ops.issue_census.held IS 'Would have been marked, but were too many at once.';
COMMENT ON COLUMN ops.issue_census.requests IS 'HTTP requests.';
COMMENT ON COLUMN ops.issue_census.error IS 'Why it failed, or what to do.';

COMMENT ON TABLE ops.suspected_issues IS 'Issues that a census has missed and not marked as removed.';
COMMENT ON COLUMN ops.suspected_issues.issue_id IS 'The issue.';
COMMENT ON COLUMN ops.suspected_issues.project_id IS 'The project that it is stored under.';
COMMENT ON COLUMN ops.suspected_issues.missed_since IS 'The first of the censuses in a row that have missed it.';
