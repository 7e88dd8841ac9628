"""How tracked calls are kept and sent, and what became of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ._errors import RevError


@dataclass(frozen=True)
class TrackOptions:
    """How ``track`` keeps and sends calls."""

    #: The folder of the spool; "auto" is REV_SPOOL_DIR or a folder of the user's. None keeps calls in memory only, where
    #: the death of the process loses them.
    spool_dir: str | os.PathLike[str] | None = "auto"
    #: Keys that this account used before: what was spooled under them is sent with the present one.
    previous_api_keys: tuple[str, ...] = ()
    #: Seconds that a call waits for others to be sent with.
    flush_interval: float = 1.0
    #: Calls of a batch, at most 1000,
    batch_size: int = 500
    #: and bytes of them, at most 20 MiB.
    batch_bytes: int = 4 * 1024 * 1024
    #: How many calls may wait, and how many bytes. Without a spool, or while its disk fails, it is
    max_pending: int = 1_000_000
    max_pending_bytes: int = 512 * 1024 * 1024
    #: these.
    max_memory_pending: int = 10_000
    max_memory_bytes: int = 32 * 1024 * 1024
    #: What ``track`` does when that many wait: "block" waits up to block_timeout for room and raises RevQueueFullError
    #: then, "raise" raises it at once. Either way the caller still has the call.
    on_full: Literal["block", "raise"] = "block"
    block_timeout: float = 5.0
    #: When the spool is forced to the disk. "batch": before calls are sent, at the latest flush_interval after they were
    #: tracked. "always": before ``track`` returns. "never": when the system likes. Whatever it is, calls survive the
    #: death of the process; this is about the death of the machine.
    fsync: Literal["always", "batch", "never"] = "batch"
    #: Seconds that the end of the program waits for calls to be sent, unless three tries fail; what is spooled is sent by
    #: the next program.
    exit_timeout: float = 5.0
    #: Told of each call that the service refused for good, in the sending thread.
    on_rejected: Callable[[dict[str, Any], RevError], None] | None = None

    def __post_init__(self) -> None:
        # A text would be taken for keys of one letter each.
        if isinstance(self.previous_api_keys, str):
            raise ValueError("previous_api_keys must be a list of keys")
        object.__setattr__(self, "previous_api_keys", tuple(key.strip() for key in self.previous_api_keys if key.strip()))
        for name in ("flush_interval", "block_timeout", "exit_timeout"):
            if not 0 <= getattr(self, name) <= 1e6:
                raise ValueError(f"{name} must be 0 to a million seconds")
        for name in ("max_pending", "max_pending_bytes", "max_memory_pending", "max_memory_bytes"):
            if not getattr(self, name) >= 1:
                raise ValueError(f"{name} must be 1 or more")
        if not 1 <= self.batch_size <= 1000:
            raise ValueError("batch_size must be 1 to 1000")
        if not 1 <= self.batch_bytes <= 20 * 1000 * 1000:
            raise ValueError("batch_bytes must be at most 20 MB")
        if self.on_full not in ("block", "raise"):
            raise ValueError("on_full must be block or raise")
        if self.fsync not in ("always", "batch", "never"):
            raise ValueError("fsync must be always, batch or never")


@dataclass(frozen=True)
class TrackStats:
    """tracked + recovered == accepted + duplicates + rejected + lost + pending, at any time."""

    #: Calls that ``track`` took.
    tracked: int = 0
    #: Calls of processes that ended, found in the spool.
    recovered: int = 0
    #: Calls that the service stored,
    accepted: int = 0
    #: had stored already, so that they count once,
    duplicates: int = 0
    #: or refused for good. They stand in the spool's rejected.jsonl, and on_rejected was told.
    rejected: int = 0
    #: Calls that nobody has any more: memory that ended before the service was back, or files that somebody removed.
    lost: int = 0
    #: Calls that wait in memory,
    queued: int = 0
    #: and on disk.
    spooled: int = 0
    pending_bytes: int = 0
    #: Batches that were answered, and tries that were not.
    batches: int = 0
    failures: int = 0
    #: Calls that ``track`` did not take for lack of room (RevQueueFullError); they count nowhere else.
    refused: int = 0
    #: Writes to the spool that failed; those calls are in memory.
    spool_errors: int = 0
    #: Lines that a dying process or machine left incomplete.
    torn: int = 0
    #: The last thing that went wrong, and when.
    last_error: str | None = None
    last_error_at: datetime | None = None

    @property
    def pending(self) -> int:
        """Calls that wait."""
        return self.queued + self.spooled
