"""Connections that block: kept alive, shared by threads, safe to fork."""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterable

from ._errors import RevClosedError, RevConnectionError, RevProtocolError, RevTimeoutError
from ._http1 import BadResponse, Origin, Response, ResponseParser, request_bytes

#: Below the keep-alive times of usual servers and proxies, so that a connection is seldom closed under a request.
IDLE_SECONDS = 45.0
MAX_IDLE = 16

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


class Stale(Exception):
    """A kept connection was closed by the other side before it answered anything."""


def tls_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def failure(origin: Origin, error: BaseException) -> RevConnectionError:
    """What a failed attempt is told as."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return RevConnectionError(f"The certificate of {origin.text} cannot be trusted: {error.verify_message}")
    if isinstance(error, socket.gaierror):
        return RevConnectionError(f"The host {origin.host} cannot be found: {error.strerror}", retryable=True)
    if isinstance(error, TimeoutError):
        return RevTimeoutError(f"{origin.text} did not answer in time", retryable=True)
    if isinstance(error, BadResponse):
        return RevProtocolError(f"{origin.text} answered, but {error}", retryable=True)
    text = (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return RevConnectionError(f"{origin.text} cannot be reached: {text}", retryable=True)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.idle_since = 0.0

    @staticmethod
    def open(origin: Origin, context: ssl.SSLContext | None, deadline: float) -> _Connection:
        addresses = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        failed: OSError | None = None
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            sock = socket.socket(family, kind, protocol)
            try:
                # An address that does not answer must not use up the time of the next.
                sock.settimeout(_left(deadline) / (len(addresses) - number))
                sock.connect(address)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if context is not None:
                    sock.settimeout(_left(deadline))
                    sock = context.wrap_socket(sock, server_hostname=origin.host)
                return _Connection(sock)
            except OSError as error:
                sock.close()
                failed = error
                if isinstance(error, ssl.SSLError):
                    break
            except BaseException:
                sock.close()
                raise
        raise failed or OSError("no address")

    def usable(self) -> bool:
        """Whether the other side still keeps the connection; what can be read now is its end, or noise."""
        if time.monotonic() - self.idle_since > IDLE_SECONDS:
            return False
        try:
            if hasattr(select, "poll"):
                poll = select.poll()
                poll.register(self.sock, select.POLLIN)
                return not poll.poll(0)
            return not select.select([self.sock], [], [], 0)[0]
        except (OSError, ValueError):
            return False

    def exchange(self, data: bytes, deadline: float) -> tuple[Response, bool]:
        """Sends a request and takes its answer, all of it before the deadline."""
        parser = ResponseParser()
        unsent: OSError | None = None
        try:
            self.sock.settimeout(_left(deadline))
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError) as error:
            unsent = error  # It may have answered before it hung up, as a server does that refuses a large body.
        while not parser.done:
            try:
                self.sock.settimeout(_left(deadline))
                part = self.sock.recv(65536)
            except (ConnectionResetError, ConnectionAbortedError, BrokenPipeError, ssl.SSLEOFError) as error:
                if not parser.started:
                    raise Stale(str(unsent or error)) from error
                raise
            if part:
                parser.feed(part)
            elif not parser.started:
                raise Stale(str(unsent or "the connection was closed without an answer"))
            else:
                parser.eof()
        return parser.response, parser.keep_alive and unsent is None

    def close(self) -> None:
        try:
            self.sock.close()
        except OSError:
            pass

    def __del__(self) -> None:
        self.close()  # Of a client that was dropped, not closed.


class Pool:
    """Sends requests over connections that it keeps. Any thread may use it, and a forked child starts anew."""

    def __init__(self, origin: Origin, context: ssl.SSLContext | None = None) -> None:
        self.origin = origin
        self._context = context
        self._closed = False
        self._reset()
        _pools.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        body: bytes | None,
        timeout: float,
        *,
        repeatable: bool = True,
    ) -> Response:
        """One attempt. Raises RevConnectionError when no answer came."""
        data = request_bytes(self.origin, method, target, headers, body)
        deadline = time.monotonic() + timeout
        while True:
            connection = self._take() if repeatable else None
            kept = connection is not None
            keep = False
            try:
                if connection is None:
                    connection = _Connection.open(self.origin, self._tls(), deadline)
                response, keep = connection.exchange(data, deadline)
                return response
            except Stale as error:
                # The server closed a kept connection just when it was used: that is no failure of the service.
                # The request may be repeated, so it goes over another one.
                if not kept:
                    raise failure(self.origin, error) from error
            except (OSError, BadResponse) as error:
                raise failure(self.origin, error) from error
            finally:
                if connection is not None:
                    if keep:
                        self._give(connection)
                    else:
                        connection.close()

    def _tls(self) -> ssl.SSLContext | None:
        if not self.origin.tls:
            return None
        if self._context is None:
            self._context = tls_context()
        return self._context

    def _take(self) -> _Connection | None:
        while True:
            with self._lock:
                if self._closed:
                    raise RevClosedError("The client is closed")
                if not self._idle:
                    return None
                connection = self._idle.pop()
            if connection.usable():
                return connection
            connection.close()

    def _give(self, connection: _Connection) -> None:
        connection.idle_since = time.monotonic()
        with self._lock:
            if not self._closed and len(self._idle) < MAX_IDLE:
                self._idle.append(connection)
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def _after_fork() -> None:
    # The parent's connections are the parent's: the child only lets go of its copies. A lock may have been held by a
    # thread that does not exist here.
    for pool in list(_pools):
        pool._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
