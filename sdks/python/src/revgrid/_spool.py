"""The spool: tracked calls on disk until the service has answered them.

    <root>/<account>/about.json          which service and mode the calls are for
    <root>/<account>/rejected.jsonl      calls that the service refused for good, and why
    <root>/<account>/<process>/lock      held by the process while it lives
    <root>/<account>/<process>/000001.jsonl …

<account> is a fingerprint of the base URL and the API key, so calls are never sent to another account. Each line of a
segment is the body of a metered call, idempotency key and time of the work included. Segments are only appended to, and
removed (the newest: emptied) once every line is settled. Nothing says in the file which lines were: a process that dies
leaves its segment, the next one sends all of it again, and the service replays what it has under the keys.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from ._wire import encode

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

SEGMENT_BYTES = 4 * 1024 * 1024
_log = logging.getLogger("revgrid")


def default_root() -> str:
    """REV_SPOOL_DIR, else a folder of the user's for state, else a temporary one of the user's."""
    told = os.environ.get("REV_SPOOL_DIR")
    if told:
        return told
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        if base:
            return os.path.join(base, "revgrid", "spool")
    else:
        home = os.path.expanduser("~")
        base = os.environ.get("XDG_STATE_HOME") or (os.path.join(home, ".local", "state") if home != "/" else "")
        if base and os.access(_existing(base), os.W_OK):
            return os.path.join(base, "revgrid", "spool")
    user = os.getuid() if hasattr(os, "getuid") else "user"
    return os.path.join(_temp(), f"revgrid-spool-{user}")


def _temp() -> str:
    try:
        return tempfile.gettempdir()
    except OSError:
        return os.getcwd()  # Nothing can be written anywhere; that is told when it is tried.


def _existing(path: str) -> str:
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


def fingerprint(base_url: str, api_key: str) -> str:
    return hashlib.sha256(f"{base_url}\0{api_key}".encode()).hexdigest()[:24]


def sync_folder(path: str) -> None:
    """Makes the names in a folder last. Windows has no such thing, and needs none."""
    if sys.platform != "win32":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _try_lock(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            # flock belongs to the open file: the kernel lets go of it when the process dies, however it dies.
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False


#: The locks that this process holds, or is about to.
_locks: set[int] = set()


def _unlock(handle: int) -> None:
    _locks.discard(handle)
    os.close(handle)


def forget_locks() -> None:
    """In a forked child: a lock lives as long as any copy of its handle, so the copies must go. The parent's stay."""
    while _locks:
        try:
            os.close(_locks.pop())
        except OSError:
            pass


class Segment:
    __slots__ = ("count", "handle", "path", "read", "settled", "size", "taken")

    def __init__(self, path: str, handle: int | None) -> None:
        self.path = path
        self.handle = handle  # Open for appending, or None.
        self.size = 0  # Bytes of whole lines.
        self.count = 0  # Lines in them.
        self.read = 0  # Bytes that were taken to be sent,
        self.taken = 0  # and lines,
        self.settled = 0  # and how many of these are done with.


class Entry:
    """A call on its way: one line of a segment, or of none when it is only in memory."""

    __slots__ = ("attempts", "folder", "line", "not_before", "segment", "settled")

    def __init__(self, line: bytes, folder: Folder | None, segment: Segment | None) -> None:
        self.line = line
        self.folder = folder
        self.segment = segment
        self.attempts = 0
        self.not_before = 0.0
        self.settled = False


class Folder:
    """The segments of one process: this one's, or those of one that ended. Not locked within the process: its owner is."""

    def __init__(self, path: str, lock: int, own: bool) -> None:
        self.path = path
        self.own = own
        self.segments: deque[Segment] = deque()
        self.count = 0  # Lines that are not settled,
        self.bytes = 0  # and their bytes.
        self._lock: int | None = lock
        self._number = 0
        self.lost = 0  # Lines that somebody else removed.
        self.unreadable: OSError | None = None  # Why lines were left out by the last ``take``.
        self.unsynced = False
        self.new_names = True

    # --- making and finding

    @staticmethod
    def create(parent: str) -> Folder:
        for _ in range(5):
            path = os.path.join(parent, f"{os.getpid()}-{secrets.token_hex(4)}")
            os.mkdir(path, 0o700)
            try:
                folder = Folder.claim(path, own=True)
                if folder is not None:
                    return folder
            except OSError:
                _remove_folder(path)
                raise
            # Another process saw the folder before it was locked, and takes it for one that was left; or nothing can be
            # locked here at all.
            _remove_folder(path)
        raise OSError(f"no folder can be locked in {parent}")

    @staticmethod
    def claim(path: str, own: bool) -> Folder | None:
        """Takes a folder's lock; None if it is held, or the folder is gone."""
        name = os.path.join(path, "lock")
        try:
            handle = os.open(name, os.O_RDWR | (os.O_CREAT if own else 0), 0o600)
        except FileNotFoundError:
            return None
        except OSError:
            if own:
                raise
            return None
        _locks.add(handle)
        if _try_lock(handle):
            try:
                there = os.stat(name)
                if sys.platform == "win32" or os.path.samestat(there, os.fstat(handle)):
                    return Folder(path, handle, own)
            except OSError:
                pass  # Somebody removed it between the two.
        _unlock(handle)
        return None

    def load(self) -> int:
        """Finds the segments that another process left; says how many lines are torn."""
        torn = 0
        for name in sorted(os.listdir(self.path)):
            if not name.endswith(".jsonl"):
                continue
            segment = Segment(os.path.join(self.path, name), None)
            with open(segment.path, "rb") as file:
                data = file.read()
            segment.size = data.rfind(b"\n") + 1
            segment.count = data.count(b"\n")
            # What was being written when the process died: nobody was told that it is kept.
            torn += 1 if len(data) > segment.size else 0
            if segment.count:
                self.segments.append(segment)
                self.count += segment.count
                self.bytes += segment.size
            else:
                os.unlink(segment.path)
        return torn

    # --- writing

    def append(self, line: bytes) -> None:
        """Adds a line. When this returns, the line survives the death of the process; after sync, that of the machine."""
        data = line + b"\n"
        segment = self.segments[-1] if self.segments else None
        if segment is None or segment.handle is None or segment.size + len(data) > SEGMENT_BYTES and segment.size:
            segment = self._next()
        assert segment.handle is not None
        try:
            written = os.write(segment.handle, data)
            if written != len(data):
                raise OSError("the disk took only a part of a line")
        except OSError:
            try:
                os.ftruncate(segment.handle, segment.size)
            except OSError:
                self._retire(segment)  # The next line must not continue half of this one.
            raise
        segment.size += len(data)
        segment.count += 1
        self.count += 1
        self.bytes += len(data)
        self.unsynced = True

    def _next(self) -> Segment:
        if self.segments:
            self._retire(self.segments[-1])
        self._number += 1
        path = os.path.join(self.path, f"{self._number:06d}.jsonl")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_BINARY", 0)
        segment = Segment(path, os.open(path, flags, 0o600))
        self.segments.append(segment)
        self.new_names = True
        return segment

    def _retire(self, segment: Segment) -> None:
        """Ends a segment: no line is added to it any more."""
        if segment.handle is not None:
            try:
                if segment.settled < segment.count:
                    os.fsync(segment.handle)
            finally:
                os.close(segment.handle)
                segment.handle = None
        if segment.settled == segment.count:
            self._remove(segment)

    @property
    def untaken(self) -> int:
        return sum(segment.count - segment.taken for segment in self.segments)

    def handle_to_sync(self, force: bool) -> int | None:
        """A handle of its own on the newest segment, to be synced without holding up those who append."""
        wanted = self.unsynced or force
        self.unsynced = False
        handle = self.segments[-1].handle if self.segments else None
        return os.dup(handle) if wanted and handle is not None else None

    # --- reading

    def take(self, most: int, most_bytes: int) -> list[Entry]:
        """The next lines to send, oldest first. A file that cannot be read keeps its lines, for another time."""
        entries: list[Entry] = []
        self.unreadable = None
        total = 0
        for segment in list(self.segments):
            if segment.taken == segment.count:
                continue
            try:
                for line in _lines(segment.path, segment.read, segment.size):
                    if entries and (len(entries) >= most or total + len(line) > most_bytes):
                        return entries
                    entries.append(Entry(line, self, segment))
                    total += len(line) + 1
                    segment.read += len(line) + 1
                    segment.taken += 1
            except FileNotFoundError:
                pass
            except OSError as error:
                self.unreadable = error
                continue
            if segment.taken < segment.count:
                self._missing(segment)
        return entries

    def _missing(self, segment: Segment) -> None:
        """Somebody else removed lines of ours."""
        missing = segment.count - segment.taken
        _log.error("%s was changed by somebody else: %d calls are lost", segment.path, missing)
        self.lost += missing
        self.count -= missing
        self.bytes -= segment.size - segment.read
        segment.count, segment.size = segment.taken, segment.read
        self._retire(segment)

    def settle(self, entry: Entry) -> None:
        """A line is done with. Empties the newest segment, and removes others, once all their lines are."""
        segment = entry.segment
        assert segment is not None
        segment.settled += 1
        self.count -= 1
        self.bytes -= len(entry.line) + 1
        if segment.settled < segment.count:
            return
        if segment.handle is None:
            self._remove(segment)
            return
        try:
            os.ftruncate(segment.handle, 0)
        except OSError:
            self._retire(segment)
            return
        segment.size = segment.count = segment.read = segment.taken = segment.settled = 0
        self.unsynced = False

    def _remove(self, segment: Segment) -> None:
        try:
            os.unlink(segment.path)
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                _log.warning("%s cannot be removed; its calls will be sent again, and count once: %s", segment.path, error)
        try:
            self.segments.remove(segment)
        except ValueError:
            pass

    # --- ending

    def close(self) -> None:
        """Lets go of the folder; removes it when nothing is in it any more."""
        for segment in list(self.segments):
            if segment.handle is not None:
                self._retire(segment)
        if self._lock is None:
            return
        handle, self._lock = self._lock, None
        if sys.platform == "win32":
            _unlock(handle)
        if not self.count:
            _remove_folder(self.path)
        if sys.platform != "win32":
            _unlock(handle)

    def forget(self) -> None:
        """In a forked child: closes its copies of the parent's handles."""
        for segment in self.segments:
            if segment.handle is not None:
                try:
                    os.close(segment.handle)
                except OSError:
                    pass
                segment.handle = None
        self._lock = None


def _lines(path: str, start: int, end: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(start)
        while start < end:
            line = file.readline()
            start += len(line)
            if not line.endswith(b"\n"):
                return
            yield line[:-1]


def _remove_folder(path: str) -> None:
    """Removes a folder that has nothing but its lock, as far as that can be done."""
    for remove, name in ((os.unlink, os.path.join(path, "lock")), (os.rmdir, path)):
        try:
            remove(name)
        except OSError:
            pass


class Account:
    """The part of the spool that belongs to one service and key."""

    def __init__(self, root: str, base_url: str, api_key: str) -> None:
        self.root = root
        self.base_url = base_url
        self.path = os.path.join(root, fingerprint(base_url, api_key))
        self._in_temp = os.path.dirname(os.path.abspath(root)) == _temp()
        self.mode = api_key.split("_")[1] if api_key.count("_") >= 2 else None

    def prepare(self) -> None:
        os.makedirs(self.root, 0o700, exist_ok=True)
        if sys.platform != "win32" and self._in_temp:
            # Anybody could have made it before us, to read what we write.
            if os.lstat(self.root).st_uid != os.geteuid():
                raise OSError(f"{self.root} belongs to another user")
            os.chmod(self.root, 0o700)
        os.makedirs(self.path, 0o700, exist_ok=True)
        name = os.path.join(self.path, "about.json")
        if not os.path.exists(name):
            draft = f"{name}.{secrets.token_hex(4)}"
            try:
                with open(draft, "wb") as file:
                    file.write(encode({"base_url": self.base_url, "mode": self.mode}) + b"\n")
                os.replace(draft, name)
            except OSError:
                try:
                    os.unlink(draft)
                except OSError:
                    pass
                raise
            sync_folder(self.root)

    def folders(self) -> list[str]:
        try:
            with os.scandir(self.path) as entries:
                return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
        except OSError:
            return []

    def left_under_other_keys(self, known: Iterable[str]) -> int:
        """How many ended processes left calls for this service under keys that were not given."""
        found = 0
        skipped = {os.path.basename(path) for path in known}
        try:
            with os.scandir(self.root) as entries:
                others = [entry.path for entry in entries if entry.is_dir() and entry.name not in skipped]
        except OSError:
            return 0
        for other in others:
            try:
                with open(os.path.join(other, "about.json"), "rb") as file:
                    about = json.loads(file.read(4096))
                if about.get("base_url") != self.base_url or about.get("mode") != self.mode:
                    continue
                with os.scandir(other) as entries:
                    folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
                for path in folders:
                    with os.scandir(path) as entries:
                        filled = [entry for entry in entries if entry.name.endswith(".jsonl") and entry.stat().st_size]
                    folder = Folder.claim(path, own=False) if filled else None
                    if folder is not None:
                        found += 1
                        folder.count = 1  # Not to be removed.
                        folder.close()
            except (OSError, ValueError, AttributeError):
                continue
        return found

    def reject(self, record: dict[str, Any]) -> str:
        """Keeps a refused call where people find it."""
        name = os.path.join(self.path, "rejected.jsonl")
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(handle, encode(record) + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        return name
