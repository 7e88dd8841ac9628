"""A run of an agent as a block of code: metered when it ends, as a failure when it raises."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import operator
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from . import _ops
from ._errors import RevConnectionError, RevError
from ._types import Instant, MeterReceipt, Outcome
from ._usage import tokens_of
from ._wire import instant, utc_now

if TYPE_CHECKING:
    from ._aclient import AsyncRev
    from ._client import Rev

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", "Rev", "AsyncRev")

_log = logging.getLogger("revgrid")
_current: contextvars.ContextVar[Run | None] = contextvars.ContextVar("revgrid_run", default=None)


def current_run() -> Run | None:
    """The run that the code is in, for functions deep inside an agent."""
    return _current.get()


class Run:
    """What is known of a run so far. ``success``, ``failure`` and ``pending`` say how it ends; the last one counts."""

    def __init__(
        self,
        *,
        agent_id: str,
        action: str,
        customer_id: str | None,
        model: str | None,
        metadata: Mapping[str, Any] | None,
        idempotency_key: str | None,
        outcome: Outcome | None,
    ) -> None:
        self.agent_id = agent_id
        self.action = action
        self.customer_id = customer_id
        self.model = model
        self.metadata: dict[str, Any] = dict(metadata or {})
        self.tokens_input = 0
        self.tokens_output = 0
        self.outcome: Outcome | None = outcome
        self.expires_at: Instant | None = None
        #: Fixed when the run begins: it names the call for ``resolve_outcome`` as well.
        self.idempotency_key = idempotency_key or _ops.new_key()
        #: The answer, once the run is over; None when it was handed to ``track``.
        self.receipt: MeterReceipt | None = None
        #: Whether the call waits to be sent, because of ``background=True`` or because Rev was away.
        self.tracked = False
        self._model_is_told = model is not None

    def tokens(self, usage: Any) -> None:
        """Adds what a model call used: a response, or its usage object, of OpenAI, Anthropic or Google."""
        used = tokens_of(usage)
        self.tokens_input += used.input
        self.tokens_output += used.output
        if used.model is None or self._model_is_told or self.model == used.model:
            return
        if self.model is None:
            self.model = used.model
        else:
            _log.warning(
                "A run of %s used %s and %s; it is priced as %s. Say model= to choose, or meter them as two runs",
                self.agent_id, self.model, used.model, self.model,
            )
            self._model_is_told = True

    def add_tokens(self, input: int = 0, output: int = 0) -> None:
        """Adds tokens that were counted otherwise."""
        input, output = operator.index(input), operator.index(output)
        if input < 0 or output < 0:
            raise ValueError("tokens must be 0 or more")
        self.tokens_input += input
        self.tokens_output += output

    def success(self, metadata: Mapping[str, Any] | None = None) -> None:
        """The run reached what it was for. ``metadata`` is what the tier's bonus rules read."""
        self._set("success", metadata)

    def failure(self, metadata: Mapping[str, Any] | None = None) -> None:
        """The run did not reach what it was for."""
        self._set("failure", metadata)

    def pending(self, expires_at: Instant | None = None, metadata: Mapping[str, Any] | None = None) -> None:
        """Only time will tell, until ``expires_at``; then call ``resolve_outcome``."""
        if expires_at is not None:
            expires_at = instant(expires_at, "expires_at")
        self._set("pending", metadata)
        self.expires_at = expires_at

    def _set(self, outcome: Outcome, metadata: Mapping[str, Any] | None) -> None:
        self.outcome = outcome
        self.expires_at = None
        self.metadata.update(metadata or {})

    def _fields(self, error: BaseException | None) -> dict[str, Any]:
        if error is not None:
            self.outcome, self.expires_at = "failure", None
            self.metadata.setdefault("error", type(error).__name__)
        return {
            "agent_id": self.agent_id,
            "action": self.action,
            "customer_id": self.customer_id,
            "model": self.model,
            "tokens_input": self.tokens_input,
            "tokens_output": self.tokens_output,
            "outcome": self.outcome,
            "expires_at": self.expires_at,
            "metadata": self.metadata or None,
            # Said here, so that the call is the same should it be sent twice.
            "occurred_at": instant(utc_now(), "occurred_at"),
            "idempotency_key": self.idempotency_key,
        }


class _Scope(Generic[C]):
    """What ``run(…)`` gives: a context manager, and a decorator. It may be entered once; a decorator enters anew each time."""

    def __init__(
        self,
        client: C,
        *,
        agent_id: str,
        action: str,
        customer_id: str | None = None,
        model: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        outcome: Outcome | None = None,
        background: bool = False,
    ) -> None:
        self._client: C = client
        self._background = background
        self._told: dict[str, Any] = {
            "agent_id": agent_id,
            "action": action,
            "customer_id": customer_id,
            "model": model,
            "metadata": metadata,
            "idempotency_key": idempotency_key,
            "outcome": outcome,
        }
        _ops.call_body(self._told)  # Wrong now is better than wrong at the end.
        self._run: Run | None = None
        self._token: contextvars.Token[Run | None] | None = None

    def _enter(self) -> Run:
        if self._run is not None:
            raise RuntimeError("a run can be entered once; call run(…) again for another")
        self._run = Run(**self._told)
        self._token = _current.set(self._run)
        return self._run

    def _leave(self) -> Run:
        assert self._run is not None
        if self._token is not None:
            try:
                _current.reset(self._token)
            except ValueError:
                pass  # Left in another context than it was entered in, as some frameworks do.
        return self._run

    def _again(self) -> Any:
        if self._told["idempotency_key"] is not None:
            raise ValueError("a decorated function runs many times: it cannot have one idempotency_key")
        return type(self)(self._client, background=self._background, **self._told)

    @staticmethod
    def _wants_run(function: Callable[..., Any]) -> bool:
        parameter = inspect.signature(function).parameters.get("run")
        return parameter is not None and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)

    def _hasty(self) -> C:
        """The client for a caller who waits for the result of the run: what does not go through soon is sent later."""
        config = self._client._config
        return self._client.with_options(timeout=min(config.timeout, 10.0), max_retries=min(config.max_retries, 2))

    @staticmethod
    def _later(error: RevError) -> None:
        """Goes on if the call may be sent later; a clock that is ahead is a matter of time, too."""
        # An answer that cannot be read is no refusal: the call may be stored or not, and is tracked under the same key.
        away = error.retryable or isinstance(error, RevConnectionError)
        if not away and list(error.errors) != ["occurred_at"]:
            raise error
        _log.warning("A run is sent later: %s", error)

    def _interrupted(self, run: Run, fields: Mapping[str, Any]) -> None:
        """Interrupted while the call was sent or waited for room: the same call under the same key is tracked, if it is not."""
        if run.tracked:
            return
        try:
            self._client._tracker.add(fields, block=False)
            run.tracked = True
        except (RevError, TypeError, ValueError) as error:
            _log.error("A run could not be metered: %s: %s", error, fields)

    @staticmethod
    def _failed(error: Exception, cause: BaseException | None, fields: Mapping[str, Any]) -> None:
        """The call could not be metered. That must be seen, but must not hide why the run itself failed."""
        if cause is None:
            raise error
        _log.error("A failed run could not be metered: %s: %s", error, fields)
        if hasattr(cause, "add_note"):
            cause.add_note(f"Rev could not meter this run: {error}")


class RunScope(_Scope["Rev"]):
    def __enter__(self) -> Run:
        return self._enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        self._finish(self._leave(), error)
        return False

    def _finish(self, run: Run, error: BaseException | None) -> None:
        fields = run._fields(error)
        # Whoever interrupts a program does not want to wait for the network.
        hurry = error is not None and not isinstance(error, Exception)
        try:
            if not self._background and not hurry:
                try:
                    run.receipt = self._hasty()._send(_ops.meter_call(fields))
                    return
                except RevError as away:
                    self._later(away)
            self._client.track(fields)
            run.tracked = True
        except (KeyboardInterrupt, SystemExit):
            self._interrupted(run, fields)
            raise
        except (RevError, TypeError, ValueError) as failed:
            self._failed(failed, error, fields)

    def __call__(self, function: F) -> F:
        """Each call of the function is a run, which it may take as an argument named ``run``."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("a generator is no run; use a with block in it")
        wants = self._wants_run(function)
        self._again()
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def arun(*args: Any, **kwargs: Any) -> Any:
                scope: RunScope = self._again()
                run = scope._enter()
                if wants:
                    kwargs.setdefault("run", run)
                try:
                    result = await function(*args, **kwargs)
                except BaseException as error:
                    scope._leave()
                    if isinstance(error, Exception):
                        await asyncio.to_thread(scope._finish, run, error)
                    else:
                        scope._finish(run, error)
                    raise
                scope._leave()
                await asyncio.to_thread(scope._finish, run, None)
                return result

            return arun  # type: ignore[return-value]

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self._again() as run:
                if wants:
                    kwargs.setdefault("run", run)
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]


class AsyncRunScope(_Scope["AsyncRev"]):
    async def __aenter__(self) -> Run:
        return self._enter()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Literal[False]:
        run = self._leave()
        fields = run._fields(error)
        hurry = error is not None and not isinstance(error, Exception)
        try:
            if not self._background and not hurry:
                try:
                    receipt = await self._hasty()._send(_ops.meter_call(fields))
                    run.receipt = receipt
                    return False
                except RevError as away:
                    self._later(away)
            if hurry:
                self._client._tracker.add(fields, block=False)
            else:
                await self._client.track(fields)
            run.tracked = True
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            self._interrupted(run, fields)
            raise
        except (RevError, TypeError, ValueError) as failed:
            self._failed(failed, error, fields)
        return False

    def __call__(self, function: F) -> F:
        """Each call of the coroutine function is a run, which it may take as an argument named ``run``."""
        if not inspect.iscoroutinefunction(function):
            raise TypeError("an AsyncRev runs async functions; use Rev for others")
        wants = self._wants_run(function)
        self._again()

        @functools.wraps(function)
        async def run(*args: Any, **kwargs: Any) -> Any:
            async with self._again() as run:
                if wants:
                    kwargs.setdefault("run", run)
                return await function(*args, **kwargs)

        return run  # type: ignore[return-value]
