#!/usr/bin/env bash
# Formatting, style, shell scripts, and migrations that match the model. Changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

status=0
step() { # NAME COMMAND…
  local name="$1"
  shift
  if "$@"; then echo "ok $name"; else echo "FAILED $name"; status=1; fi
}

dotnet restore Rev.sln
step "whitespace" dotnet format whitespace Rev.sln --verify-no-changes --no-restore
step "style" dotnet format style Rev.sln --verify-no-changes --no-restore --severity warn

if command -v shellcheck >/dev/null 2>&1; then
  step "shellcheck" shellcheck scripts/*.sh .ci/run
else
  echo "shellcheck is not installed: only the syntax of the scripts is checked"
  for script in scripts/*.sh .ci/run; do step "syntax of $script" bash -n "$script"; done
fi

dotnet tool restore
dotnet build src/Rev.Infrastructure/Rev.Infrastructure.csproj -c Release --no-restore --nologo -v quiet -clp:NoSummary
for context in SqliteRevDbContext PostgresRevDbContext SqlServerRevDbContext; do
  step "migrations of $context match the model" \
    dotnet ef migrations has-pending-model-changes --context "$context" \
    -p src/Rev.Infrastructure -s src/Rev.Infrastructure --configuration Release --no-build
done

exit "$status"
