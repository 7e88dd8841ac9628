"""What Rev answers, as frozen dataclasses, and what it is given, as TypedDicts.

Money is ``Decimal``, instants are aware ``datetime`` in UTC, durations are ``timedelta``. A field that the server adds
later is in ``raw`` at once; one that an older server does not know is ``None``.
"""

from __future__ import annotations

import dataclasses
import functools
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, Literal, TypedDict, TypeVar, Union

from ._errors import RevAPIError, RevProtocolError
from ._wire import parse_duration, parse_instant

Outcome = Literal["success", "failure", "pending"]
OutcomeStatus = Literal["pending", "in_review", "succeeded", "failed", "expired", "reversed"]
Component = Literal["base", "tokens", "outcome", "reversal", "adjustment"]
Instant = Union[datetime, str]
Amount = Union[Decimal, int, float, str]

T = TypeVar("T")
M = TypeVar("M", bound="Model")


@dataclass(frozen=True)
class Model:
    """What all answers have: their fields as attributes, ``answer["name"]`` by the name on the wire, and ``raw``."""

    #: The JSON object as it came.
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False, kw_only=True)

    def __getitem__(self, name: str) -> Any:
        attribute = "from_" if name == "from" else name
        if attribute != "raw" and attribute in self.__dataclass_fields__:
            return getattr(self, attribute)
        return self.raw[name]

    def __contains__(self, name: object) -> bool:
        return name in self.raw

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object as it came, to keep or to log."""
        return dict(self.raw)


# --- metering


@dataclass(frozen=True)
class Price(Model):
    base_fee: Decimal
    token_charge: Decimal
    outcome_bonus: Decimal
    total: Decimal


@dataclass(frozen=True)
class Bonus(Model):
    name: str | None
    reason: str


@dataclass(frozen=True)
class TierRef(Model):
    key: str
    version: int


@dataclass(frozen=True)
class MeterReceipt(Model):
    """The answer to a metered call: it is stored, and costs this."""

    event_id: str
    outcome_id: str | None
    outcome: Outcome | None
    outcome_status: OutcomeStatus | None
    price_charged: Decimal
    currency: str
    price: Price
    bonus: Bonus | None
    potential_bonus: Decimal | None
    tier: TierRef
    agent_id: str
    action: str
    customer_id: str
    model: str | None
    tokens_input: int
    tokens_output: int
    occurred_at: datetime
    expires_at: datetime | None
    #: Whether the call was stored before under its idempotency key; then this is the first answer.
    replayed: bool = field(default=False, kw_only=True)
    #: The key that the call was sent with.
    idempotency_key: str | None = field(default=None, kw_only=True)
    request_id: str | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class BatchItem(Generic[T]):
    """What came of one item of a batch: a result or an error."""

    status: int
    result: T | None
    error: RevAPIError | None

    def unwrap(self) -> T:
        """The result; raises the error if there is none."""
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


@dataclass(frozen=True)
class MeterBatch:
    """The items in the order in which they were given; a bad one never spoils the others."""

    results: list[BatchItem[MeterReceipt]]
    accepted: int
    replayed: int
    rejected: int
    #: Sending the same events with it again repeats those that failed and replays the others.
    idempotency_key: str


@dataclass(frozen=True)
class ResolveBatch:
    results: list[BatchItem[Resolution]]


@dataclass(frozen=True)
class LedgerLine(Model):
    component: Component
    amount: Decimal
    currency: str
    reason: str
    service_at: datetime
    effective_at: datetime


@dataclass(frozen=True)
class Event(Model):
    """A metered call as it is now."""

    event_id: str
    outcome_id: str | None
    outcome: Outcome | None
    outcome_status: OutcomeStatus | None
    price_charged: Decimal
    price_charged_at_call: Decimal
    currency: str
    price: Price
    bonus: Bonus | None
    potential_bonus: Decimal | None
    tier: TierRef
    agent_id: str
    action: str
    customer_id: str
    model: str | None
    tokens_input: int
    tokens_output: int
    occurred_at: datetime
    expires_at: datetime | None
    received_at: datetime
    metadata: dict[str, Any] | None


@dataclass(frozen=True)
class EventDetails(Event):
    ledger: list[LedgerLine]


# --- outcomes


@dataclass(frozen=True)
class Resolution(Model):
    outcome_id: str
    status: OutcomeStatus
    outcome_bonus: Decimal
    potential_bonus: Decimal | None
    price_charged: Decimal
    currency: str
    bonus: Bonus | None
    resolved_at: datetime
    settles_at: datetime | None
    event_id: str


@dataclass(frozen=True)
class Reversal(Model):
    outcome_id: str
    status: OutcomeStatus
    outcome_bonus: Decimal
    price_charged: Decimal
    currency: str
    bonus: Bonus | None
    resolved_at: datetime | None
    settles_at: datetime | None
    event_id: str
    reversed_amount: Decimal
    reversed_at: datetime
    reason: str


@dataclass(frozen=True)
class OutcomeSummary(Model):
    outcome_id: str
    event_id: str
    status: OutcomeStatus
    outcome_bonus: Decimal
    potential_bonus: Decimal | None
    price_charged: Decimal
    currency: str
    bonus: Bonus | None
    agent_id: str
    action: str
    customer_id: str
    created_at: datetime
    expires_at: datetime | None
    resolved_at: datetime | None
    settles_at: datetime | None
    reversed_at: datetime | None
    reversed_amount: Decimal | None


@dataclass(frozen=True)
class Transition(Model):
    at: datetime
    from_: OutcomeStatus | None
    to: OutcomeStatus
    by: str
    reason: str


@dataclass(frozen=True)
class ExplainedCondition(Model):
    field: str
    op: str
    expected: Any
    actual: Any
    passed: bool
    note: str | None


@dataclass(frozen=True)
class ExplainedRule(Model):
    rule: int
    name: str
    action_fits: bool
    matched: bool
    conditions: list[ExplainedCondition]


@dataclass(frozen=True)
class Explanation(Model):
    reason: str
    rule: int | None
    rules: list[ExplainedRule]


@dataclass(frozen=True)
class OutcomeDetails(OutcomeSummary):
    tier: TierRef
    metadata: dict[str, Any]
    transitions: list[Transition]
    explanation: Explanation | None


# --- tiers, agents, customers, the account


@dataclass(frozen=True)
class ModelRate(Model):
    input_per_million: Decimal
    output_per_million: Decimal


@dataclass(frozen=True)
class TokenRates(Model):
    input_per_million: Decimal
    output_per_million: Decimal
    models: dict[str, ModelRate]


@dataclass(frozen=True)
class OutcomeBonus(Model):
    name: str
    action: str | None
    when: dict[str, Any] | None
    amount: Decimal | None
    percent: Decimal | None
    of: str | None
    max_amount: Decimal | None


@dataclass(frozen=True)
class OnExpiry(Model):
    bonus: Literal["none", "as_success", "fixed"]
    amount: Decimal | None


@dataclass(frozen=True)
class Pending(Model):
    expires_after: timedelta
    on_expiry: OnExpiry


@dataclass(frozen=True)
class Tier(Model):
    """A version of a pricing tier."""

    key: str
    version: int
    name: str
    currency: str
    base_fee: Decimal
    token_rates: TokenRates
    outcome_bonuses: list[OutcomeBonus]
    pending: Pending
    review_window: timedelta
    reversal_window: timedelta
    one_bonus_per: Any
    created_at: datetime
    archived_at: datetime | None


@dataclass(frozen=True)
class Agent(Model):
    agent_id: str
    name: str | None
    tier: str | None
    customer_id: str | None
    created_at: datetime


@dataclass(frozen=True)
class Customer(Model):
    customer_id: str
    name: str | None
    email: str | None
    tier: str | None
    stripe_customer_id: str | None
    metadata: dict[str, Any] | None
    created_at: datetime
    erased_at: datetime | None


@dataclass(frozen=True)
class Account(Model):
    id: str
    email: str
    company: str | None
    currency: str
    created_at: datetime
    default_tier: str


# --- analytics, statements


@dataclass(frozen=True)
class Figures(Model):
    calls: int
    tokens_input: int
    tokens_output: int
    base_fees: Decimal
    token_charges: Decimal
    outcome_bonuses: Decimal
    reversals: Decimal
    revenue: Decimal
    successes: int
    failures: int
    pending: int
    expired: int


@dataclass(frozen=True)
class RevenueBucket(Figures):
    start: datetime
    group: str | None


@dataclass(frozen=True)
class Revenue(Model):
    currency: str
    from_: datetime
    to: datetime
    data: list[RevenueBucket]
    totals: Figures
    other_currencies: list[str]


@dataclass(frozen=True)
class PeriodFigures(Figures):
    from_: datetime
    to: datetime


@dataclass(frozen=True)
class OpenOutcomes(Model):
    outcomes: int
    potential_bonus: Decimal
    unbounded: int


@dataclass(frozen=True)
class Summary(Model):
    currency: str
    today: PeriodFigures
    last_24_hours: PeriodFigures
    month_to_date: PeriodFigures
    previous_month: PeriodFigures
    pending: OpenOutcomes
    in_review: OpenOutcomes
    success_rate: Decimal | None
    as_of: datetime
    other_currencies: list[str]


@dataclass(frozen=True)
class StatementLine(Model):
    agent_id: str
    action: str
    component: Component
    quantity: int
    amount: Decimal


@dataclass(frozen=True)
class CurrencyStatement(Model):
    currency: str
    total: Decimal
    lines: list[StatementLine]


@dataclass(frozen=True)
class Statement(Model):
    """What a customer owes, for each currency."""

    customer_id: str
    from_: datetime
    to: datetime
    currencies: list[CurrencyStatement]


# --- simulations


@dataclass(frozen=True)
class ComparedPrice(Model):
    total: Decimal
    difference: Decimal


@dataclass(frozen=True)
class ComparedPrices(Model):
    flat_per_call: ComparedPrice | None
    seats: ComparedPrice | None


@dataclass(frozen=True)
class SuccessRatePoint(Model):
    success_rate: Decimal
    total: Decimal


@dataclass(frozen=True)
class VolumePoint(Model):
    multiplier: Decimal
    calls: Decimal
    total: Decimal


@dataclass(frozen=True)
class Sensitivity(Model):
    success_rates: list[SuccessRatePoint]
    volumes: list[VolumePoint]


@dataclass(frozen=True)
class Simulation(Model):
    """What a month would cost."""

    currency: str
    calls_per_month: int
    base_fees: Decimal
    token_charges: Decimal
    outcome_bonuses: Decimal
    total: Decimal
    per_call: Decimal
    per_success: Decimal | None
    successes: Decimal
    expired: Decimal
    compare: ComparedPrices | None
    sensitivity: Sensitivity


@dataclass(frozen=True)
class ReplayedPrice(Model):
    base_fees: Decimal
    token_charges: Decimal
    outcome_bonuses: Decimal
    total: Decimal


@dataclass(frozen=True)
class ReplayedDay(Model):
    day: date
    calls: int
    actual: ReplayedPrice
    replayed: ReplayedPrice
    difference: Decimal


@dataclass(frozen=True)
class ReplayedAgent(Model):
    agent_id: str
    calls: int
    actual: ReplayedPrice
    replayed: ReplayedPrice
    difference: Decimal


@dataclass(frozen=True)
class ReplayedOthers(Model):
    agents: int
    calls: int
    actual: ReplayedPrice
    replayed: ReplayedPrice
    difference: Decimal


@dataclass(frozen=True)
class OtherCurrency(Model):
    currency: str
    calls: int


@dataclass(frozen=True)
class Replay(Model):
    """The account's recorded calls, priced under another tier."""

    tier: TierRef | None
    currency: str
    from_: datetime
    to: datetime
    archived_months: list[str]
    calls: int
    actual: ReplayedPrice
    replayed: ReplayedPrice
    difference: Decimal
    days: list[ReplayedDay]
    agents: list[ReplayedAgent]
    other_agents: ReplayedOthers | None
    other_currencies: list[OtherCurrency]
    calls_erased: int


# --- webhooks


@dataclass(frozen=True)
class InvoiceNotice(Model):
    """The ``data`` of ``invoice.*``."""

    id: str
    number: str | None
    stripe_invoice_id: str | None
    customer_id: str
    status: str
    currency: str
    total: Decimal
    total_minor: int
    period_start: datetime
    period_end: datetime


@dataclass(frozen=True)
class SyncFailure(Model):
    """The ``data`` of ``stripe.sync_failed``."""

    subject: str
    id: str | None
    customer_id: str | None
    currency: str | None
    error: str | None


@dataclass(frozen=True)
class WebhookEvent(Model):
    """A verified message. ``id`` is the same at every try: take each message once."""

    id: str
    type: str
    timestamp: datetime
    sequence: int
    mode: Literal["live", "test"]
    #: OutcomeSummary for ``outcome.*``, InvoiceNotice for ``invoice.*``, SyncFailure for ``stripe.sync_failed``, else a dict.
    data: Any


# --- what is given


class _MeterCallKeys(TypedDict):
    agent_id: str
    action: str


class MeterCall(_MeterCallKeys, total=False):
    """The fields of a metered call, for ``meter_batch`` and ``track``."""

    tokens_input: int | None
    tokens_output: int | None
    outcome: Outcome | None
    expires_at: Instant | None
    metadata: Mapping[str, Any] | None
    customer_id: str | None
    model: str | None
    occurred_at: Instant | None
    idempotency_key: str | None


class _ResolveItemKeys(TypedDict):
    outcome: Literal["success", "failure"]


class ResolveItem(_ResolveItemKeys, total=False):
    """An item of ``resolve_outcomes``: the call by its event or by its idempotency key."""

    event_id: str
    idempotency_key: str
    metadata: Mapping[str, Any] | None


class SimulatedBonus(TypedDict, total=False):
    """How often a bonus is the one that matches, and for percentages the mean value it is a share of."""

    name: str
    share: Amount
    value: Amount


class SimulatedCompare(TypedDict, total=False):
    flat_per_call: Amount
    seat_price: Amount
    seats: int


TierLike = Union[str, Mapping[str, Any], Tier]


def tier_request(tier: TierLike) -> Any:
    """A tier as it is given: by its key, as a mapping, or one that was read."""
    if isinstance(tier, Tier):
        return {name: value for name, value in tier.raw.items() if name not in ("key", "version", "created_at", "archived_at")}
    return tier


# --- decoding


def _money(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise RevProtocolError(f"The answer has an amount that cannot be read: {str(value)[:40]!r}") from None


def _same(value: Any) -> Any:
    return value


def _converter(hint: Any) -> Callable[[Any], Any]:
    if hint is Decimal:
        return _money
    if hint is datetime:
        return parse_instant
    if hint is date:
        return date.fromisoformat
    if hint is timedelta:
        return parse_duration
    if isinstance(hint, type) and issubclass(hint, Model):
        return functools.partial(decode, hint)
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin is list:
        inner = _converter(arguments[0])
        return _same if inner is _same else lambda value: [inner(item) for item in value]
    if origin is dict:
        inner = _converter(arguments[1])
        return _same if inner is _same else lambda value: {name: inner(item) for name, item in value.items()}
    if origin in (Union, types.UnionType):
        some = [argument for argument in arguments if argument is not type(None)]
        if len(some) == 1:
            return _converter(some[0])
    return _same


@functools.lru_cache(maxsize=None)
def _plan(cls: Any) -> list[tuple[str, str, Callable[[Any], Any]]]:
    hints = typing.get_type_hints(cls, vars(sys.modules[cls.__module__]))
    return [
        (item.name, "from" if item.name == "from_" else item.name, _converter(hints[item.name]))
        for item in dataclasses.fields(cls)
        if not item.kw_only
    ]


def decode(cls: type[M], data: Any, **extra: Any) -> M:
    """A JSON object as one of the classes above."""
    if not isinstance(data, Mapping):
        raise RevProtocolError(f"The answer has no object where {cls.__name__} was expected")
    values: dict[str, Any] = {}
    try:
        for attribute, name, convert in _plan(typing.cast(Any, cls)):
            value = data.get(name)
            values[attribute] = None if value is None else convert(value)
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, RevProtocolError):
            raise
        raise RevProtocolError(f"The answer's {name} cannot be read as part of {cls.__name__}") from error
    return cls(raw=data, **values, **extra)
