-- Which fields play which role -> ops.field_roles. When that changes, the typed rows are read anew. Parameter: $roles (a JSON array).

CREATE OR REPLACE TEMP TABLE discovered AS
SELECT unnest(from_json($roles, '[{
    "project_id": "VARCHAR", "role": "VARCHAR", "field_id": "VARCHAR", "field_name": "VARCHAR", "rank": "INTEGER",
    "is_ambiguous": "BOOLEAN", "reason": "VARCHAR"
}]'), recursive := true);

DELETE FROM issues
WHERE EXISTS (
    (SELECT project_id, role, field_id, rank FROM discovered EXCEPT SELECT project_id, role, field_id, rank FROM ops.field_roles)
    UNION ALL
    (SELECT project_id, role, field_id, rank FROM ops.field_roles EXCEPT SELECT project_id, role, field_id, rank FROM discovered)
);

DELETE FROM ops.field_roles;

INSERT INTO ops.field_roles BY NAME SELECT * FROM discovered;
