-- Derived tables: everything here is computed from issues, issue_changes and raw_issues and can be dropped at any time.
-- Run after schema.sql whenever this text changes. The comment behind a column, and the one above a table, become the
-- COMMENT ON of the same in the database. "Flow population": standard level (no sub-tasks, no epics), type not excluded,
-- history complete. "Local day": in the reporting time zone. Generated columns write hours_between and days_inclusive out:
-- whoever opens the file does not have our macros.

-- One row a stay of an issue in a status, [entered_at, left_at). The one source of every flow metric.
CREATE TABLE IF NOT EXISTS status_intervals (
    issue_id           BIGINT,      -- Jira's issue id
    project_key        VARCHAR,     -- project of the issue now
    counts_in_flow     BOOLEAN,     -- standard level and no excluded type
    stay_number        INTEGER,     -- 1 is the status at creation
    status_id          VARCHAR,     -- NULL where the history names no id
    status             VARCHAR,     -- the name of today; the recorded one where the status no longer exists
    status_category    ENUM ('new', 'indeterminate', 'done'),  -- category of today, by id; guessed where unknown_status
    phase              ENUM ('to_do', 'in_progress', 'done'),  -- the category after the workflow settings
    starts_clock       BOOLEAN,     -- entering this status starts the clock
    is_waiting         BOOLEAN,     -- a queue, per the workflow settings
    entered_from_phase ENUM ('to_do', 'in_progress', 'done'),  -- phase of the stay before; NULL for the first
    entered_at         TIMESTAMPTZ, -- begin of the stay
    left_at            TIMESTAMPTZ, -- end of the stay; NULL while it goes on
    entered_date       DATE,        -- local day of entered_at
    left_date          DATE,        -- local day of left_at
    hours              DOUBLE GENERATED ALWAYS AS ((epoch_us(left_at) - epoch_us(entered_at)) / 3600000000.0::DOUBLE),  -- elapsed hours of the stay; NULL while it goes on
    origin             ENUM ('created', 'change', 'clamped', 'tail'),  -- creation; a change; a change dated before creation; present status that no change tells of
    history_id         BIGINT,      -- the change that began the stay
    broken_chain       BOOLEAN,     -- that change claims to leave another status than the one before
    unknown_status     BOOLEAN,     -- the status is not among the site's
    load_id            BIGINT       -- load of the issues row it was derived from
);

-- One row an issue and status: how long and how often. The stay that goes on is not in hours: it began at last_entered_at.
CREATE TABLE IF NOT EXISTS time_in_status (
    issue_id         BIGINT,        -- Jira's issue id
    status_id        VARCHAR,       -- NULL where the history names no id
    status           VARCHAR,       -- the name of today
    phase            ENUM ('to_do', 'in_progress', 'done'),  -- the category after the workflow settings
    hours            DOUBLE,        -- elapsed hours of all finished stays
    visits           INTEGER,       -- number of stays, the one that goes on included
    is_current       BOOLEAN,       -- the issue is in this status now
    first_entered_at TIMESTAMPTZ,   -- begin of the first stay
    last_entered_at  TIMESTAMPTZ,   -- begin of the last stay
    load_id          BIGINT         -- load of the issues row it was derived from
);

-- One row a value that a field of an issue had, [from_at, until_at); fields: assignee, sprint, story_points, flagged, project.
CREATE TABLE IF NOT EXISTS field_intervals (
    issue_id   BIGINT,              -- Jira's issue id
    field      ENUM ('assignee', 'sprint', 'story_points', 'flagged', 'project'),  -- which field
    value      VARCHAR,             -- user id; sprint ids with commas; number; flag text; project id
    value_name VARCHAR,             -- of projects: the name of the time
    from_at    TIMESTAMPTZ,         -- since when
    until_at   TIMESTAMPTZ,         -- until when; NULL while it goes on
    load_id    BIGINT               -- load of the issues row it was derived from
);

-- One row an issue: when its clocks started and stopped, and what they read. What is open has NULL there: see aging_wip.
CREATE TABLE IF NOT EXISTS cycle_times (
    issue_id               BIGINT,      -- Jira's issue id
    issue_key              VARCHAR,     -- key of today
    project_key            VARCHAR,     -- project of today
    issue_type             VARCHAR,     -- type of today
    priority               VARCHAR,     -- priority of today
    hierarchy_level        INTEGER,     -- -1 sub-task, 0 standard, 1 and more epic and above
    counts_in_flow         BOOLEAN,     -- standard level and no excluded type: the population of the marts
    assignee_id            VARCHAR,     -- assignee of today
    team                   VARCHAR,     -- team of assignee_id
    story_points           DOUBLE,      -- estimate of today; NULL when unset
    resolution             VARCHAR,     -- resolution of today
    status                 VARCHAR,     -- status of today
    status_category        VARCHAR,     -- new, indeterminate, done
    created_at             TIMESTAMPTZ, -- creation
    started_at             TIMESTAMPTZ, -- first entry into a status that starts the clock; never reset
    started_at_last        TIMESTAMPTZ, -- last such entry from To Do or from creation
    first_done_at          TIMESTAMPTZ, -- first entry into Done ever
    done_at                TIMESTAMPTZ, -- begin of the present uninterrupted stay in Done; NULL when not done now
    resolved_at            TIMESTAMPTZ, -- Jira's resolution date, untouched
    created_date           DATE,        -- local day of created_at
    started_date           DATE,        -- local day of started_at
    done_date              DATE,        -- local day of done_at
    resolved_date          DATE,        -- local day of resolved_at
    cycle_time_hours       DOUBLE,      -- the headline clock of the cycle_time setting; default created to resolved
    cycle_time_stop_date   DATE,        -- local day on which the headline clock stopped
    resolution_time_hours  DOUBLE GENERATED ALWAYS AS ((epoch_us(resolved_at) - epoch_us(created_at)) / 3600000000.0::DOUBLE),  -- created to resolved, elapsed hours
    lead_time_hours        DOUBLE GENERATED ALWAYS AS ((epoch_us(done_at) - epoch_us(created_at)) / 3600000000.0::DOUBLE),  -- created to done, elapsed hours
    lead_time_days         INTEGER GENERATED ALWAYS AS (CAST(done_date - created_date + 1 AS INTEGER)),  -- created to done, local days, both counted
    started_to_done_hours  DOUBLE GENERATED ALWAYS AS (CASE WHEN cycle_quality IN ('ok', 'zero_time') THEN (epoch_us(done_at) - epoch_us(started_at)) / 3600000000.0::DOUBLE END),  -- elapsed hours; NULL unless cycle_quality is ok or zero_time
    started_to_done_days   INTEGER GENERATED ALWAYS AS (CASE WHEN cycle_quality IN ('ok', 'zero_time') THEN CAST(done_date - started_date + 1 AS INTEGER) END),  -- local days, both counted
    working_hours          DOUBLE,      -- started to done, hours inside the working calendar; NULL without a calendar
    active_hours           DOUBLE,      -- part of started to done spent in work
    waiting_hours          DOUBLE,      -- part spent in queues
    blocked_hours          DOUBLE,      -- part spent flagged, while in work or in a queue
    backlog_hours          DOUBLE,      -- part spent back in To Do
    done_gap_hours         DOUBLE,      -- part spent in Done before a reopening
    flow_efficiency        DOUBLE,      -- active_hours / all five parts; NULL where neither queues nor flags are known
    reopen_count           INTEGER,     -- exits from Done
    returned_to_todo_count INTEGER,     -- moves from In Progress back to To Do
    backward_moves         INTEGER,     -- moves to an earlier phase, or to a status reached before the one it leaves
    cycle_quality          VARCHAR,     -- ok, not_started, zero_time, stop_before_start; NULL while open
    is_delivered           BOOLEAN,     -- done, and not with a resolution that means withdrawn; NULL while open
    project_key_at_done    VARCHAR,     -- project at done_at
    assignee_id_at_done    VARCHAR,     -- assignee at done_at
    team_at_done           VARCHAR,     -- team of assignee_id_at_done
    created_not_initial    BOOLEAN,     -- created in a status that is not To Do
    change_before_created  BOOLEAN,     -- a change is dated before the creation
    broken_chain           BOOLEAN,     -- a change claims to leave a status the issue was not in
    tail_mismatch          BOOLEAN,     -- the history ends in another status than the present one
    unknown_status         BOOLEAN,     -- a status of the history is not among the site's
    changed_after_done     BOOLEAN,     -- moved between statuses of Done after it was done
    history_incomplete     BOOLEAN,     -- flow columns are NULL until the rest of the history is fetched
    resolved_not_done      BOOLEAN GENERATED ALWAYS AS (resolved_at IS NOT NULL AND done_at IS NULL AND NOT history_incomplete),  -- has a resolution date and is not in Done
    done_not_resolved      BOOLEAN GENERATED ALWAYS AS (done_at IS NOT NULL AND resolved_at IS NULL),  -- is in Done and has no resolution date
    load_id                BIGINT       -- load of the issues row it was derived from
);

-- One row a local day and project, from its first created issue to the last complete day. Counts every issue of the project.
CREATE TABLE IF NOT EXISTS cycle_time_metrics (
    metric_date           DATE,    -- local day
    project_key           VARCHAR, -- project of the issues today
    created_issues        BIGINT,  -- created that day
    started_issues        BIGINT,  -- started_at is that day
    resolved_issues       BIGINT,  -- resolved_at is that day
    done_issues           BIGINT,  -- done_at is that day; an issue reopened later leaves the day
    reopened_issues       BIGINT,  -- issues that left Done that day
    open_issues           BIGINT,  -- not in Done at day end
    wip_issues            BIGINT,  -- at day end started and not yet done, by the clock
    story_points_done     DOUBLE,  -- sum of story_points over done_issues
    cycle_time_issues     BIGINT,  -- how many issues the next five are taken over
    cycle_time_hours_mean DOUBLE,  -- of the issues whose headline clock stopped that day; NULL where none
    cycle_time_hours_p50  DOUBLE,  -- nearest rank
    cycle_time_hours_p70  DOUBLE,  -- nearest rank
    cycle_time_hours_p85  DOUBLE,  -- nearest rank
    cycle_time_hours_p95  DOUBLE   -- nearest rank
);

-- One row a local day, project and status with issues in it at day end. Flow population; the bands of a day sum to created so far.
CREATE TABLE IF NOT EXISTS cumulative_flow (
    metric_date     DATE,           -- local day
    project_key     VARCHAR,        -- project of the issues today
    status_id       VARCHAR,        -- NULL where the history names no id
    status          VARCHAR,        -- the name of today
    status_category ENUM ('new', 'indeterminate', 'done'),  -- category of today
    phase           ENUM ('to_do', 'in_progress', 'done'),  -- the category after the workflow settings
    issues          BIGINT          -- how many sat in the status at day end; no row where none
);

-- What has changed in status_intervals since cumulative_flow was last brought up to date, as +1 and -1; works for the pipeline only.
CREATE TABLE IF NOT EXISTS ops.cumulative_flow_changes (
    metric_date     DATE,           -- local day of the change
    project_key     VARCHAR,        -- project of the issue
    status_id       VARCHAR,        -- status that gains or loses
    status          VARCHAR,        -- its name
    status_category ENUM ('new', 'indeterminate', 'done'),  -- its category
    phase           ENUM ('to_do', 'in_progress', 'done'),  -- its phase
    delta           BIGINT          -- by how many issues
);

-- What has changed in cycle_times and is still to be taken in by some table: the old row as -1, the new one as 1. Works for the pipeline only.
CREATE TABLE IF NOT EXISTS ops.cycle_time_changes (
    batch                BIGINT,    -- of one derivation; ops.change_readers says who has still to take it in
    sign                 INTEGER,   -- -1: no longer so; 1: so now; 0: another team, which no figure counts
    issue_id             BIGINT,    -- Jira's issue id
    project_key          VARCHAR,   -- as in cycle_times, like all that follow
    counts_in_flow       BOOLEAN,   -- standard level and no excluded type
    history_incomplete   BOOLEAN,   -- without flow columns
    created_date         DATE,      -- local day of created_at
    started_date         DATE,      -- local day of started_at
    done_date            DATE,      -- local day of done_at
    resolved_date        DATE,      -- local day of resolved_at
    cycle_time_stop_date DATE,      -- local day on which the headline clock stopped
    cycle_time_hours     DOUBLE,    -- the headline clock
    story_points         DOUBLE,    -- estimate
    cycle_quality        VARCHAR,   -- ok, not_started, zero_time, stop_before_start
    is_delivered         BOOLEAN,   -- done and not withdrawn
    project_key_at_done  VARCHAR    -- project at done_at
);

-- Which tables have still to take in which of ops.cycle_time_changes. Works for the pipeline only.
CREATE TABLE IF NOT EXISTS ops.change_readers (
    reader VARCHAR,                 -- a table that is brought forward by them
    batch  BIGINT                   -- those of one derivation of cycle_times
);

-- What has changed in the moves into and out of Done since cycle_time_metrics was last brought up to date; works for the pipeline only.
CREATE TABLE IF NOT EXISTS ops.done_move_changes (
    metric_date     DATE,           -- local day of the moves
    project_key     VARCHAR,        -- project of the issues
    open_issues     BIGINT,         -- by how many more issues became open that day than were known to
    reopened_issues BIGINT          -- by how many more issues left Done that day than were known to
);

-- Issues without a complete history that Jira's own dates call closed, as cycle_time_metrics counted them last; works for the pipeline only.
CREATE TABLE IF NOT EXISTS ops.closed_without_history (
    metric_date DATE,               -- local day of the closing
    project_key VARCHAR,            -- project of the issues
    issues      BIGINT              -- how many
);

-- One row a local day and project: arrivals, departures and work in progress. Flow population.
CREATE TABLE IF NOT EXISTS daily_flow (
    metric_date          DATE,      -- local day
    project_key          VARCHAR,   -- project at done_at for departures, project of today for the rest
    created_issues       BIGINT,    -- created that day
    started_issues       BIGINT,    -- arrivals: started_at is that day
    done_issues          BIGINT,    -- throughput: done_at is that day, delivered or withdrawn
    delivered_issues     BIGINT,    -- of these, delivered
    withdrawn_issues     BIGINT,    -- of these, withdrawn
    delivered_points     DOUBLE,    -- story points of the delivered
    net_flow             BIGINT,    -- arrivals - departures of started work: how much wip_clock grew
    wip_clock            BIGINT,    -- at day end started and not yet done, whatever the status
    wip_status           BIGINT,    -- at day end in a status of phase in_progress
    wip_age_days         BIGINT,    -- sum of the ages of wip_clock at day end, both days counted
    created_total        BIGINT,    -- created up to day end
    done_total           BIGINT     -- done up to day end, as known today
);

-- One row a week (Monday to Sunday, local) and project, zero-filled, with the limits of a process behaviour chart. Flow population.
CREATE TABLE IF NOT EXISTS throughput_weekly (
    week_start          DATE,       -- Monday
    project_key         VARCHAR,    -- project at done_at
    done_issues         BIGINT,     -- throughput
    delivered_issues    BIGINT,     -- of these, delivered
    withdrawn_issues    BIGINT,     -- of these, withdrawn
    delivered_points    DOUBLE,     -- story points of the delivered
    is_complete_week    BOOLEAN,    -- all seven days are over and after the project's first day
    mean_issues         DOUBLE,     -- mean of the last 26 complete weeks; NULL outside them, like the next three
    lower_limit         DOUBLE,     -- natural process limit, mean - 2.66 mean moving ranges, at least 0
    upper_limit         DOUBLE,     -- natural process limit, mean + 2.66 mean moving ranges
    xmr_signal          VARCHAR     -- outside_limits, two_of_three, four_of_five, eight_on_one_side; NULL when none
);

-- One row a period, project and type (NULL: all): percentiles of started to done, quality ok only. Flow population.
CREATE TABLE IF NOT EXISTS cycle_time_percentiles (
    period              VARCHAR,    -- month, last_90_days, all
    period_start        DATE,       -- first local day of done_at
    project_key         VARCHAR,    -- project at done_at; NULL: all
    issue_type          VARCHAR,    -- type of today; NULL: all
    issues              BIGINT,     -- n: how many the figures are taken over
    excluded_not_started BIGINT,    -- done without ever being in progress: left out
    excluded_zero_time  BIGINT,     -- started and done at the same instant: left out
    excluded_stop_before_start BIGINT, -- done before started: left out
    days_p50            INTEGER,    -- local days both counted, nearest rank
    days_p70            INTEGER,    -- NULL when n < 5
    days_p85            INTEGER,    -- NULL when n < 10
    days_p95            INTEGER,    -- NULL when n < 20
    hours_p50           DOUBLE,     -- elapsed hours, nearest rank
    hours_p85           DOUBLE,     -- NULL when n < 10
    days_mean           DOUBLE,     -- arithmetic mean
    sle_days            INTEGER,    -- service level expectation in days, as configured
    sle_met_share       DOUBLE      -- share of issues done within sle_days; NULL without a configured expectation
);

-- One row a project and status: the age at which finished issues left it. The pace lines of an aging chart.
CREATE TABLE IF NOT EXISTS status_pace (
    project_key     VARCHAR,        -- project at done_at
    status_id       VARCHAR,        -- NULL where the history names no id
    status          VARCHAR,        -- the name of today
    issues          BIGINT,         -- finished issues of the last 365 days that went through it
    age_days_p50    INTEGER,        -- age on leaving, local days both counted, nearest rank
    age_days_p70    INTEGER,        -- never less than in a status that is left earlier
    age_days_p85    INTEGER,        -- never less than in a status that is left earlier
    age_days_p95    INTEGER         -- never less than in a status that is left earlier
);

-- One row an issue that is started and not done, as of the last run. Flow population.
CREATE TABLE IF NOT EXISTS aging_wip (
    issue_id           BIGINT,      -- Jira's issue id
    issue_key          VARCHAR,     -- key of today
    project_key        VARCHAR,     -- project of today
    issue_type         VARCHAR,     -- type of today
    assignee_id        VARCHAR,     -- assignee of today
    team               VARCHAR,     -- team of the assignee
    status_id          VARCHAR,     -- status of today
    status             VARCHAR,     -- its name
    phase              VARCHAR,     -- in_progress, or to_do when it was sent back
    is_parked          BOOLEAN,     -- started but back in To Do
    started_at         TIMESTAMPTZ, -- first start, also of a reopened issue
    age_days           INTEGER,     -- started to as_of, local days, both counted
    age_hours          DOUBLE,      -- elapsed hours
    days_in_status     INTEGER,     -- present stay to as_of, local days, both counted
    active_hours       DOUBLE,      -- part of age_hours spent in work
    waiting_hours      DOUBLE,      -- part spent in queues
    blocked_hours      DOUBLE,      -- part spent flagged, while in work or in a queue
    backlog_hours      DOUBLE,      -- part spent back in To Do
    done_gap_hours     DOUBLE,      -- part spent in Done before a reopening
    is_blocked         BOOLEAN,     -- flagged now
    last_activity_at   TIMESTAMPTZ, -- last update of the issue
    is_stale           BOOLEAN,     -- no update for stale_days
    pace_band          VARCHAR,     -- age against status_pace: up_to_p50, p50_to_p70, p70_to_p85, p85_to_p95, over_p95; NULL without pace
    sle_days           INTEGER,     -- configured expectation, else P85 of the project's last 365 days; NULL when n < 10
    sle_state          VARCHAR,     -- past (older than sle_days), at (its last day), near (from 80 %), inside
    as_of              TIMESTAMPTZ  -- to which instant the row is measured
);

-- One row a month (of done_at) and project: where the time between start and done went. Flow population, quality ok.
CREATE TABLE IF NOT EXISTS flow_efficiency (
    month_start      DATE,          -- first local day of the month of done_at
    project_key      VARCHAR,       -- project at done_at
    issues           BIGINT,        -- n
    active_hours     DOUBLE,        -- sums over the issues
    waiting_hours    DOUBLE,        -- in queues
    blocked_hours    DOUBLE,        -- flagged
    backlog_hours    DOUBLE,        -- back in To Do
    done_gap_hours   DOUBLE,        -- in Done before a reopening
    flow_efficiency  DOUBLE         -- active_hours / sum of the five: of sums, not the mean of ratios
);

-- One row a sprint, as the issues that were in it describe it.
CREATE TABLE IF NOT EXISTS sprints (
    sprint_id    BIGINT,            -- Jira's sprint id
    name         VARCHAR,           -- name as last seen
    state        VARCHAR,           -- future, active, closed
    board_id     BIGINT,            -- board that owns it
    goal         VARCHAR,           -- sprint goal
    activated_at TIMESTAMPTZ,       -- when it was really started; the planned start where Jira does not say
    start_at     TIMESTAMPTZ,       -- planned start
    end_at       TIMESTAMPTZ,       -- planned end
    completed_at TIMESTAMPTZ,       -- when it was closed
    load_id      BIGINT             -- load of the issue it was last read from
);

-- One row a sprint and issue that was in it between activation and completion. Issues done before activation are left out.
CREATE TABLE IF NOT EXISTS sprint_issues (
    sprint_id       BIGINT,         -- Jira's sprint id
    issue_id        BIGINT,         -- Jira's issue id
    project_key     VARCHAR,        -- project of today
    is_committed    BOOLEAN,        -- in the sprint when it was activated
    is_added        BOOLEAN,        -- came in later
    is_removed      BOOLEAN,        -- not in the sprint at its end
    is_completed    BOOLEAN,        -- in the sprint and in Done at its end
    points_at_start DOUBLE,         -- estimate at activation, or when it was added
    points_at_end   DOUBLE,         -- estimate at the end
    is_re_estimated BOOLEAN         -- the two differ
);

-- Between which instants sprint_issues has measured each activated sprint; works for the pipeline only.
CREATE TABLE IF NOT EXISTS ops.measured_sprints (
    sprint_id    BIGINT,            -- Jira's sprint id
    activated_at TIMESTAMPTZ,       -- as in sprints then
    completed_at TIMESTAMPTZ        -- as in sprints then; NULL: to the as_of of that run
);

-- One row an activated sprint: what was promised, what happened. Open sprints are measured to as_of.
CREATE TABLE IF NOT EXISTS sprint_report (
    sprint_id                  BIGINT,      -- Jira's sprint id
    name                       VARCHAR,     -- name as last seen
    state                      VARCHAR,     -- active, closed
    activated_at               TIMESTAMPTZ, -- begin of the measure
    completed_at               TIMESTAMPTZ, -- end of the measure; NULL while active
    committed_issues           BIGINT,      -- in the sprint at activation
    added_issues               BIGINT,      -- came in later
    removed_issues             BIGINT,      -- taken out before the end
    re_estimated_issues        BIGINT,      -- estimate changed in between
    completed_issues           BIGINT,      -- done at the end, added ones too
    completed_of_committed     BIGINT,      -- of these, committed
    carry_over_issues          BIGINT,      -- in the sprint and not done at the end
    say_do                     DOUBLE,      -- completed_of_committed / committed_issues; NULL when nothing was committed
    committed_points           DOUBLE,      -- the same in story points, unestimated issues as 0
    added_points               DOUBLE,      -- estimate when added
    removed_points             DOUBLE,      -- estimate at the start
    completed_points           DOUBLE,      -- estimate at the end
    completed_of_committed_points DOUBLE,   -- estimate at activation
    carry_over_points          DOUBLE       -- estimate at the end
);

-- Monte Carlo forecasts of a project from its delivered issues per day, zero days included. Flow population.
CREATE TABLE IF NOT EXISTS forecasts (
    project_key   VARCHAR,          -- project
    kind          VARCHAR,          -- how_many (in horizon_days) or when (items will be done)
    horizon_days  INTEGER,          -- how_many: from the day of as_of on
    items         BIGINT,           -- when: that many further issues
    items_meaning VARCHAR,          -- when: fixed number, or wip (all that is started now)
    percentile    INTEGER,          -- confidence: 50, 70, 85, 95
    value         BIGINT,           -- how_many: at least so many issues; when: within so many days; NULL with problem
    forecast_date DATE,             -- last day of the horizon, or the day of completion
    trials        INTEGER,          -- simulated futures
    seed          BIGINT,           -- of the generator: the same seed gives the same figures
    history_days  INTEGER,          -- sampled days, the last complete ones
    problem       VARCHAR           -- why there is no value: no_throughput, beyond_two_years
);

-- One row a project and past month end: what the 30-day forecast would have promised at 85 %, and what came.
CREATE TABLE IF NOT EXISTS forecast_backtest (
    project_key   VARCHAR,          -- project
    cutoff_date   DATE,             -- last day known to the forecast
    horizon_days  INTEGER,          -- days forecast
    promised_p85  BIGINT,           -- with 85 % confidence at least so many
    actual_issues BIGINT,           -- delivered in those days
    held          BOOLEAN           -- actual_issues >= promised_p85; a sound method holds in about 85 % of rows
);

-- One row a week (of the last 52), project and priority: the bug queue.
CREATE TABLE IF NOT EXISTS bugs_weekly (
    week_start         DATE,        -- Monday
    project_key        VARCHAR,     -- project of today
    priority           VARCHAR,     -- priority of today
    new_bugs           BIGINT,      -- created that week
    closed_bugs        BIGINT,      -- done_at is that week
    outstanding_bugs   BIGINT,      -- created and not done at week end
    mean_age_days      DOUBLE,      -- of the outstanding, created to week end, local days both counted
    max_age_days       INTEGER      -- of the outstanding
);

-- One row a project and signal: what deserves a look today, with the rule in words.
CREATE TABLE IF NOT EXISTS signals (
    project_key VARCHAR,            -- project
    signal      VARCHAR,            -- which rule
    state       VARCHAR,            -- ok, watch, act
    value       DOUBLE,             -- what the rule looks at; NULL when it cannot be told
    rule        VARCHAR             -- the rule in words
);

-- One row an issue and flag: what to know before trusting a figure of that issue.
CREATE TABLE IF NOT EXISTS data_quality (
    issue_id    BIGINT,             -- Jira's issue id
    issue_key   VARCHAR,            -- key of today
    project_key VARCHAR,            -- project of today
    flag        VARCHAR,            -- which flag; meanings in docs/metrics.md
    effect      VARCHAR             -- what the flag changes in the figures
);
