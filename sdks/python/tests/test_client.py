import inspect
import os
import pickle
import socket
import ssl
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from unittest import mock

import revgrid
from revgrid import (
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    RateLimitedError,
    Rev,
    RevClosedError,
    RevConfigError,
    RevConnectionError,
    RevProtocolError,
    RevTimeoutError,
    ServerError,
    TrackOptions,
)
from revgrid._config import retry_delay
from tests.servers import FakeRev, answer, problem

KEY = "rg_test_abcdefgh"


def client(server, **options):
    options.setdefault("track", TrackOptions(spool_dir=None))
    return Rev(**{"api_key": KEY, "base_url": server.url, "timeout": 5, **options})


def quick():
    """Back-off without the waiting."""
    return mock.patch("revgrid._config.backoff", return_value=0.0)


CALL = {"agent_id": "a", "action": "x"}


class Requests(unittest.TestCase):
    def setUp(self):
        self.server = FakeRev()
        self.addCleanup(self.server.stop)
        self.rev = client(self.server)
        self.addCleanup(self.rev.close)

    def test_a_call_and_its_receipt(self):
        when = datetime(2026, 11, 30, tzinfo=timezone(timedelta(hours=1)))
        receipt = self.rev.meter(
            agent_id="outreach", action="email.sent", tokens_input=1200, tokens_output=340, outcome="pending",
            expires_at=when, metadata={"value": Decimal("1000.10")},
        )
        self.assertEqual(receipt.price_charged, Decimal("0.00962"))
        self.assertIsInstance(receipt.price.total, Decimal)
        self.assertEqual(receipt.occurred_at, datetime(2026, 11, 23, 12, tzinfo=timezone.utc))
        self.assertEqual((receipt["outcome_id"], receipt.raw["outcome_id"]), (receipt.outcome_id, receipt.outcome_id))
        self.assertFalse(receipt.replayed)
        request = self.server.requests[0]
        self.assertEqual(
            request.body,
            b'{"agent_id":"outreach","action":"email.sent","tokens_input":1200,"tokens_output":340,"outcome":"pending",'
            b'"expires_at":"2026-11-29T23:00:00Z","metadata":{"value":1000.10}}',
        )
        self.assertEqual(request.headers["authorization"], f"Bearer {KEY}")
        self.assertEqual(request.headers["content-type"], "application/json")
        self.assertEqual(request.headers["idempotency-key"], receipt.idempotency_key)
        self.assertRegex(request.headers["x-request-id"], "^[0-9a-f]{32}$")

    def test_keys_of_ones_own(self):
        self.assertFalse(self.rev.meter(**CALL, idempotency_key="mail-1").replayed)
        self.assertTrue(self.rev.meter(**CALL, idempotency_key="mail-1").replayed)
        # A header holds ASCII only; in the body the key is the same key.
        self.rev.meter(**CALL, idempotency_key="größe")
        self.assertIn("größe", self.server.stored)
        self.assertNotIn("idempotency-key", self.server.requests[-1].headers)
        with self.assertRaises(ConflictError) as caught:
            self.rev.meter(agent_id="b", action="x", idempotency_key="mail-1")
        self.assertEqual((caught.exception.code, caught.exception.idempotency_key), ("idempotency.key_reused", "mail-1"))

    def test_wrong_arguments_are_told_before_anything_is_sent(self):
        for fields in (
            {"agent_id": "", "action": "x"},
            {"agent_id": "a", "action": None},
            {"agent_id": 5, "action": "x"},
            {**CALL, "tokens_input": -1},
            {**CALL, "tokens_input": 1.5},
            {**CALL, "tokens_output": True},
            {**CALL, "tokens_output": 10**9 + 1},
            {**CALL, "outcome": "won"},
            {**CALL, "expires_at": "2026-11-30T00:00:00Z"},
            {**CALL, "outcome": "pending", "expires_at": datetime(2026, 11, 30)},
            {**CALL, "metadata": [1]},
            {**CALL, "idempotency_key": "x" * 256},
        ):
            with self.subTest(fields), self.assertRaises((ValueError, TypeError)):
                self.rev.meter(**fields)
        with self.assertRaisesRegex(ValueError, "did you mean tokens_input"):
            self.rev.meter_batch([{**CALL, "token_input": 5}])
        with self.assertRaises(TypeError):
            self.rev.meter(**CALL, token_input=5)
        self.assertEqual(self.server.requests, [])

    def test_batches(self):
        self.server.rules.append(
            lambda event: (400, "request.invalid", {"action": ["no"]}) if event["action"] == "bad" else None
        )
        batch = self.rev.meter_batch([CALL, {"agent_id": "a", "action": "bad"}, {**CALL, "idempotency_key": "own"}])
        self.assertEqual((batch.accepted, batch.replayed, batch.rejected), (2, 0, 1))
        self.assertEqual(batch.results[0].unwrap().agent_id, "a")
        with self.assertRaises(InvalidRequestError) as caught:
            batch.results[1].unwrap()
        self.assertEqual(caught.exception.errors, {"action": ["no"]})
        again = self.rev.meter_batch(
            [CALL, {"agent_id": "a", "action": "bad"}, {**CALL, "idempotency_key": "own"}], idempotency_key=batch.idempotency_key
        )
        self.assertEqual((again.accepted, again.replayed), (0, 2))
        self.assertTrue(again.results[0].unwrap().replayed)
        for events in ([], [CALL] * 1001):
            with self.assertRaises(ValueError):
                self.rev.meter_batch(events)

    def test_an_answer_that_does_not_fit_the_batch(self):
        self.server.routes["POST /v1/meter/batch"] = answer(200, {"results": []})
        with quick(), self.assertRaises(RevProtocolError):
            self.rev.meter_batch([CALL])

    def test_lists_are_fetched_page_by_page(self):
        for number in range(25):
            self.rev.meter(**CALL, idempotency_key=f"k{number:02}")
        before = len(self.server.requests)
        events = self.rev.list_events(agent_id="a", from_=datetime(2026, 1, 1, tzinfo=timezone.utc), page_size=10)
        self.assertEqual(len(self.server.requests), before)
        self.assertEqual(len({event.event_id for event in events}), 25)
        self.assertEqual(len(self.server.requests), before + 3)
        self.assertEqual(
            self.server.requests[-1].query, {"agent_id": "a", "from": "2026-01-01T00:00:00Z", "limit": "10", "cursor": "20"}
        )
        self.assertEqual([len(page) for page in events.pages()], [10, 10, 5])

    def test_resolving_by_id_or_by_call(self):
        resolution = {
            "outcome_id": "out_1", "status": "succeeded", "outcome_bonus": "2.5", "price_charged": "2.51", "currency": "usd",
            "bonus": {"name": "reply", "reason": "rule 1 matched"}, "resolved_at": "2026-11-24T09:30:00.123Z", "settles_at": None,
            "event_id": "evt_1", "later_field": 1,
        }
        self.server.routes["POST /v1/outcomes/out_1/resolve"] = answer(200, resolution)
        self.server.routes["POST /v1/outcomes/resolve"] = answer(200, resolution)
        found = self.rev.resolve_outcome("out_1", outcome="success", metadata={"reply": True})
        self.assertEqual((found.outcome_bonus, found.bonus.name, found["later_field"]), (Decimal("2.5"), "reply", 1))
        self.assertEqual(found.resolved_at, datetime(2026, 11, 24, 9, 30, 0, 123000, timezone.utc))
        self.assertIsNone(found.potential_bonus)
        self.rev.resolve_outcome(idempotency_key="k", outcome="failure")
        self.assertEqual(self.server.requests[-1].json, {"idempotency_key": "k", "outcome": "failure"})
        for names in ({}, {"outcome_id": "o", "event_id": "e"}):
            with self.subTest(names), self.assertRaises(ValueError):
                self.rev.resolve_outcome(**names, outcome="success")

    def test_any_other_call(self):
        self.server.routes["GET /v1/invoices"] = lambda request: answer(200, {"query": request.query})
        found = self.rev.request("get", "/v1/invoices", params={"status": "open", "x": None})
        self.assertEqual(found, {"query": {"status": "open"}})

    def test_refusals(self):
        for status, kind in ((400, InvalidRequestError), (401, AuthenticationError), (404, NotFoundError), (409, ConflictError)):
            self.server.routes["GET /v1/account"] = problem(status, "some.code", "Why.", errors={"a": ["b"]})
            with self.subTest(status), self.assertRaises(kind) as caught:
                self.rev.get_account()
            error = caught.exception
            self.assertEqual((error.status, error.code, error.request_id, error.message), (status, "some.code", "req-1", "Why."))
            self.assertEqual((error.errors, error.retryable), ({"a": ["b"]}, False))
            self.assertIn("some.code", str(error))
        self.assertEqual(len(self.server.requests), 4)

    def test_a_refusal_that_is_not_revs(self):
        self.server.routes["GET /v1/account"] = answer(404, b"<html>", content_type="text/html")
        with self.assertRaises(NotFoundError) as caught:
            self.rev.get_account()
        self.assertEqual(caught.exception.code, "http.404")
        self.assertTrue(caught.exception.request_id)
        self.server.routes["GET /v1/account"] = answer(200, b"<html>", content_type="text/html")
        with quick(), self.assertRaises(RevProtocolError) as caught:
            self.rev.get_account()
        self.assertEqual((caught.exception.code, caught.exception.retryable), ("client.unreadable_answer", True))
        self.server.routes["GET /v1/account"] = answer(302, b"", [("Location", "http://elsewhere/")])
        with self.assertRaises(revgrid.RevAPIError):
            self.rev.get_account()

    def test_codes_of_this_package(self):
        for kind, code in (
            (RevConfigError, "client.not_configured"), (revgrid.RevConnectionError, "client.connection_failed"),
            (RevTimeoutError, "client.timeout"), (RevProtocolError, "client.unreadable_answer"),
            (revgrid.RevQueueFullError, "client.queue_full"), (revgrid.RevClosedError, "client.closed"),
            (revgrid.WebhookVerificationError, "client.webhook_invalid"), (revgrid.UsageError, "client.invalid"),
        ):
            self.assertEqual(kind("x").code, code)
            self.assertEqual(pickle.loads(pickle.dumps(kind("x"))).code, code)

    def test_the_defaults_of_all_clients_of_rev(self):
        config = Rev(api_key=KEY, base_url=self.server.url)._config
        self.assertEqual((config.timeout, config.max_retries), (30.0, 5))
        with mock.patch("revgrid._config.backoff", return_value=0.0) as backoff:
            retry_delay(config, 3, ServerError("x", retryable=True))
        self.assertEqual(backoff.call_args.args, (3, 0.5, 8.0))
        options = TrackOptions()
        self.assertEqual((options.flush_interval, options.batch_size), (1.0, 500))

    def test_what_could_count_twice_is_sent_once(self):
        for fault in (("after",), ("status", 503), ("half",)):
            with self.subTest(fault), quick():
                self.server.faults.append(fault)
                before = len(self.server.requests)
                with self.assertRaises(revgrid.RevError) as caught:
                    self.rev.request("POST", "/v1/meter", body=CALL)
                self.assertFalse(caught.exception.retryable)
                self.assertEqual(len(self.server.requests), before + 1)
        before = len(self.server.stored)
        for method, options in (("POST", {"idempotency_key": "k-1", "body": CALL}), ("PUT", {"body": {}})):
            with self.subTest(method), quick():
                self.server.routes["PUT /v1/tiers/x"] = answer(200, {})
                self.server.faults.append(("after",))
                self.rev.request(method, "/v1/meter" if method == "POST" else "/v1/tiers/x", **options)
        self.assertEqual(len(self.server.stored), before + 1)

    def test_what_could_count_twice_goes_over_a_new_connection(self):
        self.rev.meter(**CALL)
        self.rev.request("POST", "/v1/meter", body=CALL)
        self.assertEqual((self.server.connections, len(self.server.stored)), (2, 2))

    def test_nothing_can_be_smuggled_into_a_request(self):
        for method, path, options in (
            ("GET", "/v1/account HTTP/1.1\r\nX-A: 1\r\n\r\nGET /", {}), ("GET", "/v1/a b", {}), ("GET", "/v1/ü", {}), ("GET", "/v1/a#b", {}),
            ("GET /v1/b HTTP/1.1\r\n\r\nGET", "/v1/account", {}),
            ("POST", "/v1/meter", {"idempotency_key": "a\r\nX-A: 1", "body": {}}),
        ):
            with self.subTest(path), self.assertRaises(ValueError):
                self.rev.request(method, path, **options)
        self.assertEqual(self.server.requests, [])
        self.server.routes["GET /v1/x"] = lambda request: answer(200, {"target": request.target})
        self.assertEqual(self.rev.request("GET", "/v1/x", params={"a b&c\r\n": "d e"}), {"target": "/v1/x?a%20b%26c%0D%0A=d%20e"})

    def test_the_key_of_a_call_is_in_its_error_wherever_it_was_sent(self):
        self.server.routes["POST /v1/meter"] = problem(400, "request.invalid")
        for key in ("mail-1", "Ünicode", " spaced\r\n"):
            with self.subTest(key), self.assertRaises(InvalidRequestError) as caught:
                self.rev.meter(**CALL, idempotency_key=key)
            self.assertEqual(caught.exception.idempotency_key, key)

    def test_without_a_key(self):
        with mock.patch.dict(os.environ, {"REV_API_KEY": ""}):
            rev = client(self.server, api_key=None)
        for call in (lambda: rev.meter(**CALL), lambda: rev.track(CALL)):
            with self.assertRaisesRegex(RevConfigError, "REV_API_KEY"):
                call()
        simulation = {"currency": "usd", "calls_per_month": 1, "total": "1"}
        self.server.routes["POST /v1/simulations"] = answer(200, simulation)
        found = rev.simulate(tier={"name": "x", "review_window": timedelta(days=2)}, calls_per_month=1, success_rate=Decimal("0.1"))
        self.assertEqual(found.total, 1)
        request = self.server.requests[-1]
        self.assertNotIn("authorization", request.headers)
        self.assertEqual(request.body, b'{"tier":{"name":"x","review_window":"P2D"},"calls_per_month":1,"success_rate":0.1}')

    def test_the_key_is_not_shown(self):
        self.assertNotIn(KEY[-6:], repr(self.rev))
        with self.assertRaises(RevConfigError) as caught:
            Rev(api_key="rg_live_x\r\nX: y")
        self.assertNotIn("rg_live_x", str(caught.exception))

    def test_methods_say_what_they_take(self):
        self.assertEqual(list(inspect.signature(self.rev.meter).parameters)[:2], ["agent_id", "action"])
        self.assertEqual(list(inspect.signature(revgrid.resolve_outcome).parameters)[0], "outcome_id")
        self.assertIn("idempotency_key", revgrid.meter.__doc__)

    def test_closed(self):
        self.rev.meter(**CALL)
        self.rev.close()
        with self.assertRaises(RevClosedError):
            self.rev.meter(**CALL)
        with self.assertRaises(RevClosedError):
            self.rev.track(CALL)


class Connections(unittest.TestCase):
    def setUp(self):
        self.server = FakeRev()
        self.addCleanup(self.server.stop)

    def test_they_are_kept(self):
        with client(self.server) as rev:
            for _ in range(20):
                rev.meter(**CALL)
        self.assertEqual(self.server.connections, 1)

    def test_threads_share_the_client(self):
        with client(self.server) as rev:
            threads = [threading.Thread(target=lambda: [rev.meter(**CALL) for _ in range(25)]) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(len(self.server.stored), 200)
        self.assertLessEqual(self.server.connections, 8)

    def test_a_connection_that_the_server_closed_is_no_failure(self):
        with client(self.server, max_retries=0) as rev:
            rev.meter(**CALL)
            with self.server.lock:
                for sock in self.server.open:
                    sock.shutdown(socket.SHUT_RDWR)
            time.sleep(0.05)
            rev.meter(**CALL)
            # Closed in the very moment it is used, which cannot be seen before.
            with mock.patch("revgrid._transport._Connection.usable", return_value=True):
                with self.server.lock:
                    for sock in self.server.open:
                        sock.shutdown(socket.SHUT_RDWR)
                time.sleep(0.05)
                rev.meter(**CALL)
        self.assertEqual(len(self.server.stored), 3)

    def test_an_early_answer_to_a_large_body(self):
        early = socket.socket()
        early.bind(("127.0.0.1", 0))
        early.listen()

        def serve():
            sock, _ = early.accept()
            sock.recv(1000)
            sock.sendall(problem(413, "body.too_large"))
            time.sleep(0.2)
            sock.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join)
        rev = Rev(api_key=KEY, base_url=f"http://127.0.0.1:{early.getsockname()[1]}", track=TrackOptions(spool_dir=None))
        with self.assertRaises(revgrid.RevError) as caught:
            rev.with_options(max_retries=0).meter(**CALL, metadata={"x": "y" * 30_000_000})
        early.close()
        # Where the system drops what arrived before a reset, the answer is lost; it must not be a hang in any case.
        self.assertIn(type(caught.exception), (revgrid.TooLargeError, RevConnectionError))

    def test_nobody_there(self):
        with client(self.server, max_retries=0) as rev:
            self.server.stop()
            with self.assertRaises(RevConnectionError) as caught:
                rev.meter(**CALL)
        self.assertTrue(caught.exception.retryable)
        self.assertIn(self.server.url, str(caught.exception))
        self.assertTrue(caught.exception.request_id and caught.exception.idempotency_key)

    def test_no_such_host(self):
        rev = Rev(api_key=KEY, base_url="http://no-such-host.invalid", max_retries=0, track=TrackOptions(spool_dir=None))
        with self.assertRaisesRegex(RevConnectionError, "cannot be found"):
            rev.get_account()

    def test_an_answer_that_drips_cannot_outlive_the_timeout(self):
        dripping = socket.socket()
        dripping.bind(("127.0.0.1", 0))
        dripping.listen()

        def serve():
            sock, _ = dripping.accept()
            try:
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100:
                    sock.sendall(bytes([byte]))
                    time.sleep(0.05)
            except OSError:
                pass
            sock.close()

        threading.Thread(target=serve, daemon=True).start()
        rev = Rev(
            api_key=KEY, base_url=f"http://127.0.0.1:{dripping.getsockname()[1]}", timeout=0.5, max_retries=0,
            track=TrackOptions(spool_dir=None),
        )
        begun = time.monotonic()
        with self.assertRaises(RevTimeoutError):
            rev.get_account()
        self.assertLess(time.monotonic() - begun, 1.5)
        dripping.close()

    def test_tls_is_verified(self):
        from tests.tls import certificate, tls_server

        made = certificate()
        if made is None:
            self.skipTest("no openssl to make a certificate with")
        with tls_server(made) as url:
            rev = Rev(api_key=KEY, base_url=url, max_retries=3, track=TrackOptions(spool_dir=None))
            begun = time.monotonic()
            with self.assertRaisesRegex(RevConnectionError, "certificate") as caught:
                rev.get_account()
            self.assertFalse(caught.exception.retryable)
            self.assertLess(time.monotonic() - begun, 2)
            context = ssl.create_default_context(cafile=made)
            with Rev(api_key=KEY, base_url=url, ssl_context=context, track=TrackOptions(spool_dir=None)) as rev:
                self.assertEqual(rev.get_account().id, "acc_1")
                self.assertEqual(rev.get_account().id, "acc_1")


class Retries(unittest.TestCase):
    def setUp(self):
        self.server = FakeRev()
        self.addCleanup(self.server.stop)
        self.rev = client(self.server, timeout=0.5)
        self.addCleanup(self.rev.close)

    def test_every_fault_is_survived_and_counts_once(self):
        faults = [
            ("before",), ("after",), ("reset",), ("half",), ("slow", 1.0), ("status", 500), ("status", 502), ("status", 503),
            ("status", 429), ("status", 408), ("bytes", b"nonsense\r\n\r\n"), ("bytes", b""),
        ]
        for fault in faults:
            with self.subTest(fault), quick():
                before = len(self.server.stored)
                self.server.faults.append(fault)
                start = len(self.server.requests)
                receipt = self.rev.meter(**CALL)
                self.assertEqual(len(self.server.stored), before + 1)
                sent = self.server.requests[start:]
                self.assertGreaterEqual(len(sent), 2)
                self.assertEqual({request.headers["idempotency-key"] for request in sent}, {receipt.idempotency_key})
                self.assertEqual(len({request.body for request in sent}), 1)
                self.assertEqual(len({request.headers["x-request-id"] for request in sent}), 1)

    def test_they_end(self):
        self.server.faults.extend([("status", 503)] * 10)
        with quick(), self.assertRaises(ServerError) as caught:
            self.rev.with_options(max_retries=2).meter(**CALL)
        self.assertEqual(len(self.server.requests), 3)
        self.assertTrue(caught.exception.retryable)

    def test_retry_after_is_honoured(self):
        self.server.faults.append(("status", 429, [("Retry-After", "1")]))
        begun = time.monotonic()
        with quick():
            self.rev.meter(**CALL)
        self.assertGreaterEqual(time.monotonic() - begun, 1.0)

    def test_a_long_retry_after_is_the_callers(self):
        self.server.faults.append(("status", 429, [("Retry-After", "3600")]))
        with self.assertRaises(RateLimitedError) as caught:
            self.rev.meter(**CALL)
        self.assertEqual(caught.exception.retry_after, 3600)
        self.assertEqual(len(self.server.requests), 1)

    def test_retry_after_may_be_a_date(self):
        from revgrid._config import retry_after
        from revgrid._http1 import Response

        date = "Mon, 23 Nov 2026 12:00:00 GMT"
        for value, expected in (
            ("7", 7.0), ("Mon, 23 Nov 2026 12:00:09 GMT", 9.0), ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0), ("soon", None), ("-1", None),
        ):
            with self.subTest(value):
                self.assertEqual(retry_after(Response(503, {"retry-after": value, "date": date})), expected)
        self.assertIsNone(retry_after(Response(503)))

    def test_the_back_off_is_full_jitter(self):
        from revgrid._config import backoff

        values = [backoff(attempt, 0.25, 8.0) for attempt in range(12) for _ in range(200)]
        self.assertTrue(all(0 <= value <= 8 for value in values))
        self.assertLess(min(values[-200:]), 2)
        self.assertGreater(max(values[-200:]), 6)
        self.assertTrue(all(value <= 0.25 for value in values[:200]))

    def test_reads_are_retried_too(self):
        self.server.faults.extend([("before",), ("status", 503)])
        with quick():
            self.assertEqual(list(self.rev.list_events()), [])


class Module(unittest.TestCase):
    def test_the_two_lines(self):
        with FakeRev() as server:
            resolution = {"outcome_id": "out_1", "status": "succeeded", "outcome_bonus": "0.0025", "price_charged": "0.01212"}
            server.routes["POST /v1/outcomes/out_00000000000000000000000001/resolve"] = answer(200, resolution)
            with mock.patch.dict(os.environ, {"REV_API_KEY": KEY, "REV_BASE_URL": server.url}):
                revgrid.close()
                call = revgrid.meter(
                    agent_id="outreach-agent-v2", action="email.sent", tokens_input=1200, tokens_output=340, outcome="pending",
                    expires_at=datetime.now(timezone.utc) + timedelta(days=7),
                )
                done = revgrid.resolve_outcome(call.outcome_id, outcome="success", metadata={"reply_received": True})
                self.assertEqual(done.price_charged, Decimal("0.01212"))
                self.assertIs(revgrid.default_client(), revgrid.default_client())
                revgrid.close()

    def test_all_that_is_promised_is_there(self):
        for name in revgrid.__all__:
            self.assertTrue(hasattr(revgrid, name), name)
        operations = [name for name in dir(Rev) if not name.startswith("_")]
        for name in operations:
            if name != "with_options":
                self.assertTrue(hasattr(revgrid, name), name)
            if name != "close":
                self.assertTrue(hasattr(revgrid.AsyncRev, name), name)


if __name__ == "__main__":
    unittest.main()
