"""Servers for the tests: a small stand-in for Rev, and a proxy, both of which fail on demand."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import uuid
from collections import deque
from urllib.parse import parse_qs, urlsplit

REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"}


class Request:
    def __init__(self, method, target, headers, body, raw):
        self.method, self.target, self.headers, self.body, self.raw = method, target, headers, body, raw

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def path(self):
        return urlsplit(self.target).path

    @property
    def query(self):
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.target).query).items()}


def read_message(sock, buffer):
    """One HTTP message with a Content-Length: its head, its body, or None at the end."""
    while b"\r\n\r\n" not in buffer:
        data = sock.recv(65536)
        if not data:
            return None
        buffer += data
    head, _, rest = bytes(buffer).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", "0"))
    while len(rest) < length:
        data = sock.recv(65536)
        if not data:
            return None
        rest += data
    del buffer[:]
    buffer += rest[length:]
    return lines[0], headers, rest[:length], head + b"\r\n\r\n" + rest[:length]


def reset(sock):
    """Closes a connection as a crash does: with RST."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class RawServer:
    """Accepts connections, and gives each request to handle(sock, request), which says whether to go on."""

    def __init__(self, port=0):
        self.port = port
        self.connections = 0
        self.requests = []
        self.lock = threading.Lock()
        self.open = set()
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        """Nobody listens any more, and open connections are reset."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        with self.lock:
            doomed, self.open = self.open, set()
        for sock in doomed:
            try:
                sock.shutdown(socket.SHUT_RDWR)
                reset(sock)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        buffer = bytearray()
        try:
            while True:
                message = read_message(sock, buffer)
                if message is None:
                    return
                first, headers, body, raw = message
                method, target, _ = first.split(" ")
                request = Request(method, target, headers, body, raw)
                with self.lock:
                    self.requests.append(request)
                if not self.handle(sock, request):
                    return
        except OSError:
            pass
        finally:
            with self.lock:
                self.open.discard(sock)
            try:
                sock.close()
            except OSError:
                pass

    def handle(self, sock, request):
        raise NotImplementedError


def answer(status, body, headers=(), content_type="application/json"):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'X')}", f"Content-Length: {len(data)}", f"Content-Type: {content_type}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def problem(status, code, detail="It is so.", headers=(), errors=None):
    body = {"type": f"/docs/errors#{code}", "title": "X", "status": status, "detail": detail, "code": code, "request_id": "req-1"}
    if errors:
        body["errors"] = errors
    return answer(status, body, headers, "application/problem+json")


class FakeRev(RawServer):
    """Stores metered calls by their key, once. ``faults`` is a queue; each request takes the next of them, if any:

    ("before",)        the connection is closed before the call is stored
    ("after",)         it is stored, then the connection is closed
    ("reset",)         it is stored, then the connection is reset
    ("half",)          it is stored, and half of the answer is sent
    ("slow", seconds)  it is stored, and answered late
    ("bytes", data)    this is answered
    ("status", n, headers)
    None               nothing is wrong
    """

    def __init__(self):
        self.faults = deque()
        self.stored = {}
        self.answers = {}
        self.times_seen = {}
        self.items = {}
        self.rules = []
        self.routes = {}
        super().__init__()

    def handle(self, sock, request):
        with self.lock:
            fault = self.faults.popleft() if self.faults else None
        kind = fault[0] if fault else None
        if kind == "before":
            return False
        if kind == "bytes":
            sock.sendall(fault[1])
            return False
        if kind == "status":
            code = "rate.limited" if fault[1] == 429 else "service.unavailable"
            sock.sendall(problem(fault[1], code, headers=fault[2] if len(fault) > 2 else ()))
            return True
        reply = self.reply(request)
        if kind == "after":
            return False
        if kind == "reset":
            reset(sock)
            return False
        if kind == "half":
            sock.sendall(reply[: len(reply) // 2])
            return False
        if kind == "slow":
            time.sleep(fault[1])
        sock.sendall(reply)
        return True

    def reply(self, request):
        route = self.routes.get(f"{request.method} {request.path}")
        if route is not None:
            return route(request) if callable(route) else route
        if request.path == "/v1/meter":
            body = request.json
            key = request.headers.get("idempotency-key") or body.pop("idempotency_key", None)
            status, result, replayed = self.store(key, body)
            return answer(status, result, [("Idempotent-Replayed", "true")] if replayed else [])
        if request.path == "/v1/meter/batch":
            results, counts = [], {"accepted": 0, "replayed": 0, "rejected": 0}
            for number, event in enumerate(request.json["events"]):
                refused = next((rule(event) for rule in self.rules if rule(event)), None)
                if refused:
                    status, code, errors = refused
                    error = {"status": status, "code": code, "detail": "It is so.", "title": "X", "request_id": "r"}
                    if errors:
                        error["errors"] = errors
                    results.append({"status": status, "error": error})
                    counts["rejected"] += 1
                    continue
                key = event.pop("idempotency_key", None) or (request.headers.get("idempotency-key"), number)
                status, result, replayed = self.store(key, event)
                results.append({"status": status, **result, **({"replayed": True} if replayed else {})})
                counts["replayed" if replayed else "accepted"] += 1
            return answer(200, {"results": results, **counts}, [("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime()))])
        if request.path == "/v1/events":
            names = sorted(self.stored, key=str)
            start = int(request.query.get("cursor", "0"))
            size = int(request.query["limit"])
            data = [self.answers[name] for name in names[start : start + size]]
            more = start + size < len(names)
            return answer(200, {"data": data, "next_cursor": str(start + size) if more else None})
        return problem(404, "route.not_found")

    def store(self, key, body):
        key = key or uuid.uuid4().hex
        with self.lock:
            self.times_seen[key] = self.times_seen.get(key, 0) + 1
            if key in self.stored:
                if self.stored[key] != body:
                    return 409, {"status": 409, "code": "idempotency.key_reused", "detail": "x"}, False
                return 201, self.answers[key], True
            self.stored[key] = body
            number = f"{len(self.stored):026d}"
            pending = body.get("outcome") == "pending"
            self.answers[key] = {
                "event_id": f"evt_{number}", "outcome_id": f"out_{number}" if body.get("outcome") else None,
                "outcome": body.get("outcome"), "outcome_status": "pending" if pending else None,
                "price_charged": "0.00962", "currency": "usd",
                "price": {"base_fee": "0.005", "token_charge": "0.00462", "outcome_bonus": "0", "total": "0.00962"},
                "bonus": None, "potential_bonus": None, "tier": {"key": "default", "version": 1},
                "agent_id": body["agent_id"], "action": body["action"], "customer_id": body.get("customer_id", "default"),
                "model": body.get("model"), "tokens_input": body.get("tokens_input", 0),
                "tokens_output": body.get("tokens_output", 0), "occurred_at": "2026-11-23T12:00:00Z", "expires_at": None,
            }
            return 201, self.answers[key], False


class FaultProxy(RawServer):
    """Passes requests on to a server, or fails as ``choose(number)`` says:

    "pass", "before" (not passed on), "after" (passed on, the answer kept back), "half" (half of the answer),
    "500", "429", "slow" (the answer comes too late).
    """

    def __init__(self, upstream, choose=lambda number: "pass", slow=2.0):
        parts = urlsplit(upstream)
        self.upstream = (parts.hostname, parts.port or 80)
        self.choose = choose
        self.slow = slow
        self.number = 0
        self.seen = {}
        super().__init__()

    def handle(self, sock, request):
        with self.lock:
            self.number += 1
            fault = self.choose(self.number)
            self.seen[fault] = self.seen.get(fault, 0) + 1
        if fault == "before":
            return False
        if fault == "500":
            sock.sendall(problem(500, "internal.error"))
            return True
        if fault == "429":
            sock.sendall(problem(429, "rate.limited", headers=[("Retry-After", "0")]))
            return True
        with socket.create_connection(self.upstream, timeout=30) as upstream:
            upstream.sendall(request.raw.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
            parts = []
            while data := upstream.recv(65536):
                parts.append(data)
        reply = b"".join(parts).replace(b"Connection: close\r\n", b"", 1)
        if fault == "after":
            return False
        if fault == "half":
            sock.sendall(reply[: len(reply) // 2])
            return False
        if fault == "slow":
            time.sleep(self.slow)
        sock.sendall(reply)
        return True
