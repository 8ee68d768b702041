-- Statements that bring users to what is wanted; none where nothing differs. Members of steward_users are those that the role made.
WITH wanted (name) AS (SELECT jsonb_array_elements_text(%(users)s::jsonb)),
logins (name) AS (SELECT jsonb_array_elements_text(%(logins)s::jsonb)),
acting (name, other) AS (SELECT x ->> 0, x ->> 1 FROM jsonb_array_elements(%(acting)s::jsonb) AS x),
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
    SELECT 3, format('ALTER ROLE %%I NOLOGIN', name) FROM (
        SELECT name FROM members WHERE login
        UNION
        SELECT rolname FROM pg_catalog.pg_roles INNER JOIN wanted ON rolname = name WHERE rolcanlogin
    ) AS entering WHERE name NOT IN (SELECT name FROM logins)
    UNION ALL
    SELECT 4, format('ALTER ROLE %%I LOGIN', name) FROM members WHERE NOT login AND name IN (SELECT name FROM logins)
    UNION ALL
    SELECT 5, format('GRANT %%I TO %%I', other, name) FROM acting
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_auth_members AS a
        WHERE a.roleid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = other)
            AND a.member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = name)
    )
    UNION ALL
    SELECT 6, format('ALTER ROLE %%I SET role = %%L', name, other) FROM acting
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_db_role_setting AS s
        WHERE s.setdatabase = 0 AND s.setrole = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = name)
            AND ('role=' || other) = ANY (s.setconfig)
    )
) AS steps
ORDER BY place, statement
