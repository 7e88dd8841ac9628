"""The client on asyncio."""

from __future__ import annotations

import asyncio
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from . import _ops
from ._atransport import AsyncPool
from ._client import Rev, as_method
from ._config import Config, refusal, retry_delay
from ._errors import RevError, RevQueueFullError
from ._ops import ListOp, Op
from ._run import AsyncRunScope
from ._track import Tracker
from ._track_types import TrackOptions, TrackStats
from ._types import MeterCall, Outcome

T = TypeVar("T")
P = ParamSpec("P")


class AsyncPager(Generic[T]):
    """The items of a list, fetched page by page while they are iterated."""

    def __init__(self, client: AsyncRev, op: ListOp[T]) -> None:
        self._client = client
        self._op = op

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page:
                yield item

    async def pages(self) -> AsyncIterator[list[T]]:
        """The same, a page at a time."""
        cursor: str | None = None
        while True:
            items, cursor = await self._client._send(self._op.page(cursor))
            yield items
            if cursor is None:
                return


def _call(op: Callable[P, Op[T]]) -> Callable[Concatenate[AsyncRev, P], Coroutine[Any, Any, T]]:
    async def method(self: AsyncRev, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._send(op(*args, **kwargs))

    as_method(method, op)
    return method


def _list(op: Callable[P, ListOp[T]]) -> Callable[Concatenate[AsyncRev, P], AsyncPager[T]]:
    def method(self: AsyncRev, /, *args: P.args, **kwargs: P.kwargs) -> AsyncPager[T]:
        return AsyncPager(self, op(*args, **kwargs))

    as_method(method, op)
    return method


class AsyncRev:
    """A client of Rev for asyncio: as ``Rev``, with methods to await. A cancelled task ends its request at once.

    One may serve several event loops. ``async with``, or ``aclose``, closes its connections.
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
        self._pool = AsyncPool(self._config.origin, ssl_context)
        # Tracked calls outlive event loops, so a thread sends them here as well.
        self._sender = Rev(
            api_key=api_key, base_url=base_url, timeout=timeout, max_retries=0, ssl_context=ssl_context, track=track
        )
        self._tracker: Tracker = self._sender._tracker

    def __repr__(self) -> str:
        return f"AsyncRev({self._config!r})"

    def with_options(self, *, timeout: float | None = None, max_retries: int | None = None) -> AsyncRev:
        """The same client, its connections and tracked calls shared, that waits or retries otherwise."""
        other = object.__new__(AsyncRev)
        other._config = replace(
            self._config,
            timeout=self._config.timeout if timeout is None else timeout,
            max_retries=self._config.max_retries if max_retries is None else max_retries,
        )
        other._pool = self._pool
        other._sender = self._sender
        other._tracker = self._tracker
        return other

    async def _send(self, op: Op[T]) -> T:
        request_id = uuid.uuid4().hex
        headers = self._config.headers(op, request_id)
        attempt = 0
        while True:
            error: RevError
            try:
                response = await self._pool.request(
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
            await asyncio.sleep(delay)
            attempt += 1

    async def aclose(self, timeout: float | None = None) -> bool:
        """Sends tracked calls, for a while, and closes the connections. True when no tracked call is left."""
        done = await asyncio.to_thread(self._sender.close, timeout)
        await self._pool.close()
        return done

    async def __aenter__(self) -> AsyncRev:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

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
    ) -> AsyncRunScope:
        """A run of an agent, as an ``async with`` block or as a decorator of an async function. See ``Rev.run``."""
        return AsyncRunScope(
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

    async def track(self, call: MeterCall | Mapping[str, Any] | None = None, /, **fields: Any) -> str:
        """Keeps a call on disk and sends it soon, in a batch with others. Returns its idempotency key.

        The loop goes on while this waits for room.
        """
        told = {**(call or {}), **fields}
        options = self._tracker.options
        if options.fsync == "always":
            return await asyncio.to_thread(self._tracker.add, told)
        give_up = time.monotonic() + (options.block_timeout if options.on_full == "block" else 0)
        told.setdefault("idempotency_key", _ops.new_key())
        while True:
            try:
                return self._tracker.add(told, block=False)
            except RevQueueFullError:
                if time.monotonic() >= give_up:
                    self._tracker.add_refused()
                    raise
            await asyncio.sleep(0.02)

    async def flush(self, timeout: float = 30.0) -> bool:
        """Sends all tracked calls now, those of processes that ended included. False when that took too long."""
        return await asyncio.to_thread(self._tracker.flush, timeout)

    def stats(self) -> TrackStats:
        """What became of tracked calls."""
        return self._tracker.stats()
