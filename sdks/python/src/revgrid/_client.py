"""The client that blocks."""

from __future__ import annotations

import functools
import inspect
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from . import _ops
from ._config import Config, refusal, retry_delay
from ._errors import RevError
from ._http1 import Response
from ._ops import ListOp, Op
from ._run import RunScope
from ._track import Tracker
from ._track_types import TrackOptions, TrackStats
from ._transport import Pool
from ._types import MeterCall, Outcome

T = TypeVar("T")
P = ParamSpec("P")


class Pager(Generic[T]):
    """The items of a list, fetched page by page while they are iterated. May be iterated again, which asks again."""

    def __init__(self, client: Rev, op: ListOp[T]) -> None:
        self._client = client
        self._op = op

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page

    def pages(self) -> Iterator[list[T]]:
        """The same, a page at a time."""
        cursor: str | None = None
        while True:
            items, cursor = self._client._send(self._op.page(cursor))
            yield items
            if cursor is None:
                return


def as_method(method: Callable[..., Any], op: Callable[..., Any]) -> None:
    """Makes a method look like the operation that it sends: its name, its arguments, its documentation."""
    functools.update_wrapper(method, op)
    del method.__wrapped__  # type: ignore[attr-defined]
    signature = inspect.signature(op)
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    # Op[X] is sent and X comes back; ListOp[X] is a pager of X.
    gives = str(signature.return_annotation).replace("ListOp[", "Pager[").removeprefix("Op[")
    method.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[this, *signature.parameters.values()],
        return_annotation=gives if gives.startswith("Pager[") else gives.removesuffix("]"),
    )


def _call(op: Callable[P, Op[T]]) -> Callable[Concatenate[Rev, P], T]:
    def method(self: Rev, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._send(op(*args, **kwargs))

    as_method(method, op)
    return method


def _list(op: Callable[P, ListOp[T]]) -> Callable[Concatenate[Rev, P], Pager[T]]:
    def method(self: Rev, /, *args: P.args, **kwargs: P.kwargs) -> Pager[T]:
        return Pager(self, op(*args, **kwargs))

    as_method(method, op)
    return method


def _post_batch(config: Config, pool: Pool, body: bytes) -> Response:
    """One attempt for the tracker, which has its own ways to try again."""
    op: Op[None] = Op("POST", "/v1/meter/batch", lambda response: None, body)
    return pool.request(op.method, op.target, config.headers(op, uuid.uuid4().hex), body, config.timeout)


class Rev:
    """A client of Rev. Threads may share it, and it may be made before a fork.

    ``api_key`` and ``base_url`` default to REV_API_KEY and REV_BASE_URL. ``timeout`` is the seconds that one try may take,
    from looking up the host to the last byte of the answer. A call that fails for a reason that may pass (no answer, 408,
    429, 5xx) is tried up to ``max_retries`` times more, under the same idempotency key.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        base_url: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 5,
        ssl_context: ssl.SSLContext | None = None,
        track: TrackOptions | None = None,
    ) -> None:
        self._config = Config.make(api_key, base_url, timeout, max_retries)
        self._pool = Pool(self._config.origin, ssl_context)
        post = functools.partial(_post_batch, self._config, self._pool)
        self._tracker = Tracker(post, self._config.origin.text, self._config.api_key, track or TrackOptions())

    def __repr__(self) -> str:
        return f"Rev({self._config!r})"

    def with_options(self, *, timeout: float | None = None, max_retries: int | None = None) -> Rev:
        """The same client, its connections and tracked calls shared, that waits or retries otherwise."""
        other = object.__new__(Rev)
        other._config = replace(
            self._config,
            timeout=self._config.timeout if timeout is None else timeout,
            max_retries=self._config.max_retries if max_retries is None else max_retries,
        )
        other._pool = self._pool
        other._tracker = self._tracker
        return other

    # --- sending

    def _send(self, op: Op[T]) -> T:
        request_id = uuid.uuid4().hex
        headers = self._config.headers(op, request_id)
        attempt = 0
        while True:
            error: RevError
            try:
                response = self._pool.request(
                    op.method, op.target, headers, op.body, self._config.timeout, repeatable=op.repeatable
                )
                refused = refusal(response)
                if refused is None:
                    return op.read(response)
                error = refused
            except RevError as failed:
                error = failed
            error.request_id = error.request_id or request_id
            error.idempotency_key = op.idempotency_key or op.body_key
            error.retryable = error.retryable and op.repeatable
            delay = retry_delay(self._config, attempt, error)
            if delay is None:
                raise error
            time.sleep(delay)
            attempt += 1

    def close(self, timeout: float | None = None) -> bool:
        """Sends tracked calls, for a while, and closes the connections. True when no tracked call is left; what is left
        is in the spool, and the next process sends it."""
        done = self._tracker.close(timeout)
        self._pool.close()
        return done

    def __enter__(self) -> Rev:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- operations

    meter = _call(_ops.meter)
    meter_batch = _call(_ops.meter_batch)
    list_events = _list(_ops.list_events)
    get_event = _call(_ops.get_event)

    resolve_outcome = _call(_ops.resolve_outcome)
    resolve_outcomes = _call(_ops.resolve_outcomes)
    reverse_outcome = _call(_ops.reverse_outcome)
    list_outcomes = _list(_ops.list_outcomes)
    get_outcome = _call(_ops.get_outcome)

    list_tiers = _list(_ops.list_tiers)
    get_tier = _call(_ops.get_tier)
    list_tier_versions = _list(_ops.list_tier_versions)
    configure_tier = _call(_ops.configure_tier)
    archive_tier = _call(_ops.archive_tier)

    list_agents = _list(_ops.list_agents)
    get_agent = _call(_ops.get_agent)
    configure_agent = _call(_ops.configure_agent)
    list_customers = _list(_ops.list_customers)
    get_customer = _call(_ops.get_customer)
    configure_customer = _call(_ops.configure_customer)
    get_account = _call(_ops.get_account)

    revenue = _call(_ops.revenue)
    summary = _call(_ops.summary)
    statement = _call(_ops.statement)
    statement_csv = _call(_ops.statement_csv)
    simulate = _call(_ops.simulate)
    replay = _call(_ops.replay)
    request = _call(_ops.request)

    # --- runs and tracked calls

    def run(
        self,
        *,
        agent_id: str,
        action: str,
        customer_id: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        outcome: Outcome | None = None,
        background: bool = False,
    ) -> RunScope:
        """A run of an agent, as a ``with`` block or as a decorator; it is metered when it ends.

        An exception makes its outcome ``failure`` and goes on. ``outcome`` is what it is when the run says nothing:
        without it, base fee and tokens are charged and no outcome is tracked. ``background`` hands the call to ``track``
        instead of waiting for its price; so does a Rev that cannot be reached.
        """
        return RunScope(
            self,
            agent_id=agent_id,
            action=action,
            customer_id=customer_id,
            model=model,
            metadata=metadata,
            idempotency_key=idempotency_key,
            outcome=outcome,
            background=background,
        )

    def track(self, call: MeterCall | Mapping[str, Any] | None = None, /, **fields: Any) -> str:
        """Keeps a call on disk and sends it soon, in a batch with others. Returns its idempotency key.

        The fields are those of ``meter``, as a mapping or as arguments. Raises RevQueueFullError when as many wait as may.
        """
        return self._tracker.add({**(call or {}), **fields})

    def flush(self, timeout: float = 30.0) -> bool:
        """Sends all tracked calls now, those of processes that ended included. False when that took too long."""
        return self._tracker.flush(timeout)

    def stats(self) -> TrackStats:
        """What became of tracked calls."""
        return self._tracker.stats()
