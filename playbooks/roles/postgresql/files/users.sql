-- Statements that bring users to what is wanted; none where nothing differs. Members of steward_users are those that the role made.
WITH wanted (name) AS (SELECT jsonb_array_elements_text(%(users)s::jsonb)),
members (name, login) AS (
    SELECT m.rolname, m.rolcanlogin
    FROM pg_catalog.pg_auth_members AS a
    INNER JOIN pg_catalog.pg_roles AS g ON g.oid = a.roleid AND g.rolname = 'steward_users'
    INNER JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
)
SELECT statement FROM (
    SELECT 1 AS place, 'CREATE ROLE steward_users NOLOGIN' AS statement
    WHERE EXISTS (SELECT FROM wanted) AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'steward_users')
    UNION ALL
    SELECT 2, format('GRANT steward_users TO %%I', name) FROM wanted WHERE name NOT IN (SELECT name FROM members)
    UNION ALL
    SELECT 3, format('ALTER ROLE %%I NOLOGIN', name) FROM members WHERE login AND name NOT IN (SELECT name FROM wanted)
    UNION ALL
    SELECT 4, format('ALTER ROLE %%I LOGIN', name) FROM members WHERE NOT login AND name IN (SELECT name FROM wanted)
) AS steps
ORDER BY place, statement
