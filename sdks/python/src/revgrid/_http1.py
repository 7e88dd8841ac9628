"""HTTP/1.1 without a socket: requests as bytes, and a parser that is fed with what arrives.

Both transports use it, the blocking one and the one on asyncio, so both understand the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from ._errors import RevConfigError

_MAX_HEAD = 64 * 1024
_MAX_LINE = 8 * 1024


class BadResponse(Exception):
    """What arrived is not HTTP/1.1, or it ended too early."""


@dataclass(frozen=True)
class Origin:
    """Where the service is."""

    tls: bool
    host: str
    port: int
    authority: str
    prefix: str

    @staticmethod
    def parse(base_url: str) -> Origin:
        try:
            url = urlsplit(base_url.strip())
            port = url.port
        except ValueError:
            raise RevConfigError(f"The base URL cannot be read: {base_url!r}") from None
        if url.scheme not in ("http", "https") or not url.hostname:
            raise RevConfigError(f"The base URL must begin with http:// or https:// and a host: {base_url!r}")
        if url.username or url.password or url.query or url.fragment:
            raise RevConfigError("The base URL must have no user, query or fragment")
        name = url.hostname
        if ":" not in name:
            try:
                name = name.encode("idna").decode("ascii")
            except UnicodeError:
                raise RevConfigError(f"The host of the base URL cannot be read: {base_url!r}") from None
        host = f"[{name}]" if ":" in name else name
        tls = url.scheme == "https"
        usual = 443 if tls else 80
        return Origin(
            tls=tls,
            host=name,
            port=port or usual,
            authority=host if port in (None, usual) else f"{host}:{port}",
            prefix=quote(url.path.rstrip("/"), safe="/%:@!$&'()*+,;=~-._"),
        )

    @property
    def text(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.prefix}"


@dataclass
class Response:
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def request_bytes(origin: Origin, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> bytes:
    if not (method.isascii() and method.isalpha()):
        raise ValueError("the method must be letters")
    if not target.isascii() or not target.isprintable() or " " in target or "#" in target:
        raise ValueError("the path must be printable ASCII without spaces; quote other characters")
    lines = [f"{method} {origin.prefix}{target} HTTP/1.1", f"Host: {origin.authority}"]
    for name, value in headers:
        if not value.isprintable() or not value.isascii():
            raise ValueError(f"{name} must be printable ASCII")
        lines.append(f"{name}: {value}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    elif method not in ("GET", "HEAD"):
        lines.append("Content-Length: 0")
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + (body or b"")


class ResponseParser:
    """Takes one answer to one request, however the bytes are cut. Interim answers (100 to 199) are skipped."""

    def __init__(self) -> None:
        self.response = Response()
        self.started = False
        self.done = False
        self.keep_alive = False
        self._buffer = bytearray()
        self._body = bytearray()
        self._step: Callable[[], bool] = self._head
        self._left = 0

    def feed(self, data: bytes) -> bool:
        """Takes what arrived; True once the answer is whole."""
        if data:
            self.started = True
            self._buffer += data
        while not self.done and self._step():
            pass
        if self.done and self._buffer:
            self.keep_alive = False  # Somebody talks out of turn: do not listen to the rest.
        return self.done

    def eof(self) -> bool:
        """The connection ended; True if that ends the answer too."""
        if not self.done and self._step == self._until_close:
            self._finish()
            self.keep_alive = False
        if not self.done:
            raise BadResponse("the connection ended before the answer did")
        return True

    def _finish(self) -> None:
        self.response.body = bytes(self._body)
        self.done = True

    def _line(self, limit: int) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > limit:
                raise BadResponse("a line of the answer is too long")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line[:-1] if line.endswith(b"\r") else line

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_HEAD:
                raise BadResponse("the head of the answer is too long")
            if len(self._buffer) >= 5 and not self._buffer.startswith(b"HTTP/"):
                raise BadResponse("the answer is not HTTP")
            return False
        lines = self._buffer[:end].decode("iso-8859-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, rest = lines[0].partition(" ")
        status = rest[:3]
        if version not in ("HTTP/1.1", "HTTP/1.0") or len(status) != 3 or not (status.isascii() and status.isdigit()):
            raise BadResponse("the answer is not HTTP/1.1")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise BadResponse("a header of the answer cannot be read")
            name, value = name.lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        code = int(status)
        if 100 <= code < 200:
            if code == 101:
                raise BadResponse("the answer switches protocols")
            return True
        self.response.status = code
        self.response.headers = headers
        connection = [token.strip().lower() for token in headers.get("connection", "").split(",")]
        self.keep_alive = version == "HTTP/1.1" and "close" not in connection
        if code in (204, 304):
            self._finish()
        elif "transfer-encoding" in headers:
            if headers["transfer-encoding"].lower() != "chunked":
                raise BadResponse("the answer has an unknown transfer coding")
            self._step = self._chunk_size
        elif "content-length" in headers:
            lengths = {length.strip() for length in headers["content-length"].split(",")}
            length = lengths.pop()
            if lengths or len(length) > 15 or not (length.isascii() and length.isdigit()):
                raise BadResponse("the answer's length cannot be read")
            self._left = int(length)
            self._step = self._by_length
        else:
            self._step = self._until_close
        return True

    def _take(self) -> bool:
        part = self._buffer[: self._left]
        self._body += part
        del self._buffer[: len(part)]
        self._left -= len(part)
        return self._left == 0

    def _by_length(self) -> bool:
        if self._take():
            self._finish()
        return False

    def _until_close(self) -> bool:
        self._left = len(self._buffer)
        self._take()
        return False

    def _chunk_size(self) -> bool:
        line = self._line(_MAX_LINE)
        if line is None:
            return False
        size = line.partition(b";")[0].strip()
        if not size or len(size) > 15 or any(byte not in b"0123456789abcdefABCDEF" for byte in size):
            raise BadResponse("the size of a chunk cannot be read")
        self._left = int(size, 16)
        self._step = self._chunk if self._left else self._trailer
        return True

    def _chunk(self) -> bool:
        if not self._take():
            return False
        self._step = self._chunk_end
        return True

    def _chunk_end(self) -> bool:
        line = self._line(2)
        if line is None:
            return False
        if line:
            raise BadResponse("a chunk is longer than it says")
        self._step = self._chunk_size
        return True

    def _trailer(self) -> bool:
        line = self._line(_MAX_LINE)
        if line is None:
            return False
        if not line:
            self._finish()
            return False
        return True
