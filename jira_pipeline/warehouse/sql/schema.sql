-- The tables of the warehouse. Idempotent. What tables and columns mean is in comments.sql.
-- No primary keys: they make upserts 3 to 20 times dearer in DuckDB; uniqueness holds by construction and is checked by asset checks.

CREATE SCHEMA IF NOT EXISTS ops;

CREATE TABLE IF NOT EXISTS projects (
    project_id   VARCHAR,
    project_key  VARCHAR,
    name         VARCHAR,
    project_type VARCHAR,
    lead_id      VARCHAR,
    is_archived  BOOLEAN,
    is_tracked   BOOLEAN,
    synced_at    TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS users (
    user_id       VARCHAR,
    display_name  VARCHAR,
    email_address VARCHAR,
    account_type  VARCHAR,
    is_active     BOOLEAN,
    time_zone     VARCHAR,
    source        VARCHAR,
    synced_at     TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS statuses (
    status_id       VARCHAR,
    name            VARCHAR,
    status_category VARCHAR,
    is_listed       BOOLEAN,
    synced_at       TIMESTAMPTZ
);

CREATE TABLE IF NOT EXISTS raw_issues (
    issue_id         BIGINT,
    issue_key        VARCHAR,
    project_id       VARCHAR,
    project_key      VARCHAR,
    created_at       TIMESTAMPTZ,
    updated_at       TIMESTAMPTZ,
    payload          JSON,
    history_count    INTEGER,
    history_complete BOOLEAN,
    partition_date   DATE,
    synced_at        TIMESTAMPTZ,
    removed_at       TIMESTAMPTZ,
    removal_reason   VARCHAR,
    content_hash     UBIGINT,
    load_id          BIGINT
);

CREATE TABLE IF NOT EXISTS issue_changes (
    issue_id    BIGINT,
    history_id  BIGINT,
    item_index  INTEGER,
    changed_at  TIMESTAMPTZ,
    author_id   VARCHAR,
    field       VARCHAR,
    field_id    VARCHAR,
    from_value  VARCHAR,
    from_string VARCHAR,
    to_value    VARCHAR,
    to_string   VARCHAR,
    load_id     BIGINT
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
    hierarchy_level INTEGER,
    status_id       VARCHAR,
    status          VARCHAR,
    status_category VARCHAR,
    status_category_changed_at TIMESTAMPTZ,
    priority        VARCHAR,
    resolution      VARCHAR,
    assignee_id     VARCHAR,
    reporter_id     VARCHAR,
    creator_id      VARCHAR,
    parent_key      VARCHAR,
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
    load_id         BIGINT
);

CREATE TABLE IF NOT EXISTS matched_assignees (
    user_id          VARCHAR,
    display_name     VARCHAR,
    email_address    VARCHAR,
    member_name      VARCHAR,
    member_email     VARCHAR,
    team             VARCHAR,
    match_method     VARCHAR,
    is_matched       BOOLEAN,
    unmatched_reason VARCHAR,
    assigned_issues  BIGINT,
    open_issues      BIGINT
);

CREATE TABLE IF NOT EXISTS ops.tracked_projects (
    project_id      VARCHAR,
    project_key     VARCHAR,
    configured_key  VARCHAR,
    name            VARCHAR,
    is_active       BOOLEAN,
    sync_status     VARCHAR,
    last_sync_at    TIMESTAMPTZ,
    last_sync_error VARCHAR,
    synced_through  TIMESTAMPTZ,
    issue_count     BIGINT
);

CREATE TABLE IF NOT EXISTS ops.sync_runs (
    run_id          VARCHAR,
    project_key     VARCHAR,
    partition_date  DATE,
    mode            VARCHAR,
    started_at      TIMESTAMPTZ,
    finished_at     TIMESTAMPTZ,
    status          VARCHAR,
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

CREATE TABLE IF NOT EXISTS ops.field_roles (
    project_id   VARCHAR,
    role         VARCHAR,
    field_id     VARCHAR,
    field_name   VARCHAR,
    rank         INTEGER,
    is_ambiguous BOOLEAN,
    reason       VARCHAR
);


CREATE TABLE IF NOT EXISTS ops.state (
    name  VARCHAR,
    value VARCHAR
);
