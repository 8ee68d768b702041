-- Statements that bring the access of users to this database to what is wanted; none where nothing differs.
-- Tables that the owner makes later are covered by default privileges.
WITH wanted (name, access) AS (SELECT x ->> 'user', x ->> 'access' FROM jsonb_array_elements(%(grants)s::jsonb) AS x),
here AS (SELECT datname, datdba, coalesce(datacl, acldefault('d', datdba)) AS acl FROM pg_catalog.pg_database WHERE datname = current_database()),
people (oid, name) AS (
    SELECT m.oid, m.rolname
    FROM pg_catalog.pg_auth_members AS a
    INNER JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
    WHERE a.roleid = 'steward_users'::regrole AND m.oid <> (SELECT datdba FROM here)
),
allowed (access, kind, privilege) AS (
    VALUES ('read', 'r', 'SELECT'), ('read', 'S', 'SELECT'), ('write', 'r', 'SELECT'), ('write', 'r', 'INSERT'),
    ('write', 'r', 'UPDATE'), ('write', 'r', 'DELETE'), ('write', 'S', 'SELECT'), ('write', 'S', 'USAGE')
),
rights AS (
    SELECT p.oid, p.name, a.kind, a.privilege FROM wanted AS w INNER JOIN people AS p USING (name) INNER JOIN allowed AS a USING (access)
),
relations AS (
    SELECT c.oid, format('%%I', c.relname) AS label, c.relowner, c.relacl, CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END AS kind
    FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
),
given AS (
    SELECT r.oid, r.label, r.kind, p.oid AS person, p.name, e.privilege_type AS privilege
    FROM relations AS r CROSS JOIN LATERAL aclexplode(r.relacl) AS e INNER JOIN people AS p ON p.oid = e.grantee
),
later AS (
    SELECT d.defaclobjtype::text AS kind, p.oid AS person, p.name, e.privilege_type AS privilege
    FROM pg_catalog.pg_default_acl AS d CROSS JOIN LATERAL aclexplode(d.defaclacl) AS e INNER JOIN people AS p ON p.oid = e.grantee
    WHERE d.defaclrole = (SELECT datdba FROM here) AND d.defaclnamespace = 'public'::regnamespace
),
connecting AS (SELECT e.grantee FROM here CROSS JOIN LATERAL aclexplode(here.acl) AS e WHERE e.privilege_type = 'CONNECT'),
noun (kind, word, many) AS (VALUES ('r', 'TABLE', 'TABLES'), ('S', 'SEQUENCE', 'SEQUENCES'))
SELECT statement FROM (
    SELECT 1 AS place, format('REVOKE ALL ON DATABASE %%I FROM PUBLIC', datname) AS statement
    FROM here WHERE EXISTS (SELECT FROM aclexplode(here.acl) AS e WHERE e.grantee = 0)
    UNION ALL
    SELECT 2, format('GRANT CONNECT ON DATABASE %%I TO %%I', here.datname, p.name) FROM people AS p CROSS JOIN here
    WHERE p.name IN (SELECT name FROM wanted) AND p.oid NOT IN (SELECT grantee FROM connecting)
    UNION ALL
    SELECT 3, format('REVOKE ALL ON DATABASE %%I FROM %%I', here.datname, p.name) FROM people AS p CROSS JOIN here
    WHERE p.name NOT IN (SELECT name FROM wanted) AND p.oid IN (SELECT grantee FROM connecting)
    UNION ALL
    SELECT 4, format('GRANT %%s ON %%s public.%%s TO %%I', r.privilege, n.word, t.label, r.name)
    FROM rights AS r INNER JOIN relations AS t USING (kind) INNER JOIN noun AS n USING (kind)
    WHERE t.relowner <> r.oid
        AND NOT EXISTS (SELECT FROM given AS g WHERE g.oid = t.oid AND g.person = r.oid AND g.privilege = r.privilege)
    UNION ALL
    SELECT 5, format('REVOKE %%s ON %%s public.%%s FROM %%I', g.privilege, n.word, g.label, g.name)
    FROM given AS g INNER JOIN noun AS n USING (kind)
    WHERE NOT EXISTS (SELECT FROM rights AS r WHERE r.oid = g.person AND r.kind = g.kind AND r.privilege = g.privilege)
    UNION ALL
    SELECT 6, format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I IN SCHEMA public GRANT %%s ON %%s TO %%I', here.datdba::regrole, r.privilege, n.many, r.name)
    FROM rights AS r INNER JOIN noun AS n USING (kind) CROSS JOIN here
    WHERE NOT EXISTS (SELECT FROM later AS l WHERE l.person = r.oid AND l.kind = r.kind AND l.privilege = r.privilege)
    UNION ALL
    SELECT 7, format('ALTER DEFAULT PRIVILEGES FOR ROLE %%I IN SCHEMA public REVOKE %%s ON %%s FROM %%I', here.datdba::regrole, l.privilege, n.many, l.name)
    FROM later AS l INNER JOIN noun AS n USING (kind) CROSS JOIN here
    WHERE NOT EXISTS (SELECT FROM rights AS r WHERE r.oid = l.person AND r.kind = l.kind AND r.privilege = l.privilege)
) AS steps
ORDER BY place, statement
