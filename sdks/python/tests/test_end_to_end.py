"""Against a real Rev: needs REV_BASE_URL and REV_API_KEY, and is skipped without them.

    REV_BASE_URL=http://localhost:5080 REV_API_KEY=rg_test_… python3 -m unittest tests.test_end_to_end
"""

import asyncio
import collections
import http.server
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from unittest import mock

import revgrid
from revgrid import AsyncRev, ConflictError, InvalidRequestError, NotFoundError, Rev, TrackOptions, verify_webhook
from tests.servers import FaultProxy

URL = os.environ.get("REV_BASE_URL", "")
KEY = os.environ.get("REV_API_KEY", "")
FAULTS = ["before", "after", "half", "500", "429", "slow"]


def unique(name):
    return f"{name}-{uuid.uuid4().hex[:12]}"


def faulty(seed, share=0.3):
    """Every kind of fault, in an order that is the same at every run."""
    chance = random.Random(seed)
    return lambda number: chance.choice(FAULTS) if chance.random() < share else "pass"


@unittest.skipUnless(URL and KEY, "REV_BASE_URL and REV_API_KEY are not set")
class Case(unittest.TestCase):
    def setUp(self):
        self.rev = Rev(track=TrackOptions(spool_dir=None))
        self.addCleanup(self.rev.close)
        self.folder = tempfile.mkdtemp(prefix="revgrid-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        logging.getLogger("revgrid").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("revgrid").setLevel, logging.NOTSET)

    def counted(self, customer):
        """How many calls a customer is billed for, and how many tokens."""
        statement = self.rev.statement(customer)
        lines = [line for one in statement.currencies for line in one.lines]
        return tuple(sum(line.quantity for line in lines if line.component == kind) for kind in ("base", "tokens"))


class Surface(Case):
    def test_the_two_lines(self):
        with mock.patch.dict(os.environ, {"REV_SPOOL_DIR": self.folder}):
            revgrid.close()
            call = revgrid.meter(
                agent_id=unique("agent"), action="email.sent", tokens_input=1200, tokens_output=340, outcome="pending",
                expires_at=datetime.now(timezone.utc) + timedelta(days=7),
            )
            self.assertEqual((call.outcome_status, call.price_charged), ("pending", call.price.total))
            done = revgrid.resolve_outcome(call.outcome_id, outcome="success", metadata={"reply_received": True})
            self.assertEqual(done.status, "succeeded")
            self.assertEqual(done.price_charged, call.price_charged + done.outcome_bonus)
            revgrid.close()

    def test_calls_and_outcomes(self):
        agent, key = unique("agent"), unique("call")
        call = self.rev.meter(agent_id=agent, action="email.sent", outcome="pending", idempotency_key=key, metadata={"value": Decimal("1000.10")})
        again = self.rev.meter(agent_id=agent, action="email.sent", outcome="pending", idempotency_key=key, metadata={"value": 1000.1})
        self.assertTrue(again.replayed and not call.replayed)
        self.assertEqual(again.event_id, call.event_id)
        with self.assertRaises(ConflictError) as caught:
            self.rev.meter(agent_id=agent, action="other", idempotency_key=key)
        self.assertEqual(caught.exception.code, "idempotency.key_reused")
        done = self.rev.resolve_outcome(idempotency_key=key, outcome="success")
        self.assertEqual(done, self.rev.resolve_outcome(call.outcome_id, outcome="success"))
        with self.assertRaises(ConflictError) as caught:
            self.rev.resolve_outcome(event_id=call.event_id, outcome="failure")
        self.assertEqual(caught.exception.code, "outcome.already_resolved")
        reversal = self.rev.reverse_outcome(call.outcome_id, reason="nobody came")
        self.assertEqual((reversal.status, reversal.reversed_amount), ("reversed", done.outcome_bonus))
        outcome = self.rev.get_outcome(call.outcome_id)
        self.assertEqual([step.to for step in outcome.transitions], ["pending", "succeeded", "reversed"])
        event = self.rev.get_event(call.event_id)
        self.assertEqual(event.metadata, {"value": 1000.1})
        self.assertEqual(sum(line.amount for line in event.ledger), event.price_charged)
        self.assertEqual([found.event_id for found in self.rev.list_events(agent_id=agent)], [call.event_id])
        self.assertEqual([found.outcome_id for found in self.rev.list_outcomes(agent_id=agent, status="reversed")], [call.outcome_id])
        with self.assertRaises(NotFoundError):
            self.rev.get_event("evt_nothing")

    def test_batches_and_pages(self):
        agent = unique("agent")
        batch = self.rev.meter_batch([{"agent_id": agent, "action": "x", "outcome": "pending", "idempotency_key": f"{agent}-{n}"} for n in range(120)])
        self.assertEqual((batch.accepted, batch.rejected), (120, 0))
        self.assertEqual(len({event.event_id for event in self.rev.list_events(agent_id=agent, page_size=50)}), 120)
        answer = self.rev.resolve_outcomes(
            [{"event_id": batch.results[0].unwrap().event_id, "outcome": "success"}, {"idempotency_key": f"{agent}-1", "outcome": "failure"}, {"idempotency_key": "nothing", "outcome": "success"}]
        )
        self.assertEqual([item.status for item in answer.results], [200, 200, 404])
        self.assertEqual([answer.results[0].unwrap().status, answer.results[1].unwrap().status], ["succeeded", "failed"])

    def test_refusals_name_the_field(self):
        with self.assertRaises(InvalidRequestError) as caught:
            self.rev.meter(agent_id="a b", action="x")
        self.assertIn("agent_id", caught.exception.errors)
        self.assertTrue(caught.exception.request_id)

    def test_tiers_agents_customers_and_figures(self):
        key, agent, customer = unique("tier"), unique("agent"), unique("customer")
        tier = self.rev.configure_tier(
            key,
            {
                "name": "Outreach", "base_fee": Decimal("0.005"), "token_rates": {"input_per_million": 3, "output_per_million": "15"},
                "outcome_bonuses": [{"name": "reply", "when": {"field": "metadata.reply", "op": "eq", "value": True}, "amount": Decimal("2.50")}],
                "pending": {"expires_after": timedelta(days=3)}, "review_window": timedelta(0),
            },
        )
        self.assertEqual((tier.base_fee, tier.outcome_bonuses[0].amount, tier.pending.expires_after), (Decimal("0.005"), Decimal("2.5"), timedelta(days=3)))
        self.assertEqual(self.rev.configure_tier(key, tier).version, 1)
        self.assertEqual(self.rev.get_tier(key), tier)
        self.assertIn(key, [one.key for one in self.rev.list_tiers()])
        self.assertEqual(len(list(self.rev.list_tier_versions(key))), 1)
        self.rev.configure_agent(agent, {"tier": key})
        self.rev.configure_customer(customer, {"name": "Ada", "metadata": {"plan": "x"}})
        self.assertEqual(self.rev.get_agent(agent).tier, key)
        self.assertEqual(self.rev.get_customer(customer).metadata, {"plan": "x"})
        call = self.rev.meter(agent_id=agent, action="x", customer_id=customer, tokens_input=1000, outcome="success", metadata={"reply": True})
        self.assertEqual(call.price_charged, Decimal("2.508"))
        self.assertEqual(self.rev.statement(customer).currencies[0].total, Decimal("2.508"))
        self.assertIn(call.event_id, self.rev.statement_csv(customer))
        self.assertEqual(self.rev.revenue(agent_id=agent, group_by="agent", interval="day").totals.revenue, Decimal("2.508"))
        self.assertGreaterEqual(self.rev.summary().today.calls, 1)
        simulated = self.rev.simulate(tier=tier, calls_per_month=1, tokens_input=1000, success_rate=1, bonuses=[{"name": "reply", "share": 1}])
        self.assertEqual(simulated.total, Decimal("2.508"))
        self.assertEqual(self.rev.simulate(tier=key, calls_per_month=1).total, Decimal("0.005"))
        replay = self.rev.replay(tier=key, agent_id=agent)
        self.assertEqual((replay.calls, replay.replayed.total), (1, Decimal("2.508")))
        self.assertEqual(self.rev.get_account().default_tier, "default")
        self.assertIn("data", self.rev.request("GET", "/v1/invoices", params={"limit": 1}))

    def test_runs(self):
        agent = unique("agent")
        with self.rev.run(agent_id=agent, action="email.sent") as run:
            run.tokens({"usage": {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540}})
            run.success()
        self.assertEqual((run.receipt.tokens_input, run.receipt.outcome_status), (1200, "succeeded"))

    def test_asyncio(self):
        agent = unique("agent")

        async def main():
            async with AsyncRev(track=TrackOptions(spool_dir=None)) as rev:
                receipts = await asyncio.gather(*(rev.meter(agent_id=agent, action="x") for _ in range(200)))
                found = [event.event_id async for event in rev.list_events(agent_id=agent)]
                self.assertEqual({receipt.event_id for receipt in receipts}, set(found))

        asyncio.run(main())

    def test_webhooks(self):
        received = []
        arrived = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.append((self.rfile.read(int(self.headers["Content-Length"])), self.headers))
                self.send_response(204)
                self.end_headers()
                arrived.set()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        try:
            endpoint = self.rev.request("POST", "/v1/webhook_endpoints", body={"url": f"http://127.0.0.1:{server.server_port}/", "events": ["outcome.*"]})
        except revgrid.RevAPIError as refused:
            self.skipTest(f"this Rev sends nothing to this machine: {refused}")
        try:
            call = self.rev.meter(agent_id=unique("agent"), action="x", outcome="success")
            give_up = time.monotonic() + 20
            while time.monotonic() < give_up:
                arrived.wait(1)
                arrived.clear()
                events = [verify_webhook(body, headers, endpoint["secret"]) for body, headers in received]
                mine = [event for event in events if event.data["outcome_id"] == call.outcome_id]
                if mine:
                    break
            self.assertEqual((mine[0].type, mine[0].data.outcome_bonus), ("outcome.succeeded", call.price.outcome_bonus))
        finally:
            self.rev.request("PATCH", f"/v1/webhook_endpoints/{endpoint['id']}", body={"status": "disabled"})


class ExactlyOnce(Case):
    def proxied(self, proxy, **options):
        options.setdefault("track", TrackOptions(spool_dir=self.folder, flush_interval=0.05))
        return {"base_url": proxy.url, "timeout": 1.0, "max_retries": 30, **options}

    def test_every_meter_counts_once_under_faults(self):
        customer = unique("customer")
        with FaultProxy(URL, faulty(1)) as proxy:
            rev = Rev(**self.proxied(proxy))
            receipts, lock = [], threading.Lock()

            def work():
                for _ in range(40):
                    receipt = rev.meter(agent_id="e2e", action="x", customer_id=customer, tokens_input=7)
                    with lock:
                        receipts.append(receipt)

            with mock.patch("revgrid._config.backoff", lambda *_: random.uniform(0, 0.02)):
                threads = [threading.Thread(target=work) for _ in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            rev.close()
            self.assertTrue(all(proxy.seen.get(fault) for fault in FAULTS), proxy.seen)
        self.assertEqual(len({receipt.event_id for receipt in receipts}), 320)
        self.assertEqual(self.counted(customer), (320, 320 * 7))

    def test_every_meter_counts_once_under_faults_on_asyncio(self):
        customer = unique("customer")

        async def main(proxy):
            async with AsyncRev(**self.proxied(proxy)) as rev:
                limit = asyncio.Semaphore(8)

                async def one():
                    async with limit:
                        return await rev.meter(agent_id="e2e", action="x", customer_id=customer, tokens_input=7)

                return await asyncio.gather(*(one() for _ in range(320)))

        with FaultProxy(URL, faulty(2)) as proxy:
            with mock.patch("revgrid._config.backoff", lambda *_: random.uniform(0, 0.02)):
                receipts = asyncio.run(main(proxy))
            self.assertTrue(all(proxy.seen.get(fault) for fault in FAULTS), proxy.seen)
        self.assertEqual(len({receipt.event_id for receipt in receipts}), 320)
        self.assertEqual(self.counted(customer), (320, 320 * 7))

    def test_ten_thousand_tracked_calls_with_the_service_unreachable_in_between(self):
        customer = unique("customer")
        with FaultProxy(URL, faulty(3, 0.2)) as proxy:
            with mock.patch("revgrid._track.backoff", lambda *_: random.uniform(0, 0.1)):
                rev = Rev(**self.proxied(proxy))
                for number in range(10_000):
                    if number == 3_000:
                        proxy.stop()
                    if number == 7_000:
                        self.assertGreaterEqual(rev.stats().pending, 3_500)
                        proxy.start()
                    rev.track(agent_id="e2e", action="x", customer_id=customer, tokens_input=3)
                    if number % 500 == 0:
                        time.sleep(0.1)  # Time in which something is sent, or fails to be.
                self.assertTrue(rev.flush(60))
            stats = rev.stats()
            self.assertEqual((stats.tracked, stats.accepted + stats.duplicates, stats.pending, stats.rejected, stats.lost), (10_000, 10_000, 0, 0, 0))
            self.assertGreater(stats.failures, 0)
            self.assertTrue(rev.close())
        self.assertEqual(self.counted(customer), (10_000, 30_000))

    @unittest.skipUnless(sys.platform != "win32", "kill -9 is POSIX's")
    def test_ten_thousand_tracked_calls_of_processes_that_are_killed(self):
        customer = unique("customer")
        program = f"""
import sys
from revgrid import Rev, TrackOptions
rev = Rev(base_url=sys.argv[1], timeout=2, track=TrackOptions(spool_dir={self.folder!r}, flush_interval=0.05, batch_size=100))
for number in range(int(sys.argv[2])):
    rev.track(agent_id="e2e", action="x", customer_id={customer!r}, idempotency_key=f"{customer}-{{sys.argv[3]}}-{{number}}")
    print(number, flush=True)
"""
        done = 0
        with FaultProxy(URL, faulty(4, 0.3), slow=1.0) as proxy:
            generation = 0
            while done < 10_000:
                generation += 1
                if generation == 3:
                    proxy.stop()
                if generation == 5:
                    proxy.start()
                process = subprocess.Popen(
                    [sys.executable, "-c", program, proxy.url, str(10_000 - done), str(generation)], stdout=subprocess.PIPE, text=True
                )
                target = min(2000, 10_000 - done)
                numbers = 0
                for _ in process.stdout:
                    numbers += 1
                    if numbers == target:
                        break
                os.kill(process.pid, signal.SIGKILL)
                numbers += sum(1 for line in process.stdout if line.endswith("\n"))
                process.wait()
                process.stdout.close()
                done += numbers
            rev = Rev(base_url=proxy.url, timeout=5, track=TrackOptions(spool_dir=self.folder))
            with mock.patch("revgrid._track.backoff", lambda *_: random.uniform(0, 0.1)):
                self.assertTrue(rev.flush(60))
            stats = rev.stats()
            self.assertEqual((stats.pending, stats.rejected, stats.lost), (0, 0, 0))
            rev.close()
        # A process may have tracked one more call than it could tell of.
        billed, _ = self.counted(customer)
        self.assertTrue(done <= billed <= done + generation, (done, billed, generation))
        keys = collections.Counter(event.event_id for event in self.rev.list_events(customer_id=customer, page_size=200))
        self.assertEqual((len(keys), set(keys.values())), (billed, {1}))


if __name__ == "__main__":
    unittest.main()
