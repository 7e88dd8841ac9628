#!/usr/bin/env bash
# scripts/bench.sh [--quick] [--fresh] [--only PART]… [--on sqlite|postgresql] [--state FOLDER]
# Measures Rev against its ceiling, its floors and what one would write instead, and writes bench/results.
# Finished parts are kept, so that a run that was stopped goes on; --fresh starts over. See bench/README.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

if ! command -v wrk >/dev/null 2>&1 || ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
  if [[ "$(id -u)" != 0 ]]; then
    echo "wrk and PostgreSQL are needed: apt-get install wrk postgresql" >&2
    exit 1
  fi
  apt-get update -q
  apt-get install -qy --no-install-recommends wrk postgresql
fi

for project in src/Rev.Api bench/Ceiling bench/PerRequest bench/Loader bench/Client bench/Explain bench/Micro bench/Runner; do
  dotnet build "$project" -c Release --nologo -v quiet -clp:NoSummary
done
exec dotnet bench/Runner/bin/Release/net10.0/Rev.Bench.Runner.dll "$@"
