#!/usr/bin/env bash
# scripts/nginx.sh
# Three Revs on one PostgreSQL behind the system's nginx with deploy/nginx/rev.conf, under load; one Rev is killed
# (kill -9) and started again. Afterwards every answered call must be there exactly once.
# REV_SKIP_BUILD=1 uses what is built; REV_KEEP=1 keeps the data and the logs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"

least_calls=3000
api="$root/src/Rev.Api/bin/Release/net10.0/Rev.Api.dll"
load="$root/tests/CrashLoad/bin/Release/net10.0/CrashLoad.dll"
if [[ "${REV_SKIP_BUILD:-}" != 1 || ! -f "$api" ]]; then
  dotnet build src/Rev.Api/Rev.Api.csproj -c Release --nologo -v quiet -clp:NoSummary
fi
if [[ "${REV_SKIP_BUILD:-}" != 1 || ! -f "$load" ]]; then
  dotnet build tests/CrashLoad/CrashLoad.csproj -c Release --nologo -v quiet -clp:NoSummary
fi

work=$(mktemp -d /tmp/rev-nginx.XXXXXX)
chmod 755 "$work" # the users of PostgreSQL and of nginx's workers have to reach their folders in it
rev_pids=("" "" "") urls=() ports=() nginx_pids=() load_pid="" pg_dir="" pg_bin=""
passed=0 failed=0

ok() { passed=$((passed + 1)); echo "ok $*"; }
bad() { failed=$((failed + 1)); echo "FAILED $*"; }

cleanup() {
  trap - EXIT INT TERM
  local pid
  [[ -z "$load_pid" ]] || kill -9 "$load_pid" 2>/dev/null || true
  for pid in "${rev_pids[@]}"; do [[ -z "$pid" ]] || kill -9 "$pid" 2>/dev/null || true; done
  for pid in ${nginx_pids[@]+"${nginx_pids[@]}"}; do
    # The workers end with their master only if it may tell them.
    kill -TERM "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  pg_stop
  if [[ "${REV_KEEP:-}" == 1 ]]; then echo "kept: $work" >&2; else rm -rf "$work"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

summary() {
  cleanup
  echo "$passed passed, $failed failed${1:-}"
  [[ "$failed" == 0 && "$passed" != 0 ]] || exit 1
  exit 0
}

give_up() { # WHY
  local i
  bad "$1"
  for i in 0 1 2; do
    [[ -f "$work/rev$i.log" ]] || continue
    echo "the last lines of the log of Rev $((i + 1)):"
    tail -15 "$work/rev$i.log" | cut -c1-400 | sed 's/^/  | /'
  done
  if [[ -f "$work/front/error.log" ]]; then tail -5 "$work/front/error.log" | cut -c1-400 | sed 's/^/  nginx | /'; fi
  summary
}

used_ports=" "
free_port() { # sets port: no two calls give the same
  while :; do
    port=$((20000 + RANDOM % 10000)) # below the ports given to outgoing connections
    [[ "$used_ports" == *" $port "* ]] && continue
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      used_ports+="$port "
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
  free_port
  pg_port=$port
  as_postgres "$pg_bin/initdb" -A trust -U postgres -E UTF8 --no-locale -D "$pg_dir/data" >"$work/initdb.log" 2>&1 || return 1
  as_postgres "$pg_bin/pg_ctl" start -w -t 60 -D "$pg_dir/data" -l "$pg_dir/server.log" \
    -o "-p $pg_port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$pg_dir' -c fsync=on -c max_connections=200" \
    >/dev/null 2>&1 || return 1
  as_postgres "$pg_bin/createdb" -h 127.0.0.1 -p "$pg_port" -U postgres rev
}

pg_stop() {
  [[ -n "$pg_dir" && -f "$pg_dir/data/postmaster.pid" ]] || return 0
  as_postgres "$pg_bin/pg_ctl" stop -m immediate -w -D "$pg_dir/data" >/dev/null 2>&1 || true
}

# --- Rev ---------------------------------------------------------------------------------

configure() {
  local i
  settings=(
    "ASPNETCORE_ENVIRONMENT=Production" "ASPNETCORE_CONTENTROOT=$root/src/Rev.Api" "Database__Provider=PostgreSql"
    "ConnectionStrings__Rev=Host=127.0.0.1;Port=$pg_port;Database=rev;Username=postgres;Maximum Pool Size=20"
    "Security__Secret=$(head -c 32 /dev/urandom | base64)" "RateLimits__Enabled=false"
    "Operators__0__Name=operator" "Operators__0__PasswordHash=$(dotnet "$api" hash-password "$password")")
  for i in 0 1 2; do
    free_port
    ports[i]=$port
    urls[i]="http://127.0.0.1:$port"
  done
}

start_rev() { # INDEX: each has a folder of its own; the database and the secret are all they share
  env "${settings[@]}" "ASPNETCORE_URLS=${urls[$1]}" "DataDirectory=$work/data$1" dotnet "$api" >>"$work/rev$1.log" 2>&1 &
  rev_pids[$1]=$!
}

wait_ready() { # INDEX SECONDS
  local end=$((SECONDS + $2))
  while ((SECONDS < end)); do
    kill -0 "${rev_pids[$1]}" 2>/dev/null || return 1
    if curl -fsS -m 5 -o /dev/null "${urls[$1]}/health/ready" 2>/dev/null; then return 0; fi
    sleep 0.1
  done
  return 1
}

metered_by() { # INDEX: the calls that a process has stored since its start
  curl -fsS -m 5 -u "operator:$password" "${urls[$1]}/metrics" 2>/dev/null |
    sed -n 's/^rev_meter_calls_total{.*result="stored".*} \([0-9]*\).*/\1/p' | awk '{ n += $1 } END { print n + 0 }'
}

# --- nginx -------------------------------------------------------------------------------

# The folder's nginx.conf gets what the system's has around the included file, and deploy/nginx/rev.conf other addresses.
start_nginx() { # NAME PORT SERVER1 SERVER2 SERVER3 [more for the http block]
  local folder="$work/$1" pid end=$((SECONDS + 10))
  mkdir -p "$folder"
  sed -e "s|listen 8080;|listen 127.0.0.1:$2;|" -e "s|rev1:8080|127.0.0.1:$3|" -e "s|rev2:8080|127.0.0.1:$4|" -e "s|rev3:8080|127.0.0.1:$5|" \
    deploy/nginx/rev.conf >"$folder/rev.conf"
  cat >"$folder/nginx.conf" <<CONF
daemon off;
worker_processes 2;
pid $folder/nginx.pid;
error_log $folder/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path $folder/body;
  proxy_temp_path $folder/proxy;
  fastcgi_temp_path $folder/fastcgi;
  uwsgi_temp_path $folder/uwsgi;
  scgi_temp_path $folder/scgi;
  include $folder/rev.conf;
  ${6:-}
}
CONF
  if ! "$nginx" -t -q -e "$folder/error.log" -p "$folder" -c "$folder/nginx.conf" 2>"$folder/test.log"; then
    cat "$folder/test.log"
    return 1
  fi
  "$nginx" -e "$folder/error.log" -p "$folder" -c "$folder/nginx.conf" 2>>"$folder/test.log" &
  pid=$!
  nginx_pids+=("$pid")
  while ((SECONDS < end)); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; then return 0; fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  return 1
}

ask() { # METHOD URL [arguments for curl]: prints the status
  local method="$1" url="$2"
  shift 2
  curl -s -m 20 -X "$method" -D "$work/headers" -o "$work/answer" -w '%{http_code}' "$url" "$@" || true
}

header() { tr -d '\r' <"$work/headers" | grep -i "^$1: " | cut -d' ' -f2-; }

# --- the checks --------------------------------------------------------------------------

sign_up() {
  local end=$((SECONDS + 20))
  [[ "$(ask POST "$front/v1/signup" -H 'Content-Type: application/json' -d '{"email":"nginx@example.com","company":"Nginx"}')" == 202 ]] || return 1
  # Whichever process finds the mail writes it into its own folder.
  while ((SECONDS < end)); do
    live_key=$(grep -rho 'rg_live_[A-Za-z0-9_-]*' "$work"/data?/mail --include='*.eml' 2>/dev/null | tail -1) || true
    test_key=$(grep -rho 'rg_test_[A-Za-z0-9_-]*' "$work"/data?/mail --include='*.eml' 2>/dev/null | tail -1) || true
    if [[ -n "$live_key" && -n "$test_key" ]]; then return 0; fi
    sleep 0.2
  done
  return 1
}

probe() { # NAME: a call in test mode, which does not count among the live calls checked at the end
  ask POST "$front/v1/meter" -H "Authorization: Bearer $test_key" -H 'Content-Type: application/json' -H "Idempotency-Key: $1" \
    -d '{"agent_id":"probe","action":"probe.sent","outcome":"success"}'
}

answered() {
  local count=0
  if [[ -f "$work/journal/calls.log" ]]; then count=$(wc -l <"$work/journal/calls.log"); fi
  echo $((count))
}

wait_until() { # SECONDS COMMAND…
  local end=$((SECONDS + $1))
  shift
  while ((SECONDS < end)); do
    if "$@"; then return 0; fi
    sleep 0.2
  done
  return 1
}

has_answered() { (($(answered) >= $1)); }
has_metered() { (($(metered_by "$1") >= $2)); }

check_proxying() {
  local status id
  status=$(ask GET "$front/health/live" -H 'X-Request-Id: of-the-caller-1')
  if [[ "$status" == 200 && "$(header x-request-id)" == of-the-caller-1 ]]; then ok "the caller's X-Request-Id reaches Rev and comes back"
  else bad "X-Request-Id: $status, '$(header x-request-id)'"; fi
  status=$(ask GET "$front/health/live" -H 'X-Request-Id: "not sane"')
  id=$(header x-request-id)
  if [[ "$status" == 200 && "$id" =~ ^[0-9a-f]{32}$ ]]; then ok "a request without a sane X-Request-Id gets one"
  else bad "an X-Request-Id that is not sane: $status, '$id'"; fi

  # 2 MiB: more than Rev takes for one call, and more than nginx keeps in memory. Rev must be the one who refuses it.
  head -c 2097152 /dev/zero | tr '\0' ' ' >"$work/body"
  status=$(ask POST "$front/v1/meter" -H "Authorization: Bearer $live_key" -H 'Content-Type: application/json' -H 'Expect:' --data-binary "@$work/body")
  if [[ "$status" == 413 ]] && grep -q '"body.too_large"' "$work/answer"; then ok "a call of 2 MiB is refused by Rev"
  else bad "a call of 2 MiB: $status $(head -c 300 "$work/answer")"; fi
  status=$(ask POST "$front/v1/meter/batch" -H "Authorization: Bearer $live_key" -H 'Content-Type: application/json' -H 'Expect:' -H 'Content-Length: 20971521' -d x)
  if [[ "$status" == 413 && "$(header content-type)" == application/problem+json ]] && grep -q '"body.too_large"' "$work/answer"; then
    ok "a batch of more than 20 MiB is refused by nginx in Rev's form"
  else bad "a batch of more than 20 MiB: $status $(head -c 300 "$work/answer")"; fi
  status=$(ask GET "$front/metrics")
  if [[ "$status" == 404 ]]; then ok "the metrics are not to be had through nginx"; else bad "/metrics through nginx: $status"; fi
}

# Only where the API has the route. In test mode, where nothing but one call happens: an event that nginx kept back to
# fill a buffer would not come before the stream is cut off.
check_stream() {
  local read_key line status type pid
  curl -fsS -m 10 "$front/openapi/v1.json" -o "$work/openapi.json" || { bad "the OpenAPI document is not to be had"; return; }
  if ! grep -q '"/v1/stream"' "$work/openapi.json"; then
    echo "The API has no /v1/stream: nothing to check."
    return
  fi
  ask POST "$front/v1/api_keys" -H "Authorization: Bearer $test_key" -H 'Content-Type: application/json' \
    -d '{"name":"reader","mode":"test","scopes":["read"]}' >/dev/null
  read_key=$(sed -n 's/.*"secret": *"\([^"]*\)".*/\1/p' "$work/answer")
  curl -sN -m 5 -o "$work/stream" -w '%{http_code} %{content_type}' "$front/v1/stream" -H "Authorization: Bearer $read_key" >"$work/stream.line" &
  pid=$!
  sleep 1
  probe seen-on-the-stream >/dev/null
  wait "$pid" || true
  line=$(<"$work/stream.line")
  status=${line%% *} type=${line#* }
  if [[ "$status" != 200 || "$type" != text/event-stream* ]]; then bad "/v1/stream through nginx: $status $type $(head -c 300 "$work/stream")"
  elif ! grep -q '^event: *call' "$work/stream"; then bad "/v1/stream through nginx does not show a call within 4 s"
  else ok "/v1/stream is passed on through nginx as it comes"; fi
}

check_kill() { # WHICH
  local before i statuses="" name="Rev $(($1 + 1))"
  before=$(answered)
  kill -9 "${rev_pids[$1]}" 2>/dev/null || true
  { wait "${rev_pids[$1]}" || true; } 2>/dev/null
  rev_pids[$1]=""
  sleep 1
  # The load runs on; a new caller notices nothing: a connection that is refused is a request that was not sent.
  for ((i = 1; i <= 12; i++)); do statuses+="$(probe "while-$1-is-dead-$i") "; done
  if [[ "${statuses//201 /}" == "" ]]; then ok "with $name dead nginx finds another: 12 of 12 calls were answered at the first try"
  else bad "with $name dead calls were answered $statuses"; fi
  wait_until 15 has_answered "$((before + 300))" || give_up "with $name dead the load is not answered"
  start_rev "$1"
  wait_ready "$1" 60 || give_up "$name was killed and does not become ready again"
  wait_until 15 has_metered "$1" 50 || give_up "$name came back and gets no calls"
  ok "$name was killed under load ($(($(answered) - before)) calls answered since) and serves again"
}

# A Rev that dies with the request in its hands: three servers that take it and hang up.
check_no_second_post() {
  local port hits more status closing=() i
  for i in 1 2 3; do free_port; closing+=("$port"); done
  free_port
  start_nginx closing "$port" "${closing[@]}" "server {
    listen 127.0.0.1:${closing[0]}; listen 127.0.0.1:${closing[1]}; listen 127.0.0.1:${closing[2]};
    access_log $work/closing/hits.log; return 444; }" || { bad "nginx does not start before servers that hang up"; return; }
  status=$(ask POST "http://127.0.0.1:$port/v1/meter" -H "Authorization: Bearer $test_key" -H 'Content-Type: application/json' -d '{"agent_id":"a","action":"b"}')
  hits=$(wc -l <"$work/closing/hits.log")
  if [[ "$status" == 503 && "$(header retry-after)" == 2 && "$(header content-type)" == application/problem+json ]] && grep -q '"service.unavailable"' "$work/answer"; then
    ok "a call that no Rev answered is answered 503 in Rev's form"
  else bad "a call that no Rev answered: $status $(cat "$work/answer")"; fi
  if [[ "$hits" == 1 ]]; then ok "a POST that was sent is not sent again"; else bad "a POST was sent $hits times"; fi
  ask GET "http://127.0.0.1:$port/v1/events" >/dev/null
  more=$(($(wc -l <"$work/closing/hits.log") - hits))
  if ((more > 1)); then ok "a GET is sent to the next Rev"; else bad "a GET was sent $more times"; fi
}

stop_load() {
  local end=$((SECONDS + 60)) status=0
  touch "$work/stop"
  while kill -0 "$load_pid" 2>/dev/null && ((SECONDS < end)); do sleep 0.2; done
  kill -9 "$load_pid" 2>/dev/null && status=1
  wait "$load_pid" 2>/dev/null || status=1
  load_pid=""
  return "$status"
}

check_answers() {
  local status=0 lines=0 line
  dotnet "$load" check --url "$front" --key "$live_key" --journal "$work/journal" >"$work/check.log" 2>&1 || status=$?
  while IFS= read -r line; do
    case "$line" in
      "ok "*) ok "${line#ok }" ;;
      "FAILED "*) bad "${line#FAILED }"; lines=$((lines + 1)) ;;
      *) echo "$line" ;;
    esac
  done <"$work/check.log"
  if [[ "$status" != 0 && "$lines" == 0 ]]; then bad "the check itself crashed (exit code $status)"; fi
  if ! grep -q '^ok a call sent to several servers' "$work/check.log"; then bad "no call was repeated over the processes"; fi
}

check_shares() {
  local i n shares=""
  for i in 0 1 2; do
    n=$(metered_by "$i")
    shares+="$n "
    if ((n < 50)); then bad "Rev $((i + 1)) stored only $n calls"; return; fi
  done
  ok "all three processes stored calls: ${shares% }"
}

check_logs() {
  local errors
  errors=$(grep -hE '"LogLevel":"(Error|Critical)"' "$work"/rev?.log | cut -c1-400) || true
  if [[ -z "$errors" ]]; then ok "no Rev logged an error"; else bad "Rev logged errors: $(head -3 <<<"$errors")"; fi
}

stop_and_verify() {
  local i end status
  for i in 0 1 2; do kill -TERM "${rev_pids[$i]}" 2>/dev/null || true; done
  end=$((SECONDS + 40))
  for i in 0 1 2; do
    while kill -0 "${rev_pids[$i]}" 2>/dev/null && ((SECONDS < end)); do sleep 0.1; done
    if kill -0 "${rev_pids[$i]}" 2>/dev/null; then bad "Rev $((i + 1)) does not stop within 40 s of SIGTERM"; continue; fi
    status=0
    wait "${rev_pids[$i]}" 2>/dev/null || status=$?
    rev_pids[i]=""
    [[ "$status" == 0 || "$status" == 143 ]] || bad "SIGTERM ends Rev $((i + 1)) with exit code $status"
  done
  status=0
  env "${settings[@]}" "DataDirectory=$work/data0" dotnet "$api" --verify >"$work/verify.log" 2>&1 || status=$?
  if [[ "$status" == 0 ]]; then ok "the rollups equal the sum of the calls and the ledger"
  else
    bad "Rev --verify ends with exit code $status"
    tail -20 "$work/verify.log" | sed 's/^/  | /'
  fi
}

# --- the run -----------------------------------------------------------------------------

nginx=$(command -v nginx || compgen -G '/usr/sbin/nginx') || nginx=""
missing=""
find_postgres || missing="PostgreSQL's server programs (initdb, pg_ctl)"
[[ -n "$nginx" ]] || missing="${missing:+$missing and }nginx"
if [[ -n "$missing" ]]; then
  if [[ "${CI:-}" == true ]]; then
    bad "$missing: not installed"
    summary
  fi
  echo "skipped: $missing: not installed"
  cleanup
  echo "0 passed, 0 failed, 1 skipped"
  exit 0
fi

password="nginx-$RANDOM-$RANDOM"
pg_create || { tail -20 "$work/initdb.log" "$pg_dir/server.log" 2>/dev/null || true; give_up "the temporary PostgreSQL does not start"; }
configure
env "${settings[@]}" "DataDirectory=$work/data0" dotnet "$api" --migrate >"$work/migrate.log" 2>&1 || { cat "$work/migrate.log"; give_up "--migrate fails"; }
for i in 0 1 2; do start_rev "$i"; done
for i in 0 1 2; do wait_ready "$i" 60 || give_up "Rev $((i + 1)) does not become ready"; done
ok "three Revs are ready on one migrated database"

free_port
front="http://127.0.0.1:$port"
start_nginx front "$port" "${ports[@]}" || give_up "nginx does not start with deploy/nginx/rev.conf"
sign_up || give_up "sign-up through nginx gives no keys"
ok "sign-up through nginx gives keys"
check_proxying
check_stream

dotnet "$load" load --url "$front" --repeat "$(IFS=,; echo "${urls[*]}")" --key "$live_key" --journal "$work/journal" --stop "$work/stop" --workers 4 >>"$work/load.log" 2>&1 &
load_pid=$!
wait_until 20 has_answered 500 || give_up "the load is not answered"
check_kill 1
check_kill 0
wait_until 20 has_answered "$least_calls" || give_up "only $(answered) calls were answered"
stop_load || bad "the load generator did not end well: $(tail -3 "$work/load.log" | tr '\n' ' ')"
check_shares
check_answers
check_no_second_post
stop_and_verify
check_logs
summary
