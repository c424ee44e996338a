-- Readings of Jira's values. Made in the memory of an engine: not left in anybody's file.

-- The lines of landing files of payloads or histories: the number of the line, and its JSON as text.
CREATE MACRO landed_lines(files, longest_line, buffer_bytes) AS TABLE
SELECT line_id, content
FROM read_csv(
    files,
    auto_detect = false,
    header = false,
    delim = '\t',
    quote = '',
    escape = '',
    new_line = '\n',
    max_line_size = longest_line,
    buffer_size = buffer_bytes,
    columns = {line_id: 'BIGINT', content: 'VARCHAR'}
);

-- An instant in any of the forms Jira uses: ISO with any offset (2026-08-24T11:11:52.944+0000), epoch milliseconds as in
-- changelog/bulkfetch, epoch seconds as in Atlassian's own example of it. NULL when it is none of these.
CREATE MACRO jira_instant(value) AS
    CASE
        -- As nearly all are written, and three times as fast as finding out what else it may be.
        WHEN value LIKE '____-__-__T__:__:__.___+____' OR value LIKE '____-__-__T__:__:__.___-____' THEN TRY_CAST(value AS TIMESTAMPTZ)
        -- Up to 14 digits: the year 5138 in milliseconds. What is longer is no instant, and would overflow.
        -- TRY_CAST, because DuckDB 1.5 also evaluates a branch that is not taken.
        WHEN regexp_full_match(value, '-?[0-9]{1,14}') THEN
            CASE
                WHEN abs(TRY_CAST(value AS BIGINT)) >= 100000000000 THEN make_timestamptz(TRY_CAST(value AS BIGINT) * 1000)
                ELSE make_timestamptz(TRY_CAST(value AS BIGINT) * 1000000)
            END
        -- Years of four digits, as ISO has them. A time without an offset would be read in the session's zone: no instant.
        WHEN regexp_matches(value, '^[0-9]{4}-.*T.*(Z|[+-][0-9]{2}:?[0-9]{2})$') THEN TRY_CAST(value AS TIMESTAMPTZ)
    END;

-- accountId on Cloud, user key on Data Center, user name where an old site gives nothing else.
CREATE MACRO jira_user_id(person) AS coalesce(person.accountId, person."key", person."name");

-- One of Jira's three status categories; `undefined` and anything else is unknown.
CREATE MACRO jira_category(category_key) AS
    CASE WHEN category_key IN ('new', 'indeterminate', 'done') THEN category_key END;

-- A number, or a text that holds one; NULL is not 0, and neither is text.
CREATE MACRO jira_number(value) AS
    CASE WHEN isfinite(TRY_CAST(value ->> '$' AS DOUBLE)) THEN TRY_CAST(value ->> '$' AS DOUBLE) END;

-- The elements of a JSON array; a lone value counts as an array of one, null and a missing value as none.
CREATE MACRO json_elements(value) AS
    CASE
        WHEN value IS NULL OR json_type(value) = 'NULL' THEN CAST([] AS JSON[])
        WHEN json_type(value) = 'ARRAY' THEN TRY_CAST(value AS JSON[])
        ELSE [value]
    END;

-- A sprint, an object on Cloud, on Data Center a Java object printed as Sprint@1f[id=12,…,name=A, b [x],startDate=…]: names
-- may hold commas, brackets and equals signs, and the order of the keys differs, so a name ends where a known key begins.
CREATE MACRO sprint_id(sprint) AS
    CASE json_type(sprint)
        WHEN 'OBJECT' THEN TRY_CAST(sprint ->> '$.id' AS BIGINT)
        WHEN 'VARCHAR' THEN TRY_CAST(coalesce(nullif(regexp_extract(sprint ->> '$', '[\[,]id=([0-9]+)[,\]]', 1), ''), sprint ->> '$') AS BIGINT)
        ELSE TRY_CAST(sprint ->> '$' AS BIGINT)
    END;

-- What a sprint has under a key: `name` or `goal`, the two that people write.
CREATE MACRO sprint_text(sprint, key) AS
    CASE json_type(sprint)
        WHEN 'OBJECT' THEN sprint ->> ('$.' || key)
        WHEN 'VARCHAR' THEN nullif(regexp_extract(
            sprint ->> '$',
            '[\[,]' || key || '=(.*?)(?:,(?:' || replace(
                'name|goal|id|rapidViewId|state|startDate|endDate|completeDate|activatedDate|sequence|autoStartStop|synced|incompleteIssuesDestinationId',
                key || '|', ''
            ) || ')=|\]$)',
            1, 's'), '')
    END;
