"""Tracks calls while Rev is killed: tracker.py FOLDER CALLS KEY-PREFIX AGENT. Waits until Rev has all of them, and says so."""

import json
import sys

from revgrid import Rev, TrackOptions

folder, calls, prefix, agent = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
rev = Rev(timeout=5, track=TrackOptions(spool_dir=folder, flush_interval=0.02, batch_size=25))
for number in range(calls):
    rev.track(agent_id=agent, action="x", idempotency_key=f"{prefix}-{number}", metadata={"i": number})
print("taken", flush=True)
flushed = rev.flush(150)
stats = rev.stats()
print("stats", json.dumps({"flushed": flushed, "tracked": stats.tracked, "accepted": stats.accepted, "duplicates": stats.duplicates, "pending": stats.pending,
                           "rejected": stats.rejected, "lost": stats.lost, "failures": stats.failures}), flush=True)
sys.exit(0 if rev.close() else 1)
