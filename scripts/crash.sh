#!/usr/bin/env bash
# scripts/crash.sh [ROUNDS]
# Kills Rev (kill -9) under load, ROUNDS times on SQLite and on PostgreSQL, and stops PostgreSQL
# under a running Rev. Afterwards every answered call must be there exactly once.
# REV_SKIP_BUILD=1 uses what is built; REV_KEEP=1 keeps the data and the logs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"

rounds="${1:-3}"
[[ "$rounds" =~ ^[0-9]+$ ]] || { echo "usage: scripts/crash.sh [ROUNDS]" >&2; exit 2; }

api="$root/src/Rev.Api/bin/Release/net10.0/Rev.Api.dll"
load="$root/tests/CrashLoad/bin/Release/net10.0/CrashLoad.dll"
if [[ "${REV_SKIP_BUILD:-}" != 1 || ! -f "$api" ]]; then
  dotnet build src/Rev.Api/Rev.Api.csproj -c Release --nologo -v quiet -clp:NoSummary
fi
if [[ "${REV_SKIP_BUILD:-}" != 1 || ! -f "$load" ]]; then
  dotnet build tests/CrashLoad/CrashLoad.csproj -c Release --nologo -v quiet -clp:NoSummary
fi

work=$(mktemp -d /tmp/rev-crash.XXXXXX)
chmod 755 "$work" # the PostgreSQL user has to reach its folder in it
rev_pid="" load_pid="" pg_dir="" pg_bin=""
passed=0 failed=0 skipped=0

ok() { passed=$((passed + 1)); echo "ok $*"; }
bad() { failed=$((failed + 1)); echo "FAILED $*"; }

cleanup() {
  trap - EXIT INT TERM
  [[ -z "$load_pid" ]] || kill -9 "$load_pid" 2>/dev/null || true
  [[ -z "$rev_pid" ]] || kill -9 "$rev_pid" 2>/dev/null || true
  pg_stop
  if [[ "${REV_KEEP:-}" == 1 ]]; then echo "kept: $work" >&2; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 10000)) # below the ports given to outgoing connections
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

# --- PostgreSQL --------------------------------------------------------------------------

find_postgres() {
  local initdb
  initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -1) || true
  [[ -n "$initdb" ]] || initdb=$(command -v initdb) || return 1
  pg_bin=$(dirname "$initdb")
}

# The server refuses to run as root.
as_postgres() {
  if [[ "$(id -u)" != 0 ]]; then (cd "$pg_dir" && "$@")
  elif command -v runuser >/dev/null 2>&1; then (cd "$pg_dir" && runuser -u postgres -- "$@")
  else (cd "$pg_dir" && su postgres -s /bin/sh -c 'exec "$0" "$@"' -- "$@")
  fi
}

pg_create() {
  pg_dir="$work/pg"
  mkdir -p "$pg_dir"
  if [[ "$(id -u)" == 0 ]]; then chown postgres "$pg_dir"; fi
  pg_port=$(free_port)
  as_postgres "$pg_bin/initdb" -A trust -U postgres -E UTF8 --no-locale -D "$pg_dir/data" >"$work/initdb.log" 2>&1 || return 1
  pg_start || return 1
  as_postgres "$pg_bin/createdb" -h 127.0.0.1 -p "$pg_port" -U postgres rev
}

pg_start() {
  as_postgres "$pg_bin/pg_ctl" start -w -t 60 -D "$pg_dir/data" -l "$pg_dir/server.log" \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$pg_dir' -c fsync=on -c max_connections=200" \
    >/dev/null 2>&1
}

pg_stop() {
  [[ -n "$pg_dir" && -f "$pg_dir/data/postmaster.pid" ]] || return 0
  as_postgres "$pg_bin/pg_ctl" stop -m immediate -w -D "$pg_dir/data" >/dev/null 2>&1 || true
}

# --- Rev ---------------------------------------------------------------------------------

configure() { # PROVIDER: the same configuration for every start and for --verify
  local connection
  data="$work/$1"
  log="$work/$1.log"
  mkdir -p "$data"
  url="http://127.0.0.1:$(free_port)"
  settings=(
    "ASPNETCORE_ENVIRONMENT=Development" "ASPNETCORE_URLS=$url" "ASPNETCORE_CONTENTROOT=$root/src/Rev.Api"
    "DataDirectory=$data" "Database__Provider=$1" "RateLimits__Enabled=false" "Demo__Enabled=false")
  if [[ "$1" == PostgreSql ]]; then
    connection="Host=127.0.0.1;Port=$pg_port;Database=rev;Username=postgres"
    settings+=("ConnectionStrings__Rev=$connection")
  fi
}

start_rev() {
  env "${settings[@]}" dotnet "$api" >>"$log" 2>&1 &
  rev_pid=$!
}

wait_ready() { # SECONDS
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    kill -0 "$rev_pid" 2>/dev/null || return 1
    if curl -fsS -m 5 -o /dev/null "$url/health/ready" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  return 1
}

kill_rev() {
  kill -9 "$rev_pid" 2>/dev/null || true
  { wait "$rev_pid" || true; } 2>/dev/null
  rev_pid=""
}

sign_up() {
  local status end
  status=$(curl -sS -m 10 -o "$data/signup.json" -w '%{http_code}' "$url/v1/signup" \
    -H 'Content-Type: application/json' -d '{"email":"crash@example.com","company":"Crash"}') || return 1
  [[ "$status" == 202 ]] || return 1
  end=$((SECONDS + 20))
  while ((SECONDS < end)); do
    live_key=$(grep -ho 'rg_live_[A-Za-z0-9_-]*' "$data"/mail/*.eml 2>/dev/null | tail -1) || true
    test_key=$(grep -ho 'rg_test_[A-Za-z0-9_-]*' "$data"/mail/*.eml 2>/dev/null | tail -1) || true
    if [[ -n "$live_key" && -n "$test_key" ]]; then return 0; fi
    sleep 0.2
  done
  return 1
}

# A call in test mode, so that it does not count among the live calls checked at the end. Prints the status.
probe() { # NAME
  curl -s -m 30 -D "$data/probe.headers" -o "$data/probe.json" -w '%{http_code}' "$url/v1/meter" \
    -H "Authorization: Bearer $test_key" -H 'Content-Type: application/json' -H "Idempotency-Key: probe-$1" \
    -d '{"agent_id":"probe","action":"probe.sent","outcome":"success"}' || true
}

answered() {
  local count=0
  if [[ -f "$journal/calls.log" ]]; then count=$(wc -l <"$journal/calls.log"); fi
  echo $((count))
}

start_load() {
  journal="$data/journal"
  stop_file="$data/stop"
  dotnet "$load" load --url "$url" --key "$live_key" --journal "$journal" --stop "$stop_file" >>"$work/$provider.load.log" 2>&1 &
  load_pid=$!
}

stop_load() {
  local end=$((SECONDS + 90)) status=0
  touch "$stop_file"
  while kill -0 "$load_pid" 2>/dev/null && ((SECONDS < end)); do sleep 0.2; done
  if kill -0 "$load_pid" 2>/dev/null; then
    kill -9 "$load_pid" 2>/dev/null || true
    status=1
  fi
  wait "$load_pid" 2>/dev/null || status=1
  load_pid=""
  return "$status"
}

wait_for_load() { # COUNT: at least that many more calls answered, within 15 s
  local before end=$((SECONDS + 15))
  before=$(answered)
  while ((SECONDS < end)); do
    if (($(answered) >= before + $1)); then return 0; fi
    sleep 0.1
  done
  return 1
}

give_up() { # WHY
  bad "$provider: $1"
  if [[ -f "$log" ]]; then
    echo "the last lines of Rev's log:"
    tail -30 "$log" | sed 's/^/  | /'
  fi
  [[ -z "$load_pid" ]] || { kill -9 "$load_pid" 2>/dev/null || true; { wait "$load_pid" || true; } 2>/dev/null; load_pid=""; }
  [[ -z "$rev_pid" ]] || kill_rev
}

# --- the rounds --------------------------------------------------------------------------

kill_round() { # NUMBER
  local before after delay started
  wait_for_load 50 || { give_up "round $1: the load is not answered"; return 1; }
  before=$(answered)
  delay=$((1000 + RANDOM % 2001))
  sleep "$((delay / 1000)).$(printf '%03d' $((delay % 1000)))"
  kill_rev
  after=$(answered)
  if ((after == before)); then bad "$provider round $1: nothing was answered before the kill"; fi
  started=$SECONDS
  start_rev
  wait_ready 60 || { give_up "round $1: Rev does not become ready again by itself"; return 1; }
  ok "$provider round $1: killed under load ($((after - before)) calls answered in $delay ms), ready again in about $((SECONDS - started)) s"
}

database_round() {
  local status end seconds
  wait_for_load 50 || { give_up "before the database goes away: the load is not answered"; return 1; }
  pg_stop
  status=$(probe away)
  if [[ "$status" == 503 ]] && grep -qi '^retry-after: *[0-9]' "$data/probe.headers"; then
    ok "$provider: while the database is away a call is answered 503 with Retry-After"
  else
    bad "$provider: while the database is away a call is answered $status $(head -c 300 "$data/probe.json" 2>/dev/null || true)"
  fi
  sleep 2
  pg_start || { give_up "the database does not start again"; return 1; }
  end=$((SECONDS + 30)) seconds=$SECONDS status=""
  while ((SECONDS < end)); do
    status=$(probe "back-$RANDOM$RANDOM")
    [[ "$status" == 201 ]] && break
    sleep 0.5
  done
  if [[ "$status" == 201 ]] && kill -0 "$rev_pid" 2>/dev/null; then
    ok "$provider: metering recovered by itself about $((SECONDS - seconds)) s after the database came back"
  else
    give_up "30 s after the database came back a call is answered $status"
    return 1
  fi
  wait_for_load 50 || { give_up "the load is not answered after the database came back"; return 1; }
}

check_answers() {
  local status=0 lines
  dotnet "$load" check --url "$url" --key "$live_key" --journal "$journal" >"$work/check.log" 2>&1 || status=$?
  lines=0
  while IFS= read -r line; do
    case "$line" in
      "ok "*) ok "$provider: ${line#ok }" ;;
      "FAILED "*) bad "$provider: ${line#FAILED }"; lines=$((lines + 1)) ;;
      *) echo "$line" ;;
    esac
  done <"$work/check.log"
  if [[ "$status" != 0 && "$lines" == 0 ]]; then bad "$provider: the check itself crashed (exit code $status)"; fi
}

stop_and_verify() {
  local end status
  kill -TERM "$rev_pid" 2>/dev/null || true
  end=$((SECONDS + 40))
  while kill -0 "$rev_pid" 2>/dev/null && ((SECONDS < end)); do sleep 0.2; done
  if kill -0 "$rev_pid" 2>/dev/null; then
    give_up "Rev does not stop within 40 s of SIGTERM"
  else
    status=0
    wait "$rev_pid" 2>/dev/null || status=$?
    rev_pid=""
    if [[ "$status" == 0 || "$status" == 143 ]]; then ok "$provider: SIGTERM stops Rev"; else bad "$provider: SIGTERM ends Rev with exit code $status"; fi
  fi

  status=0
  env "${settings[@]}" dotnet "$api" --verify >"$work/verify.log" 2>&1 || status=$?
  if [[ "$status" == 0 ]]; then
    ok "$provider: the rollups equal the sum of the calls and the ledger"
  else
    bad "$provider: Rev --verify ends with exit code $status"
    tail -20 "$work/verify.log" | sed 's/^/  | /'
  fi
}

run_provider() {
  local round
  provider="$1"
  log=""
  if [[ "$provider" == PostgreSql ]]; then
    pg_create || { bad "$provider: the temporary cluster does not start"; tail -20 "$work/initdb.log" "$pg_dir/server.log" 2>/dev/null || true; return 0; }
  fi
  configure "$provider"
  start_rev
  wait_ready 90 || { give_up "Rev does not become ready"; return 0; }
  sign_up || { give_up "sign-up gives no keys"; return 0; }
  start_load
  for ((round = 1; round <= rounds; round++)); do
    kill_round "$round" || return 0
  done
  if [[ "$provider" == PostgreSql ]]; then
    database_round || return 0
  fi
  wait_for_load 50 || { give_up "the load is not answered after the last round"; return 0; }
  stop_load || bad "$provider: the load generator did not end well: $(tail -3 "$work/$provider.load.log" | tr '\n' ' ')"
  check_answers
  stop_and_verify
}

run_provider Sqlite
if find_postgres; then
  run_provider PostgreSql
  pg_stop
elif [[ "${CI:-}" == true ]]; then
  bad "PostgreSql: its server programs (initdb, pg_ctl) are missing"
else
  skipped=$((skipped + 1))
  echo "skipped PostgreSql: its server programs (initdb, pg_ctl) are missing; install postgresql"
fi

cleanup
summary="$passed passed, $failed failed"
if [[ "$skipped" != 0 ]]; then summary="$summary, $skipped skipped"; fi
echo "$summary"
[[ "$failed" == 0 && "$passed" != 0 ]]
