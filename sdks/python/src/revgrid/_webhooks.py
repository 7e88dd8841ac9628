"""Webhooks from Rev, as Standard Webhooks signs them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from ._errors import RevError, RevProtocolError, WebhookVerificationError
from ._types import InvoiceNotice, OutcomeSummary, SyncFailure, WebhookEvent, decode
from ._wire import decode as parse

_NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def _key(secret: str) -> bytes:
    text = secret.strip()
    if not text.startswith("whsec_"):
        raise ValueError("a webhook secret begins with whsec_")
    try:
        key = base64.b64decode(text[len("whsec_") :], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the webhook secret is not base 64 after whsec_") from None
    if not key:
        raise ValueError("the webhook secret is empty")
    return key


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _pick(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> dict[str, str]:
    pairs = headers.items() if hasattr(headers, "items") else headers
    found: dict[str, str] = {}
    for name, value in pairs:
        lower = _text(name).lower().replace("_", "-")
        if lower.startswith("http-webhook-"):
            lower = lower[len("http-") :]  # As WSGI has it in its environment.
        if lower in _NAMES:
            found[lower] = _text(value[0] if isinstance(value, (list, tuple)) and value else value)
    return found


def verify_webhook(
    payload: bytes | str,
    headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    secret: str | Iterable[str],
    *,
    tolerance: float | timedelta = 300,
) -> WebhookEvent:
    """Checks that a message is Rev's and fresh, and gives it.

    ``payload`` is the body as it came, before anything parsed it. ``headers`` may be of any framework: a mapping, whatever
    the case of its names, or pairs. ``secret`` is the endpoint's ``whsec_…``, or several while one replaces another.
    Raises WebhookVerificationError, which is best answered with 401. A message may come twice: take each ``id`` once.
    """
    if isinstance(payload, str):
        payload = payload.encode("utf-8", "surrogatepass")
    if not isinstance(payload, (bytes, bytearray, memoryview)):
        raise TypeError(f"payload must be the body as it came, in bytes, not {type(payload).__name__}")
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not secrets:
        raise ValueError("give at least one secret")
    keys = [_key(one) for one in secrets]
    allowed = tolerance.total_seconds() if isinstance(tolerance, timedelta) else float(tolerance)
    if not allowed >= 0:
        raise ValueError("tolerance must be 0 or more")
    told = _pick(headers)
    missing = [name for name in _NAMES if not told.get(name)]
    if missing:
        raise WebhookVerificationError(f"The message has no {missing[0]}")
    identity, stamp, signatures = (told[name] for name in _NAMES)
    if not re.fullmatch(r"[0-9]{1,12}", stamp):
        raise WebhookVerificationError("The message's webhook-timestamp is no time")
    body = bytes(payload)
    # Some frameworks hand out bytes that are no text as lone surrogates: these must be refused, not raise something else.
    signed = f"{identity}.{stamp}.".encode("utf-8", "surrogatepass") + body
    expected = [base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()) for key in keys]
    genuine = False
    for signature in signatures.split():
        version, comma, value = signature.partition(",")
        if version == "v1" and comma:
            for candidate in expected:
                genuine |= hmac.compare_digest(candidate, value.encode("utf-8", "surrogatepass"))
    if not genuine:
        raise WebhookVerificationError("The message is not signed with this secret")
    if abs(time.time() - int(stamp)) > allowed:
        raise WebhookVerificationError("The message was signed too long ago, or a clock is wrong")
    try:
        event = decode(WebhookEvent, parse(body))
        if not isinstance(event.id, str) or not isinstance(event.type, str):
            raise RevProtocolError("it has no id or type")
        return WebhookEvent(
            event.id, event.type, event.timestamp, event.sequence, event.mode, _data(event.type, event.data), raw=event.raw
        )
    except RevProtocolError as error:
        raise WebhookVerificationError(f"The message is signed, but cannot be read: {error.message}") from error


def _data(kind: str, data: Any) -> Any:
    try:
        if isinstance(kind, str) and isinstance(data, Mapping):
            if kind.startswith("outcome."):
                return decode(OutcomeSummary, data)
            if kind.startswith("invoice."):
                return decode(InvoiceNotice, data)
            if kind == "stripe.sync_failed":
                return decode(SyncFailure, data)
    except RevError:
        pass  # A later server may tell it in another way; the data is there all the same.
    return data
