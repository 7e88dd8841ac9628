"""Rev without an SDK, as a Python program writes it: requests and nothing else. REV_BASE_URL, REV_API_KEY."""

import os
import sys
import uuid
from datetime import datetime, timedelta, timezone

import requests

URL = os.environ["REV_BASE_URL"]
AGENT = f"requests-{uuid.uuid4()}"
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['REV_API_KEY']}"
failures = 0


def check(name):
    """Runs the function that follows; a check is a line "ok …" or "FAILED …", which scripts/sdk.sh counts."""

    def run(body):
        global failures
        try:
            body()
            print(f"ok requests: {name}")
        except Exception as error:
            failures += 1
            print(f"FAILED requests: {name}: {type(error).__name__} {' '.join(str(error).split())[:600]}")

    return run


def equal(found, expected, answer=None):
    if found != expected:
        raise AssertionError(f"{found!r} is not {expected!r} {answer.text if answer is not None else ''}")


call = {}


@check("a pending call is metered")
def _():
    answer = session.post(
        f"{URL}/v1/meter",
        json={
            "agent_id": AGENT, "action": "email.sent", "tokens_input": 1200, "tokens_output": 340,
            "outcome": "pending", "expires_at": (datetime.now(timezone.utc) + timedelta(days=7)).isoformat(),
        },
    )
    equal(answer.status_code, 201, answer)
    call.update(answer.json())
    equal((call["outcome_status"], call["price_charged"]), ("pending", "0.00962"))


@check("its outcome is resolved, twice alike")
def _():
    for _ in range(2):
        answer = session.post(f"{URL}/v1/outcomes/{call['outcome_id']}/resolve", json={"outcome": "success", "metadata": {"reply_received": True}})
        equal(answer.status_code, 200, answer)
        equal((answer.json()["status"], answer.json()["price_charged"]), ("succeeded", "0.01212"))


@check("a call that is sent twice under one Idempotency-Key counts once")
def _():
    key = {"Idempotency-Key": str(uuid.uuid4())}
    first, second = (session.post(f"{URL}/v1/meter", json={"agent_id": AGENT, "action": "email.sent", "outcome": "success"}, headers=key) for _ in range(2))
    equal((first.status_code, second.status_code), (201, 201))
    equal([answer.headers.get("Idempotent-Replayed") for answer in (first, second)], [None, "true"])
    equal(first.json()["event_id"], second.json()["event_id"])


@check("the calls are listed")
def _():
    answer = session.get(f"{URL}/v1/events", params={"agent_id": AGENT})
    equal(answer.status_code, 200, answer)
    equal(len(answer.json()["data"]), 2)
    equal(answer.json()["data"][1]["event_id"], call["event_id"])


@check("a month is simulated")
def _():
    answer = session.post(f"{URL}/v1/simulations", json={"tier": "default", "calls_per_month": 1000, "tokens_input": 1200, "tokens_output": 340, "success_rate": 0.5})
    equal((answer.status_code, answer.json().get("total")), (200, "10.87"), answer)


@check("a misspelt field is refused with the nearest name")
def _():
    answer = session.post(f"{URL}/v1/meter", json={"agent_id": AGENT, "action": "email.sent", "token_input": 1200})
    problem = answer.json()
    equal((answer.status_code, problem["code"], answer.headers["Content-Type"]), (400, "request.invalid", "application/problem+json"))
    equal("tokens_input" in problem["errors"]["token_input"][0], True, answer)
    equal(problem["request_id"], answer.headers["X-Request-Id"])


@check("an unknown key is refused")
def _():
    answer = requests.post(f"{URL}/v1/meter", json={"agent_id": AGENT, "action": "email.sent"}, headers={"Authorization": "Bearer rg_live_nobody"})
    equal((answer.status_code, answer.json()["code"]), (401, "auth.invalid_key"))


sys.exit(1 if failures else 0)
