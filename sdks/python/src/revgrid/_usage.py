"""Token counts from the answers of model providers, each token once.

The table of rules, with their sources, stands in the README.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ._errors import UsageError


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
    """Some services that speak OpenAI's language leave reasoning out of the output, but not out of the total."""
    return max(output, total - input)


def _chat_completions(usage: Any) -> tuple[int, int]:
    # prompt_tokens holds the cached ones, completion_tokens the reasoning.
    given = _count(usage, "prompt_tokens")
    return given, _hidden(given, _count(usage, "completion_tokens"), _count(usage, "total_tokens"))


def _input_output(usage: Any) -> tuple[int, int]:
    given, made = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if _get(usage, "input_tokens_details", "input_token_details", "total_tokens") is not None:
        # OpenAI's responses: input_tokens holds the cached ones, output_tokens the reasoning.
        return given, _hidden(given, made, _count(usage, "total_tokens"))
    # Anthropic's messages: what was written to the cache or read from it comes on top; output_tokens holds the thinking.
    # cache_creation is the same tokens again, by how long they are kept.
    return given + _count(usage, "cache_creation_input_tokens") + _count(usage, "cache_read_input_tokens"), made


def _gemini(usage: Any) -> tuple[int, int]:
    # promptTokenCount holds cachedContentTokenCount; the results of tools and the thoughts come on top.
    return (
        _count(usage, "promptTokenCount", "prompt_token_count")
        + _count(usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count"),
        _count(
            usage, "candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count"
        )
        + _count(usage, "thoughtsTokenCount", "thoughts_token_count"),
    )


def _gemini_interactions(usage: Any) -> tuple[int, int]:
    return (
        _count(usage, "total_input_tokens", "totalInputTokens")
        + _count(usage, "total_tool_use_tokens", "totalToolUseTokens"),
        _count(usage, "total_output_tokens", "totalOutputTokens")
        + _count(usage, "total_thought_tokens", "totalThoughtTokens"),
    )


def tokens_of(value: Any) -> Tokens:
    """The tokens of a response, or of its usage object, of OpenAI, Anthropic or Google, as dicts or as their classes.

    Raises UsageError for anything else: a shape that is not known must not be billed as nothing.
    """
    kind = _get(value, "type")
    if kind in ("message_start", "message_delta"):
        raise UsageError("The events of a stream repeat each other's tokens: give the final message")
    usage = _get(value, "usage", "usageMetadata", "usage_metadata")
    if usage is None:
        usage = value
    if _get(usage, "prompt_tokens", "completion_tokens") is not None:
        counts = _chat_completions(usage)
    elif _get(usage, "input_tokens", "output_tokens") is not None:
        counts = _input_output(usage)
    elif (
        _get(usage, "promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count")
        is not None
    ):
        counts = _gemini(usage)
    elif _get(usage, "total_input_tokens", "totalInputTokens") is not None:
        counts = _gemini_interactions(usage)
    else:
        raise UsageError(
            f"No token counts of a known shape in {type(value).__name__}. For a stream, give its last event with usage;"
            " for anything else, run.add_tokens(input, output)"
        )
    model = _get(value, "model", "modelVersion", "model_version") if usage is not value else None
    return Tokens(*counts, model if isinstance(model, str) and model else None)
