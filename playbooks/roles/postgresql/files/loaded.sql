-- Which contents are complete in this database: one row of two answers.
-- query_to_xml counts the rows of a table that may not exist, which plain SQL cannot name.
WITH wanted (name, rows) AS (
    SELECT 'countries', jsonb_array_length(pg_read_file('/usr/share/iso-codes/json/iso_3166-1.json')::jsonb -> '3166-1')
    UNION ALL
    SELECT 'subdivisions', jsonb_array_length(pg_read_file('/usr/share/iso-codes/json/iso_3166-2.json')::jsonb -> '3166-2')
    UNION ALL
    SELECT 'languages', jsonb_array_length(pg_read_file('/usr/share/iso-codes/json/iso_639-3.json')::jsonb -> '639-3')
    UNION ALL
    SELECT 'currencies', jsonb_array_length(pg_read_file('/usr/share/iso-codes/json/iso_4217.json')::jsonb -> '4217')
    UNION ALL
    SELECT 'scripts', jsonb_array_length(pg_read_file('/usr/share/iso-codes/json/iso_15924.json')::jsonb -> '15924')
),
found (name, rows) AS (
    SELECT
        c.relname,
        (xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM public.%I', c.relname), false, true, '')))[1]::text::bigint
    FROM pg_catalog.pg_class AS c
    INNER JOIN wanted AS w ON w.name = c.relname
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
)
SELECT
    EXISTS (
        SELECT FROM pg_catalog.pg_constraint
        WHERE conrelid = to_regclass('public.pgbench_accounts') AND contype = 'p'
    ) AS pgbench,
    (
        SELECT bool_and(coalesce(f.rows, 0) >= w.rows)
        FROM wanted AS w LEFT JOIN found AS f ON f.name = w.name
    ) AS iso
