import type { RevError } from './errors';
import type { MeterCall } from './types';

/** Where calls wait that cannot be sent. */
export interface SpoolOptions {
  /** The folder; by default `REV_SPOOL_DIR`, else one of the user's (`~/.local/state/revgrid/spool`). It belongs to one machine. */
  dir?: string | undefined;
  /** A name for the account, instead of its key; live and test stay apart: with it a process with a rotated key sends what one with the old key left. */
  account?: string | undefined;
  /** Keys that were rotated: what processes with them left is sent, too. */
  previousApiKeys?: string[] | undefined;
  /** How much is kept at most; default 256 MiB. */
  maxBytes?: number | undefined;
  /** Whether every call is on disk before `track` answers, also while Rev can be reached; then kill -9 loses none. Default false. */
  writeAhead?: boolean | undefined;
}

/** How `track` sends. */
export interface TrackOptions {
  /** Calls of a batch at most, 1 to 1,000; default 500. */
  maxBatch?: number | undefined;
  /** Bytes of a batch at most; default 1 MiB. */
  maxBatchBytes?: number | undefined;
  /** Milliseconds that a call waits for others at most; default 1,000. */
  flushInterval?: number | undefined;
  /** Calls in memory at most; default 10,000. What is beyond goes to disk at once. */
  maxQueue?: number | undefined;
  /** Bytes in memory at most; default 16 MiB. */
  maxQueueBytes?: number | undefined;
  /** When memory and disk are full: refuse the call (default), or let `await track()` wait. */
  whenFull?: 'reject' | 'wait' | undefined;
  /** Where calls wait that cannot be sent; false keeps them in memory only. */
  spool?: SpoolOptions | false | undefined;
  /** Whether to send what waits when the event loop is empty, and on SIGTERM and SIGINT; default false. What is not sent is kept on disk in any case. */
  flushOnExit?: boolean | { timeout?: number | undefined; signals?: string[] | undefined } | undefined;
  /** Told of each call that is rejected or lost. By default it is a process warning. */
  onRejected?: ((call: MeterCall, error: RevError) => void) | undefined;
}

/** How long to go on. */
export interface TrackCloseOptions {
  /** Milliseconds; default 30,000 for `flush`, 10,000 for `close`. */
  timeout?: number | undefined;
}

/** A call that was taken. */
export interface Tracked {
  /** What it is sent under, and can be resolved by. */
  idempotency_key: string;
}

/** What became of tracked calls: `tracked + recovered = accepted + duplicates + rejected + lost + handed_over + pending`. */
export interface TrackStats {
  /** Calls that `track` was given. */
  tracked: number;
  /** Calls taken over from processes that are no more. */
  recovered: number;
  /** In memory, not answered yet. */
  queued: number;
  /** On disk, not answered yet. */
  spooled: number;
  /** `queued + spooled`. */
  pending: number;
  /** Stored and priced now. */
  accepted: number;
  /** They were stored before, under the same key: a repeat after an answer that was lost. */
  duplicates: number;
  /** Refused for good: by Rev, or malformed. */
  rejected: number;
  /** Given up otherwise: no room, no key, closed, or the end of the process without a disk; files that were removed. */
  lost: number;
  /** Why calls were rejected or lost, by code. */
  failed_by: Record<string, number>;
  /** Taken over by another process, which sends them. */
  handed_over: number;
  /** Folders where calls of other keys wait for a process that is no more. */
  foreign: number;
  /** Whether Rev does not take calls now. */
  away: boolean;
  /** Why Rev did not take calls last. */
  last_error: { at: string; code: string; message: string } | null;
  /** Where calls wait; null when they are kept in memory only. */
  folder: string | null;
  /** Why calls cannot be kept on disk; null when they can. */
  spool_error: string | null;
}
