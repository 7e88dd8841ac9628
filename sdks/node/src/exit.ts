import type { TrackCloseOptions, TrackStats } from './trackoptions';

/** What the end of the process asks of a tracker. */
interface Leaving {
  readonly exitOptions: { timeout: number; signals: string[] } | null;
  exit(): void;
  stats(): TrackStats;
  flush(options: TrackCloseOptions): Promise<TrackStats>;
  close(options: TrackCloseOptions): Promise<TrackStats>;
}

const exits = new Set<Leaving>();
let hooked = false;
const signals = new Set<string>();
const seen = new WeakMap<Leaving, number>();

/** @internal What is in memory at the end of the process goes to disk, or is sent where that was asked for. */
export function register(tracker: Leaving): void {
  exits.add(tracker);
  if (!hooked) {
    hooked = true;
    process.on('exit', () => { for (const t of exits) t.exit(); });
    process.on('beforeExit', () => { for (const t of exits) flush(t); });
  }
  for (const signal of tracker.exitOptions?.signals ?? []) {
    if (signals.has(signal)) continue;
    signals.add(signal);
    const end = (): void => {
      const open = [...exits].filter((t) => t.exitOptions);
      void Promise.all(open.map((t) => t.close({ timeout: t.exitOptions!.timeout }))).finally(() => {
        process.removeListener(signal, end);
        signals.delete(signal);
        // The signal ends the process as it would have, unless the program has a handler of its own.
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
    };
    process.on(signal, end);
  }
}

/** The loop is empty: once more for what was tracked since the last time. */
function flush(tracker: Leaving): void {
  const options = tracker.exitOptions;
  if (!options) return;
  const { tracked, queued } = tracker.stats();
  if (queued > 0 && tracked > (seen.get(tracker) ?? 0)) void tracker.flush({ timeout: options.timeout });
  seen.set(tracker, tracked);
}

/** @internal It is closed: the end of the process is nothing to it. */
export function unregister(tracker: Leaving): void {
  exits.delete(tracker);
}
