"""What can go wrong, as exceptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "AuthenticationError",
    "ConflictError",
    "InvalidRequestError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RevAPIError",
    "RevClosedError",
    "RevConfigError",
    "RevConnectionError",
    "RevError",
    "RevProtocolError",
    "RevQueueFullError",
    "RevTimeoutError",
    "ServerError",
    "TooLargeError",
    "UsageError",
    "WebhookVerificationError",
]


class RevError(Exception):
    """The base of every error of this package but wrong arguments, which are ``ValueError`` and ``TypeError``."""

    _code: str | None = None

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
        errors: Mapping[str, Sequence[str]] | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        #: Rev's stable code, such as ``outcome.already_resolved``; all of them stand in the errors page of the documentation.
        #: ``http.503`` when what answered was not Rev, and ``client.…`` when this package raised it.
        self.code = code or self._code
        #: The HTTP status, or None when there was no answer.
        self.status = status
        #: The X-Request-Id, under which the server's log has the request. Known even when no answer came.
        self.request_id = request_id
        #: Messages for each field of invalid input, by its name on the wire.
        self.errors: dict[str, list[str]] = {name: list(texts) for name, texts in (errors or {}).items()}
        #: Whether the same request may succeed later. Send it with the same idempotency key.
        self.retryable = retryable
        #: Seconds the server asked to wait for.
        self.retry_after = retry_after
        #: The key of the call that failed: calling again with it never counts twice.
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        told = [text for text in (self.code, f"request {self.request_id}" if self.request_id else None) if text]
        return f"{self.message} ({', '.join(told)})" if told else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, {k: v for k, v in self.__dict__.items() if k != "message"})


def _rebuild(kind: type[RevError], message: str, state: dict[str, Any]) -> RevError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class RevConfigError(RevError):
    """The client lacks something, such as an API key."""

    _code = "client.not_configured"


class RevConnectionError(RevError):
    """No answer came: the address is wrong, the network or the service is away. The call may have been stored."""

    _code = "client.connection_failed"


class RevTimeoutError(RevConnectionError):
    """No answer came in time. The call may have been stored."""

    _code = "client.timeout"


class RevProtocolError(RevConnectionError):
    """Something answered, but not as Rev does: most likely a proxy in between."""

    _code = "client.unreadable_answer"


class RevAPIError(RevError):
    """Rev refused the request."""


class InvalidRequestError(RevAPIError):
    """400: fields are missing, unknown or out of range; ``errors`` names them."""


class AuthenticationError(RevAPIError):
    """401: no key, or one that is unknown, revoked or expired."""


class PermissionDeniedError(RevAPIError):
    """403: the key may not do this."""


class NotFoundError(RevAPIError):
    """404: there is no such thing in this account and mode."""


class ConflictError(RevAPIError):
    """409: the state of things does not allow it; ``code`` says why."""


class TooLargeError(RevAPIError):
    """413: the body is larger than 1 MiB, or 20 MiB for a batch."""


class RateLimitedError(RevAPIError):
    """429: too many requests; ``retry_after`` says for how long."""


class ServerError(RevAPIError):
    """500 and above: Rev, or something before it, failed. The call may have been stored."""


class RevQueueFullError(RevError):
    """``track`` refused a call, since as many wait as may. The call is not kept: it is yours again."""

    _code = "client.queue_full"


class RevClosedError(RevError):
    """The client was closed."""

    _code = "client.closed"


class WebhookVerificationError(RevError):
    """The webhook is not signed with the secret, or was signed too long ago. Answer it with 401, and do nothing."""

    _code = "client.webhook_invalid"


class UsageError(RevError, ValueError):
    """The object holds no token counts of a shape that is known."""

    _code = "client.invalid"


_BY_STATUS: dict[int, type[RevAPIError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: TooLargeError,
    429: RateLimitedError,
}


def is_retryable(status: int) -> bool:
    return status in (408, 429) or status >= 500


def problem(status: int, body: Any, *, request_id: str | None = None, retry_after: float | None = None) -> RevAPIError:
    """The error that an answer, or an item of a batch, tells of."""
    told: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    text = told.get("detail") or told.get("title") or f"HTTP status {status}"
    errors = told.get("errors")
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else RevAPIError)
    return kind(
        str(text),
        code=told["code"] if isinstance(told.get("code"), str) and told["code"] else f"http.{status}",
        status=status,
        request_id=told.get("request_id") if isinstance(told.get("request_id"), str) else request_id,
        errors=(
            {str(name): [str(text) for text in texts] for name, texts in errors.items() if isinstance(texts, list)}
            if isinstance(errors, Mapping)
            else None
        ),
        retryable=is_retryable(status),
        retry_after=retry_after,
    )
