import glob
import json
import logging
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from datetime import datetime, timedelta, timezone
from unittest import mock

from revgrid import Rev, RevConfigError, RevQueueFullError, TrackOptions
from tests.servers import FakeRev, answer, problem

KEY = "rg_test_abcdefgh"
CALL = {"agent_id": "a", "action": "x"}
POSIX = sys.platform != "win32"


def read(name):
    with open(name, "rb") as file:
        return file.read()


def until(condition, seconds=10.0):
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)


class Case(unittest.TestCase):
    def setUp(self):
        self.server = FakeRev()
        self.addCleanup(self.server.stop)
        self.folder = tempfile.mkdtemp(prefix="revgrid-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        logging.getLogger("revgrid").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("revgrid").setLevel, logging.NOTSET)
        self.clients = []
        self.addCleanup(lambda: [rev.close(0) for rev in self.clients])

    def client(self, key=KEY, timeout=5, **options):
        options = {"spool_dir": self.folder, "flush_interval": 0.05, **options}
        rev = Rev(api_key=key, base_url=self.server.url, timeout=timeout, track=TrackOptions(**options))
        self.clients.append(rev)
        return rev

    def files(self, pattern="*/*/*.jsonl"):
        return sorted(glob.glob(os.path.join(self.folder, pattern)))

    def lines(self):
        return [json.loads(line) for name in self.files() for line in read(name).splitlines()]

    def holds(self, rev):
        stats = rev.stats()
        self.assertEqual(
            stats.tracked + stats.recovered, stats.accepted + stats.duplicates + stats.rejected + stats.lost + stats.pending, stats
        )
        return stats

    def patient(self):
        """Back-off without the waiting."""
        return mock.patch("revgrid._track.backoff", return_value=0.0)


class Sending(Case):
    def test_calls_are_sent_in_batches(self):
        rev = self.client(batch_size=100)
        keys = [rev.track(CALL, tokens_input=number) for number in range(1000)]
        self.assertTrue(rev.flush())
        self.assertEqual(set(self.server.stored), set(keys))
        self.assertLessEqual(len(self.server.requests), 25)
        stats = self.holds(rev)
        self.assertEqual((stats.tracked, stats.accepted, stats.pending, stats.pending_bytes), (1000, 1000, 0, 0))
        self.assertEqual(self.lines(), [])
        self.assertTrue(rev.close())
        self.assertEqual(len(self.files("*/about.json")), 1)
        self.assertEqual(self.files("*/*-*"), [])

    def test_the_interval_and_the_size_of_a_batch(self):
        rev = self.client(flush_interval=1.5, batch_size=10)
        rev.track(CALL)
        time.sleep(0.2)
        self.assertEqual(self.server.requests, [])
        until(lambda: len(self.server.stored) == 1)
        rev = self.client(flush_interval=60, batch_size=10)
        for _ in range(10):
            rev.track(CALL)
        until(lambda: len(self.server.stored) == 11)

    def test_batches_are_bounded_in_bytes(self):
        rev = self.client(batch_bytes=10_000)
        for _ in range(20):
            rev.track(CALL, metadata={"x": "y" * 3000})
        self.assertTrue(rev.flush())
        self.assertTrue(all(len(request.body) < 11_000 for request in self.server.requests))

    def test_key_and_time_are_fixed_when_it_is_tracked(self):
        self.server.faults.append(("status", 503))
        rev = self.client()
        before = datetime.now(timezone.utc)
        key = rev.track(CALL)
        own = rev.track({**CALL, "idempotency_key": "own", "occurred_at": "2026-11-01T00:00:00Z"})
        with self.patient():
            self.assertTrue(rev.flush())
        self.assertEqual(own, "own")
        sent = [request.json["events"] for request in self.server.requests]
        self.assertEqual(sent[0][0], next(event for event in sent[-1] if event["idempotency_key"] == key))
        when = datetime.fromisoformat(self.server.stored[key]["occurred_at"].replace("Z", "+00:00"))
        self.assertLess(abs(when - before), timedelta(seconds=5))
        self.assertEqual(self.server.stored["own"]["occurred_at"], "2026-11-01T00:00:00Z")

    def test_wrong_calls_are_told_at_once(self):
        rev = self.client()
        for call in ({"agent_id": "a"}, {**CALL, "token_input": 1}, {**CALL, "metadata": {"x": object()}}, {**CALL, "metadata": {"x": "\ud800"}}):
            with self.subTest(call), self.assertRaises((ValueError, TypeError)):
                rev.track(call)
        with self.assertRaisesRegex(ValueError, "1 MiB"):
            rev.track(CALL, metadata={"x": "y" * 1_100_000})
        self.assertEqual(rev.stats().tracked, 0)

    def test_every_fault_is_survived_and_counts_once(self):
        for fault in (
            ("before",), ("after",), ("reset",), ("half",), ("slow", 1.0), ("status", 500), ("status", 503), ("status", 429, [("Retry-After", "0")]),
            ("status", 408), ("status", 401), ("status", 404), ("bytes", b"nonsense\r\n\r\n"),
            ("bytes", answer(200, {"results": []})), ("bytes", answer(200, b"<html>", content_type="text/html")),
        ):
            with self.subTest(fault), mock.patch("revgrid._track.backoff", return_value=-1.0):
                before = len(self.server.stored)
                self.server.faults.append(fault)
                rev = self.client(timeout=0.5)
                for _ in range(10):
                    rev.track(CALL)
                self.assertTrue(rev.flush(10))
                self.assertEqual(len(self.server.stored), before + 10)
                stats = self.holds(rev)
                self.assertEqual((stats.accepted + stats.duplicates, stats.failures), (10, 1))
                self.assertIsNotNone(stats.last_error)

    def test_retry_after_is_honoured_also_by_flush(self):
        self.server.faults.append(("status", 503, [("Retry-After", "1")]))
        rev = self.client()
        rev.track(CALL)
        until(lambda: rev.stats().failures == 1)
        begun = time.monotonic()
        self.assertTrue(rev.flush())
        self.assertGreater(time.monotonic() - begun, 0.8)

    def test_an_absurd_retry_after_does_not_end_the_sending(self):
        for value in ("Fri, 31 Dec 9999 23:59:59 GMT", "999999999", "1" * 400, "Fri, 31 Dec 99999 23:59:59 GMT", "-5", "x"):
            with self.subTest(value[:20]):
                self.server.faults.append(("status", 503, [("Retry-After", value)]))
                rev = self.client()
                rev.track(CALL)
                until(lambda: rev.stats().failures == 1)
                time.sleep(0.05)
                self.assertTrue(rev._tracker._thread.is_alive())
                self.assertLess(rev._tracker._not_before - time.monotonic(), 61)
                rev._tracker._asked_to_wait = False
                self.assertTrue(rev.flush())
                self.assertEqual(self.holds(rev).accepted, 1)
                rev.close()

    def test_waiting_for_any_time(self):
        rev = self.client(flush_interval=1e6)
        rev.track(CALL)
        self.assertTrue(rev.flush(float("inf")))
        self.assertTrue(rev.close(float("inf")))

    def test_where_calls_wait(self):
        self.server.stop()
        for spool, counts in ((self.folder, (0, 3)), (None, (3, 0))):
            rev = self.client(spool_dir=spool, flush_interval=60)
            for _ in range(3):
                rev.track(CALL)
            stats = self.holds(rev)
            self.assertEqual((stats.queued, stats.spooled, stats.pending), (*counts, 3))
            rev.close(0)
            stats = self.holds(rev)
            self.assertEqual((stats.queued, stats.spooled, stats.lost), (0, counts[1], counts[0]))

    def test_a_batch_that_is_answered_twice_counts_once(self):
        self.server.stop()
        rev = self.client(flush_interval=60)
        for _ in range(3):
            rev.track(CALL)
        entries = []
        rev._tracker._take_next(entries)
        for _ in range(2):
            rev._tracker._settle(entries[0], "accepted")
        stats = self.holds(rev)
        self.assertEqual((stats.accepted, stats.pending), (1, 2))
        self.assertEqual(len(self.lines()), 3)

    def test_flush_that_takes_too_long(self):
        rev = self.client()
        self.server.stop()
        rev.track(CALL)
        self.assertFalse(rev.flush(0.3))
        self.server.start()
        self.assertTrue(rev.flush(10))

    def test_threads(self):
        rev = self.client(batch_size=50)
        threads = [threading.Thread(target=lambda: [rev.track(CALL) for _ in range(200)]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 1600)
        self.holds(rev)


class PartialFailure(Case):
    def test_a_refused_item_does_not_spoil_the_others(self):
        told = []
        self.server.rules.append(
            lambda event: (400, "request.invalid", {"action": ["no"]}) if event["action"] == "bad" else None
        )
        rev = self.client(on_rejected=lambda call, error: told.append((call, error)))
        for number in range(10):
            rev.track(agent_id="a", action="bad" if number == 5 else "x")
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 9)
        stats = self.holds(rev)
        self.assertEqual((stats.accepted, stats.rejected), (9, 1))
        self.assertEqual((told[0][0]["action"], told[0][1].errors), ("bad", {"action": ["no"]}))
        kept = json.loads(read(self.files("*/rejected.jsonl")[0]))
        self.assertEqual((kept["call"]["action"], kept["error"]["code"]), ("bad", "request.invalid"))
        self.assertIn("idempotency_key", kept["call"])

    def test_a_callback_that_fails_does_no_harm(self):
        self.server.rules.append(lambda event: (409, "idempotency.key_reused", None) if event["action"] == "bad" else None)
        rev = self.client(on_rejected=lambda call, error: 1 / 0)
        rev.track(agent_id="a", action="bad")
        rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual(self.holds(rev).rejected, 1)

    def test_a_refused_call_that_cannot_be_kept_is_in_the_log(self):
        self.server.rules.append(lambda event: (400, "request.invalid", None))
        logging.getLogger("revgrid").setLevel(logging.NOTSET)
        rev = self.client()
        with mock.patch("revgrid._spool.Account.reject", side_effect=OSError(28, "No space left on device")):
            with self.assertLogs("revgrid", "ERROR") as logs:
                rev.track(CALL, metadata={"order": "o-77"})
                self.assertTrue(rev.flush())
        self.assertIn("o-77", "".join(logs.output))
        self.assertEqual(self.holds(rev).rejected, 1)

    def test_an_item_that_may_succeed_later_is_sent_again(self):
        tries = []

        def rule(event):
            if event["action"] != "later":
                return None
            tries.append(1)
            return (503, "service.unavailable", None) if len(tries) < 5 else None

        self.server.rules.append(rule)
        rev = self.client()
        rev.track(agent_id="a", action="later")
        for _ in range(5):
            rev.track(CALL)
        with self.patient():
            self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 6)
        self.assertEqual(self.holds(rev).accepted, 6)

    def test_an_archived_call_was_stored(self):
        self.server.rules.append(lambda event: (409, "event.archived", None))
        rev = self.client()
        rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual((rev.stats().duplicates, rev.stats().rejected), (1, 0))

    def test_a_clock_that_is_ahead_delays_and_loses_nothing(self):
        def rule(event):
            ahead = datetime.fromisoformat(event["occurred_at"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
            return (400, "request.invalid", {"occurred_at": ["too far ahead"]}) if ahead > timedelta(minutes=5) else None

        self.server.rules.append(rule)
        rev = self.client()
        rev.track(CALL, occurred_at=datetime.now(timezone.utc) + timedelta(minutes=5, seconds=1.5))
        rev.track(CALL, occurred_at=datetime.now(timezone.utc) + timedelta(days=40))
        self.assertTrue(rev.flush(10))
        stats = self.holds(rev)
        self.assertEqual((stats.accepted, stats.rejected), (1, 1))

    def spoiled(self, request, status, code):
        if any(event["action"] == "bad" for event in request.json["events"]):
            return problem(status, code)
        del self.server.routes["POST /v1/meter/batch"]
        try:
            return self.server.reply(request)
        finally:
            self.server.routes["POST /v1/meter/batch"] = lambda again: self.spoiled(again, status, code)

    def test_a_call_that_spoils_its_batch_is_found(self):
        for status, code in ((400, "body.malformed_json"), (413, "body.too_large")):
            with self.subTest(status):
                self.server.routes["POST /v1/meter/batch"] = lambda again: self.spoiled(again, status, code)
                before = len(self.server.stored)
                rev = self.client(flush_interval=60)
                for number in range(64):
                    rev.track(agent_id="a", action="bad" if number == 40 else "x")
                self.assertTrue(rev.flush())
                stats = self.holds(rev)
                self.assertEqual((stats.accepted, stats.rejected), (63, 1))
                self.assertEqual(len(self.server.stored), before + 63)

    def test_a_call_that_breaks_the_service_is_put_off_alone(self):
        self.server.routes["POST /v1/meter/batch"] = lambda again: self.spoiled(again, 500, "internal.error")
        rev = self.client(flush_interval=60)
        for number in range(64):
            rev.track(agent_id="a", action="bad" if number == 40 else "x")
        with mock.patch("revgrid._track.backoff", return_value=-0.2):
            until(lambda: rev.flush(0.1) or rev.stats().accepted == 63)
        self.assertEqual(self.holds(rev).pending, 1)
        self.assertEqual(rev.stats().rejected, 0)


class BackPressure(Case):
    def test_as_many_as_may_wait(self):
        self.server.stop()
        for spool, limits in (
            (self.folder, {"max_pending": 5}),
            (self.folder, {"max_pending_bytes": 900}),
            (None, {"max_memory_pending": 5}),
            (None, {"max_memory_bytes": 900}),
        ):
            with self.subTest(spool=spool is not None, **limits):
                rev = self.client(spool_dir=spool, on_full="raise", **limits)
                with self.assertRaises(RevQueueFullError):
                    for _ in range(10):
                        rev.track(CALL)
                stats = self.holds(rev)
                self.assertTrue(1 <= stats.tracked <= 6 and stats.refused == 1, stats)
                rev.close(0)

    def test_waiting_for_room(self):
        rev = self.client(max_pending=10, batch_size=10, flush_interval=0.01, block_timeout=10)
        for _ in range(200):
            rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 200)

    def test_waiting_has_an_end(self):
        self.server.stop()
        rev = self.client(max_pending=1, block_timeout=0.2)
        rev.track(CALL)
        begun = time.monotonic()
        with self.assertRaises(RevQueueFullError):
            rev.track(CALL)
        self.assertTrue(0.15 < time.monotonic() - begun < 2)


class Memory(Case):
    def test_without_a_spool(self):
        rev = self.client(spool_dir=None)
        for _ in range(100):
            rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 100)
        self.assertEqual(os.listdir(self.folder), [])
        self.assertTrue(rev.close())

    def test_what_is_lost_is_counted_and_told(self):
        logging.getLogger("revgrid").setLevel(logging.NOTSET)
        self.server.stop()
        rev = self.client(spool_dir=None)
        rev.track(CALL)
        with self.assertLogs("revgrid", "ERROR") as logs:
            self.assertFalse(rev.close(0.2))
        self.assertIn("1 calls were kept in memory only and are lost", "".join(logs.output))
        self.assertEqual(self.holds(rev).lost, 1)

    def test_a_disk_that_fails_leaves_calls_in_memory(self):
        rev = self.client(flush_interval=60)
        rev.track(CALL)
        with mock.patch("revgrid._spool.os.write", side_effect=OSError(28, "No space left on device")):
            rev.track(CALL)
            stats = self.holds(rev)
            self.assertEqual((stats.pending, stats.spool_errors), (2, 1))
            self.assertIn("No space left", stats.last_error)
        rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 3)
        self.holds(rev)

    def test_flush_waits_for_what_is_on_disk_while_memory_fills(self):
        rev = self.client(flush_interval=60)
        rev.track(CALL)
        fails = mock.patch("revgrid._spool.os.write", side_effect=OSError(28, "No space left on device"))
        seen = []

        def take(request):
            seen.append(1)
            if len(seen) == 1:
                rev.track(CALL)
            if len(seen) == 3:
                time.sleep(0.3)
            del self.server.routes["POST /v1/meter/batch"]
            reply = self.server.reply(request)
            self.server.routes["POST /v1/meter/batch"] = take
            return reply

        self.server.routes["POST /v1/meter/batch"] = take
        with fails:
            rev.track(CALL)
            self.assertTrue(rev.flush())
            stats = self.holds(rev)
        self.assertEqual((len(seen), stats.accepted), (3, 3))

    def test_a_line_of_which_the_disk_takes_a_part(self):
        rev = self.client(flush_interval=60)
        rev.track(CALL)
        real = os.write
        with mock.patch("revgrid._spool.os.write", side_effect=lambda handle, data: real(handle, data[:10])):
            rev.track(CALL)
        rev.track(CALL)
        self.assertEqual(len(self.lines()), 2)
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 3)

    def test_a_disk_that_cannot_lock(self):
        with mock.patch("revgrid._spool._try_lock", return_value=False):
            rev = self.client(flush_interval=60)
            for _ in range(10):
                rev.track(CALL)
            self.assertEqual((self.holds(rev).pending, self.files("*/*-*")), (10, []))
            self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 10)

    def test_a_full_disk_is_not_filled_with_names(self):
        rev = self.client(flush_interval=60)
        with mock.patch("revgrid._spool.os.replace", side_effect=OSError(28, "No space left on device")) as replace:
            for _ in range(50):
                rev.track(CALL)
            self.assertEqual(self.files("*/about*"), [])
            self.assertLess(replace.call_count, 3)
        self.assertEqual((self.holds(rev).queued, rev.stats().lost), (50, 0))
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 50)

    def test_a_folder_that_cannot_be_made(self):
        path = os.path.join(self.folder, "file")
        open(path, "w").close()
        rev = self.client(spool_dir=os.path.join(path, "spool"))
        rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 1)
        self.assertGreaterEqual(rev.stats().spool_errors, 1)


class Spool(Case):
    def test_a_file_that_cannot_be_opened_for_a_while_keeps_its_calls(self):
        real = open

        def fails(path, *rest, **more):
            if str(path).endswith(".jsonl"):
                raise OSError(24, "Too many open files")
            return real(path, *rest, **more)

        first = self.client(flush_interval=60)
        self.server.stop()
        for _ in range(3):
            first.track(CALL)
        first.close(0)
        self.server.start()
        rev = self.client(flush_interval=60)
        rev.track(CALL)
        self.assertTrue(rev.flush())
        for _ in range(5):
            rev.track(CALL)
        with mock.patch("revgrid._spool.open", fails, create=True):
            self.assertFalse(rev.flush(0.5))
            stats = self.holds(rev)
            self.assertEqual((stats.lost, stats.spooled), (0, 5))
            self.assertIn("Too many open files", stats.last_error)
            self.assertLess(stats.spool_errors, 10)
        self.assertEqual(len(self.lines()), 5)
        self.assertTrue(rev.flush())
        self.assertEqual((len(self.server.stored), self.holds(rev).lost), (9, 0))

    def test_calls_wait_on_disk_wherever_the_program_goes(self):
        text = "os.chdir('/')\nrev.track(CALL)\nos.chdir(os.path.dirname(sys.executable))\nassert rev.flush() and rev.stats().accepted == 1, rev.stats()\n"
        done = program(text, self.server, os.path.relpath(self.folder))
        _, err = done.communicate(timeout=30)
        self.assertEqual((done.returncode, err), (0, ""))
        self.assertEqual(len(self.files("*/about.json")), 1)

    def test_lines_that_are_no_calls_stop_nothing(self):
        first = self.client()
        self.server.stop()
        key = first.track(CALL)
        first.close(0)
        name = self.files()[0]
        with open(name, "r+b") as file:
            data = file.read()
            file.seek(0)
            file.write(b'5\n[]\n""\nnull\n\n{"agent_id":"a","action":"x"}\n' + data)
        self.server.start()
        second = self.client()
        self.assertTrue(second.flush())
        self.assertEqual(list(self.server.stored), [key])
        self.assertEqual((self.holds(second).rejected, second.stats().accepted), (6, 1))

    def test_calls_of_the_test_mode_are_never_billed(self):
        with self.assertRaisesRegex(RevConfigError, "mode"):
            self.client(key="rg_live_abcdefgh", previous_api_keys=("rg_test_abcdefgh",))
        with self.assertRaises(ValueError):
            TrackOptions(previous_api_keys="rg_live_abcdefgh")
        self.assertEqual(TrackOptions(previous_api_keys=[" rg_live_a\n", ""]).previous_api_keys, ("rg_live_a",))

    def test_a_call_is_in_the_file_when_track_returns(self):
        rev = self.client(flush_interval=60)
        key = rev.track(CALL, metadata={"x": 1})
        self.assertEqual([line["idempotency_key"] for line in self.lines()], [key])

    @unittest.skipUnless(POSIX, "modes are POSIX's")
    def test_nobody_else_can_read_it(self):
        rev = self.client(flush_interval=60)
        rev.track(CALL)
        self.assertEqual(stat.S_IMODE(os.stat(self.files()[0]).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(self.files()[0])).st_mode), 0o700)
        for name in self.files("**/*"):
            if os.path.isfile(name):
                self.assertNotIn(KEY.encode(), read(name))

    def test_fsync_before_track_returns(self):
        rev = self.client(flush_interval=60, fsync="always")
        rev.track(CALL)
        with mock.patch("revgrid._track.os.fsync", wraps=os.fsync) as fsync:
            for _ in range(3):
                rev.track(CALL)
            self.assertEqual(fsync.call_count, 3)

    def test_what_waits_is_on_the_disk_soon(self):
        self.server.faults.append(("status", 503, [("Retry-After", "30")]))
        rev = self.client(flush_interval=0.1)
        rev.track(CALL)
        until(lambda: rev.stats().failures == 1)
        with mock.patch("revgrid._track.os.fsync", wraps=os.fsync) as fsync:
            rev.track(CALL)
            self.assertEqual(fsync.call_count, 0)
            until(lambda: fsync.call_count == 1, 2)
            time.sleep(0.3)
            self.assertEqual(fsync.call_count, 1)
        self.assertEqual(len(self.server.requests), 1)

    def test_segments_are_rotated_and_removed(self):
        with mock.patch("revgrid._spool.SEGMENT_BYTES", 2000):
            rev = self.client(flush_interval=60, batch_size=7)
            self.server.stop()
            keys = [rev.track(CALL) for _ in range(100)]
            self.assertGreater(len(self.files()), 5)
            self.server.start()
            self.assertTrue(rev.flush())
        self.assertEqual(set(self.server.stored), set(keys))
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(os.path.getsize(self.files()[0]), 0)

    def test_what_is_left_is_sent_by_the_next(self):
        first = self.client()
        self.server.stop()
        keys = {first.track(CALL) for _ in range(300)}
        self.assertFalse(first.close(5))
        self.assertEqual(self.holds(first).pending, 300)
        self.server.start()
        second = self.client()
        key = second.track(CALL)
        self.assertTrue(second.flush())
        self.assertEqual(set(self.server.stored), keys | {key})
        stats = self.holds(second)
        self.assertEqual((stats.tracked, stats.recovered, stats.accepted), (1, 300, 301))
        self.assertEqual(len(self.files("*/*-*")), 1)

    def test_flush_alone_sends_what_others_left(self):
        first = self.client()
        self.server.stop()
        for _ in range(12):
            other = self.client()
            other.track(CALL)
            other.close(0)
        first.close(0)
        self.server.start()
        second = self.client()
        self.assertTrue(second.flush())
        self.assertEqual(len(self.server.stored), 12)
        self.assertEqual(self.holds(second).recovered, 12)
        self.assertEqual(self.files("*/*-*"), [])

    def test_the_spool_of_a_living_process_is_left_alone(self):
        self.server.faults.extend([("status", 503)] * 3)
        first = self.client(flush_interval=60)
        first.track(CALL)
        second = self.client()
        self.server.faults.clear()
        self.assertTrue(second.flush())
        self.assertEqual((second.stats().recovered, len(self.server.stored)), (0, 0))
        self.assertTrue(first.flush())

    def test_calls_never_go_to_another_account(self):
        self.server.stop()
        first = self.client(key="rg_test_first123")
        first.track(CALL)
        first.close(0)
        self.server.start()
        logging.getLogger("revgrid").setLevel(logging.NOTSET)
        with self.assertLogs("revgrid", "WARNING") as logs:
            second = self.client(key="rg_test_second12")
            self.assertTrue(second.flush())
        self.assertIn("previous_api_keys", "".join(logs.output))
        self.assertEqual(self.server.stored, {})
        third = self.client(key="rg_test_second12", previous_api_keys=("rg_test_first123",))
        self.assertTrue(third.flush())
        self.assertEqual(len(self.server.stored), 1)
        self.assertEqual(self.server.requests[-1].headers["authorization"], "Bearer rg_test_second12")

    def test_torn_and_unreadable_lines(self):
        first = self.client()
        self.server.stop()
        keys = {first.track(CALL) for _ in range(3)}
        first.close(0)
        name = self.files()[0]
        data = read(name).split(b"\n")
        with open(name, "wb") as file:
            file.write(b"\n".join([data[0], b"\0" * 50, data[1], data[2], b'{"agent_id":"a","act']))
        self.server.start()
        second = self.client()
        self.assertTrue(second.flush())
        self.assertEqual(set(self.server.stored), keys)
        stats = self.holds(second)
        self.assertEqual((stats.torn, stats.rejected, stats.accepted), (2, 1, 3))
        self.assertIn(b"unreadable", read(self.files("*/rejected.jsonl")[0]))

    def test_files_that_somebody_removes_are_counted_as_lost(self):
        rev = self.client(flush_interval=60)
        for _ in range(3):
            rev.track(CALL)
        os.unlink(self.files()[0])
        rev.flush(1)
        self.assertEqual(self.holds(rev).lost, 3)
        rev.track(CALL)
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 1)

    def test_a_batch_that_is_under_way_when_it_is_closed_counts_once(self):
        self.server.faults.append(("slow", 1.0))
        first = self.client()
        key = first.track(CALL)
        until(lambda: self.server.requests)
        first.close(0.05)
        second = self.client()
        self.assertTrue(second.flush())
        self.assertEqual(list(self.server.stored), [key])
        time.sleep(1)
        self.holds(first)


def program(text, server, folder, **options):
    """A process of its own, with a client ``rev``."""
    head = (
        "import os, sys, time, signal\nfrom revgrid import Rev, TrackOptions\n"
        f"rev = Rev(api_key={KEY!r}, base_url={server.url!r}, timeout=5, track=TrackOptions(**{{'spool_dir': {folder!r}, 'flush_interval': 0.05, **{options!r}}}))\n"
        f"CALL = {CALL!r}\n"
    )
    return subprocess.Popen([sys.executable, "-W", "ignore::DeprecationWarning", "-c", head + text], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


class Processes(Case):
    def test_the_end_of_the_program_sends_what_waits(self):
        done = program("for _ in range(100): rev.track(CALL)", self.server, self.folder, flush_interval=60)
        out, err = done.communicate(timeout=30)
        self.assertEqual((done.returncode, err), (0, ""))
        self.assertEqual(len(self.server.stored), 100)
        self.assertEqual(self.files("*/*-*"), [])

    def test_the_end_of_the_program_does_not_wait_for_a_service_that_is_away(self):
        self.server.stop()
        begun = time.monotonic()
        done = program("for _ in range(100): rev.track(CALL)", self.server, self.folder, exit_timeout=20)
        _, err = done.communicate(timeout=30)
        self.assertEqual(done.returncode, 0, err)
        self.assertLess(time.monotonic() - begun, 10)
        self.assertEqual(len(self.lines()), 100)
        self.server.start()
        rev = self.client()
        self.assertTrue(rev.flush())
        self.assertEqual(len(self.server.stored), 100)

    def test_a_call_after_the_end_is_on_disk_or_refused(self):
        for spool in (self.folder, None):
            text = (
                "import atexit\n"
                "def late():\n"
                "    try:\n"
                "        print(rev.track(CALL))\n"
                "    except Exception as error:\n"
                "        print(type(error).__name__)\n"
                # As if it were registered before the package was imported.
                "import revgrid._track as track\n"
                "atexit.unregister(track._at_exit); atexit.register(late); atexit.register(track._at_exit)\n"
                "rev.track(CALL)\n"
            )
            done = program(text, self.server, spool)
            out, err = done.communicate(timeout=30)
            self.assertEqual((done.returncode, err), (0, ""))
            if spool is None:
                self.assertEqual(out, "RevClosedError\n")
            else:
                self.assertEqual([line["idempotency_key"] for line in self.lines()], [out.strip()])

    @unittest.skipUnless(POSIX, "kill -9 is POSIX's")
    def test_kill_9_loses_nothing_that_was_tracked(self):
        # The service fails half of the time, so that calls are in every state when the process dies.
        self.server.faults.extend([("status", 503), None, ("after",)] * 3000)
        text = "while True:\n    print(rev.track(CALL), flush=True)\n"
        keys = set()
        for _ in range(3):
            process = program(text, self.server, self.folder, batch_size=20)
            for _ in range(400):
                keys.add(process.stdout.readline().strip())
            os.kill(process.pid, signal.SIGKILL)
            keys |= {line for line in process.stdout.read().splitlines() if len(line) == 35}
            process.communicate(timeout=10)
        self.server.faults.clear()
        rev = self.client()
        self.assertTrue(rev.flush())
        self.assertGreaterEqual(set(self.server.stored), keys)
        # What was tracked but not printed any more may be there too.
        self.assertLessEqual(len(self.server.stored) - len(keys), 3)
        self.holds(rev)

    @unittest.skipUnless(hasattr(os, "fork"), "fork is POSIX's")
    def test_forked_children_start_anew(self):
        text = """
rev.meter(**CALL)
rev.track(CALL)
children = []
for _ in range(4):
    child = os.fork()
    if child == 0:
        for _ in range(50): rev.track(CALL)
        rev.meter(**CALL)
        ok = rev.flush()
        stats = rev.stats()
        os._exit(0 if ok and stats.tracked == 50 and stats.accepted == 50 else 1)
    children.append(child)
for _ in range(50): rev.track(CALL)
codes = [os.waitpid(child, 0)[1] for child in children]
assert codes == [0] * 4, codes
assert rev.flush() and rev.stats().accepted == 51, rev.stats()
rev.meter(**CALL)
"""
        done = program(text, self.server, self.folder)
        _, err = done.communicate(timeout=60)
        self.assertEqual((done.returncode, err), (0, ""))
        self.assertEqual(len(self.server.stored), 1 + 51 + 4 * 50 + 4 + 1)
        self.assertEqual({number for number in self.server.times_seen.values()}, {1})

    @unittest.skipUnless(hasattr(os, "fork"), "fork is POSIX's")
    def test_what_a_child_leaves_when_it_just_ends_is_sent_by_others(self):
        text = """
if os.fork() == 0:
    for _ in range(50): rev.track(CALL)
    os._exit(0)
os.wait()
assert rev.flush(), rev.stats()
assert rev.stats().recovered == 50, rev.stats()
"""
        done = program(text, self.server, self.folder, flush_interval=60)
        _, err = done.communicate(timeout=30)
        self.assertEqual((done.returncode, err), (0, ""))
        self.assertEqual(len(self.server.stored), 50)

    @unittest.skipUnless(hasattr(os, "fork"), "fork is POSIX's")
    def test_forking_while_other_threads_track(self):
        text = """
import threading
stop = False
def work():
    while not stop: rev.track(CALL)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        rev.track(CALL)
        os._exit(0 if rev.flush(20) else 1)
    assert os.waitpid(child, 0)[1] == 0
    time.sleep(0.01)
stop = True
for thread in threads: thread.join()
assert rev.flush(30)
stats = rev.stats()
assert stats.tracked == stats.accepted, stats
print(stats.tracked)
"""
        done = program(text, self.server, self.folder)
        out, err = done.communicate(timeout=60)
        self.assertEqual(done.returncode, 0, err)
        self.assertEqual(len(self.server.stored), int(out) + 20)


class Bodies(Case):
    def test_ten_thousand_with_the_service_away_in_between(self):
        rev = self.client(batch_size=200)
        keys = set()
        with self.patient():
            for number in range(10_000):
                if number == 3000:
                    self.server.stop()
                if number == 6000:
                    self.server.start()
                keys.add(rev.track(CALL, tokens_input=number))
            self.assertTrue(rev.flush(30))
        self.assertEqual(set(self.server.stored), keys)
        stats = self.holds(rev)
        self.assertEqual((stats.accepted + stats.duplicates, stats.pending), (10_000, 0))

    def test_options_are_checked(self):
        for options in ({"flush_interval": float("nan")}, {"block_timeout": -1}, {"exit_timeout": float("inf")}, {"max_pending": 0}, {"batch_size": 1001}, {"batch_size": 0}, {"on_full": "drop"}, {"fsync": "no"}, {"batch_bytes": 0}):
            with self.subTest(options), self.assertRaises(ValueError):
                TrackOptions(**options)


if __name__ == "__main__":
    unittest.main()
