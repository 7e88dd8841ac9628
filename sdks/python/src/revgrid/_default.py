"""The functions of the module: the methods of a client that is made when it is first needed."""

from __future__ import annotations

import functools
import inspect
import os
import threading
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from ._client import Rev

T = TypeVar("T")
P = ParamSpec("P")

_lock = threading.Lock()
_client: Rev | None = None


def default_client() -> Rev:
    """The client of the module's functions."""
    global _client
    if _client is None:
        with _lock:
            if _client is None:
                _client = Rev()
    return _client


def configure(**options: Any) -> Rev:
    """Makes the client of the module's functions from the arguments of ``Rev``, in the place of the one there is."""
    global _client
    made = Rev(**options)
    with _lock:
        before, _client = _client, made
    if before is not None:
        before.close()
    return made


def close(timeout: float | None = None) -> bool:
    """Sends tracked calls, for a while, and closes the client of the module's functions; the next call makes another."""
    global _client
    with _lock:
        before, _client = _client, None
    return before.close(timeout) if before is not None else True


def _bound(method: Callable[Concatenate[Rev, P], T]) -> Callable[P, T]:
    def function(*args: P.args, **kwargs: P.kwargs) -> T:
        return method(default_client(), *args, **kwargs)

    functools.update_wrapper(function, method)
    del function.__wrapped__  # type: ignore[attr-defined]
    signature = inspect.signature(method)
    function.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]
    return function


meter = _bound(Rev.meter)
meter_batch = _bound(Rev.meter_batch)
list_events = _bound(Rev.list_events)
get_event = _bound(Rev.get_event)
resolve_outcome = _bound(Rev.resolve_outcome)
resolve_outcomes = _bound(Rev.resolve_outcomes)
reverse_outcome = _bound(Rev.reverse_outcome)
list_outcomes = _bound(Rev.list_outcomes)
get_outcome = _bound(Rev.get_outcome)
list_tiers = _bound(Rev.list_tiers)
get_tier = _bound(Rev.get_tier)
list_tier_versions = _bound(Rev.list_tier_versions)
configure_tier = _bound(Rev.configure_tier)
archive_tier = _bound(Rev.archive_tier)
list_agents = _bound(Rev.list_agents)
get_agent = _bound(Rev.get_agent)
configure_agent = _bound(Rev.configure_agent)
list_customers = _bound(Rev.list_customers)
get_customer = _bound(Rev.get_customer)
configure_customer = _bound(Rev.configure_customer)
get_account = _bound(Rev.get_account)
revenue = _bound(Rev.revenue)
summary = _bound(Rev.summary)
statement = _bound(Rev.statement)
statement_csv = _bound(Rev.statement_csv)
simulate = _bound(Rev.simulate)
replay = _bound(Rev.replay)
request = _bound(Rev.request)
run = _bound(Rev.run)
track = _bound(Rev.track)
flush = _bound(Rev.flush)
stats = _bound(Rev.stats)


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()  # Another thread may have held it.


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
