"""How values look on the wire: JSON, instants, durations, paths."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from urllib.parse import quote
from uuid import UUID

from ._errors import RevProtocolError

_INSTANT = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)")
_DURATION = re.compile(
    r"(-)?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?", re.ASCII
)


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def instant(value: datetime | str, name: str) -> str:
    """An aware datetime, or what the caller wrote, as RFC 3339."""
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        raise TypeError(f"{name} must be a datetime or an ISO 8601 string, not {type(value).__name__}")
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} is a naive datetime, which is no instant: give it a zone, as datetime.now(timezone.utc) has"
        )
    return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")


def parse_instant(text: str) -> datetime:
    found = _INSTANT.fullmatch(text)
    if found is None:
        raise RevProtocolError(f"The answer has an instant that cannot be read: {text[:40]!r}")
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    offset = timezone.utc
    if zone not in "Zz":
        minutes = int(zone[1:3]) * 60 + int(zone[4:6])
        offset = timezone(timedelta(minutes=-minutes if zone[0] == "-" else minutes))
    micro = int((fraction or "")[:6].ljust(6, "0"))
    return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micro, offset).astimezone(
        timezone.utc
    )


def duration(value: timedelta) -> str:
    """A timedelta as ISO 8601, exact to the microsecond."""
    sign = "-" if value < timedelta(0) else ""
    value = abs(value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    second = f"{seconds}.{value.microseconds:06d}".rstrip("0").rstrip(".") if value.microseconds else str(seconds)
    time = "".join(f"{amount}{unit}" for amount, unit in ((hours, "H"), (minutes, "M"), (second, "S")) if str(amount) != "0")
    if not value.days and not time:
        return "PT0S"
    return f"{sign}P{f'{value.days}D' if value.days else ''}{f'T{time}' if time else ''}"


def parse_duration(text: str) -> timedelta:
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise RevProtocolError(f"The answer has a duration that cannot be read: {text[:40]!r}")
    sign, weeks, days, hours, minutes, seconds, fraction = found.groups()
    value = timedelta(
        weeks=int(weeks or 0),
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "")[:6].ljust(6, "0")),
    )
    return -value if sign else value


class _HasDecimal(Exception):
    pass


def _plain(value: Any) -> Any:
    """What JSON has no word for, in the words that it has."""
    if isinstance(value, datetime):
        return instant(value, "a datetime")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _default(value: Any) -> Any:
    if isinstance(value, Decimal):
        raise _HasDecimal
    return _plain(value)


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} cannot be sent as JSON")
    # As digits while that is short, so that nobody's parser meets an exponent without need.
    return format(value, "f") if -64 < value.adjusted() < 64 else str(value)


def _exact(value: Any, out: list[str], depth: int) -> None:
    """JSON with decimals as numbers, exactly: json.dumps could write them as floats or strings only."""
    if depth > 200:
        raise ValueError("nested too deeply to be sent as JSON")
    if isinstance(value, Decimal):
        out.append(_decimal(value))
    elif isinstance(value, Mapping):
        out.append("{")
        for number, (name, item) in enumerate(value.items()):
            key = name if isinstance(name, str) else json.loads(json.dumps({name: 0}).partition(":")[0][1:])
            out.append(f"{',' if number else ''}{json.dumps(key, ensure_ascii=False)}:")
            _exact(item, out, depth + 1)
        out.append("}")
    elif isinstance(value, (list, tuple)):
        out.append("[")
        for number, item in enumerate(value):
            if number:
                out.append(",")
            _exact(item, out, depth + 1)
        out.append("]")
    elif value is None or isinstance(value, (str, int, float)):
        out.append(json.dumps(value, ensure_ascii=False, allow_nan=False))
    else:
        _exact(_plain(value), out, depth + 1)


def encode(value: Any) -> bytes:
    """JSON in UTF-8, on one line. Decimals become numbers and lose no digit."""
    try:
        text = json.dumps(value, default=_default, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except _HasDecimal:
        parts: list[str] = []
        _exact(value, parts, 0)
        text = "".join(parts)
    except RecursionError:
        raise ValueError("nested too deeply to be sent as JSON") from None
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a text holds half of a surrogate pair, which is no character") from None


def decode(body: bytes, *, request_id: str | None = None) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RevProtocolError("The answer is not JSON", request_id=request_id, retryable=True) from None


def segment(value: str, name: str) -> str:
    """A key or an id as part of a path."""
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a string, not {type(value).__name__}")
    if value in ("", ".", ".."):
        raise ValueError(f"{name} must not be {value!r}")
    return quote(value, safe="")


def query(pairs: Iterable[tuple[str, Any]]) -> str:
    """The part of a target from the question mark on; absent values are left out."""
    told = [f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in pairs if value is not None]
    return "?" + "&".join(told) if told else ""
