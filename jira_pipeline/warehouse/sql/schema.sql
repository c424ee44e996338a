-- The tables of the warehouse, first version. Idempotent: run at every opening of the working database.
-- Names and meanings of the columns that people rely on are fixed by the table reference in docs/tables.md.
-- No primary keys: they make upserts 3 to 20 times dearer in DuckDB; uniqueness holds by construction and is checked by asset checks.

CREATE SCHEMA IF NOT EXISTS ops;

CREATE TABLE IF NOT EXISTS projects (
    project_id   VARCHAR,      -- numeric id in Jira, as text; survives a change of key
    project_key  VARCHAR,
    name         VARCHAR,
    project_type VARCHAR,      -- software, service_desk, business, product_discovery
    lead_id      VARCHAR,
    is_archived  BOOLEAN,
    is_tracked   BOOLEAN,      -- in tracked_projects of jira_pipeline.yaml and active there
    synced_at    TIMESTAMPTZ   -- when the row's present content was stored
);

CREATE TABLE IF NOT EXISTS users (
    user_id       VARCHAR,     -- accountId on Cloud, user key on Data Center
    display_name  VARCHAR,
    email_address VARCHAR,
    account_type  VARCHAR,     -- atlassian, app, customer, unknown; NULL on Data Center
    is_active     BOOLEAN,
    time_zone     VARCHAR,
    source        VARCHAR,     -- directory: listed by the site; issues: only met in issues and histories
    synced_at     TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS statuses (
    status_id       VARCHAR,
    name            VARCHAR,
    status_category VARCHAR,   -- new, indeterminate, done; NULL when Jira does not say
    is_listed       BOOLEAN,   -- false: met in issues, absent from the site's own list
    synced_at       TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS raw_issues (
    issue_id         BIGINT,
    issue_key        VARCHAR,
    project_id       VARCHAR,
    project_key      VARCHAR,
    created_at       TIMESTAMPTZ,
    updated_at       TIMESTAMPTZ,
    payload          JSON,        -- the issue object as Jira sent it, without its changelog
    history_count    INTEGER,     -- what Jira says the total is
    history_complete BOOLEAN,
    partition_date   DATE,        -- of the run that wrote it
    synced_at        TIMESTAMPTZ,
    removed_at       TIMESTAMPTZ,
    removal_reason   VARCHAR,     -- deleted, moved_out, not_visible
    content_hash     UBIGINT,     -- of payload and histories: tells a changed issue from one fetched again
    load_id          BIGINT       -- the load that wrote the row; what is derived from it remembers the number
);

CREATE TABLE IF NOT EXISTS issue_changes (
    issue_id    BIGINT,
    history_id  BIGINT,
    item_index  INTEGER,          -- position of the item in its history, from 0
    changed_at  TIMESTAMPTZ,
    author_id   VARCHAR,
    field       VARCHAR,
    field_id    VARCHAR,
    from_value  VARCHAR,
    from_string VARCHAR,
    to_value    VARCHAR,
    to_string   VARCHAR
);

CREATE TABLE IF NOT EXISTS issues (
    issue_id        BIGINT,
    issue_key       VARCHAR,
    project_id      VARCHAR,
    project_key     VARCHAR,
    summary         VARCHAR,
    description     VARCHAR,
    issue_type      VARCHAR,
    is_subtask      BOOLEAN,
    hierarchy_level INTEGER,      -- -1 sub-task, 0 standard, 1 and more epic and above
    status_id       VARCHAR,
    status          VARCHAR,
    status_category VARCHAR,      -- new, indeterminate, done; NULL when unknown
    status_category_changed_at TIMESTAMPTZ,
    priority        VARCHAR,
    resolution      VARCHAR,
    assignee_id     VARCHAR,
    reporter_id     VARCHAR,
    creator_id      VARCHAR,
    parent_key      VARCHAR,      -- parent issue or epic
    story_points    DOUBLE,
    is_flagged      BOOLEAN,
    labels          VARCHAR[],
    components      VARCHAR[],
    fix_versions    VARCHAR[],
    sprint_ids      BIGINT[],
    sprint_names    VARCHAR[],
    due_date        DATE,
    created_at      TIMESTAMPTZ,
    updated_at      TIMESTAMPTZ,
    resolved_at     TIMESTAMPTZ,
    load_id         BIGINT        -- of the raw_issues row it was read from
);

CREATE TABLE IF NOT EXISTS matched_assignees (
    user_id          VARCHAR,
    display_name     VARCHAR,
    email_address    VARCHAR,
    member_name      VARCHAR,
    member_email     VARCHAR,
    team             VARCHAR,
    match_method     VARCHAR,     -- account_id, email, alias
    is_matched       BOOLEAN,
    unmatched_reason VARCHAR,     -- no_email, no_team_member, ambiguous, not_a_person
    assigned_issues  BIGINT,
    open_issues      BIGINT
);

CREATE TABLE IF NOT EXISTS ops.tracked_projects (
    project_id      VARCHAR,
    project_key     VARCHAR,
    name            VARCHAR,
    is_active       BOOLEAN,
    sync_status     VARCHAR,      -- pending, syncing, complete, error
    last_sync_at    TIMESTAMPTZ,
    last_sync_error VARCHAR,
    synced_through  TIMESTAMPTZ,  -- everything updated before this instant is stored
    issue_count     BIGINT
);

CREATE TABLE IF NOT EXISTS ops.sync_runs (
    run_id          VARCHAR,
    project_key     VARCHAR,
    partition_date  DATE,
    mode            VARCHAR,      -- full, incremental
    started_at      TIMESTAMPTZ,
    finished_at     TIMESTAMPTZ,
    status          VARCHAR,      -- complete, error
    issues_fetched  BIGINT,
    issues_created  BIGINT,
    issues_updated  BIGINT,
    issues_failed   BIGINT,
    changes_written BIGINT,
    requests        BIGINT,
    retries         BIGINT,
    bytes_received  BIGINT,
    error           VARCHAR
);

CREATE TABLE IF NOT EXISTS ops.quarantined_issues (
    issue_id      BIGINT,
    issue_key     VARCHAR,
    project_key   VARCHAR,
    error         VARCHAR,
    payload       VARCHAR,
    first_seen_at TIMESTAMPTZ,
    last_seen_at  TIMESTAMPTZ
);

-- Which field plays a role (story_points, sprint, flagged, epic_link); several rows a role are read in order of rank.
CREATE TABLE IF NOT EXISTS ops.field_roles (
    project_id   VARCHAR,         -- NULL: holds for every project without rows of its own
    role         VARCHAR,
    field_id     VARCHAR,
    field_name   VARCHAR,
    rank         INTEGER,
    is_ambiguous BOOLEAN,
    reason       VARCHAR
);

-- Landing files whose content is in the tables, written in the loading transaction: a load repeated after a crash changes nothing.
CREATE TABLE IF NOT EXISTS ops.loaded_files (
    file_name VARCHAR,
    load_id   BIGINT,
    loaded_at TIMESTAMPTZ
);

-- One value a name: schema_version, as_of (the instant to which the tables are known to be complete), and what derived tables were built with.
CREATE TABLE IF NOT EXISTS ops.state (
    name  VARCHAR,
    value VARCHAR
);
