"""What both clients share: settings, headers, and when to try again."""

from __future__ import annotations

import os
import platform
import random
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from ._errors import RevAPIError, RevConfigError, RevError, problem
from ._http1 import Origin, Response
from ._ops import Op
from ._version import __version__
from ._wire import decode, utc_now

#: Where a Rev of your own listens unless it is told otherwise.
DEFAULT_BASE_URL = "http://localhost:5080"
USER_AGENT = f"revgrid-python/{__version__} python/{platform.python_version()}"

#: From the system, so that forked workers do not retry in step.
_random = random.SystemRandom()


@dataclass(frozen=True)
class Config:
    origin: Origin
    api_key: str | None
    timeout: float
    max_retries: int

    @staticmethod
    def make(api_key: str | None, base_url: str | None, timeout: float, max_retries: int) -> Config:
        told = os.environ.get("REV_API_KEY", "") if api_key is None else api_key
        key = told.strip() or None
        if key is not None and not (key.isascii() and key.isprintable()):
            raise RevConfigError("The API key has characters that no key has")
        if not 0 < timeout <= 1e6:
            raise ValueError("timeout must be more than 0 and at most a million seconds")
        if max_retries < 0:
            raise ValueError("max_retries must not be negative")
        url = (base_url or os.environ.get("REV_BASE_URL") or "").strip() or DEFAULT_BASE_URL
        return Config(Origin.parse(url), key, float(timeout), int(max_retries))

    def __repr__(self) -> str:
        shown = None if self.api_key is None else f"{self.api_key[:8]}…"
        return f"base_url={self.origin.text!r}, api_key={shown!r}, timeout={self.timeout}, max_retries={self.max_retries}"

    def headers(self, op: Op[Any], request_id: str) -> list[tuple[str, str]]:
        if op.needs_key and self.api_key is None:
            raise RevConfigError("There is no API key: set REV_API_KEY, or give api_key")
        told = [
            ("User-Agent", USER_AGENT),
            ("Accept", f"{op.accept}, application/problem+json"),
            ("X-Request-Id", request_id),
        ]
        if self.api_key is not None:
            told.append(("Authorization", f"Bearer {self.api_key}"))
        if op.body is not None:
            told.append(("Content-Type", "application/json"))
        if op.idempotency_key is not None:
            told.append(("Idempotency-Key", op.idempotency_key))
        return told


def refusal(response: Response) -> RevAPIError | None:
    """The error that an answer is, or None for one that is none."""
    if 200 <= response.status < 300:
        return None
    body: object = None
    if "json" in response.headers.get("content-type", ""):
        try:
            body = decode(response.body)
        except RevError:
            pass
    return problem(
        response.status,
        body,
        request_id=response.headers.get("x-request-id"),
        retry_after=retry_after(response),
    )


def retry_after(response: Response) -> float | None:
    """Retry-After in seconds; it may be a number or a date."""
    value = response.headers.get("retry-after")
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        now = parsedate_to_datetime(response.headers["date"]) if "date" in response.headers else utc_now()
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def backoff(attempt: int, first: float, most: float) -> float:
    """Exponential back-off with full jitter: anything from nothing to the ceiling, which doubles."""
    return _random.uniform(0, min(most, first * 2.0 ** min(attempt, 30)))


FIRST_BACKOFF = 0.5
MAX_BACKOFF = 8.0
#: A longer Retry-After is the caller's to wait for; it stands in the error. A tracked call is tried by then.
MAX_RETRY_AFTER = 60.0


def retry_delay(config: Config, attempt: int, error: RevError) -> float | None:
    """How long to wait before the next try, or None when there is none."""
    if not error.retryable or attempt >= config.max_retries:
        return None
    delay = backoff(attempt, FIRST_BACKOFF, MAX_BACKOFF)
    if error.retry_after is None:
        return delay
    if error.retry_after > MAX_RETRY_AFTER:
        return None
    return error.retry_after + min(delay, 1.0)
