#!/usr/bin/env bash
# Builds Rev and starts it on the embedded default: http://localhost:5080, data under ./data.
# Arguments go to Rev itself: scripts/run.sh --urls http://localhost:6000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

has_sdk() { command -v dotnet >/dev/null 2>&1 && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; }

ensure_sdk() {
  has_sdk && return
  local home="$HOME/.dotnet" script
  export DOTNET_ROOT="$home" PATH="$home:$PATH"
  # The SDK itself wants ICU, which a bare machine may lack; Rev needs no culture.
  export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT="${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-1}"
  has_sdk && return
  echo "No .NET 10 SDK found: installing one into $home"
  script=$(mktemp)
  if command -v curl >/dev/null 2>&1; then curl -fsSL https://dot.net/v1/dotnet-install.sh -o "$script"
  elif command -v wget >/dev/null 2>&1; then wget -qO "$script" https://dot.net/v1/dotnet-install.sh
  else echo "Install the .NET 10 SDK (https://dot.net/download), or curl, and try again." >&2; exit 1
  fi
  bash "$script" --channel 10.0 --install-dir "$home"
  rm -f "$script"
  has_sdk || { echo "The .NET 10 SDK could not be installed into $home; see https://dot.net/download." >&2; exit 1; }
}

ensure_sdk
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build src/Rev.Api/Rev.Api.csproj -c Release --nologo -v quiet -clp:NoSummary

export ASPNETCORE_ENVIRONMENT="${ASPNETCORE_ENVIRONMENT:-Development}"
export ASPNETCORE_CONTENTROOT="${ASPNETCORE_CONTENTROOT:-$PWD/src/Rev.Api}"
export DataDirectory="${DataDirectory:-$PWD/data}"
# glibc keeps an arena of memory for each thread that ever compiled something: two are as fast, and hold 40 MB less.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"

urls_given=false
for argument in "$@"; do
  case "$argument" in --urls | --urls=*) urls_given=true ;; esac
done
if [[ "$urls_given" == false ]]; then
  export ASPNETCORE_URLS="${ASPNETCORE_URLS:-http://localhost:5080}"
fi

exec dotnet src/Rev.Api/bin/Release/net10.0/Rev.Api.dll "$@"
