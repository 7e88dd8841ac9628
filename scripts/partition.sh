#!/usr/bin/env bash
# scripts/partition.sh [MONTHS] [CONNECTION]
# Partitions the calls, outcomes and rollups of a PostgreSQL database by month, and makes MONTHS ahead (default 3).
# CONNECTION is psql's (postgresql://… or key=value); without it PGHOST, PGDATABASE and their like count.
# Stop the servers before the first run. A later run only makes partitions, and may meet servers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

months="${1:-3}"
connection="${2:-}"
if ! [[ "$months" =~ ^[0-9]{1,3}$ ]]; then
  echo "usage: scripts/partition.sh [MONTHS] [CONNECTION]" >&2
  exit 2
fi
command -v psql >/dev/null 2>&1 || { echo "psql is missing: Debian/Ubuntu: apt-get install postgresql-client." >&2; exit 1; }

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --tuples-only --no-align ${connection:+"$connection"} "$@"; }

if [[ "$(sql --command "SELECT count(*) FROM pg_partitioned_table WHERE partrelid IN (to_regclass('calls'), to_regclass('outcomes'), to_regclass('rollups'))")" != 3 ]]; then
  sql --file scripts/sql/partition-postgres.sql >/dev/null
fi
echo "$(sql --command "SELECT rev_make_partitions($months)") more partitions were made."
sql --command "SELECT parent.relname || ' has ' || count(*) || ' partitions' FROM pg_inherits i JOIN pg_class parent ON parent.oid = i.inhparent
  WHERE parent.relname IN ('calls', 'outcomes', 'rollups') AND parent.relkind = 'p' GROUP BY parent.relname ORDER BY parent.relname"
