#!/usr/bin/env bash
# scripts/migrate.sh add NAME   adds a migration for SQLite, PostgreSQL and SQL Server
# scripts/migrate.sh apply      brings the configured database up to date (Rev.Api --migrate)
# scripts/migrate.sh script     writes idempotent SQL for PostgreSQL and SQL Server to artifacts/
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

project=(-p src/Rev.Infrastructure -s src/Rev.Infrastructure)

usage() {
  echo "usage: scripts/migrate.sh add NAME | apply [arguments for Rev] | script" >&2
  exit 2
}

prepare() {
  dotnet tool restore
  # dotnet ef does not restore by itself.
  dotnet restore src/Rev.Infrastructure/Rev.Infrastructure.csproj
}

command="${1:-}"
[[ $# -gt 0 ]] && shift
case "$command" in
  add)
    [[ $# == 1 ]] || usage
    prepare
    dotnet ef migrations add "$1" --context SqliteRevDbContext "${project[@]}" -o Migrations/Sqlite
    dotnet ef migrations add "$1" --context PostgresRevDbContext "${project[@]}" -o Migrations/Postgres
    dotnet ef migrations add "$1" --context SqlServerRevDbContext "${project[@]}" -o Migrations/SqlServer
    ;;
  apply)
    exec scripts/run.sh --migrate "$@"
    ;;
  script)
    [[ $# == 0 ]] || usage
    prepare
    mkdir -p artifacts
    dotnet ef migrations script --idempotent --context SqlServerRevDbContext "${project[@]}" -o artifacts/migrate-sqlserver.sql
    dotnet ef migrations script --idempotent --context PostgresRevDbContext "${project[@]}" -o artifacts/migrate-postgres.sql
    ;;
  *) usage ;;
esac
