#!/usr/bin/env bash
# scripts/test.sh [unit|arch|integration|crash|nginx|wire|soak|browser|sdk|all] [arguments for dotnet test]
# Builds once, runs the parts named (all = unit arch integration crash nginx wire) and ends with
# a line "N passed, N failed" alone. With CI=true a part that cannot run fails.
# The walks through the pages belong to integration; browser runs them alone. wire is what scripts/sdk.sh
# sends without an SDK; sdk is all of it, or the names that follow.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

part="${1:-all}"
[[ $# -gt 0 ]] && shift
case "$part" in
  unit | arch | integration | crash | nginx | wire | soak | browser | sdk) parts=("$part") ;;
  all) parts=(unit arch integration crash nginx wire) ;;
  *)
    echo "usage: scripts/test.sh [unit|arch|integration|crash|nginx|wire|soak|browser|sdk|all] [arguments for dotnet test]" >&2
    exit 2 ;;
esac

# --- what the parts need -----------------------------------------------------------------

has_sdk() { command -v dotnet >/dev/null 2>&1 && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; }

ensure_sdk() {
  has_sdk && return
  local home="$HOME/.dotnet" script
  export DOTNET_ROOT="$home" PATH="$home:$PATH"
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

as_root() { if [[ "$(id -u)" == 0 ]]; then "$@"; else sudo "$@"; fi; }

install_packages() {
  as_root apt-get update -qq && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@"
}

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null 2>&1; }

ensure_postgres() {
  has_postgres && return
  if command -v apt-get >/dev/null 2>&1; then
    echo "No PostgreSQL server found: installing the package postgresql"
    install_packages postgresql || true
    has_postgres && return
  fi
  echo "PostgreSQL's server programs (initdb, pg_ctl, postgres) are missing." >&2
  echo "Debian/Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql." >&2
  if [[ "${CI:-}" == true ]]; then exit 1; fi
}

has_node() { command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1; }

ensure_node() {
  has_node && return
  if command -v apt-get >/dev/null 2>&1; then
    echo "No Node.js with npm found: installing the packages nodejs and npm"
    install_packages nodejs npm || true
    has_node && return
  fi
  echo "node or npm is missing: webhooks, the samples of the guide and the SDKs are tested with them." >&2
  echo "Debian/Ubuntu: apt-get install nodejs npm; Fedora: dnf install nodejs; macOS: brew install node." >&2
  if [[ "${CI:-}" == true ]]; then exit 1; fi
}

has_nginx() { command -v nginx >/dev/null 2>&1 || [[ -x /usr/sbin/nginx ]]; }

ensure_nginx() {
  has_nginx && return
  if command -v apt-get >/dev/null 2>&1; then
    echo "No nginx found: installing the package nginx"
    install_packages nginx || true
    has_nginx && return
  fi
  echo "nginx is missing." >&2
  echo "Debian/Ubuntu: apt-get install nginx; Fedora: dnf install nginx; macOS: brew install nginx." >&2
  if [[ "${CI:-}" == true ]]; then exit 1; fi
}

has_chromium() { command -v chromium >/dev/null 2>&1; }

ensure_chromium() {
  has_chromium && return
  if command -v apt-get >/dev/null 2>&1; then
    echo "No chromium found: installing the package chromium"
    install_packages chromium || true
    has_chromium && return
  fi
  echo "chromium is missing: the pages are walked through with it." >&2
  echo "Debian: apt-get install chromium; Fedora: dnf install chromium; elsewhere a program or link of that name in the PATH." >&2
  if [[ "${CI:-}" == true ]]; then exit 1; fi
}

python_has() { # MODULES: the python3 of the PATH or of the system
  python3 -c "import $1" >/dev/null 2>&1 || /usr/bin/python3 -c "import $1" >/dev/null 2>&1
}

has_python() { python_has "build, setuptools, wheel, venv, ensurepip" && python_has requests; }

ensure_python() {
  has_python && return
  if command -v apt-get >/dev/null 2>&1; then
    echo "Python is not complete: installing the packages that build the SDK, and requests"
    install_packages python3 python3-venv python3-build python3-setuptools python3-wheel python3-requests || true
    has_python && return
  fi
  echo "python3 with build, setuptools, wheel, venv and requests is missing: the Python SDK is built and tested with it." >&2
  echo "Debian/Ubuntu: apt-get install python3 python3-venv python3-build python3-setuptools python3-wheel python3-requests" >&2
  if [[ "${CI:-}" == true ]]; then exit 1; fi
}

ensure_curl() {
  command -v curl >/dev/null 2>&1 && return
  if command -v apt-get >/dev/null 2>&1; then install_packages curl ca-certificates || true; fi
  command -v curl >/dev/null 2>&1 || { echo "curl is missing: please install it." >&2; exit 1; }
}

# --- build -------------------------------------------------------------------------------

ensure_sdk
for name in "${parts[@]}"; do
  case "$name" in
    integration) ensure_postgres; ensure_node; ensure_chromium ;;
    browser) ensure_chromium ;;
    crash | soak) ensure_postgres; ensure_curl ;;
    nginx) ensure_postgres; ensure_curl; ensure_nginx ;;
    sdk | wire) ensure_curl; ensure_node; ensure_python ;;
  esac
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
results=$(mktemp -d "${TMPDIR:-/tmp}/rev-test.XXXXXX")
keep=false
trap '[[ "$keep" == true ]] || rm -rf "$results"' EXIT

if ! dotnet build Rev.sln -c Release --nologo -v minimal; then
  echo "FAILED the solution does not build"
  echo
  echo "0 passed, 1 failed"
  exit 1
fi

# --- run ---------------------------------------------------------------------------------

passed=0 failed=0 skipped=0
failures=()

# counter FILE NAME: a number from the Counters element of a .trx file
counter() {
  local value
  value=$(grep -o '<Counters [^>]*>' "$1" | head -1 | sed -n "s/.* $2=\"\([0-9]*\)\".*/\1/p") || true
  echo "${value:-0}"
}

run_project() { # PART PROJECT [arguments for dotnet test]
  local name="$1" project="$2" trx status=0 total executed bad line
  shift 2
  trx="$results/$name.trx"
  echo
  echo "== $name"
  dotnet test "tests/$project/$project.csproj" --no-build -c Release --nologo \
    --results-directory "$results" --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
    --blame-hang-timeout 10m --blame-hang-dump-type none "$@" || status=$?

  if [[ ! -f "$trx" ]]; then
    # A filter that matches nothing here leaves no file and no error.
    if [[ "$status" != 0 ]]; then
      failed=$((failed + 1))
      failures+=("$name: the test run crashed before it had results (exit code $status)")
    fi
    return 0
  fi

  total=$(counter "$trx" total)
  executed=$(counter "$trx" executed)
  bad=$(($(counter "$trx" failed) + $(counter "$trx" error) + $(counter "$trx" timeout) + $(counter "$trx" aborted)))
  passed=$((passed + $(counter "$trx" passed)))
  skipped=$((skipped + total - executed))
  failed=$((failed + bad))
  while IFS= read -r line; do
    [[ -n "$line" ]] && failures+=("$name: $line")
  done < <(grep '<UnitTestResult ' "$trx" | grep 'outcome="Failed"' | sed -n 's/.* testName="\([^"]*\)".*/\1/p' |
    sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
  if [[ "$status" != 0 && "$bad" == 0 ]]; then
    failed=$((failed + 1))
    failures+=("$name: the test run crashed (exit code $status)")
  fi
}

run_script() { # PART SCRIPT [arguments]: a script that ends like this one
  local name="$1" log="$results/$1.log" status=0 summary line
  shift
  echo
  echo "== $name"
  REV_SKIP_BUILD=1 bash "scripts/$1.sh" "${@:2}" 2>&1 | tee "$log" || status=$?
  summary=$(tail -1 "$log")
  if [[ ! "$summary" =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    failed=$((failed + 1))
    failures+=("$name: the script stopped before its end (exit code $status)")
    return 0
  fi
  passed=$((passed + BASH_REMATCH[1]))
  failed=$((failed + BASH_REMATCH[2]))
  skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
  if [[ "$status" != 0 && "${BASH_REMATCH[2]}" == 0 ]]; then
    failed=$((failed + 1))
    failures+=("$name: the script failed (exit code $status)")
  fi
  while IFS= read -r line; do failures+=("$name: $line"); done < <(sed -n 's/^FAILED //p' "$log")
}

for name in "${parts[@]}"; do
  case "$name" in
    unit) run_project unit UnitTests "$@" ;;
    arch) run_project arch ArchitectureTests "$@" ;;
    integration) run_project integration IntegrationTests "$@" ;;
    browser)
      if [[ " $* " == *" --filter"* ]]; then run_project browser IntegrationTests "$@"
      else run_project browser IntegrationTests --filter "FullyQualifiedName~.Web.Browser." "$@"
      fi ;;
    crash) run_script crash crash 3 ;;
    nginx) run_script nginx nginx ;;
    soak) run_script soak crash 20 ;;
    sdk) run_script sdk sdk "$@" ;;
    wire) run_script wire sdk plain otel cloudevents ;;
  esac
done

# --- report ------------------------------------------------------------------------------

echo
if [[ -n "${REV_TEST_SQLSERVER:-}" ]]; then
  echo "REV_TEST_SQLSERVER was set: the integration tests also use that SQL Server."
else
  echo "REV_TEST_SQLSERVER was not set: no test used a SQL Server."
fi
if [[ "${REV_STRIPE_TEST_KEY:-}" == [rs]k_test_* ]]; then
  echo "REV_STRIPE_TEST_KEY was set: the integration tests also ask that sandbox of Stripe's."
else
  echo "REV_STRIPE_TEST_KEY held no test key: no test asked Stripe itself."
fi

if [[ "${#failures[@]}" != 0 ]]; then
  echo "Failures:"
  printf '  %s\n' "${failures[@]}"
fi
if [[ "$failed" != 0 ]]; then
  keep=true
  echo "Results are kept in $results"
fi
if [[ $((passed + failed)) == 0 ]]; then echo "Nothing ran."; fi

echo
if [[ "$skipped" != 0 ]]; then
  echo "$passed passed, $failed failed, $skipped skipped"
else
  echo "$passed passed, $failed failed"
fi
[[ "$failed" == 0 && "$passed" != 0 ]]
