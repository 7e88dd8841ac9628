#!/usr/bin/env bash
# scripts/sdk.sh [plain|node|python|dotnet|docs|killed|otel|cloudevents]…
# Starts Rev on a temporary data directory and sends to it what users do: plain HTTP, the packed SDKs, OpenTelemetry's
# own exporters, CloudEvents; and kills it (kill -9) while 10,000 tracked calls are on their way. Without names: all.
# REV_SKIP_BUILD=1 uses what is built; REV_KEEP=1 keeps the data and the logs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"

all=(plain node python dotnet docs killed otel cloudevents)
parts=("$@")
[[ $# -gt 0 ]] || parts=("${all[@]}")
for part in "${parts[@]}"; do
  [[ " ${all[*]} " == *" $part "* ]] || { echo "usage: scripts/sdk.sh [plain|node|python|dotnet|docs|killed|otel|cloudevents]…" >&2; exit 2; }
done

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
api="$root/src/Rev.Api/bin/Release/net10.0/Rev.Api.dll"
if [[ "${REV_SKIP_BUILD:-}" != 1 || ! -f "$api" ]]; then
  dotnet build src/Rev.Api/Rev.Api.csproj -c Release --nologo -v quiet -clp:NoSummary
fi

work=$(mktemp -d /tmp/rev-sdk.XXXXXX)
data="$work/data"
log="$work/rev.log"
rev_pid="" tracker_pid="" feed_version=""
tracked=10000
passed=0 failed=0 skipped=0

ok() { passed=$((passed + 1)); echo "ok $*"; }
bad() { failed=$((failed + 1)); echo "FAILED $*"; }

cleanup() {
  trap - EXIT INT TERM
  [[ -z "$tracker_pid" ]] || kill -9 "$tracker_pid" 2>/dev/null || true
  [[ -z "$rev_pid" ]] || kill -9 "$rev_pid" 2>/dev/null || true
  # A package that was restored from the temporary feed stays in NuGet's folder otherwise.
  if [[ -n "$feed_version" ]]; then rm -rf "${NUGET_PACKAGES:-$HOME/.nuget/packages}/rev.client/$feed_version"; fi
  if [[ "${REV_KEEP:-}" == 1 ]]; then echo "kept: $work" >&2; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

summary() {
  local line="$passed passed, $failed failed"
  cleanup
  if [[ "$skipped" != 0 ]]; then line="$line, $skipped skipped"; fi
  echo "$line"
  if [[ "$failed" == 0 && "$passed" != 0 ]]; then exit 0; else exit 1; fi
}

show() { # FILE: its end
  if [[ -f "$1" ]]; then tail -n "${2:-30}" "$1" | cut -c1-600 | sed 's/^/  | /'; fi
}

give_up() { # WHY
  bad "$1"
  echo "the last lines of Rev's log:"
  show "$log"
  summary
}

# --- Rev ---------------------------------------------------------------------------------

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

configure() {
  mkdir -p "$data"
  url="http://127.0.0.1:$(free_port)"
  settings=(
    "ASPNETCORE_ENVIRONMENT=Development" "ASPNETCORE_URLS=$url" "ASPNETCORE_CONTENTROOT=$root/src/Rev.Api"
    "DataDirectory=$data" "Database__Provider=Sqlite" "RateLimits__Enabled=false" "Demo__Enabled=false")
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
  local status end live_key
  status=$(curl -sS -m 10 -o "$data/signup.json" -w '%{http_code}' "$url/v1/signup" \
    -H 'Content-Type: application/json' -d '{"email":"sdk@example.com","company":"SDK"}') || return 1
  [[ "$status" == 202 ]] || return 1
  end=$((SECONDS + 20))
  while ((SECONDS < end)); do
    live_key=$(grep -ho 'rg_live_[A-Za-z0-9_-]*' "$data"/mail/*.eml 2>/dev/null | tail -1) || true
    if [[ -n "$live_key" ]]; then
      export REV_BASE_URL="$url" REV_API_KEY="$live_key"
      return 0
    fi
    sleep 0.2
  done
  return 1
}

stop_and_verify() {
  local end status
  kill -TERM "$rev_pid" 2>/dev/null || true
  end=$((SECONDS + 40))
  while kill -0 "$rev_pid" 2>/dev/null && ((SECONDS < end)); do sleep 0.2; done
  if kill -0 "$rev_pid" 2>/dev/null; then
    bad "Rev does not stop within 40 s of SIGTERM"
    kill_rev
  else
    status=0
    wait "$rev_pid" 2>/dev/null || status=$?
    rev_pid=""
    if [[ "$status" == 0 || "$status" == 143 ]]; then ok "SIGTERM stops Rev"; else bad "SIGTERM ends Rev with exit code $status"; fi
  fi

  status=0
  env "${settings[@]}" dotnet "$api" --verify >"$work/verify.log" 2>&1 || status=$?
  if [[ "$status" == 0 ]]; then
    ok "the rollups equal the sum of the calls and the ledger"
  else
    bad "Rev --verify ends with exit code $status"
    show "$work/verify.log" 20
  fi
}

# --- who counts what ---------------------------------------------------------------------

# Each takes NAME COMMAND…, and adds what the command says of its tests.

run_checks() { # lines "ok …" and "FAILED …"
  local name="$1" out="$work/$1.log" status=0 bads=0 line
  shift
  "$@" >"$out" 2>&1 || status=$?
  while IFS= read -r line; do
    case "$line" in
      "ok "*) ok "${line#ok }" ;;
      "FAILED "*) bad "${line#FAILED }"; bads=$((bads + 1)) ;;
    esac
  done <"$out"
  if [[ "$bads" == 0 ]] && { [[ "$status" != 0 ]] || ! grep -q '^ok ' "$out"; }; then
    bad "$name: stopped before its end (exit code $status)"
    show "$out"
  fi
}

tell() { # NAME OUT STATUS GOOD BAD SKIPPED
  passed=$((passed + $4)) failed=$((failed + $5)) skipped=$((skipped + $6))
  echo "$1: $4 passed, $5 failed, $6 skipped"
  if [[ "$5" != 0 ]]; then show "$2" 80; fi
  if [[ "$5" == 0 && ("$3" != 0 || "$4" == 0) ]]; then
    bad "$1: stopped before its end (exit code $3)"
    show "$2"
  fi
}

run_node_tests() { # node --test, by way of npm
  local name="$1" out="$work/${1//[^a-zA-Z0-9]/-}.log" status=0
  shift
  "$@" >"$out" 2>&1 || status=$?
  node_count() { sed -nE "s/^(#|ℹ) $1 ([0-9]+)\$/\2/p" "$out" | awk '{ n += $1 } END { print n + 0 }'; }
  sed -nE "s/^ *(not ok [0-9]+ -|✖) (.*)/FAILED $name: \2/p" "$out" | sort -u
  tell "$name" "$out" "$status" "$(node_count pass)" "$(($(node_count fail) + $(node_count cancelled)))" "$(($(node_count skipped) + $(node_count todo)))"
}

run_python_tests() { # unittest
  local name="$1" out="$work/${1//[^a-zA-Z0-9]/-}.log" status=0 ran bads left
  shift
  "$@" >"$out" 2>&1 || status=$?
  ran=$(sed -nE 's/^Ran ([0-9]+) tests? in .*/\1/p' "$out" | tail -1)
  bads=$(grep -E '^FAILED \(' "$out" | tail -1 | grep -oE '(failures|errors|unexpected successes)=[0-9]+' | awk -F= '{ n += $2 } END { print n + 0 }') || true
  left=$(grep -E '^(OK|FAILED) \(' "$out" | tail -1 | sed -nE 's/.*skipped=([0-9]+).*/\1/p') || true
  sed -nE "s/^(FAIL|ERROR): (.*)/FAILED $name: \2/p" "$out"
  ran=${ran:-0} bads=${bads:-0} left=${left:-0}
  tell "$name" "$out" "$status" "$((ran - bads - left))" "$bads" "$left"
}

run_dotnet_tests() { # NAME [arguments for dotnet test]
  local name="$1" out="$work/${1//[^a-zA-Z0-9]/-}.log" trx="$work/dotnet.trx" status=0 total executed good bads
  shift
  dotnet test "$@" --nologo --results-directory "$work" --logger "trx;LogFileName=dotnet.trx" --logger "console;verbosity=minimal" \
    --blame-hang-timeout 10m --blame-hang-dump-type none >"$out" 2>&1 || status=$?
  trx_count() { { grep -o '<Counters [^>]*>' "$trx" 2>/dev/null || true; } | head -1 | sed -nE "s/.* $1=\"([0-9]+)\".*/\1/p" | grep . || echo 0; }
  total=$(trx_count total) executed=$(trx_count executed) good=$(trx_count passed)
  bads=$(($(trx_count failed) + $(trx_count error) + $(trx_count timeout) + $(trx_count aborted)))
  if [[ -f "$trx" ]]; then
    { grep '<UnitTestResult ' "$trx" || true; } | grep 'outcome="Failed"' | sed -n "s/.* testName=\"\([^\"]*\)\".*/FAILED $name: \1/p" || true
  fi
  tell "$name" "$out" "$status" "$good" "$bads" "$((total - executed))"
}

step() { # NAME COMMAND…: what is no test, but must succeed
  local name="$1" out="$work/${1//[^a-zA-Z0-9]/-}.log" status=0
  shift
  "$@" >"$out" 2>&1 || status=$?
  if [[ "$status" == 0 ]]; then
    ok "$name"
  else
    bad "$name: exit code $status"
    show "$out"
    return 1
  fi
}

# --- the parts ---------------------------------------------------------------------------

python_with() { # MODULE…: prints a Python that has them
  local candidate list
  list=$(IFS=,; echo "$*")
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c "import $list" >/dev/null 2>&1; then
      echo "$candidate"
      return 0
    fi
  done
  return 1
}

part_plain() {
  local python
  run_checks "plain HTTP with fetch" node tests/sdk/plain.mjs
  if python=$(python_with requests); then run_checks "plain HTTP with requests" "$python" tests/sdk/plain.py
  else bad "no python3 has requests (Debian: python3-requests)"; fi
  run_checks "plain HTTP with curl" bash tests/sdk/plain.sh
}

node_installed=false
node_install() {
  [[ "$node_installed" == true ]] && return
  step "Node SDK: npm ci" npm --prefix sdks/node ci --ignore-scripts || return 1
  node_installed=true
}

node_project() { # FOLDER: an empty project that the packed SDK is installed into
  node_install || return 1
  mkdir -p "$1"
  echo '{ "name": "empty", "private": true }' >"$1/package.json"
  # shellcheck disable=SC2016 # the inner shell's
  step "Node SDK: npm pack, npm install" bash -c 'cd sdks/node && npm pack --silent --pack-destination "$1" && cd "$1" && npm install --silent --offline --no-audit --no-fund ./*.tgz' - "$1"
}

part_node() {
  node_install || return 0
  run_node_tests "Node SDK, npm test" npm --prefix sdks/node test
  run_node_tests "Node SDK, npm run test:pack" npm --prefix sdks/node run test:pack
  run_node_tests "Node SDK, npm run test:e2e" npm --prefix sdks/node run test:e2e
}

# The wheel that sdks/python/test.sh built, in $work/venv.
venv_made=false
python_venv() {
  local python
  [[ "$venv_made" == true ]] && return
  if ! compgen -G "$work/dist/revgrid-*.whl" >/dev/null; then
    step "Python SDK: build" env "OUT=$work/dist" bash sdks/python/test.sh tests.test_wire || return 1
  fi
  python=$(python_with venv ensurepip) || { bad "no python3 has venv (Debian: python3-venv)"; return 1; }
  # shellcheck disable=SC2016 # the inner shell's
  step "Python SDK: the wheel in a venv" bash -c '"$1" -m venv "$2/venv" && "$2/venv/bin/python" -m pip install --quiet --no-index --no-deps --disable-pip-version-check "$2"/dist/revgrid-*.whl' - "$python" "$work" || return 1
  venv_made=true
}

part_python() {
  local example
  run_python_tests "Python SDK, test.sh" env "OUT=$work/dist" bash sdks/python/test.sh
  python_venv || return 0
  for example in examples/python/*.py; do
    step "Python SDK: $example runs" "$work/venv/bin/python" "$example" || true
  done
}

# From a copy: the tests are restored against the package here, and against the project elsewhere.
dotnet_pack() {
  local copy="$work/dotnet"
  [[ -n "$feed_version" ]] && return
  mkdir -p "$copy/sdks" "$copy/examples"
  cp Directory.Build.props Directory.Packages.props BannedSymbols.txt global.json .editorconfig "$copy"
  cp -R sdks/dotnet "$copy/sdks"
  if [[ -d examples/dotnet ]]; then cp -R examples/dotnet "$copy/examples"; fi
  find "$copy" -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
  feed_version="0.1.0-sdk.$(date +%s)"
  step ".NET SDK: dotnet pack" dotnet pack "$copy/sdks/dotnet/Rev.Client" -c Release -o "$work/feed" "-p:Version=$feed_version" --nologo -v quiet
}

dotnet_project() { # FOLDER: an empty program that has the package
  mkdir -p "$1"
  cat >"$1/Program.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <ImplicitUsings>enable</ImplicitUsings>
    <Nullable>enable</Nullable>
    <RestoreAdditionalProjectSources>$work/feed</RestoreAdditionalProjectSources>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Rev.Client" Version="$feed_version" />
  </ItemGroup>
</Project>
XML
}

# tests/sdk/load.cs as a program.
load_built=false
dotnet_load() {
  [[ "$load_built" == true ]] && return
  dotnet_pack || return 1
  dotnet_project "$work/load"
  cp tests/sdk/load.cs "$work/load/Program.cs"
  step ".NET SDK: a program with the package" dotnet build "$work/load" -c Release -o "$work/load/out" --nologo -v quiet || return 1
  load_built=true
}

# Rev behind a proxy that fails: each call counts once.
dotnet_faults() {
  local agent="faults-dotnet-$RANDOM" calls=300 faulty end
  dotnet_load || return 0
  assign "$agent"
  node tests/sdk/faulty.mjs >"$work/faulty.log" 2>&1 &
  tracker_pid=$!
  end=$((SECONDS + 20))
  until faulty=$(grep -o 'http://[^ ]*' "$work/faulty.log") || ((SECONDS >= end)); do sleep 0.1; done
  step ".NET SDK: $calls calls through a proxy that fails" dotnet "$work/load/out/Program.dll" meter "$agent" "$calls" "$faulty" || true
  stop_tracker
  echo ".NET SDK: the proxy's faults: $(tail -1 "$work/faulty.log")"
  run_checks ".NET, through faults" node tests/sdk/counted.mjs "$agent" "$calls" ".NET, through faults"
}

part_dotnet() {
  local copy="$work/dotnet"
  dotnet_pack || return 0
  run_dotnet_tests ".NET SDK, the package" "$copy/sdks/dotnet/Rev.Client.Tests" -c Release \
    "-p:RevClientFeed=$work/feed" "-p:RevClientVersion=$feed_version" -p:RevEndToEnd=true
  if [[ -d examples/dotnet ]]; then
    step ".NET SDK: examples/dotnet/Agent runs" dotnet run --project "$copy/examples/dotnet/Agent" -c Release || true
  fi
  dotnet_faults
}

# --- docs --------------------------------------------------------------------------------

# The samples of docs/sdks.md as they are printed, in projects that have nothing but the packed SDK.
part_docs() {
  local project="$work/docs"
  node_project "$project/node" || return 0
  python_venv || return 0
  dotnet_pack || return 0
  dotnet_project "$project/dotnet"
  mkdir -p "$project/python"
  run_checks "the page of SDKs" node tests/sdk/docs.mjs docs/sdks.md "$project" "$work/venv/bin/python"
}

# --- killed ------------------------------------------------------------------------------

calls_of() { # AGENT: how many Rev has
  local count
  count=$(curl -fsS -m 5 "$url/v1/analytics/revenue?interval=day&agent_id=$1" -H "Authorization: Bearer $REV_API_KEY" 2>/dev/null |
    grep -o '"totals": *{[^}]*}' | sed -nE 's/.*"calls": *([0-9]+).*/\1/p') || true
  echo "${count:-0}"
}

wait_for_calls() { # AGENT CALLS SECONDS
  local end=$((SECONDS + $3))
  while ((SECONDS < end)); do
    if (($(calls_of "$1") >= $2)); then return 0; fi
    sleep 0.05
  done
  return 1
}

unsent() { # FOLDER: how many calls wait on disk
  { find "$1" -name '*.jsonl' ! -name 'refused*' ! -name 'rejected*' -exec cat {} + 2>/dev/null || true; } | wc -l
}

# The tracker of $tracker_pid is killed under: not it, but the Rev that it sends to.
kill_under() { # NAME AGENT SPOOL
  local before waiting=0 end
  wait_for_calls "$2" 1000 60 || { bad "$1: the tracked calls do not arrive"; show "$work/tracker.log"; return 1; }
  kill_rev
  # They were not all sent already: the rest goes to the spool.
  end=$((SECONDS + 15))
  while ((waiting == 0 && SECONDS < end)); do
    sleep 0.2
    waiting=$(unsent "$3")
  done
  start_rev
  wait_ready 60 || give_up "$1: Rev does not become ready again"
  before=$(calls_of "$2")
  if ((waiting > 0)); then ok "$1: Rev was killed while $waiting of $tracked tracked calls waited on disk; it had $before of them soon after its start"
  else bad "$1: nothing waited on disk after the kill"; fi
}

assign() { # AGENT: its calls are billed to a customer of its own
  curl -fsS -m 10 -o /dev/null -X PUT "$url/v1/agents/$1" -H "Authorization: Bearer $REV_API_KEY" -H 'Content-Type: application/json' \
    -d "{\"customer_id\":\"$1\"}" || bad "$1: the agent cannot be registered"
}

stop_tracker() {
  kill "$tracker_pid" 2>/dev/null || true
  { wait "$tracker_pid" || true; } 2>/dev/null
  tracker_pid=""
}

killed_node() {
  local project="$work/killed-node" name="Node, killed" agent="killed-node-$RANDOM"
  node_project "$project" || return 0
  cp sdks/node/test/support/tracker.mjs "$project"
  assign "$agent"
  node "$project/tracker.mjs" "{\"baseUrl\":\"$url\",\"apiKey\":\"$REV_API_KEY\",\"dir\":\"$project/spool\",\"calls\":$tracked,\"prefix\":\"$agent\",\"agent\":\"$agent\",\"track\":{\"maxBatch\":25},\"then\":\"stay\"}" \
    >"$work/tracker.log" 2>&1 &
  tracker_pid=$!
  if kill_under "$name" "$agent" "$project/spool"; then
    wait_for_calls "$agent" "$tracked" 150 || bad "$name: after 150 s only $(calls_of "$agent") calls are there"
    sleep 1
  fi
  if kill -0 "$tracker_pid" 2>/dev/null; then ok "$name: the program that tracked lives on"; else bad "$name: the program that tracked ended"; show "$work/tracker.log"; fi
  stop_tracker
  run_checks "$name" node tests/sdk/counted.mjs "$agent" "$tracked" "$name"
}

killed_program() { # NAME AGENT SPOOL WORDS COMMAND…: a program that tracks, waits until all is sent, and says WORDS
  local name="$1" agent="$2" spool="$3" words="$4" status=0
  shift 4
  assign "$agent"
  "$@" >"$work/tracker.log" 2>&1 &
  tracker_pid=$!
  if kill_under "$name" "$agent" "$spool"; then
    wait "$tracker_pid" || status=$?
    tracker_pid=""
    if [[ "$status" == 0 ]] && grep -q "$words" "$work/tracker.log"; then
      ok "$name: the tracker met failures and says that all is sent"
    else
      bad "$name: the tracker ends with exit code $status"
      show "$work/tracker.log"
    fi
  else
    stop_tracker
  fi
  run_checks "$name" node tests/sdk/counted.mjs "$agent" "$tracked" "$name"
}

killed_python() {
  local agent="killed-python-$RANDOM"
  python_venv || return 0
  killed_program "Python, killed" "$agent" "$work/spool-python" \
    "\"flushed\": true, \"tracked\": $tracked,.*\"pending\": 0, \"rejected\": 0, \"lost\": 0, \"failures\": [1-9]" \
    "$work/venv/bin/python" tests/sdk/tracker.py "$work/spool-python" "$tracked" "$agent" "$agent"
}

killed_dotnet() {
  local agent="killed-dotnet-$RANDOM"
  dotnet_load || return 0
  killed_program ".NET, killed" "$agent" "$work/spool-dotnet" \
    "tracked $tracked, stored $tracked, rejected 0, lost 0, pending 0, failures [1-9]" \
    dotnet "$work/load/out/Program.dll" track "$agent" "$tracked" "$work/spool-dotnet"
}

part_killed() {
  killed_node
  killed_python
  killed_dotnet
}

part_otel() {
  step "OpenTelemetry: npm ci" npm --prefix tests/sdk/otel ci --ignore-scripts || return 0
  run_checks "OpenTelemetry" node tests/sdk/otel/otel.mjs
}

part_cloudevents() {
  run_checks "CloudEvents" node tests/sdk/cloudevents.mjs
}

# --- the run -----------------------------------------------------------------------------

missing=""
command -v npm >/dev/null 2>&1 || missing="npm"
node -e 'process.exit(+process.versions.node.split(".")[0] >= 20 ? 0 : 1)' >/dev/null 2>&1 || missing="${missing:+$missing, }Node.js 20 or later"
python_with build setuptools wheel venv ensurepip >/dev/null || missing="${missing:+$missing, }a python3 with build, setuptools, wheel and venv"
if [[ -n "$missing" ]]; then
  if [[ "${CI:-}" == true ]]; then
    bad "missing: $missing"
    summary
  fi
  echo "skipped: missing: $missing"
  cleanup
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

export REV_SPOOL_DIR="$work/spool"
unset REV_BASE_URL REV_API_KEY
configure
start_rev
wait_ready 90 || give_up "Rev does not become ready"
sign_up || give_up "sign-up gives no keys"
ok "sign-up gives keys"
for part in "${parts[@]}"; do
  echo "-- $part"
  started=$SECONDS
  case "$part" in
    plain) part_plain ;;
    node) part_node ;;
    python) part_python ;;
    dotnet) part_dotnet ;;
    docs) part_docs ;;
    killed) part_killed ;;
    otel) part_otel ;;
    cloudevents) part_cloudevents ;;
  esac
  kill -0 "$rev_pid" 2>/dev/null || give_up "Rev ended during $part"
  echo "($((SECONDS - started)) s)"
done
stop_and_verify
summary
