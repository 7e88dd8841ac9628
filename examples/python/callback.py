"""Metering a framework through its callbacks: the shape is LangChain's, and no framework is needed to run it.

    REV_BASE_URL=http://localhost:5080 REV_API_KEY=rg_test_… python3 examples/python/callback.py

With LangChain, let RevCallback inherit langchain_core.callbacks.BaseCallbackHandler, and give it to a chain as
config={"callbacks": [RevCallback(...)]}.
"""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import revgrid


class RevCallback:
    """One metered call for each outermost chain, with the tokens of every model call in it."""

    def __init__(self, *, agent_id: str, action: str, client: revgrid.Rev | None = None) -> None:
        self._told = {"agent_id": agent_id, "action": action}
        self._client = client or revgrid.default_client()
        self._scopes: dict[uuid.UUID, tuple[revgrid.RunScope, revgrid.Run]] = {}
        self._root: dict[uuid.UUID, uuid.UUID] = {}

    def on_chain_start(self, serialized: Any, inputs: Any, *, run_id: uuid.UUID, parent_run_id: uuid.UUID | None = None, **_: Any) -> None:
        self._root[run_id] = run_id if parent_run_id is None else self._root.get(parent_run_id, parent_run_id)
        if parent_run_id is None:
            scope = self._client.run(**self._told, outcome="success", background=True)
            self._scopes[run_id] = (scope, scope.__enter__())

    def on_llm_end(self, response: Any, *, run_id: uuid.UUID, parent_run_id: uuid.UUID | None = None, **_: Any) -> None:
        """Messages carry usage_metadata; its input_tokens hold the cached ones already."""
        found = self._scopes.get(self._root.get(parent_run_id, parent_run_id)) if parent_run_id else None
        if found is not None:
            for generations in response.generations:
                for generation in generations:
                    found[1].tokens(generation.message)

    def on_chain_end(self, outputs: Any, *, run_id: uuid.UUID, **_: Any) -> None:
        self._finish(run_id, None)

    def on_chain_error(self, error: BaseException, *, run_id: uuid.UUID, **_: Any) -> None:
        self._finish(run_id, error)

    def _finish(self, run_id: uuid.UUID, error: BaseException | None) -> None:
        self._root.pop(run_id, None)
        scope, _ = self._scopes.pop(run_id, (None, None))
        if scope is not None:
            scope.__exit__(type(error) if error else None, error, None)


def pretend_chain(callback: RevCallback, question: str) -> None:
    """What a framework does: an outer chain, a step in it, two model calls."""
    outer, inner = uuid.uuid4(), uuid.uuid4()
    callback.on_chain_start({}, {"question": question}, run_id=outer)
    callback.on_chain_start({}, {}, run_id=inner, parent_run_id=outer)
    for parent in (outer, inner):
        message = SimpleNamespace(
            content="…",
            usage_metadata={
                "input_tokens": 350, "output_tokens": 40, "total_tokens": 390, "input_token_details": {"cache_read": 256},
            },
        )
        result = SimpleNamespace(generations=[[SimpleNamespace(message=message)]])
        callback.on_llm_end(result, run_id=uuid.uuid4(), parent_run_id=parent)
    callback.on_chain_end({}, run_id=inner)
    if not question:
        callback.on_chain_error(ValueError("nothing was asked"), run_id=outer)
    else:
        callback.on_chain_end({}, run_id=outer)


if __name__ == "__main__":
    callback = RevCallback(agent_id="callback-example", action="question.answered")
    pretend_chain(callback, "What is a ULID?")
    pretend_chain(callback, "")
    print("sent" if revgrid.flush() else "Rev is away; the next run sends it", revgrid.stats())
    for event in list(revgrid.list_events(agent_id="callback-example", page_size=2).pages())[0]:
        print(f"{event.outcome}: {event.tokens_input} in, {event.tokens_output} out, {event.price_charged} {event.currency}")
