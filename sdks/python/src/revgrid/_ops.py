"""Every operation of the API, once: what is sent, and how the answer is read.

Each function gives an ``Op``; the clients send it, one blocking, one on asyncio. Their methods have these functions'
arguments and documentation.
"""

from __future__ import annotations

import difflib
import operator
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from . import _types as t
from ._errors import RevAPIError, RevProtocolError, problem
from ._http1 import Response
from ._wire import decode as parse
from ._wire import encode, instant, query, segment

T = TypeVar("T")

_CALL_FIELDS = (
    "agent_id",
    "action",
    "tokens_input",
    "tokens_output",
    "outcome",
    "expires_at",
    "metadata",
    "customer_id",
    "model",
    "occurred_at",
    "idempotency_key",
)
_MAX_TOKENS = 10**9


@dataclass(frozen=True)
class Op(Generic[T]):
    method: str
    target: str
    read: Callable[[Response], T]
    body: bytes | None = None
    #: Sent as Idempotency-Key when it is set; repeats of the operation reuse it.
    idempotency_key: str | None = None
    #: A key in the body, where that cannot stand in a header.
    body_key: str | None = None
    #: Only the simulator answers without a key.
    needs_key: bool = True
    accept: str = "application/json"
    #: Whether sending it again does no more than sending it once.
    repeatable: bool = True


@dataclass(frozen=True)
class ListOp(Generic[T]):
    path: str
    pairs: tuple[tuple[str, Any], ...]
    item: Callable[[Any], T]

    def page(self, cursor: str | None) -> Op[tuple[list[T], str | None]]:
        def read(response: Response) -> tuple[list[T], str | None]:
            answer = parse(response.body)
            if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
                raise RevProtocolError("The answer is not a page of a list", retryable=True)
            return [self.item(item) for item in answer["data"]], answer.get("next_cursor")

        return Op("GET", self.path + query([*self.pairs, ("cursor", cursor)]), read)


def new_key() -> str:
    """A fresh idempotency key. From the system's randomness, so that forked children never share one."""
    return f"py_{uuid.uuid4().hex}"


def _reader(cls: type[t.M]) -> Callable[[Response], t.M]:
    return lambda response: t.decode(cls, parse(response.body))


def _item(cls: type[t.M]) -> Callable[[Any], t.M]:
    return lambda data: t.decode(cls, data)


def _json(value: Mapping[str, Any]) -> bytes:
    return encode({name: item for name, item in value.items() if item is not None})


def _time(value: t.Instant | None, name: str) -> str | None:
    return None if value is None else instant(value, name)


# --- metering


def call_body(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a metered call, checked as far as that can be done here: a call that is tracked is answered later."""
    if not isinstance(fields, Mapping):
        raise TypeError(f"a call must be a mapping, not {type(fields).__name__}")
    for name in fields:
        if name not in _CALL_FIELDS:
            near = difflib.get_close_matches(str(name), _CALL_FIELDS, 1)
            raise ValueError(f"{name} is not a field of a call{f'; did you mean {near[0]}?' if near else ''}")
    body = {name: fields[name] for name in _CALL_FIELDS if fields.get(name) is not None}
    for name in ("agent_id", "action"):
        if not body.get(name):
            raise ValueError(f"{name} is required")
    for name in ("agent_id", "action", "customer_id", "model", "idempotency_key"):
        if name in body and not isinstance(body[name], str):
            raise TypeError(f"{name} must be a string, not {type(body[name]).__name__}")
    for name in ("tokens_input", "tokens_output"):
        if name in body:
            if isinstance(body[name], bool):
                raise TypeError(f"{name} must be an integer")
            body[name] = operator.index(body[name])
            if not 0 <= body[name] <= _MAX_TOKENS:
                raise ValueError(f"{name} must be 0 to {_MAX_TOKENS}")
    if "outcome" in body and body["outcome"] not in ("success", "failure", "pending"):
        raise ValueError("outcome must be success, failure or pending")
    if "expires_at" in body and body.get("outcome") != "pending":
        raise ValueError("expires_at goes with the outcome pending only")
    if "metadata" in body and not isinstance(body["metadata"], Mapping):
        raise TypeError("metadata must be a mapping")
    if not 1 <= len(body.get("idempotency_key", "x")) <= 255:
        raise ValueError("idempotency_key must be 1 to 255 characters")
    for name in ("expires_at", "occurred_at"):
        if name in body:
            body[name] = instant(body[name], name)
    return body


def _header_key(key: str) -> bool:
    """Whether a key can stand in a header as it is; others go in the body, where they mean the same."""
    return key.isascii() and key.isprintable() and key == key.strip()


def meter_call(fields: Mapping[str, Any]) -> Op[t.MeterReceipt]:
    body = call_body(fields)
    key: str = body.pop("idempotency_key", None) or new_key()
    in_header = _header_key(key)

    def read(response: Response) -> t.MeterReceipt:
        return t.decode(
            t.MeterReceipt,
            parse(response.body),
            replayed=response.headers.get("idempotent-replayed", "").lower() == "true",
            idempotency_key=key,
            request_id=response.headers.get("x-request-id"),
        )

    return Op(
        "POST",
        "/v1/meter",
        read,
        encode(body if in_header else {**body, "idempotency_key": key}),
        idempotency_key=key if in_header else None,
        body_key=None if in_header else key,
    )


def meter(
    *,
    agent_id: str,
    action: str,
    tokens_input: int | None = None,
    tokens_output: int | None = None,
    outcome: t.Outcome | None = None,
    expires_at: t.Instant | None = None,
    metadata: Mapping[str, Any] | None = None,
    customer_id: str | None = None,
    model: str | None = None,
    occurred_at: t.Instant | None = None,
    idempotency_key: str | None = None,
) -> Op[t.MeterReceipt]:
    """Meters a call and answers with its price, once it is stored.

    Without an ``idempotency_key`` one is made, and every retry of this call reuses it. Give one of your own where your
    program may itself do the same work twice.
    """
    return meter_call(
        {
            "agent_id": agent_id,
            "action": action,
            "tokens_input": tokens_input,
            "tokens_output": tokens_output,
            "outcome": outcome,
            "expires_at": expires_at,
            "metadata": metadata,
            "customer_id": customer_id,
            "model": model,
            "occurred_at": occurred_at,
            "idempotency_key": idempotency_key,
        }
    )


def batch_results(response: Response, count: int) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
    """The answer to a batch and its items; an answer that does not fit the batch is none."""
    answer = parse(response.body)
    results = answer.get("results") if isinstance(answer, dict) else None
    if (
        not isinstance(results, list)
        or len(results) != count
        or not all(isinstance(item, dict) and type(item.get("status")) is int for item in results)
    ):
        raise RevProtocolError(
            "The answer does not fit the batch", request_id=response.headers.get("x-request-id"), retryable=True
        )
    return answer, results


def item_error(item: Mapping[str, Any]) -> RevAPIError | None:
    return None if 200 <= item["status"] < 300 else problem(item["status"], item.get("error"))


def meter_batch(
    events: Iterable[t.MeterCall | Mapping[str, Any]], *, idempotency_key: str | None = None
) -> Op[t.MeterBatch]:
    """Meters 1 to 1000 calls at once. One bad item never rejects the rest: look at each result, or at ``rejected``."""
    bodies = [call_body(event) for event in events]
    if not 1 <= len(bodies) <= 1000:
        raise ValueError("a batch has 1 to 1000 events")
    key = idempotency_key or new_key()
    if not _header_key(key) or len(key) > 255:
        raise ValueError("the idempotency_key of a batch must be at most 255 characters of printable ASCII")

    def read(response: Response) -> t.MeterBatch:
        answer, results = batch_results(response, len(bodies))
        request_id = response.headers.get("x-request-id")
        return t.MeterBatch(
            [
                t.BatchItem(
                    item["status"],
                    t.decode(
                        t.MeterReceipt,
                        item,
                        replayed=item.get("replayed") is True,
                        idempotency_key=body.get("idempotency_key"),
                        request_id=request_id,
                    )
                    if 200 <= item["status"] < 300
                    else None,
                    item_error(item),
                )
                for item, body in zip(results, bodies)
            ],
            answer.get("accepted", 0),
            answer.get("replayed", 0),
            answer.get("rejected", 0),
            key,
        )

    return Op("POST", "/v1/meter/batch", read, encode({"events": bodies}), idempotency_key=key)


def list_events(
    *,
    agent_id: str | None = None,
    customer_id: str | None = None,
    action: str | None = None,
    outcome: t.Outcome | None = None,
    from_: t.Instant | None = None,
    to: t.Instant | None = None,
    page_size: int = 100,
) -> ListOp[t.Event]:
    """Metered calls, newest first."""
    return ListOp(
        "/v1/events",
        (
            ("agent_id", agent_id),
            ("customer_id", customer_id),
            ("action", action),
            ("outcome", outcome),
            ("from", _time(from_, "from_")),
            ("to", _time(to, "to")),
            ("limit", page_size),
        ),
        _item(t.Event),
    )


def get_event(event_id: str) -> Op[t.EventDetails]:
    """A metered call as it is now, with its ledger."""
    return Op("GET", f"/v1/events/{segment(event_id, 'event_id')}", _reader(t.EventDetails))


# --- outcomes


def resolve_outcome(
    outcome_id: str | None = None,
    *,
    outcome: Literal["success", "failure"],
    metadata: Mapping[str, Any] | None = None,
    event_id: str | None = None,
    idempotency_key: str | None = None,
) -> Op[t.Resolution]:
    """Decides a pending outcome, named by its id, by its call's ``event_id`` or by the call's ``idempotency_key``.

    The same result again gets the first answer; the other one is a ConflictError ``outcome.already_resolved``.
    """
    if sum(name is not None for name in (outcome_id, event_id, idempotency_key)) != 1:
        raise ValueError("name the outcome by one of outcome_id, event_id and idempotency_key")
    body = {"outcome": outcome, "metadata": metadata}
    if outcome_id is not None:
        return Op(
            "POST", f"/v1/outcomes/{segment(outcome_id, 'outcome_id')}/resolve", _reader(t.Resolution), _json(body)
        )
    return Op(
        "POST",
        "/v1/outcomes/resolve",
        _reader(t.Resolution),
        _json({"event_id": event_id, "idempotency_key": idempotency_key, **body}),
    )


def resolve_outcomes(items: Iterable[t.ResolveItem | Mapping[str, Any]]) -> Op[t.ResolveBatch]:
    """Decides 1 to 1000 outcomes, each named by the ``event_id`` or the ``idempotency_key`` of its call."""
    bodies = [{name: value for name, value in item.items() if value is not None} for item in items]
    if not 1 <= len(bodies) <= 1000:
        raise ValueError("a batch has 1 to 1000 items")

    def read(response: Response) -> t.ResolveBatch:
        _, results = batch_results(response, len(bodies))
        return t.ResolveBatch(
            [
                t.BatchItem(
                    item["status"],
                    t.decode(t.Resolution, {**item, "status": item.get("outcome_status", item["status"])})
                    if 200 <= item["status"] < 300
                    else None,
                    item_error(item),
                )
                for item in results
            ]
        )

    return Op("POST", "/v1/outcomes/resolve/batch", read, encode({"items": bodies}))


def reverse_outcome(outcome_id: str, *, reason: str) -> Op[t.Reversal]:
    """Takes a success back. A bonus that was charged becomes a negative entry."""
    return Op(
        "POST",
        f"/v1/outcomes/{segment(outcome_id, 'outcome_id')}/reverse",
        _reader(t.Reversal),
        encode({"reason": reason}),
    )


def list_outcomes(
    *,
    status: t.OutcomeStatus | None = None,
    agent_id: str | None = None,
    customer_id: str | None = None,
    action: str | None = None,
    page_size: int = 100,
) -> ListOp[t.OutcomeSummary]:
    """Outcomes, newest first."""
    return ListOp(
        "/v1/outcomes",
        (
            ("status", status),
            ("agent_id", agent_id),
            ("customer_id", customer_id),
            ("action", action),
            ("limit", page_size),
        ),
        _item(t.OutcomeSummary),
    )


def get_outcome(outcome_id: str) -> Op[t.OutcomeDetails]:
    """An outcome with its transitions, and why it was charged as it was."""
    return Op("GET", f"/v1/outcomes/{segment(outcome_id, 'outcome_id')}", _reader(t.OutcomeDetails))


# --- tiers, agents, customers, the account


def list_tiers(*, page_size: int = 100) -> ListOp[t.Tier]:
    """The tiers, each in its current version."""
    return ListOp("/v1/tiers", (("limit", page_size),), _item(t.Tier))


def get_tier(key: str) -> Op[t.Tier]:
    """The current version of a tier."""
    return Op("GET", f"/v1/tiers/{segment(key, 'key')}", _reader(t.Tier))


def list_tier_versions(key: str, *, page_size: int = 100) -> ListOp[t.Tier]:
    """Every version of a tier, newest first."""
    return ListOp(f"/v1/tiers/{segment(key, 'key')}/versions", (("limit", page_size),), _item(t.Tier))


def configure_tier(key: str, tier: Mapping[str, Any] | t.Tier) -> Op[t.Tier]:
    """Makes a tier or its next version. What is left out has its default: this replaces the whole tier."""
    return Op("PUT", f"/v1/tiers/{segment(key, 'key')}", _reader(t.Tier), encode(t.tier_request(tier)))


def archive_tier(key: str) -> Op[t.Tier]:
    """Archives a tier that is assigned to nobody."""
    return Op("DELETE", f"/v1/tiers/{segment(key, 'key')}", _reader(t.Tier))


def list_agents(*, page_size: int = 100) -> ListOp[t.Agent]:
    """The agents that are known."""
    return ListOp("/v1/agents", (("limit", page_size),), _item(t.Agent))


def get_agent(agent_id: str) -> Op[t.Agent]:
    """An agent."""
    return Op("GET", f"/v1/agents/{segment(agent_id, 'agent_id')}", _reader(t.Agent))


def configure_agent(agent_id: str, changes: Mapping[str, Any]) -> Op[t.Agent]:
    """Sets an agent's ``name``, ``tier`` or ``customer_id``. What is left out stays; None clears."""
    return Op("PUT", f"/v1/agents/{segment(agent_id, 'agent_id')}", _reader(t.Agent), encode(changes))


def list_customers(*, page_size: int = 100) -> ListOp[t.Customer]:
    """The customers that are known."""
    return ListOp("/v1/customers", (("limit", page_size),), _item(t.Customer))


def get_customer(customer_id: str) -> Op[t.Customer]:
    """A customer."""
    return Op("GET", f"/v1/customers/{segment(customer_id, 'customer_id')}", _reader(t.Customer))


def configure_customer(customer_id: str, changes: Mapping[str, Any]) -> Op[t.Customer]:
    """Sets a customer's ``name``, ``email``, ``tier``, ``stripe_customer_id`` or ``metadata``; None clears."""
    return Op("PUT", f"/v1/customers/{segment(customer_id, 'customer_id')}", _reader(t.Customer), encode(changes))


def get_account() -> Op[t.Account]:
    """The account that the key belongs to."""
    return Op("GET", "/v1/account", _reader(t.Account))


# --- analytics, statements, simulations


def revenue(
    *,
    from_: t.Instant | None = None,
    to: t.Instant | None = None,
    interval: Literal["hour", "day", "month"] | None = None,
    group_by: Literal["agent", "customer", "action", "component"] | None = None,
    currency: str | None = None,
    agent_id: str | None = None,
    customer_id: str | None = None,
    action: str | None = None,
) -> Op[t.Revenue]:
    """Revenue, calls, tokens and outcomes over time, and their totals."""
    return Op(
        "GET",
        "/v1/analytics/revenue"
        + query(
            [
                ("from", _time(from_, "from_")),
                ("to", _time(to, "to")),
                ("interval", interval),
                ("group_by", group_by),
                ("currency", currency),
                ("agent_id", agent_id),
                ("customer_id", customer_id),
                ("action", action),
            ]
        ),
        _reader(t.Revenue),
    )


def summary(*, currency: str | None = None) -> Op[t.Summary]:
    """Today, the last 24 hours, this month and the last, and what is pending."""
    return Op("GET", "/v1/analytics/summary" + query([("currency", currency)]), _reader(t.Summary))


def statement(customer_id: str, *, from_: t.Instant | None = None, to: t.Instant | None = None) -> Op[t.Statement]:
    """What a customer owes for a period; without one, this month so far."""
    return Op("GET", _statement(customer_id, from_, to, None), _reader(t.Statement))


def statement_csv(customer_id: str, *, from_: t.Instant | None = None, to: t.Instant | None = None) -> Op[str]:
    """The same down to single entries, as CSV."""
    return Op(
        "GET",
        _statement(customer_id, from_, to, "csv"),
        lambda response: response.body.decode("utf-8"),
        accept="text/csv",
    )


def _statement(customer_id: str, from_: t.Instant | None, to: t.Instant | None, format: str | None) -> str:
    pairs = [("from", _time(from_, "from_")), ("to", _time(to, "to")), ("format", format)]
    return f"/v1/customers/{segment(customer_id, 'customer_id')}/statement{query(pairs)}"


def simulate(
    *,
    tier: t.TierLike,
    calls_per_month: int,
    tokens_input: int | None = None,
    tokens_output: int | None = None,
    model: str | None = None,
    success_rate: t.Amount | None = None,
    pending_rate: t.Amount | None = None,
    expiry_rate: t.Amount | None = None,
    bonuses: Iterable[t.SimulatedBonus | Mapping[str, Any]] | None = None,
    compare: t.SimulatedCompare | Mapping[str, Any] | None = None,
) -> Op[t.Simulation]:
    """What a month would cost under a tier. With the tier spelt out, no API key is needed."""
    return Op(
        "POST",
        "/v1/simulations",
        _reader(t.Simulation),
        _json(
            {
                "tier": t.tier_request(tier),
                "calls_per_month": calls_per_month,
                "tokens_input": tokens_input,
                "tokens_output": tokens_output,
                "model": model,
                "success_rate": success_rate,
                "pending_rate": pending_rate,
                "expiry_rate": expiry_rate,
                "bonuses": None if bonuses is None else list(bonuses),
                "compare": compare,
            }
        ),
        needs_key=isinstance(tier, str),
    )


def replay(
    *,
    tier: t.TierLike,
    from_: t.Instant | None = None,
    to: t.Instant | None = None,
    agent_id: str | None = None,
    customer_id: str | None = None,
) -> Op[t.Replay]:
    """What the account's recorded calls would have cost under another tier."""
    return Op(
        "POST",
        "/v1/simulations/replay",
        _reader(t.Replay),
        _json(
            {
                "tier": t.tier_request(tier),
                "from": _time(from_, "from_"),
                "to": _time(to, "to"),
                "agent_id": agent_id,
                "customer_id": customer_id,
            }
        ),
    )


def request(
    method: str,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    body: Any = None,
    idempotency_key: str | None = None,
) -> Op[Any]:
    """Any other call of the API, as JSON in and out, with the same retries and errors.

    A POST or PATCH without an ``idempotency_key`` is sent once, since sent again it could count again.
    """
    if not path.startswith("/"):
        raise ValueError("path must begin with /")
    pairs = [
        (name, instant(value, name) if isinstance(value, datetime) else value) for name, value in (params or {}).items()
    ]

    def read(response: Response) -> Any:
        if not response.body:
            return None
        if "json" in response.headers.get("content-type", ""):
            return parse(response.body)
        return response.body.decode("utf-8", "replace")

    return Op(
        method.upper(),
        path + query(pairs),
        read,
        None if body is None else encode(body),
        idempotency_key,
        needs_key=False,
        repeatable=idempotency_key is not None or method.upper() not in ("POST", "PATCH"),
    )
