"""Token counts from the answers of model providers, each token once.

The table of rules, with their sources, stands in the README.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import UsageError


_GEMINI = (
    "promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count", "responseTokenCount",
    "response_token_count", "thoughtsTokenCount", "thoughts_token_count",
)


@dataclass(frozen=True)
class Tokens:
    """What a model call used: all input, cached or not, and all output, visible or not."""

    input: int
    output: int
    #: The model that answered, when the whole response was given.
    model: str | None = None


def _get(value: Any, *names: str) -> Any:
    """A member of a dict or an attribute of an object, under the first of some names that is there and not None."""
    for name in names:
        found = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if found is not None:
            return found
    return None


def _count(value: Any, *names: str) -> int:
    found = _get(value, *names)
    if found is None:
        return 0
    try:
        count = operator.index(found)
    except TypeError:
        raise UsageError(f"{names[0]} must be an integer, not {type(found).__name__}") from None
    if isinstance(found, bool) or count < 0:
        raise UsageError(f"{names[0]} must be 0 or more")
    return count


def _hidden(input: int, output: int, total: int) -> int:
    """Some services that speak OpenAI's language leave reasoning out of the output, but not out of the total, which is what
    they bill; whether the details tell the reasoning, it is the difference."""
    return max(output, total - input)


def _chat_completions(usage: Any) -> tuple[int, int]:
    # prompt_tokens holds the cached ones, completion_tokens the reasoning.
    given = _count(usage, "prompt_tokens")
    return given, _hidden(given, _count(usage, "completion_tokens"), _count(usage, "total_tokens"))


def _input_output(usage: Any) -> tuple[int, int]:
    given, made = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    details = _get(usage, "input_tokens_details", "input_token_details", "output_token_details")
    cache = _get(usage, "cache_creation_input_tokens", "cache_read_input_tokens", "cache_creation")
    if details is not None or cache is None and _get(usage, "total_tokens") is not None:
        # OpenAI's responses, and LangChain's messages: input_tokens holds the cached ones, output_tokens the reasoning.
        return given, _hidden(given, made, _count(usage, "total_tokens"))
    # Anthropic's messages: what was written to the cache or read from it comes on top; output_tokens holds the thinking.
    # cache_creation is the same tokens again, by how long they are kept.
    written = usage if _get(usage, "cache_creation_input_tokens") is not None else _get(usage, "cache_creation")
    given += _count(usage, "cache_read_input_tokens") + sum(
        _count(written, name) for name in ("cache_creation_input_tokens", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"))
    # Of the iterations, compactions alone are not in the counts at the top.
    steps = _get(usage, "iterations")
    for step in steps if isinstance(steps, (list, tuple)) else ():
        if _get(step, "type") == "compaction":
            more = _input_output(step)
            given, made = given + more[0], made + more[1]
    return given, made


def _with_thoughts(input: int, visible: int, thoughts: int, total: int) -> int:
    """Thoughts come on top, unless the total says that they are in what is visible."""
    return visible if visible >= thoughts > 0 and total == input + visible else visible + thoughts


def _gemini(usage: Any) -> tuple[int, int]:
    # promptTokenCount holds cachedContentTokenCount; the results of tools and the thoughts come on top.
    given = _count(usage, "promptTokenCount", "prompt_token_count") + _count(
        usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count"
    )
    return given, _with_thoughts(
        given,
        _count(usage, "candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count"),
        _count(usage, "thoughtsTokenCount", "thoughts_token_count"),
        _count(usage, "totalTokenCount", "total_token_count"),
    )


def _gemini_interactions(usage: Any) -> tuple[int, int]:
    given = _count(usage, "total_input_tokens", "totalInputTokens") + _count(
        usage, "total_tool_use_tokens", "totalToolUseTokens"
    )
    return given, _with_thoughts(
        given,
        _count(usage, "total_output_tokens", "totalOutputTokens"),
        _count(usage, "total_thought_tokens", "totalThoughtTokens"),
        _count(usage, "total_tokens", "totalTokens"),
    )


def _generations(result: Any) -> Tokens:
    """LangChain's LLMResult: its messages have the usage, of older models the whole of it has."""
    messages = [
        message
        for several in _get(result, "generations")
        for one in (several if isinstance(several, (list, tuple)) else (several,))
        if _get(message := _get(one, "message"), "usage_metadata") is not None
    ]
    if messages:
        counts = [tokens_of(message) for message in messages]
        return Tokens(
            sum(count.input for count in counts),
            sum(count.output for count in counts),
            next((count.model for count in counts if count.model is not None), None),
        )
    told = _get(result, "llm_output", "llmOutput")
    usage = _get(told, "token_usage", "tokenUsage", "usage", "estimatedTokenUsage")
    if usage is None:
        raise UsageError("The LLMResult has no usage")
    counted = tokens_of(usage)
    return Tokens(counted.input, counted.output, _text(told, "model_name", "model"))


def _text(value: Any, *names: str) -> str | None:
    found = _get(value, *names)
    return found if isinstance(found, str) and found else None


def tokens_of(value: Any) -> Tokens:
    """The tokens of a response, or of its usage object, of OpenAI, Anthropic, Google, LangChain or Rev, as dicts or as their
    classes.

    Raises UsageError for anything else: a shape that is not known must not be billed as nothing.
    """
    kind = _get(value, "type")
    if kind in ("message_start", "message_delta"):
        raise UsageError("The events of a stream repeat each other's tokens: give the final message")
    usage = _get(value, "usage", "usageMetadata", "usage_metadata")
    if usage is None:
        if isinstance(_get(value, "generations"), (list, tuple)):
            return _generations(value)
        # The last event of a stream of OpenAI's responses holds the response.
        inner = _get(value, "response")
        if inner is not None and _get(inner, "usage", "usageMetadata", "usage_metadata") is not None:
            return tokens_of(inner)
        usage = value
    if _get(usage, "tokens_input", "tokens_output") is not None:
        counts = _count(usage, "tokens_input"), _count(usage, "tokens_output")
    elif _get(usage, "prompt_tokens", "completion_tokens") is not None:
        counts = _chat_completions(usage)
    elif _get(usage, "input_tokens", "output_tokens") is not None:
        counts = _input_output(usage)
    elif _get(usage, *_GEMINI) is not None:
        counts = _gemini(usage)
    elif _get(usage, "total_input_tokens", "totalInputTokens", "total_output_tokens", "totalOutputTokens") is not None:
        counts = _gemini_interactions(usage)
    elif _get(usage, "promptTokens", "completionTokens") is not None:
        counts = _count(usage, "promptTokens"), _count(usage, "completionTokens")
    elif _get(usage, "inputTokenCount", "outputTokenCount") is not None:
        counts = _count(usage, "inputTokenCount"), _count(usage, "outputTokenCount")
    else:
        raise UsageError(
            f"No token counts of a known shape in {type(value).__name__}. For a stream, give its last event with usage;"
            " for anything else, run.add_tokens(input, output)"
        )
    if usage is value:
        return Tokens(*counts)
    model = _text(value, "model", "modelVersion", "model_version")
    return Tokens(*counts, model or _text(_get(value, "response_metadata"), "model_name", "model"))
