import asyncio
import logging
import ssl
import time
import unittest
from unittest import mock

from revgrid import (
    AsyncRev,
    ConflictError,
    RevClosedError,
    RevConnectionError,
    RevQueueFullError,
    RevTimeoutError,
    ServerError,
    TrackOptions,
)
from tests.servers import FakeRev, answer

KEY = "rg_test_abcdefgh"
CALL = {"agent_id": "a", "action": "x"}


def client(server, **options):
    options.setdefault("track", TrackOptions(spool_dir=None))
    return AsyncRev(**{"api_key": KEY, "base_url": server.url, "timeout": 5, **options})


def quick():
    return mock.patch("revgrid._config.backoff", return_value=0.0)


class Async(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        for name in ("asyncio", "revgrid"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
            self.addCleanup(logging.getLogger(name).setLevel, logging.NOTSET)
        self.server = FakeRev()
        self.addCleanup(self.server.stop)
        self.rev = client(self.server)
        self.addAsyncCleanup(self.rev.aclose)

    async def test_calls_run_at_once(self):
        receipts = await asyncio.gather(*(self.rev.meter(**CALL) for _ in range(100)))
        self.assertEqual(len({receipt.event_id for receipt in receipts}), 100)

    async def test_a_run_that_is_cancelled_while_it_waits_for_room_is_told_of(self):
        self.server.stop()
        rev = client(self.server, track=TrackOptions(spool_dir=None, max_memory_pending=1, block_timeout=60, exit_timeout=0))
        await rev.track(CALL)
        runs = []

        async def work():
            async with rev.run(**CALL, background=True) as run:
                runs.append(run)

        logging.getLogger("revgrid").setLevel(logging.NOTSET)
        with self.assertLogs("revgrid", "ERROR") as logs:
            task = asyncio.create_task(work())
            await asyncio.sleep(0.1)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
        self.assertIn(runs[0].idempotency_key, "".join(logs.output))
        logging.getLogger("revgrid").setLevel(logging.CRITICAL)
        await rev.aclose(0)

    async def test_what_could_count_twice_is_sent_once(self):
        await self.rev.meter(**CALL)
        self.server.faults.append(("after",))
        with quick(), self.assertRaises(RevConnectionError):
            await self.rev.request("POST", "/v1/meter", body=CALL)
        self.assertEqual((len(self.server.requests), self.server.connections), (2, 2))

    async def test_connections_are_kept(self):
        for _ in range(20):
            await self.rev.meter(**CALL)
        self.assertEqual(self.server.connections, 1)

    async def test_a_connection_that_the_server_closed_is_no_failure(self):
        import socket

        rev = self.rev.with_options(max_retries=0)
        await rev.meter(**CALL)
        with self.server.lock:
            for sock in self.server.open:
                sock.shutdown(socket.SHUT_RDWR)
        await asyncio.sleep(0.05)
        await rev.meter(**CALL)
        self.assertEqual(len(self.server.stored), 2)

    async def test_every_fault_is_survived_and_counts_once(self):
        rev = self.rev.with_options(timeout=0.5)
        for fault in (
            ("before",), ("after",), ("reset",), ("half",), ("slow", 1.0), ("status", 500), ("status", 503), ("status", 429),
            ("bytes", b"nonsense\r\n\r\n"), ("bytes", b""),
        ):
            with self.subTest(fault), quick():
                before, start = len(self.server.stored), len(self.server.requests)
                self.server.faults.append(fault)
                receipt = await rev.meter(**CALL)
                self.assertEqual(len(self.server.stored), before + 1)
                keys = {request.headers["idempotency-key"] for request in self.server.requests[start:]}
                self.assertEqual(keys, {receipt.idempotency_key})

    async def test_retries_end(self):
        self.server.faults.extend([("status", 503)] * 10)
        with quick(), self.assertRaises(ServerError):
            await self.rev.with_options(max_retries=2).meter(**CALL)
        self.assertEqual(len(self.server.requests), 3)

    async def test_timeouts(self):
        self.server.faults.append(("slow", 1.0))
        begun = time.monotonic()
        with self.assertRaises(RevTimeoutError):
            await self.rev.with_options(timeout=0.2, max_retries=0).meter(**CALL)
        self.assertLess(time.monotonic() - begun, 0.8)

    async def test_a_cancelled_task_ends_its_request(self):
        self.server.faults.append(("slow", 0.5))
        task = asyncio.create_task(self.rev.meter(**CALL))
        await asyncio.sleep(0.2)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.5)
        # Its connection is gone: the late answer is nobody else's.
        receipt = await self.rev.meter(agent_id="b", action="y")
        self.assertEqual(receipt.agent_id, "b")
        self.assertEqual(self.server.connections, 2)

    async def test_cancelled_while_it_waits_to_try_again(self):
        self.server.faults.append(("status", 503, [("Retry-After", "30")]))
        with self.assertRaises(asyncio.TimeoutError):
            await asyncio.wait_for(self.rev.meter(**CALL), 0.3)
        self.assertEqual(len(self.server.requests), 1)

    async def test_lists(self):
        for number in range(25):
            await self.rev.meter(**CALL, idempotency_key=f"k{number:02}")
        found = [event.event_id async for event in self.rev.list_events(page_size=10)]
        self.assertEqual(len(set(found)), 25)
        self.assertEqual([len(page) async for page in self.rev.list_events(page_size=10).pages()], [10, 10, 5])

    async def test_refusals(self):
        await self.rev.meter(**CALL, idempotency_key="k")
        with self.assertRaises(ConflictError):
            await self.rev.meter(agent_id="b", action="x", idempotency_key="k")

    async def test_nobody_there(self):
        self.server.stop()
        with self.assertRaises(RevConnectionError):
            await self.rev.with_options(max_retries=0).meter(**CALL)

    async def test_tracked_calls(self):
        for number in range(50):
            await self.rev.track(CALL, tokens_input=number)
        self.assertTrue(await self.rev.flush())
        self.assertEqual((len(self.server.stored), self.rev.stats().accepted), (50, 50))

    async def test_the_loop_goes_on_while_track_waits_for_room(self):
        self.server.stop()
        options = TrackOptions(spool_dir=None, max_memory_pending=3, block_timeout=0.5)
        rev = client(self.server, track=options)
        for _ in range(3):
            await rev.track(CALL)
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        ticking = asyncio.create_task(tick())
        with self.assertRaises(RevQueueFullError):
            await rev.track(CALL)
        ticking.cancel()
        self.assertGreater(ticks, 5)
        self.assertEqual(rev.stats().refused, 1)
        self.assertFalse(await rev.aclose(0))

    async def test_tls(self):
        from tests.tls import certificate, tls_server

        made = certificate()
        if made is None:
            self.skipTest("no openssl to make a certificate with")
        with tls_server(made) as url:
            untrusting = AsyncRev(api_key=KEY, base_url=url, track=TrackOptions(spool_dir=None))
            with self.assertRaisesRegex(RevConnectionError, "certificate"):
                await untrusting.get_account()
            context = ssl.create_default_context(cafile=made)
            async with AsyncRev(api_key=KEY, base_url=url, ssl_context=context, track=TrackOptions(spool_dir=None)) as rev:
                self.assertEqual((await rev.get_account()).id, "acc_1")
                self.assertEqual((await rev.get_account()).id, "acc_1")


class Loops(unittest.TestCase):
    def test_one_client_serves_several_loops(self):
        with FakeRev() as server:
            rev = client(server)
            for _ in range(3):
                async def once():
                    await rev.meter(**CALL)
                    await rev._pool.close()
                    rev._pool._closed = False

                asyncio.run(once())
            self.assertEqual(len(server.stored), 3)

    def test_closed(self):
        async def main():
            rev = client(server)
            await rev.meter(**CALL)
            await rev.aclose()
            with self.assertRaises(RevClosedError):
                await rev.meter(**CALL)

        with FakeRev() as server:
            asyncio.run(main())

    def test_an_answer_in_many_small_parts(self):
        import socket
        import threading

        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        account = {"id": "acc_1", "email": "a", "currency": "usd"}

        def serve():
            sock, _ = listener.accept()
            sock.recv(65536)
            for byte in answer(200, account):
                sock.sendall(bytes([byte]))
            sock.close()

        threading.Thread(target=serve, daemon=True).start()

        async def main():
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with AsyncRev(api_key=KEY, base_url=url, track=TrackOptions(spool_dir=None)) as rev:
                return await rev.get_account()

        self.assertEqual(asyncio.run(main()).id, "acc_1")
        listener.close()


if __name__ == "__main__":
    unittest.main()
