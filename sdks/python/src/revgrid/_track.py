"""Calls that are sent later, in batches, by a thread of its own: durable, bounded, and never dropped in silence."""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from ._config import FIRST_BACKOFF, MAX_BACKOFF, MAX_RETRY_AFTER, backoff, refusal, retry_after
from ._errors import RevAPIError, RevClosedError, RevConfigError, RevError, RevProtocolError, RevQueueFullError, is_retryable, problem
from ._http1 import Response
from ._ops import batch_results, call_body, new_key
from ._spool import Account, Entry, Folder, default_root, forget_locks, sync_folder
from ._track_types import TrackOptions, TrackStats
from ._wire import decode, encode, instant, parse_instant, utc_now

_log = logging.getLogger("revgrid")
_trackers: weakref.WeakSet[Tracker] = weakref.WeakSet()

#: Nobody waits longer at once: locks cannot wait for any time there is.
_MAX_WAIT = 3600.0
#: A metered call may have 1 MiB.
_MAX_LINE = 1024 * 1024
#: Looking for what processes that ended left behind.
_SCAN_SECONDS = 30.0
#: Calls that are put off one by one; with more, the sender waits for these first.
_MAX_DEFERRED = 1000


class _Away(Exception):
    """The service, or the way to it, does not work now: everything stays as it is."""

    def __init__(self, error: RevError) -> None:
        super().__init__(str(error))
        self.error = error


class Tracker:
    """One for each client. ``post`` makes one attempt to send the body of a batch."""

    def __init__(
        self, post: Callable[[bytes], Response], base_url: str, api_key: str | None, options: TrackOptions
    ) -> None:
        self._post = post
        self._api_key = api_key
        self.options = options
        # All that takes locks of other modules is done now: a fork must not meet them in the hands of another thread.
        self._accounts: list[Account] = []
        if options.spool_dir is not None and api_key is not None:
            # A daemon changes its working directory later on.
            root = os.path.abspath(default_root() if options.spool_dir == "auto" else options.spool_dir)
            self._accounts = [Account(root, base_url, key) for key in (api_key, *options.previous_api_keys)]
            if any(account.mode != self._accounts[0].mode for account in self._accounts):
                raise RevConfigError("previous_api_keys must be of the mode of api_key: test calls are never billed as live ones")
        self._ended = False  # Closed by its owner.
        self._leaving = False  # The program ends: spool, but do not send.
        self._reset()
        _trackers.add(self)

    def _reset(self) -> None:
        """The state of a tracker that was not used yet; also that of a forked child, whose parent sends the rest."""
        # Reentrant: a signal handler, or a handler of the log, may track a call in the middle of another.
        self._cond = threading.Condition(threading.RLock())
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self._account: Account | None = None  # The first of the accounts, once its folder is there.
        self._own: Folder | None = None
        self._adopted: list[Folder] = []
        self._memory: deque[Entry] = deque()
        self._memory_count = 0  # Entries that live in memory only, sent ones that are not settled included.
        self._memory_bytes = 0
        self._current: list[Entry] = []  # The batch that is under way.
        self._deferred: list[Entry] = []
        self._oldest: float | None = None  # When the first call that was not sent yet was tracked.
        self._dirty_since = 0.0  # When the first line was appended that was not synced yet.
        self._flushing = 0
        self._failed = 0  # Attempts in a row.
        self._not_before = 0.0
        self._asked_to_wait = False
        self._next_scan = 0.0
        self._more_to_adopt = False
        self._refused_in_cycle = 0
        self._left = [0, 0]  # Calls and bytes that are left to the next process.
        self._warned_keys = False
        self._spool_said = 0.0
        self._next_open = 0.0  # What cannot be made is not tried for every call.
        self._next_create = 0.0
        self._order = [0, 0]  # Own calls that were tracked, to the disk and to memory; each is sent in its order,
        self._through = [0, 0]  # and settled.
        self._n = dict.fromkeys(
            ("tracked", "recovered", "accepted", "duplicates", "rejected", "lost", "batches", "failures", "refused", "spool_errors", "torn"), 0
        )
        self._last: tuple[str, datetime] | None = None

    # --- what the owner calls

    def add(self, fields: Mapping[str, Any], *, block: bool = True) -> str:
        """Keeps a call; its idempotency key and the time of the work are fixed now."""
        body = call_body(fields)
        body.setdefault("idempotency_key", new_key())
        body.setdefault("occurred_at", instant(utc_now(), "occurred_at"))
        line = encode(body)
        if len(line) > _MAX_LINE:
            raise ValueError("a call has at most 1 MiB")
        if self._api_key is None:
            raise RevConfigError("There is no API key: set REV_API_KEY, or give api_key")
        self._check_fork()
        give_up = time.monotonic() + (self.options.block_timeout if self.options.on_full == "block" and block else 0)
        with self._cond:
            while True:
                if self._ended:
                    raise RevClosedError("The client is closed")
                self._open_spool()
                if self._room(len(line) + 1) and self._keep(line):
                    break
                left = give_up - time.monotonic()
                if left <= 0:
                    self._n["refused"] += block
                    raise RevQueueFullError(
                        f"{self._pending()} calls wait to be sent, as many as may", retryable=True
                    )
                self._start()
                self._cond.wait(min(left, _MAX_WAIT))
            self._n["tracked"] += 1
            self._start()
            if self._oldest is None:
                self._oldest = time.monotonic()
                self._cond.notify_all()
            elif self._unsent() == self.options.batch_size:
                self._cond.notify_all()
        if self.options.fsync == "always":
            self._sync(force=True)
        key: str = body["idempotency_key"]
        return key

    def add_refused(self) -> None:
        """Counts a call that another kind of waiting gave up."""
        with self._cond:
            self._n["refused"] += 1

    def flush(self, timeout: float = 30.0) -> bool:
        """Sends what waits, what earlier processes left included, and waits for it. False when that took too long."""
        self._check_fork()
        give_up = time.monotonic() + timeout
        with self._cond:
            if self._ended:
                raise RevClosedError("The client is closed")
            if self._api_key is None:
                return True
            self._open_spool()
            through = list(self._order)
            self._flushing += 1
            self._next_scan = 0.0
            if not self._asked_to_wait:
                self._not_before = 0.0
            try:
                self._start()
                self._cond.notify_all()
                while not self._flushed(through):
                    if give_up <= time.monotonic() or self._leaving:
                        return False
                    self._let_send(give_up)
                return True
            finally:
                self._flushing -= 1

    def _flushed(self, through: list[int]) -> bool:
        spooled = (
            self._next_scan > 0
            and not self._more_to_adopt
            and not any(folder.count for folder in self._adopted)
            and not any(folder.unreadable for folder in self._folders())
        )
        settled = all(done >= wanted for done, wanted in zip(self._through, through))
        return settled and not self._deferred and (spooled or self._account is None)

    def stats(self) -> TrackStats:
        self._check_fork()
        with self._cond:
            last = self._last
            return TrackStats(
                **self._n,
                queued=self._memory_count,
                spooled=self._pending() - self._memory_count,
                pending_bytes=self._bytes(),
                last_error=last[0] if last else None,
                last_error_at=last[1] if last else None,
            )

    def close(self, timeout: float | None = None, *, leaving: bool = False) -> bool:
        """Sends what waits, for a while, and lets go of the spool. True when nothing is left."""
        self._check_fork()
        give_up = time.monotonic() + (self.options.exit_timeout if timeout is None else timeout)
        with self._cond:
            if self._ended:
                return self._pending() == 0
            failed = self._n["failures"]
            self._flushing += 1
            if not self._asked_to_wait:
                self._not_before = 0.0
            if self._pending():
                self._start()
                self._cond.notify_all()
            while self._pending() and time.monotonic() < give_up:
                # Once the service is seen to be away there is nothing to wait for: the calls are on disk.
                away = self._n["failures"] >= failed + 3 or self._not_before > give_up
                if away and not self._memory_count:
                    break
                self._let_send(give_up)
            self._flushing -= 1
            done = self._pending() == 0
            self._ended = not leaving
            self._leaving = leaving
            thread = self._thread
            self._cond.notify_all()
            self._let_go()
        if thread is not None and thread is not threading.current_thread() and not leaving:
            thread.join(0.5)
        return done

    def _let_send(self, give_up: float) -> None:
        """Waits for the sending thread; sends in this one where late in the life of the interpreter there is no other."""
        if self._thread is not None and self._thread.is_alive():
            self._cond.wait(min(_MAX_WAIT, max(0.0, give_up - time.monotonic())))
            return
        self._cond.release()
        try:
            self._cycle()
            time.sleep(max(0.01, min(self._not_before, give_up) - time.monotonic()))
        finally:
            self._cond.acquire()

    def _let_go(self) -> None:
        """Leaves the folders to whoever comes next. A batch that is under way is left too: it counts once in any case."""
        for folder in [*self._adopted, *([self._own] if self._own else [])]:
            if folder.count:
                _log.info("%d calls wait in %s; the next process sends them", folder.count, folder.path)
                self._left[0] += folder.count
                self._left[1] += folder.bytes
            try:
                folder.close()
            except OSError as error:
                self._say(f"The spool cannot be closed: {error}")
        if self._memory_count:
            _log.error("%d calls were kept in memory only and are lost: Rev could not be reached", self._memory_count)
            self._n["lost"] += self._memory_count
            self._memory_count = self._memory_bytes = 0
            self._memory.clear()
        self._adopted, self._own, self._account = [], None, None
        self._next_open = self._next_create = 0.0

    # --- keeping (all of this under the lock)

    def _pending(self) -> int:
        return self._left[0] + self._memory_count + sum(folder.count for folder in self._folders())

    def _bytes(self) -> int:
        return self._left[1] + self._memory_bytes + sum(folder.bytes for folder in self._folders())

    def _folders(self) -> list[Folder]:
        return [*([self._own] if self._own else []), *self._adopted]

    def _unsent(self) -> int:
        return (self._own.untaken if self._own else 0) + len(self._memory)

    def _open_spool(self) -> None:
        if self._account is not None or not self._accounts or time.monotonic() < self._next_open:
            return
        self._next_open = time.monotonic() + 1.0
        try:
            self._accounts[0].prepare()
        except OSError as error:
            self._spool_failed(error)
            return
        self._account = self._accounts[0]

    def _spool_failed(self, error: OSError, what: str = "written, so calls are kept in memory") -> None:
        self._n["spool_errors"] += 1
        text = f"The spool cannot be {what}: {error}"
        self._say(text)
        if time.monotonic() - self._spool_said > 60 or not self._spool_said:
            self._spool_said = time.monotonic()
            _log.error("%s", text)

    def _say(self, text: str) -> None:
        self._last = (text, utc_now())

    def _room(self, size: int) -> bool:
        options = self.options
        if self._account is not None:
            return self._pending() < options.max_pending and self._bytes() + size <= options.max_pending_bytes
        return self._memory_room(size)

    def _memory_room(self, size: int) -> bool:
        return (
            self._memory_count < self.options.max_memory_pending
            and self._memory_bytes + size <= self.options.max_memory_bytes
        )

    def _keep(self, line: bytes) -> bool:
        if self._account is not None:
            try:
                if self._own is None and time.monotonic() >= self._next_create:
                    self._next_create = time.monotonic() + 1.0
                    self._own = Folder.create(self._account.path)
                if self._own is not None:
                    if not self._own.unsynced:
                        self._dirty_since = time.monotonic()
                    self._own.append(line)
                    self._order[0] += 1
                    return True
            except OSError as error:
                self._spool_failed(error)
        if self._leaving:
            raise RevClosedError("The program ends, and the call cannot be kept on disk")
        if not self._memory_room(len(line) + 1):
            return False
        self._memory.append(Entry(line, None, None))
        self._memory_count += 1
        self._memory_bytes += len(line) + 1
        self._order[1] += 1
        return True

    def _sync(self, force: bool = False) -> None:
        """Forces what was appended to the disk, without holding the lock meanwhile."""
        with self._cond:
            own = self._own
            handle = own.handle_to_sync(force) if own else None
            names = own is not None and own.new_names
            if own is not None:
                own.new_names = False
        try:
            if handle is not None:
                os.fsync(handle)
            if names and own is not None:
                sync_folder(own.path)
                sync_folder(os.path.dirname(own.path))
        except OSError as error:
            with self._cond:
                self._spool_failed(error)
        finally:
            if handle is not None:
                os.close(handle)

    # --- sending

    def _start(self) -> None:
        if self._leaving or self._thread is not None and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._run, args=(self._cond,), name="revgrid-track", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # The interpreter ends. What is kept is sent when it does, or by the next process.
        self._thread = thread

    def _run(self, cond: threading.Condition) -> None:
        while True:
            with cond:
                while True:
                    if self._ended or self._leaving:
                        return
                    wait = self._wait()
                    if wait is not None and wait <= 0:
                        break
                    cond.wait(None if wait is None else min(wait, _MAX_WAIT))
            try:
                self._cycle()
            except Exception:
                # A fault of this package must not end the thread; what was taken stays in the current batch.
                _log.exception("Tracked calls could not be sent")
                with cond:
                    self._failed += 1
                    self._n["failures"] += 1
                    self._not_before = time.monotonic() + 5
                    cond.notify_all()

    def _wait(self) -> float | None:
        """Seconds until there is something to do."""
        now = time.monotonic()
        waits = [self._send_wait(now), self._sync_wait(now), None if self._account is None else self._next_scan - now]
        return min((wait for wait in waits if wait is not None), default=None)

    def _sync_wait(self, now: float) -> float | None:
        if self.options.fsync != "batch" or self._own is None or not self._own.unsynced:
            return None
        return self._dirty_since + self.options.flush_interval - now

    def _send_wait(self, now: float) -> float | None:
        work = 0.0 if self._current or any(folder.untaken for folder in self._adopted) else None
        if work is None and self._oldest is not None:
            full = self._unsent() >= self.options.batch_size
            work = 0.0 if full or self._flushing else self._oldest + self.options.flush_interval - now
        if self._deferred:
            due = min(entry.not_before for entry in self._deferred) - now
            work = due if work is None or len(self._deferred) >= _MAX_DEFERRED else min(work, due)
        return None if work is None else max(work, self._not_before - now)

    def _cycle(self) -> None:
        now = time.monotonic()
        if self._account is not None and now >= self._next_scan:
            self._scan()
            return
        with self._cond:
            sync, send = self._sync_wait(now), self._send_wait(now)
        if self.options.fsync == "batch" and (sync is not None and sync <= 0 or send is not None and send <= 0):
            self._sync()
        if send is None or send > 0:
            return
        with self._cond:
            if not self._current:
                self._take_next(self._current)
            batch = list(self._current)
            self._refused_in_cycle = 0
        if not batch:
            with self._cond:
                self._cond.notify_all()
            return
        try:
            self._deliver(batch)
        except _Away as away:
            self._put_off(away.error, len(batch))
            return
        with self._cond:
            self._failed = 0
            self._not_before = 0.0
            self._asked_to_wait = False
            self._cond.notify_all()

    def _take_next(self, entries: list[Entry]) -> None:
        """The next batch: what was put off and is due, then this process's calls, in turns with those of others."""
        now = time.monotonic()
        most, most_bytes = self.options.batch_size, self.options.batch_bytes
        due = [entry for entry in self._deferred if entry.not_before <= now][:most]
        if due:
            taken = set(map(id, due))
            self._deferred = [entry for entry in self._deferred if id(entry) not in taken]
            entries += due
            return
        if len(self._deferred) >= _MAX_DEFERRED:
            return
        total = 0
        while self._memory and len(entries) < most and (not entries or total + len(self._memory[0].line) <= most_bytes):
            entries.append(self._memory.popleft())
            total += len(entries[-1].line) + 1
        if not entries and self._own is not None:
            self._take(self._own, entries, most, most_bytes)
        if not self._unsent():
            self._oldest = None
        left = most - len(entries)
        for folder in self._adopted:
            if left <= 0 or entries and sum(len(entry.line) for entry in entries) >= most_bytes // 2:
                break
            left -= self._take(folder, entries, left, most_bytes // 2)
        if not entries and any(folder.unreadable for folder in self._folders()):
            self._not_before = now + 1.0

    def _take(self, folder: Folder, entries: list[Entry], most: int, most_bytes: int) -> int:
        """Adds the next lines of a folder. What cannot be read now, for want of a handle perhaps, stays for later."""
        more = folder.take(most, most_bytes)
        entries += more
        self._n["lost"] += folder.lost
        if folder.own:
            self._through[0] += folder.lost
        folder.lost = 0
        if folder.unreadable is not None:
            self._spool_failed(folder.unreadable, "read, so calls wait on disk")
        return len(more)

    def _deliver(self, entries: list[Entry]) -> None:
        """Sends entries and settles those that are decided. Raises _Away when the whole of it must be tried again."""
        good = [entry for entry in entries if self._readable(entry)]
        if not good:
            return
        try:
            response = self._post(b'{"events":[' + b",".join(entry.line for entry in good) + b"]}")
        except RevError as error:
            raise _Away(error) from error
        refused = refusal(response)
        if refused is None:
            try:
                _, results = batch_results(response, len(good))
            except RevError as error:
                raise _Away(error) from error
            with self._cond:
                self._n["batches"] += 1
            for entry, result in zip(good, results):
                self._decide(entry, result, response)
            return
        told = refused.code or ""
        of_the_calls = refused.status == 413 or (
            refused.status == 400 and (told == "request.invalid" or told.startswith("body."))
        )
        # A fault of the service may come from one call: look for it, but not for ever when everything fails.
        poisoned = refused.status == 500 and self._failed >= 3 and self._refused_in_cycle < 24
        self._refused_in_cycle += 1
        if (of_the_calls or poisoned) and len(good) > 1:
            # Some call spoils the others: halve until it is alone.
            middle = len(good) // 2
            self._deliver(good[:middle])
            self._deliver(good[middle:])
        elif of_the_calls:
            self._reject(good[0], refused)
        elif poisoned:
            self._defer(good[0], refused)
        else:
            raise _Away(refused)

    def _readable(self, entry: Entry) -> bool:
        """Lines of this process are as it wrote them; those of another may have met a power cut."""
        if entry.folder is None or entry.folder.own:
            return True
        try:
            call = json.loads(entry.line)
            # Without its key it could count twice.
            if isinstance(call, dict) and isinstance(call.get("idempotency_key"), str):
                return True
        except (ValueError, RecursionError):
            pass
        with self._cond:
            self._n["torn"] += 1
        self._reject(entry, RevProtocolError("The line of the spool cannot be read"))
        return False

    def _decide(self, entry: Entry, result: Mapping[str, Any], response: Response) -> None:
        status = result["status"]
        if 200 <= status < 300:
            self._settle(entry, "duplicates" if result.get("replayed") is True else "accepted")
            return
        error = problem(status, result.get("error"), retry_after=retry_after(response))
        if error.code == "event.archived":
            self._settle(entry, "duplicates")  # It was stored, and its month is archived since.
        elif is_retryable(status):
            self._defer(entry, error)
        elif not self._too_early(entry, error, response):
            self._reject(entry, error)

    def _too_early(self, entry: Entry, error: RevAPIError, response: Response) -> bool:
        """A clock that is ahead makes calls of the future; these are right once that time has come."""
        if list(error.errors) != ["occurred_at"]:
            return False
        try:
            server = parsedate_to_datetime(response.headers["date"])
            ahead = parse_instant(decode(entry.line)["occurred_at"]) - server - timedelta(minutes=5)
        except (KeyError, TypeError, ValueError, OverflowError, RevError):
            return False
        if not timedelta(0) < ahead < timedelta(days=1):
            return False
        self._defer(entry, error, ahead.total_seconds() + 2)
        return True

    def _settle(self, entry: Entry, what: str) -> None:
        with self._cond:
            if self._drop(entry):
                self._n[what] += 1

    def _drop(self, entry: Entry) -> bool:
        """Takes an entry out of wherever it is; False when it was left to the next process, or taken out, meanwhile."""
        if entry.settled:
            return False  # Late in the life of the interpreter, two threads may send the same batch.
        try:
            self._current.remove(entry)
        except ValueError:
            pass
        if entry.folder is None:
            if self._memory_count == 0:
                return False  # It was given up meanwhile.
            entry.settled = True
            self._memory_count -= 1
            self._memory_bytes -= len(entry.line) + 1
        elif entry.folder is self._own or entry.folder in self._adopted:
            entry.settled = True
            entry.folder.settle(entry)
            if not entry.folder.count and not entry.folder.own:
                self._adopted.remove(entry.folder)
                entry.folder.close()
                if self._more_to_adopt:
                    self._next_scan = time.monotonic()
        else:
            return False
        if entry.folder is None or entry.folder.own:
            self._through[entry.folder is None] += 1
        return True

    def _defer(self, entry: Entry, error: RevError, seconds: float | None = None) -> None:
        with self._cond:
            if entry in self._current:
                self._current.remove(entry)
                self._deferred.append(entry)
            entry.attempts += 1
            wait = seconds if seconds is not None else 0.25 + backoff(entry.attempts, FIRST_BACKOFF, 60.0)
            entry.not_before = time.monotonic() + max(wait, min(error.retry_after or 0.0, MAX_RETRY_AFTER))
            self._say(f"A call was put off: {error}")

    def _reject(self, entry: Entry, error: RevError) -> None:
        try:
            call = decode(entry.line)
        except RevError:
            call = None
        if not isinstance(call, dict):
            call = {"unreadable": entry.line.decode("utf-8", "backslashreplace")}
        record = {
            "at": instant(utc_now(), "at"),
            "call": call,
            "error": {"code": error.code, "status": error.status, "detail": error.message, "errors": error.errors},
        }
        with self._cond:
            account = self._account
        where = None
        if account is not None:
            try:
                where = account.reject(record)
            except OSError as failed:
                with self._cond:
                    self._spool_failed(failed)
        told = call if where is None else call.get("idempotency_key")
        _log.error("Rev refused a tracked call, which is kept in %s: %s: %s", where or "this line only", error, told)
        with self._cond:
            if self._drop(entry):
                self._n["rejected"] += 1
            self._say(f"A call was refused: {error}")
        if self.options.on_rejected is not None:
            try:
                self.options.on_rejected(call, error)
            except Exception:
                _log.exception("on_rejected failed")

    def _put_off(self, error: RevError, count: int) -> None:
        """The batch stays as it is, to be sent again."""
        with self._cond:
            if self._ended or self._leaving:
                return  # It is left to the next process.
            self._failed += 1
            self._n["failures"] += 1
            lasting = not error.retryable
            # What lasts needs somebody to mend it: no need to ask often.
            wait = backoff(self._failed - 1, FIRST_BACKOFF, 60.0 if lasting else MAX_BACKOFF) + (1.0 if lasting else 0.05)
            self._asked_to_wait = error.retry_after is not None
            self._not_before = time.monotonic() + max(wait, min(error.retry_after or 0.0, MAX_RETRY_AFTER))
            self._say(str(error))
            first = self._failed == 1
            self._cond.notify_all()
        if lasting and (first or self._failed % 20 == 0):
            _log.error("%d tracked calls cannot be sent, and wait: %s", count, error)
        elif first:
            _log.warning("%d tracked calls wait for Rev: %s", count, error)

    def _scan(self) -> None:
        """Takes over what processes that ended left. Their locks say whether they did."""
        with self._cond:
            account = self._account
            busy = {folder.path for folder in self._folders()}
            room = 8 - len(self._adopted)
        found: list[tuple[Folder, int]] = []
        if account is not None:
            for path in [path for one in self._accounts for path in one.folders()]:
                if path in busy or len(found) >= room:
                    continue
                folder = Folder.claim(path, own=False)
                if folder is None:
                    continue
                try:
                    torn = folder.load()
                except OSError as error:
                    _log.warning("%s cannot be read: %s", path, error)
                    folder.count = 1
                    folder.close()
                    continue
                if folder.count:
                    found.append((folder, torn))
                else:
                    folder.close()
            if not self._warned_keys:
                self._warned_keys = True
                others = account.left_under_other_keys(one.path for one in self._accounts)
                if others:
                    _log.warning(
                        "%s has calls of %d ended processes under other API keys; if they are this account's, give the"
                        " keys as previous_api_keys",
                        account.root,
                        others,
                    )
        with self._cond:
            if self._ended or self._leaving:
                for folder, _ in found:
                    folder.close()
                return
            for folder, torn in found:
                if torn:
                    _log.warning("%s ends in a call that its process died in the middle of", folder.path)
                self._adopted.append(folder)
                self._n["recovered"] += folder.count
                self._n["torn"] += torn
            self._more_to_adopt = len(found) >= room
            self._next_scan = time.monotonic() + _SCAN_SECONDS
            self._cond.notify_all()

    # --- forks

    def _check_fork(self) -> None:
        if self._pid != os.getpid():
            self._after_fork()

    def _after_fork(self) -> None:
        folders = self._folders()
        self._reset()
        for folder in folders:
            folder.forget()


def _after_fork() -> None:
    forget_locks()
    for tracker in list(_trackers):
        tracker._after_fork()


def _at_exit() -> None:
    for tracker in list(_trackers):
        try:
            tracker.close(leaving=True)
        except Exception:
            _log.exception("Tracked calls could not be sent at exit")


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
