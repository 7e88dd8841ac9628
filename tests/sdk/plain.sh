#!/usr/bin/env bash
# Rev without an SDK, as a shell writes it: curl and nothing else. REV_BASE_URL, REV_API_KEY.
# A check is a line "ok …" or "FAILED …", which scripts/sdk.sh counts.
set -euo pipefail

agent="curl-$$-$RANDOM$RANDOM"
failed=0
answer="" status=""

ask() { # [arguments for curl] PATH
  local path="${*: -1}"
  answer=$(curl -sS -m 30 -w '\n%{http_code}' -H "Authorization: Bearer $REV_API_KEY" -H 'Content-Type: application/json' "${@:1:$#-1}" "$REV_BASE_URL$path")
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
}

check() { # NAME STATUS TEXT…: the last answer has that status and these texts in it
  local name="$1" expected="$2" text
  shift 2
  for text in "$@"; do
    if [[ "$answer" != *"$text"* ]]; then
      echo "FAILED curl: $name: no $text in $status ${answer:0:500}"
      failed=1
      return
    fi
  done
  if [[ "$status" == "$expected" ]]; then echo "ok curl: $name"
  else
    echo "FAILED curl: $name: $status ${answer:0:500}"
    failed=1
  fi
}

ask -d '{"agent_id":"'"$agent"'","action":"email.sent","tokens_input":1200,"tokens_output":340,"outcome":"pending"}' /v1/meter
check "a pending call is metered" 201 '"outcome_status":"pending"' '"price_charged":"0.00962"'
outcome=$(grep -o 'out_[0-9A-Z]*' <<<"$answer" | head -1) || outcome=none
event=$(grep -o 'evt_[0-9A-Z]*' <<<"$answer" | head -1) || event=none

ask -d '{"outcome":"success","metadata":{"reply_received":true}}' "/v1/outcomes/$outcome/resolve"
check "its outcome is resolved" 200 '"status":"succeeded"' '"price_charged":"0.01212"'
ask -d '{"outcome":"success"}' "/v1/outcomes/$outcome/resolve"
check "and resolved again alike" 200 '"status":"succeeded"' '"price_charged":"0.01212"'
ask -d '{"outcome":"failure"}' "/v1/outcomes/$outcome/resolve"
check "and not the other way" 409 '"code":"outcome.already_resolved"'

first=""
for ((i = 1; i <= 2; i++)); do
  ask -H "Idempotency-Key: $agent" -d '{"agent_id":"'"$agent"'","action":"email.sent","outcome":"success"}' /v1/meter
  check "sent under one Idempotency-Key, $i of 2" 201 '"price_charged":"0.0075"' "$first"
  first=$(grep -o '"event_id":"evt_[0-9A-Z]*"' <<<"$answer" | head -1) || first=none
done

ask "/v1/events?agent_id=$agent"
check "the calls are listed" 200 "\"event_id\":\"$event\""
count=$(grep -o '"event_id":' <<<"$answer" | wc -l)
if [[ "$count" == 2 ]]; then echo "ok curl: each once"; else echo "FAILED curl: $count calls instead of 2"; failed=1; fi

ask -d '{"tier":"default","calls_per_month":1000,"tokens_input":1200,"tokens_output":340,"success_rate":0.5}' /v1/simulations
check "a month is simulated" 200 '"total":"10.87"'

ask -d '{"agent_id":"'"$agent"'","action":"email.sent","token_input":1200}' /v1/meter
check "a misspelt field is refused with the nearest name" 400 '"code":"request.invalid"' 'did you mean tokens_input'
ask -d '{' /v1/meter
check "what is no JSON is refused" 400 '"code":"body.malformed_json"'
answer=$(curl -sS -m 30 -w '\n%{http_code}' -H 'Authorization: Bearer rg_live_nobody' -H 'Content-Type: application/json' -d '{}' "$REV_BASE_URL/v1/meter")
status=${answer##*$'\n'} answer=${answer%$'\n'*}
check "an unknown key is refused" 401 '"code":"auth.invalid_key"'
exit "$failed"
