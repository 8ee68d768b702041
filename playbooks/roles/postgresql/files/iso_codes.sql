-- Debian's iso-codes as tables; rows that are there already stay as they are.
CREATE TABLE IF NOT EXISTS public.countries (
    alpha_2 char(2) PRIMARY KEY, alpha_3 char(3) NOT NULL UNIQUE, numeric_code char(3) NOT NULL,
    name text NOT NULL, official_name text, flag text
);
INSERT INTO public.countries
SELECT r.alpha_2, r.alpha_3, r."numeric", r.name, r.official_name, r.flag
FROM jsonb_to_recordset(pg_read_file('/usr/share/iso-codes/json/iso_3166-1.json')::jsonb -> '3166-1')
    AS r (alpha_2 text, alpha_3 text, "numeric" text, name text, official_name text, flag text)
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS public.subdivisions (
    code text PRIMARY KEY, country char(2) NOT NULL, name text NOT NULL, type text, parent text
);
INSERT INTO public.subdivisions
SELECT r.code, left(r.code, 2), r.name, r.type, r.parent
FROM jsonb_to_recordset(pg_read_file('/usr/share/iso-codes/json/iso_3166-2.json')::jsonb -> '3166-2')
    AS r (code text, name text, type text, parent text)
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS public.languages (
    alpha_3 char(3) PRIMARY KEY, alpha_2 char(2), name text NOT NULL, scope char(1), type char(1)
);
INSERT INTO public.languages
SELECT r.alpha_3, r.alpha_2, r.name, r.scope, r.type
FROM jsonb_to_recordset(pg_read_file('/usr/share/iso-codes/json/iso_639-3.json')::jsonb -> '639-3')
    AS r (alpha_3 text, alpha_2 text, name text, scope text, type text)
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS public.currencies (
    alpha_3 char(3) PRIMARY KEY, numeric_code char(3), name text NOT NULL
);
INSERT INTO public.currencies
SELECT r.alpha_3, r."numeric", r.name
FROM jsonb_to_recordset(pg_read_file('/usr/share/iso-codes/json/iso_4217.json')::jsonb -> '4217')
    AS r (alpha_3 text, "numeric" text, name text)
ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS public.scripts (
    alpha_4 char(4) PRIMARY KEY, numeric_code char(3), name text NOT NULL
);
INSERT INTO public.scripts
SELECT r.alpha_4, r."numeric", r.name
FROM jsonb_to_recordset(pg_read_file('/usr/share/iso-codes/json/iso_15924.json')::jsonb -> '15924')
    AS r (alpha_4 text, "numeric" text, name text)
ON CONFLICT DO NOTHING;

-- Only a superuser may read the JSON files; the tables then go to the owner of the database.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['countries', 'subdivisions', 'languages', 'currencies', 'scripts'] LOOP
        EXECUTE format(
            'ALTER TABLE public.%I OWNER TO %I', name,
            (SELECT datdba::regrole::text FROM pg_catalog.pg_database WHERE datname = current_database())
        );
    END LOOP;
END
$$
