"""An outreach agent that is paid for replies, with a model that needs no key: it is made up, its usage is not.

Install the SDK (pip install ./sdks/python), start Rev, and give the example a test key:

    REV_BASE_URL=http://localhost:5080 REV_API_KEY=rg_test_… python3 examples/python/agent.py

It sets a tier for its agent, writes to a few prospects, and lets some of them reply.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import revgrid

AGENT = "outreach-example"
TIER = "outreach-example"
PROSPECTS = ["ada@example.com", "grace@example.com", "not an address", "alan@example.com", "edsger@example.com"]

chance = random.Random(7)


class FakeModel:
    """Answers as a provider's chat completions do, with the counts that a bill is made of."""

    def complete(self, prompt: str) -> dict:
        words = len(prompt.split())
        reasoning = chance.randrange(40, 200)
        visible = chance.randrange(60, 140)
        prompt_tokens = 900 + words * 2
        return {
            "object": "chat.completion",
            "model": "fake-small-1",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"Re: {prompt}"}}],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": reasoning + visible,
                "total_tokens": prompt_tokens + reasoning + visible,
                "prompt_tokens_details": {"cached_tokens": 768},  # part of prompt_tokens: not counted again
                "completion_tokens_details": {"reasoning_tokens": reasoning},  # part of completion_tokens
            },
        }


model = FakeModel()


@revgrid.run(agent_id=AGENT, action="email.researched", outcome="success")
def research(prospect: str, run: revgrid.Run) -> str:
    """A step that is done when it returns."""
    answer = model.complete(f"What does {prospect} care about?")
    run.tokens(answer)
    if "@" not in prospect:
        raise ValueError(f"{prospect!r} is no e-mail address")  # metered as a failure: tokens, but no bonus
    return answer["choices"][0]["message"]["content"]


def write_to(prospect: str, notes: str) -> revgrid.Run:
    """A step of which only time tells what it was worth."""
    with revgrid.run(agent_id=AGENT, action="email.sent", metadata={"prospect": prospect}) as run:
        for prompt in (f"Draft a mail to {prospect} about {notes}", "Make it shorter"):
            run.tokens(model.complete(prompt))
        run.pending(expires_at=datetime.now(timezone.utc) + timedelta(days=7))
    return run


def main() -> None:
    revgrid.configure_tier(
        TIER,
        {
            "name": "Outreach",
            "base_fee": Decimal("0.005"),
            "token_rates": {"input_per_million": Decimal("0.15"), "output_per_million": Decimal("0.60")},
            "outcome_bonuses": [
                {
                    "name": "positive reply",
                    "action": "email.sent",
                    "when": {"field": "metadata.sentiment", "op": "eq", "value": "positive"},
                    "amount": Decimal("2.50"),
                }
            ],
            "pending": {"expires_after": timedelta(days=7)},
        },
    )
    revgrid.configure_agent(AGENT, {"tier": TIER})

    sent: list[revgrid.Run] = []
    for prospect in PROSPECTS:
        try:
            notes = research(prospect)
        except ValueError as error:
            print(f"{prospect:20} skipped: {error}")
            continue
        run = write_to(prospect, notes)
        sent.append(run)
        if run.receipt is not None:
            print(f"{prospect:20} sent: {run.receipt.price_charged} now, at most {run.receipt.potential_bonus} later")

    # Small steps that nobody waits for are sent in the background, in batches.
    for prospect in PROSPECTS:
        revgrid.track(agent_id=AGENT, action="crm.updated", metadata={"prospect": prospect})
    if not revgrid.flush():
        print("Rev is away; what was tracked is sent by the next run")

    # Days later, the replies come in. Each call is known by its idempotency key, so nothing else has to be kept.
    for run in sent:
        sentiment = chance.choice(["positive", "positive", "negative"])
        outcome = revgrid.resolve_outcome(
            idempotency_key=run.idempotency_key, outcome="success", metadata={"sentiment": sentiment}
        )
        print(f"{run.metadata['prospect']:20} replied, {sentiment}: {outcome.price_charged} in all ({outcome.bonus and outcome.bonus.reason})")

    month = datetime.now(timezone.utc).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    totals = revgrid.revenue(from_=month, agent_id=AGENT).totals
    print(
        f"Revenue of {AGENT} this month: {totals.revenue} for {totals.calls} calls; {totals.successes} successes,"
        f" {totals.failures} failures, bonuses {totals.outcome_bonuses}"
    )


if __name__ == "__main__":
    main()
