-- Derived tables: everything here is computed from issues, issue_changes and raw_issues and can be dropped at any time.
-- Idempotent: run at every opening of the working database, after schema.sql.

-- One row a stay of an issue in a status, [entered_at, left_at). The one source of every flow metric.
CREATE TABLE IF NOT EXISTS status_intervals (
    issue_id           BIGINT,
    stay_number        INTEGER,     -- 1 is the status at creation
    status_id          VARCHAR,     -- NULL: the history names no id
    status             VARCHAR,     -- the name of today; the recorded one where the status no longer exists
    status_category    VARCHAR,     -- new, indeterminate, done: of today, by id; guessed where unknown_status
    phase              VARCHAR,     -- to_do, in_progress, done: the category after the workflow settings
    starts_clock       BOOLEAN,     -- entering this status starts the clock
    is_waiting         BOOLEAN,     -- a queue, per the workflow settings
    entered_from_phase VARCHAR,     -- phase of the stay before; NULL for the first
    entered_at         TIMESTAMPTZ,
    left_at            TIMESTAMPTZ, -- NULL: still here
    entered_date       DATE,        -- local day
    left_date          DATE,        -- local day
    hours              DOUBLE,      -- elapsed; NULL while still here
    origin             VARCHAR,     -- created, change, clamped (change older than the issue), tail (no history says so)
    history_id         BIGINT,      -- of the change that began the stay
    broken_chain       BOOLEAN,     -- that change claims to leave another status than the one before
    unknown_status     BOOLEAN,     -- not among the site's statuses
    load_id            BIGINT       -- of the issues row it was derived from
);

-- One row an issue: when its clocks started and stopped, and what they read.
CREATE TABLE IF NOT EXISTS cycle_times (
    issue_id               BIGINT,
    issue_key              VARCHAR,
    project_key            VARCHAR,
    issue_type             VARCHAR,
    hierarchy_level        INTEGER,     -- -1 sub-task, 0 standard, 1 and more epic and above
    counts_in_flow         BOOLEAN,     -- standard level: the population of the marts
    assignee_id            VARCHAR,
    team                   VARCHAR,     -- of the assignee
    story_points           DOUBLE,
    resolution             VARCHAR,
    status                 VARCHAR,
    status_category        VARCHAR,     -- of the last stay
    created_at             TIMESTAMPTZ,
    started_at             TIMESTAMPTZ, -- first entry into a status that starts the clock; never reset
    started_at_last        TIMESTAMPTZ, -- last such entry from To Do or from creation
    first_done_at          TIMESTAMPTZ, -- first entry into Done ever
    done_at                TIMESTAMPTZ, -- begin of the present uninterrupted stay in Done; NULL when not done now
    resolved_at            TIMESTAMPTZ, -- Jira's resolutiondate, untouched
    created_date           DATE,        -- local days of the above
    started_date           DATE,
    done_date              DATE,
    resolved_date          DATE,
    cycle_time_hours       DOUBLE,      -- the headline clock of the cycle_time setting
    cycle_time_stop_date   DATE,        -- local day on which it stopped
    resolution_time_hours  DOUBLE,      -- created -> resolved
    lead_time_hours        DOUBLE,      -- created -> done
    lead_time_days         INTEGER,     -- both days counted
    started_to_done_hours  DOUBLE,
    started_to_done_days   INTEGER,     -- both days counted
    reopen_count           INTEGER,     -- exits from Done
    returned_to_todo_count INTEGER,     -- moves from In Progress back to To Do
    cycle_quality          VARCHAR,     -- ok, not_started, zero_time, stop_before_start; NULL while open
    created_not_initial    BOOLEAN,     -- created in a status that is not To Do
    change_before_created  BOOLEAN,
    broken_chain           BOOLEAN,
    tail_mismatch          BOOLEAN,
    unknown_status         BOOLEAN,
    history_incomplete     BOOLEAN,     -- flow columns are NULL until the rest is fetched
    resolved_not_done      BOOLEAN,
    done_not_resolved      BOOLEAN,
    load_id                BIGINT
);

-- One row a local day and project, from the project's first created issue to the last complete day.
CREATE TABLE IF NOT EXISTS cycle_time_metrics (
    metric_date           DATE,
    project_key           VARCHAR,
    created_issues        BIGINT,
    started_issues        BIGINT,
    resolved_issues       BIGINT,
    done_issues           BIGINT,
    reopened_issues       BIGINT,
    open_issues           BIGINT,  -- at day end
    wip_issues            BIGINT,  -- at day end: started and not done, by the clock
    story_points_done     DOUBLE,
    cycle_time_issues     BIGINT,  -- how many the following five are taken over
    cycle_time_hours_mean DOUBLE,
    cycle_time_hours_p50  DOUBLE,
    cycle_time_hours_p70  DOUBLE,
    cycle_time_hours_p85  DOUBLE,
    cycle_time_hours_p95  DOUBLE
);
