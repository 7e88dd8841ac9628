import asyncio
import logging
import shutil
import tempfile
import unittest
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from unittest import mock

from revgrid import AsyncRev, InvalidRequestError, Rev, TrackOptions, current_run
from tests.servers import FakeRev, answer, problem

KEY = "rg_test_abcdefgh"
USAGE = {"prompt_tokens": 1200, "completion_tokens": 340, "total_tokens": 1540}


class Case(unittest.TestCase):
    def setUp(self):
        self.server = FakeRev()
        self.addCleanup(self.server.stop)
        self.folder = tempfile.mkdtemp(prefix="revgrid-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.options = {
            "api_key": KEY, "base_url": self.server.url, "timeout": 5, "max_retries": 1,
            "track": TrackOptions(spool_dir=self.folder, flush_interval=0.05),
        }
        self.rev = Rev(**self.options)
        self.addCleanup(self.rev.close)
        logging.getLogger("revgrid").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("revgrid").setLevel, logging.NOTSET)

    def body(self, number=-1):
        """The call as it was sent, without the time of the work."""
        body = dict(self.server.requests[number].json)
        self.assertIn("occurred_at", body)
        del body["occurred_at"]
        return body

    def run_of(self, **fields):
        return self.rev.run(agent_id="a", action="x", **fields)


class Blocks(Case):
    def test_success(self):
        with self.run_of(customer_id="c", metadata={"campaign": "q2"}) as run:
            run.tokens({"model": "gpt-5", "usage": USAGE})
            run.tokens(SimpleNamespace(prompt_tokens=10, completion_tokens=5, total_tokens=15))
            run.add_tokens(input=1, output=2)
            run.success(metadata={"reply": True})
        self.assertEqual(
            self.body(),
            {
                "agent_id": "a", "action": "x", "customer_id": "c", "model": "gpt-5", "tokens_input": 1211, "tokens_output": 347,
                "outcome": "success", "metadata": {"campaign": "q2", "reply": True},
            },
        )
        self.assertEqual(run.receipt.agent_id, "a")
        self.assertEqual(self.server.requests[0].headers["idempotency-key"], run.idempotency_key)
        self.assertFalse(run.tracked)

    def test_an_exception_is_a_failure_and_goes_on(self):
        with self.assertRaisesRegex(KeyError, "gone"):
            with self.run_of() as run:
                run.tokens(USAGE)
                run.success()
                raise KeyError("gone")
        self.assertEqual(self.body()["outcome"], "failure")
        self.assertEqual(self.body()["metadata"], {"error": "KeyError"})
        self.assertEqual(self.body()["tokens_input"], 1200)

    def test_pending_is_resolved_later(self):
        with self.run_of() as run:
            run.pending(expires_at=datetime.now(timezone.utc) + timedelta(days=7))
        self.assertEqual(self.body()["outcome"], "pending")
        self.assertRegex(self.body()["expires_at"], "Z$")
        self.assertTrue(run.receipt.outcome_id)
        with self.assertRaises(ValueError):
            with self.run_of() as run:
                run.pending(expires_at=datetime(2026, 1, 1))

    def test_a_run_that_says_nothing(self):
        with self.run_of():
            pass
        self.assertNotIn("outcome", self.body())
        with self.run_of(outcome="success"):
            pass
        self.assertEqual(self.body()["outcome"], "success")

    def test_the_last_word_counts(self):
        with self.run_of() as run:
            run.pending(expires_at=datetime.now(timezone.utc) + timedelta(days=7))
            run.failure({"why": "bounced"})
        self.assertEqual(self.body(), {"agent_id": "a", "action": "x", "tokens_input": 0, "tokens_output": 0, "outcome": "failure", "metadata": {"why": "bounced"}})

    def test_two_models(self):
        with self.assertNoLogs("revgrid") if hasattr(self, "assertNoLogs") else mock.MagicMock():
            with self.run_of(model="told") as run:
                run.tokens({"model": "small", "usage": USAGE})
        self.assertEqual(self.body()["model"], "told")
        logging.getLogger("revgrid").setLevel(logging.NOTSET)
        with self.assertLogs("revgrid", "WARNING"):
            with self.run_of() as run:
                run.tokens({"model": "small", "usage": USAGE})
                run.tokens({"model": "large", "usage": USAGE})
        self.assertEqual(self.body()["model"], "small")

    def test_wrong_arguments_are_told_at_the_beginning(self):
        with self.assertRaises(ValueError):
            self.rev.run(agent_id="", action="x")
        with self.assertRaises(ValueError):
            self.run_of(outcome="won")

    def test_once(self):
        scope = self.run_of()
        with scope:
            pass
        with self.assertRaises(RuntimeError):
            scope.__enter__()

    def test_the_run_that_code_is_in(self):
        self.assertIsNone(current_run())
        with self.run_of() as outer:
            self.assertIs(current_run(), outer)
            with self.run_of() as inner:
                self.assertIs(current_run(), inner)
            self.assertIs(current_run(), outer)
        self.assertIsNone(current_run())

    def test_a_service_that_is_away_does_not_break_the_agent(self):
        self.server.faults.extend([("after",), ("status", 503)])
        with mock.patch("revgrid._config.backoff", return_value=0.0):
            with self.run_of() as run:
                run.success()
        self.assertTrue(run.tracked)
        self.assertIsNone(run.receipt)
        self.assertTrue(self.rev.flush())
        # The first try was stored: the tracked call is the same call.
        self.assertEqual(list(self.server.stored), [run.idempotency_key])
        self.assertEqual(self.rev.stats().duplicates, 1)

    def test_an_answer_that_cannot_be_read_is_no_refusal(self):
        for reply in (answer(200, b"<html>", content_type="text/html"), answer(201, [1]), answer(201, {"occurred_at": 5})):
            with self.subTest(reply[-20:]), mock.patch("revgrid._config.backoff", return_value=0.0):
                self.server.routes["POST /v1/meter"] = reply
                with self.run_of() as run:
                    run.success()
                self.assertTrue(run.tracked)
                self.assertTrue(self.rev.flush())
                self.assertIn(run.idempotency_key, self.server.stored)

    def test_an_interruption_while_the_call_waits_for_room(self):
        with mock.patch.object(self.rev, "track", side_effect=KeyboardInterrupt), self.assertRaises(KeyboardInterrupt):
            with self.run_of(background=True) as run:
                run.success()
        self.assertTrue(run.tracked)
        self.assertTrue(self.rev.flush())
        self.assertEqual(list(self.server.stored), [run.idempotency_key])

    def test_wrong_counts_are_told_at_once(self):
        with self.run_of() as run:
            for wrong in ((1.5, 0), (0, "1"), (-1, 0)):
                with self.assertRaises((TypeError, ValueError)):
                    run.add_tokens(*wrong)

    def test_the_agent_waits_for_two_repeats_at_most(self):
        self.server.faults.extend([("status", 503)] * 3)
        with mock.patch("revgrid._config.backoff", return_value=0.0):
            with self.rev.with_options(max_retries=5).run(agent_id="a", action="x") as run:
                run.success()
        self.assertTrue(run.tracked)
        self.assertEqual([request.path for request in self.server.requests[:3]], ["/v1/meter"] * 3)
        self.assertTrue(self.rev.flush())
        self.assertEqual(list(self.server.stored), [run.idempotency_key])

    def test_a_refusal_is_raised_unless_the_run_failed_anyway(self):
        self.server.routes["POST /v1/meter"] = problem(400, "request.invalid")
        with self.assertRaises(InvalidRequestError):
            with self.run_of() as run:
                run.success()
        with self.assertRaises(ZeroDivisionError) as caught:
            with self.run_of():
                1 / 0
        if hasattr(caught.exception, "__notes__"):
            self.assertIn("could not meter", caught.exception.__notes__[0])
        with self.assertRaises(ZeroDivisionError):
            with self.run_of() as run:
                run.success({"x": object()})
                1 / 0
        with self.assertRaisesRegex(TypeError, "cannot be sent"):
            with self.run_of() as run:
                run.success({"x": object()})

    def test_a_clock_that_is_ahead_does_not_break_the_agent(self):
        self.server.routes["POST /v1/meter"] = problem(400, "request.invalid", errors={"occurred_at": ["too far ahead"]})
        with self.run_of() as run:
            run.success()
        self.assertTrue(run.tracked)
        self.assertTrue(self.rev.flush())

    def test_interrupted_while_it_is_metered(self):
        with mock.patch.object(Rev, "_send", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                with self.run_of() as run:
                    run.success()
        self.assertTrue(run.tracked)
        self.assertTrue(self.rev.flush())
        self.assertEqual(self.server.stored[run.idempotency_key]["outcome"], "success")

    def test_in_the_background(self):
        with self.run_of(background=True) as run:
            run.success()
        self.assertTrue(run.tracked)
        self.assertTrue(self.rev.flush())
        self.assertEqual(list(self.server.stored), [run.idempotency_key])

    def test_an_interrupted_program_does_not_wait_for_the_network(self):
        with self.assertRaises(KeyboardInterrupt):
            with self.run_of() as run:
                raise KeyboardInterrupt
        self.assertTrue(run.tracked)
        self.assertTrue(self.rev.flush())
        self.assertEqual(self.server.stored[run.idempotency_key]["outcome"], "failure")


class Decorators(Case):
    def test_each_call_is_a_run(self):
        @self.rev.run(agent_id="a", action="x")
        def work(value, run):
            """Works."""
            run.tokens(USAGE)
            run.success({"value": value})
            return value * 2

        self.assertEqual((work(1), work(2)), (2, 4))
        self.assertEqual([body["metadata"] for body in self.server.stored.values()], [{"value": 1}, {"value": 2}])
        self.assertEqual((work.__name__, work.__doc__), ("work", "Works."))

    def test_a_function_that_does_not_take_the_run(self):
        @self.rev.run(agent_id="a", action="x", outcome="success")
        def work():
            current_run().add_tokens(5, 6)

        work()
        self.assertEqual((self.body()["tokens_input"], self.body()["outcome"]), (5, "success"))

    def test_a_failure(self):
        @self.rev.run(agent_id="a", action="x", outcome="success")
        def work():
            raise ValueError("no")

        with self.assertRaisesRegex(ValueError, "no"):
            work()
        self.assertEqual(self.body()["outcome"], "failure")

    def test_an_async_function_under_the_blocking_client(self):
        @self.rev.run(agent_id="a", action="x")
        async def work(run, fail=False):
            await asyncio.sleep(0)
            self.assertIs(current_run(), run)
            run.success()
            if fail:
                raise ValueError("no")
            return 5

        self.assertEqual(asyncio.run(work()), 5)
        with self.assertRaises(ValueError):
            asyncio.run(work(fail=True))
        self.assertEqual([body["outcome"] for body in self.server.stored.values()], ["success", "failure"])

    def test_what_is_no_run(self):
        with self.assertRaises(TypeError):
            @self.run_of()
            def work():
                yield 1

        with self.assertRaises(ValueError):
            @self.run_of(idempotency_key="k")
            def again():
                pass


class AsyncRuns(Case):
    def go(self, main):
        async def outer():
            async with AsyncRev(**self.options) as rev:
                return await main(rev)

        return asyncio.run(outer())

    def test_blocks(self):
        async def main(rev):
            async with rev.run(agent_id="a", action="x") as run:
                run.tokens(USAGE)
                run.success()
            return run

        run = self.go(main)
        self.assertEqual(run.receipt.agent_id, "a")
        self.assertEqual(self.body()["outcome"], "success")

    def test_runs_side_by_side(self):
        async def main(rev):
            @rev.run(agent_id="a", action="x")
            async def work(number, run):
                await asyncio.sleep(0.01)
                self.assertIs(current_run(), run)
                run.add_tokens(number)
                run.success()

            await asyncio.gather(*(work(number) for number in range(1, 21)))
            with self.assertRaises(TypeError):
                rev.run(agent_id="a", action="x")(lambda: None)

        self.go(main)
        self.assertEqual(sorted(body["tokens_input"] for body in self.server.stored.values()), list(range(1, 21)))

    def test_a_cancelled_run_is_a_failure_and_does_not_wait(self):
        async def main(rev):
            runs = []

            async def work():
                async with rev.run(agent_id="a", action="x") as run:
                    runs.append(run)
                    await asyncio.sleep(60)

            task = asyncio.create_task(work())
            await asyncio.sleep(0.05)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(runs[0].tracked)
            self.assertTrue(await rev.flush())
            return runs[0]

        run = self.go(main)
        self.assertEqual(self.server.stored[run.idempotency_key]["outcome"], "failure")

    def test_cancelled_while_it_is_metered(self):
        self.server.faults.append(("slow", 0.5))

        async def main(rev):
            runs = []

            async def work():
                async with rev.run(agent_id="a", action="x") as run:
                    runs.append(run)
                    run.success()

            task = asyncio.create_task(work())
            await asyncio.sleep(0.2)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertTrue(await rev.flush())
            return runs[0]

        run = self.go(main)
        self.assertEqual(list(self.server.stored), [run.idempotency_key])
        self.assertEqual(self.server.stored[run.idempotency_key]["outcome"], "success")


if __name__ == "__main__":
    unittest.main()
