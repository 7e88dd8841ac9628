-- Partitions calls, outcomes (by id: the month in which a call was received) and rollups (by hour) of Rev on PostgreSQL,
-- a partition a month, without losing a row. Run it while no server writes, as the owner of the tables: it is one
-- transaction, copies the rows and needs their space once more. Tables that are partitioned already stay as they are.
-- ledger_entries and idempotency_keys stay whole: docs/retention.md says why.
BEGIN;

-- The lowest id that is made in or after a month: 48 bits of milliseconds, 80 bits of zeros.
CREATE OR REPLACE FUNCTION rev_lowest_id(month date) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT decode(lpad(to_hex((extract(epoch FROM month)::bigint) * 1000), 12, '0') || repeat('0', 20), 'hex')
$$;

-- The lowest value of a table's partition key that belongs to a month, as the text of a literal.
CREATE OR REPLACE FUNCTION rev_lowest_key(parent text, month date) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE WHEN parent = 'rollups' THEN ((extract(epoch FROM month)::bigint) * 1000000)::text ELSE '\x' || encode(rev_lowest_id(month), 'hex') END
$$;

-- Makes the partition of a month, unless it is there. Rows that came while it was missing move into it.
CREATE OR REPLACE FUNCTION rev_make_partition(parent text, month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  first date := date_trunc('month', month)::date;
  name text := parent || '_' || to_char(first, 'YYYY_MM');
  key text := CASE WHEN parent = 'rollups' THEN 'hour' ELSE 'id' END;
  low text := rev_lowest_key(parent, first);
  high text := rev_lowest_key(parent, (first + interval '1 month')::date);
BEGIN
  IF to_regclass(quote_ident(name)) IS NOT NULL THEN RETURN false; END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_default');
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', name, parent);
  EXECUTE format('WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
    parent || '_default', key, low, key, high, name);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, low, high);
  RETURN true;
END $$;

-- Makes the partitions of this month and of the next ones. Run it once a month. Answers how many it made.
CREATE OR REPLACE FUNCTION rev_make_partitions(months_ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  parent text;
  made integer := 0;
BEGIN
  FOREACH parent IN ARRAY ARRAY['calls', 'outcomes', 'rollups'] LOOP
    FOR ahead IN 0..months_ahead LOOP
      IF rev_make_partition(parent, ((now() AT TIME ZONE 'UTC')::date + make_interval(months => ahead))::date) THEN made := made + 1; END IF;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;

-- Turns one table into a partitioned one of the same name, columns, key, indexes, owner and rights. Answers its rows.
CREATE OR REPLACE FUNCTION rev_partition(parent text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  key text := CASE WHEN parent = 'rollups' THEN 'hour' ELSE 'id' END;
  old text := parent || '_before';
  owner text;
  rights aclitem[];
  granted record;
  made record;
  months date[];
  month date;
  before bigint;
  after bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM pg_partitioned_table WHERE partrelid = to_regclass(parent)) THEN RETURN NULL; END IF;
  EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent);
  SELECT pg_get_userbyid(relowner), relacl INTO owner, rights FROM pg_class WHERE oid = to_regclass(parent);
  EXECUTE format('ALTER TABLE %I RENAME TO %I', parent, old);

  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING STORAGE) PARTITION BY RANGE (%I)', parent, old, key);
  EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', parent || '_default', parent);
  IF parent = 'rollups' THEN
    EXECUTE format('SELECT array_agg(DISTINCT date_trunc(''month'', to_timestamp(hour / 1000000) AT TIME ZONE ''UTC'')::date) FROM %I', old) INTO months;
  ELSE
    EXECUTE format('SELECT array_agg(DISTINCT date_trunc(''month'', to_timestamp((''x'' || encode(substr(id, 1, 6), ''hex''))::bit(48)::bigint / 1000) AT TIME ZONE ''UTC'')::date) FROM %I', old) INTO months;
  END IF;
  FOREACH month IN ARRAY coalesce(months, ARRAY[]::date[]) LOOP PERFORM rev_make_partition(parent, month); END LOOP;

  EXECUTE format('INSERT INTO %I SELECT * FROM %I', parent, old);
  EXECUTE format('SELECT count(*) FROM %I', old) INTO before;
  EXECUTE format('SELECT count(*) FROM %I', parent) INTO after;
  IF before <> after THEN RAISE EXCEPTION '% has % rows, and its partitions %', parent, before, after; END IF;

  -- The key and the indexes, under the names that the migrations know.
  FOR made IN
    SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, k.conname AS key_name, pg_get_constraintdef(k.oid) AS key_definition
    FROM pg_index i INNER JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype = 'p'
    WHERE i.indrelid = to_regclass(old)
  LOOP
    IF made.key_name IS NOT NULL THEN
      EXECUTE format('ALTER TABLE %I DROP CONSTRAINT %I', old, made.key_name);
      EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', parent, made.key_name, made.key_definition);
    ELSE
      EXECUTE format('DROP INDEX %I', made.name);
      IF position(format(' ON %s.%I ', current_schema(), old) IN made.definition) = 0 THEN RAISE EXCEPTION 'The tables of Rev must be in the current schema.'; END IF;
      EXECUTE replace(made.definition, format(' ON %s.%I ', current_schema(), old), format(' ON %s.%I ', current_schema(), parent));
    END IF;
  END LOOP;

  EXECUTE format('ALTER TABLE %I OWNER TO %I', parent, owner);
  FOR granted IN SELECT grantee, privilege_type FROM aclexplode(rights) WHERE grantee <> 0 AND pg_get_userbyid(grantee) <> owner LOOP
    EXECUTE format('GRANT %s ON %I TO %I', granted.privilege_type, parent, pg_get_userbyid(granted.grantee));
  END LOOP;
  EXECUTE format('DROP TABLE %I', old);
  RETURN before;
END $$;

-- The view holds on to the old tables: it is made anew on the new ones.
DO $$
DECLARE
  definition text := pg_get_viewdef('ledger'::regclass);
  owner text;
  rights aclitem[];
  granted record;
BEGIN
  SELECT pg_get_userbyid(relowner), relacl INTO owner, rights FROM pg_class WHERE oid = 'ledger'::regclass;
  DROP VIEW ledger;
  PERFORM rev_partition('calls'), rev_partition('outcomes'), rev_partition('rollups');
  EXECUTE 'CREATE VIEW ledger AS ' || definition;
  EXECUTE format('ALTER VIEW ledger OWNER TO %I', owner);
  FOR granted IN SELECT grantee, privilege_type FROM aclexplode(rights) WHERE grantee <> 0 AND pg_get_userbyid(grantee) <> owner LOOP
    EXECUTE format('GRANT %s ON ledger TO %I', granted.privilege_type, pg_get_userbyid(granted.grantee));
  END LOOP;
END $$;

SELECT rev_make_partitions(3);

COMMIT;

ANALYZE calls;
ANALYZE outcomes;
ANALYZE rollups;
