-- outdated_issues as it usually is: the issues of present_loads with a higher load than any of derived_loads (temporary
-- views: issue_id, load_id). others_compared says whether the rest is the same on both sides, by number and fingerprint.

CREATE OR REPLACE TEMP TABLE derived_through AS SELECT coalesce(max(load_id), -1) AS load_id FROM derived_loads;

CREATE OR REPLACE TEMP TABLE outdated_issues AS
SELECT issue_id, load_id FROM present_loads WHERE load_id > (SELECT load_id FROM derived_through);

-- Hashed twice: what hash() makes of two columns is a XOR of both, and a XOR of those would not see two loads exchanged.
CREATE OR REPLACE TEMP TABLE others_compared AS
WITH present AS (
    SELECT count(*) AS issues, bit_xor(hash(hash(issue_id, load_id))) AS fingerprint
    FROM present_loads WHERE load_id <= (SELECT load_id FROM derived_through)
),
derived AS (
    SELECT count(*) AS issues, bit_xor(hash(hash(issue_id, load_id))) AS fingerprint
    FROM derived_loads WHERE issue_id NOT IN (SELECT issue_id FROM outdated_issues)
)
SELECT p.issues = d.issues AND p.fingerprint IS NOT DISTINCT FROM d.fingerprint AS nothing_else
FROM present p CROSS JOIN derived d;

DROP TABLE derived_through;
