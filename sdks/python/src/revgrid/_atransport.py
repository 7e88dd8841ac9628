"""Connections on asyncio.

Not threads around the blocking transport: a cancelled task must really stop its request, and hundreds of agents in one
loop must not queue for the few threads of the loop's executor. The protocol below is small because all of HTTP stands in
_http1, where the blocking transport has it too.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
import weakref
from collections.abc import Iterable

from ._errors import RevClosedError
from ._http1 import BadResponse, Origin, Response, ResponseParser, request_bytes
from ._transport import IDLE_SECONDS, MAX_IDLE, Stale, failure, tls_context


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self.open = True
        self.idle_since = 0.0
        self._transport: asyncio.Transport | None = None
        self._parser: ResponseParser | None = None
        self._answer: asyncio.Future[Response] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._parser is None or self._parser.done:
            self.abort()  # Nothing was asked.
            return
        try:
            if self._parser.feed(data):
                self._finish(None)
        except BadResponse as error:
            self._finish(error)

    def eof_received(self) -> bool:
        return False  # The transport closes itself, and connection_lost follows.

    def connection_lost(self, exc: Exception | None) -> None:
        self.open = False
        parser = self._parser
        if parser is None or parser.done:
            return
        if not parser.started:
            self._finish(Stale(str(exc or "the connection was closed without an answer")))
            return
        try:
            parser.eof()
            self._finish(None)
        except BadResponse as error:
            self._finish(exc or error)

    def _finish(self, error: Exception | None) -> None:
        if self._answer is None or self._answer.done() or self._parser is None:
            return
        if error is None:
            self._answer.set_result(self._parser.response)
        else:
            self._answer.set_exception(error)

    async def exchange(self, data: bytes) -> tuple[Response, bool]:
        if self._transport is None or not self.open:
            raise Stale("the connection was closed")
        self._parser = ResponseParser()
        self._answer = asyncio.get_running_loop().create_future()
        # Not waiting for the bytes to be gone: the answer to a large body may come before its end is taken.
        self._transport.write(data)
        response = await self._answer
        return response, self._parser.keep_alive and self._transport.get_write_buffer_size() == 0

    def usable(self) -> bool:
        return (
            self.open
            and self._transport is not None
            and not self._transport.is_closing()
            and time.monotonic() - self.idle_since <= IDLE_SECONDS
        )

    def abort(self) -> None:
        self.open = False
        if self._transport is not None:
            self._transport.abort()


class AsyncPool:
    """Sends requests from event loops. Each loop has connections of its own, and so has a forked child."""

    def __init__(self, origin: Origin, context: ssl.SSLContext | None = None) -> None:
        self.origin = origin
        self._context = context
        self._closed = False
        self._pid = os.getpid()
        self._idle: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, list[_Connection]] = weakref.WeakKeyDictionary()

    async def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes | None,
        timeout: float,
        *,
        repeatable: bool = True,
    ) -> Response:
        """One attempt. Raises RevConnectionError when no answer came. A cancelled one closes its connection."""
        data = request_bytes(self.origin, method, target, headers, body)
        try:
            return await asyncio.wait_for(self._request(data, repeatable), timeout)
        except asyncio.TimeoutError:
            raise failure(self.origin, TimeoutError()) from None
        except (OSError, BadResponse, Stale) as error:
            raise failure(self.origin, error) from error

    async def _request(self, data: bytes, repeatable: bool) -> Response:
        while True:
            # A kept connection may be closed under a request; what must not be sent again goes over a new one.
            connection = self._take() if repeatable else None
            kept = connection is not None
            keep = False
            try:
                if connection is None:
                    connection = await self._connect()
                response, keep = await connection.exchange(data)
                return response
            except Stale:
                if not kept:
                    raise
            finally:
                if connection is not None:
                    if keep:
                        self._give(connection)
                    else:
                        connection.abort()

    async def _connect(self) -> _Connection:
        context = None
        if self.origin.tls:
            if self._context is None:
                self._context = tls_context()
            context = self._context
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection,
            self.origin.host,
            self.origin.port,
            ssl=context,
            server_hostname=self.origin.host if context is not None else None,
        )
        return connection

    def _own(self) -> list[_Connection]:
        if self._closed:
            raise RevClosedError("The client is closed")
        if self._pid != os.getpid():
            self._pid = os.getpid()
            self._idle = weakref.WeakKeyDictionary()
        return self._idle.setdefault(asyncio.get_running_loop(), [])

    def _take(self) -> _Connection | None:
        idle = self._own()
        while idle:
            connection = idle.pop()
            if connection.usable():
                return connection
            connection.abort()
        return None

    def _give(self, connection: _Connection) -> None:
        connection.idle_since = time.monotonic()
        idle = [] if self._closed else self._own()
        if not self._closed and len(idle) < MAX_IDLE and connection.usable():
            idle.append(connection)
        else:
            connection.abort()

    async def close(self) -> None:
        """Closes the connections of the running loop; those of loops that ended are gone with them."""
        self._closed = True
        for connection in self._idle.pop(asyncio.get_running_loop(), []):
            connection.abort()
