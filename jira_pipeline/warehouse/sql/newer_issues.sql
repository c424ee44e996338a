-- outdated_issues as it usually is: the issues of present_loads with a higher load than $through, the highest of which
-- derived_loads hold any (temporary views: issue_id, load_id). others_compared says whether the rest is the same on both
-- sides, by number and fingerprint.

CREATE OR REPLACE TEMP TABLE outdated_issues AS SELECT issue_id, load_id FROM present_loads WHERE load_id > $through;

-- Hashed twice: what hash() makes of two columns is a XOR of both, and a XOR of those would not see two loads exchanged.
CREATE OR REPLACE TEMP TABLE others_compared AS
WITH present AS (
    SELECT count(*) AS issues, bit_xor(hash(hash(issue_id, load_id))) AS fingerprint
    FROM present_loads WHERE load_id <= $through
),
derived AS (
    SELECT count(*) AS issues, bit_xor(hash(hash(issue_id, load_id))) AS fingerprint
    FROM derived_loads WHERE issue_id NOT IN (SELECT issue_id FROM outdated_issues)
)
SELECT p.issues = d.issues AND p.fingerprint IS NOT DISTINCT FROM d.fingerprint AS nothing_else
FROM present p CROSS JOIN derived d;
