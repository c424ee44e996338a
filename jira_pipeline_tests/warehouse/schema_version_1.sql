-- The tables that hold what was fetched, as jira_pipeline 0.1.0 made them (schema version 1), with a row or two in each.
-- Never to be changed: what is tested is that files of that time are still understood.

CREATE SCHEMA ops;

CREATE TABLE projects (
    project_id   VARCHAR,
    project_key  VARCHAR,
    name         VARCHAR,
    project_type VARCHAR,
    lead_id      VARCHAR,
    is_archived  BOOLEAN,
    is_tracked   BOOLEAN,
    synced_at    TIMESTAMPTZ
);

CREATE TABLE users (
    user_id       VARCHAR,
    display_name  VARCHAR,
    email_address VARCHAR,
    account_type  VARCHAR,
    is_active     BOOLEAN,
    time_zone     VARCHAR,
    source        VARCHAR,
    synced_at     TIMESTAMPTZ
);

CREATE TABLE statuses (
    status_id       VARCHAR,
    name            VARCHAR,
    status_category VARCHAR,
    is_listed       BOOLEAN,
    synced_at       TIMESTAMPTZ
);

CREATE TABLE raw_issues (
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

CREATE TABLE issue_changes (
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
    to_string   VARCHAR
);

CREATE TABLE issues (
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

CREATE TABLE matched_assignees (
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

CREATE TABLE ops.tracked_projects (
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

CREATE TABLE ops.sync_runs (
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

CREATE TABLE ops.quarantined_issues (
    issue_id      BIGINT,
    issue_key     VARCHAR,
    project_key   VARCHAR,
    error         VARCHAR,
    payload       VARCHAR,
    first_seen_at TIMESTAMPTZ,
    last_seen_at  TIMESTAMPTZ
);

CREATE TABLE ops.field_roles (
    project_id   VARCHAR,
    role         VARCHAR,
    field_id     VARCHAR,
    field_name   VARCHAR,
    rank         INTEGER,
    is_ambiguous BOOLEAN,
    reason       VARCHAR
);

CREATE TABLE ops.state (
    name  VARCHAR,
    value VARCHAR
);

CREATE TABLE ops.issue_census (
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

CREATE TABLE ops.suspected_issues (
    issue_id     BIGINT,
    project_id   VARCHAR,
    missed_since TIMESTAMPTZ
);

INSERT INTO projects VALUES ('10000', 'APP', 'Mobile App', 'software', NULL, false, true, '2026-11-03 02:00:00+00');

INSERT INTO users VALUES ('u-1', 'Ana Ruiz', 'ana@example.com', 'atlassian', true, 'Europe/Berlin', 'issues', '2026-11-03 02:00:00+00');

INSERT INTO statuses VALUES ('1', 'To Do', 'new', true, '2026-11-03 02:00:00+00'), ('3', 'Done', 'done', true, '2026-11-03 02:00:00+00');

INSERT INTO raw_issues
SELECT
    id, 'APP-' || id, '10000', 'APP', '2026-11-01 09:00:00+00', '2026-11-02 10:00:00+00',
    json_object('id', CAST(id AS VARCHAR), 'key', 'APP-' || id, 'fields', json_object(
        'project', json_object('id', '10000', 'key', 'APP'), 'created', '2026-11-01T09:00:00.000+0000',
        'updated', '2026-11-02T10:00:00.000+0000', 'summary', 'Fix login',
        'status', json_object('id', '3', 'name', 'Done', 'statusCategory', json_object('key', 'done'))
    )),
    1, true, '2026-11-02', '2026-11-03 02:00:00+00', NULL, NULL, id, 7
FROM range(1, 3) AS ids(id);

INSERT INTO issue_changes
SELECT id, 100 + id, 0, '2026-11-02 10:00:00+00', 'u-1', 'status', 'status', '1', 'To Do', '3', 'Done'
FROM range(1, 3) AS ids(id);

INSERT INTO ops.tracked_projects VALUES
    ('10000', 'APP', 'APP', 'Mobile App', true, 'complete', '2026-11-03 02:00:00+00', NULL, '2026-11-02 10:00:00+00', 2);

INSERT INTO ops.sync_runs VALUES
    ('run-1', 'APP', '2026-11-02', 'full', '2026-11-03 02:00:00+00', '2026-11-03 02:01:00+00', 'complete', 2, 2, 0, 0, 2, 5, 0, 4096, NULL);

INSERT INTO ops.quarantined_issues VALUES (9, 'APP-9', 'APP', 'is null', 'null', '2026-11-03 02:00:00+00', '2026-11-03 02:00:00+00');

INSERT INTO ops.issue_census VALUES
    ('run-2', '10000', 'APP', '2026-11-03 04:00:00+00', 'complete', 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, NULL);

INSERT INTO ops.suspected_issues VALUES (2, '10000', '2026-11-03 04:00:00+00');

INSERT INTO ops.state VALUES ('schema', '1:2b1dfa0c'), ('as_of', '2026-11-03T02:00:00+00:00');
