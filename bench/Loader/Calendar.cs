using System.Security.Cryptography;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Metering;

namespace Rev.Bench.Loader;

/// <summary>One commit and when it happens.</summary>
internal sealed record Batch(DateTimeOffset At, IReadOnlyList<WriteItem> Items);

/// <summary>
/// Sixty days of calls, hour by hour. The last thirty days are the window that reads look at: whatever the total is, the
/// same number of calls lies in it, drawn alike, and nothing of the thirty days before reaches into it.
/// </summary>
internal sealed class Calendar(Tenant tenant, TierVersion tier, IIdFactory ids, DateTimeOffset end, int calls, int window, int customers)
{
    public const int Days = 60;
    private const int HoursOfHalf = Days / 2 * 24;
    private const int MostOfBatch = 5_000;
    private const int Agents = 1_000;

    private static readonly string[] Actions = ["email.sent", "ticket.solved", "lead.found", "call.booked", "report.made"];
    private static readonly string[] Payloads = ["""{"recipient":"prospect@company.com","campaign":"q2"}""", """{"recipient":"prospect@company.com","campaign":"q3"}"""];
    // Longer than the calls of a commit are apart: none of them is decided in the commit that stores it.
    private static readonly TimeSpan ShortestDecision = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestDecision = TimeSpan.FromHours(20);

    private readonly PriorityQueue<Outcome, DateTimeOffset> _decisions = new();
    private readonly PriorityQueue<Outcome, DateTimeOffset> _expiries = new();
    private readonly DateTimeOffset _windowStart = end.AddDays(-Days / 2);

    /// <summary>Outcomes that were decided.</summary>
    public int Decided { get; private set; }

    /// <summary>Outcomes that expired.</summary>
    public int Expired { get; private set; }

    public IEnumerable<Batch> Batches()
    {
        foreach (var batch in Half(end.AddDays(-Days), calls - window, new Random(1), _windowStart)) yield return batch;
        foreach (var batch in Half(_windowStart, window, new Random(2), end)) yield return batch;
    }

    private IEnumerable<Batch> Half(DateTimeOffset start, int count, Random random, DateTimeOffset stop)
    {
        for (var hour = 0; hour < HoursOfHalf; hour++)
        {
            var ofHour = (int)((long)count * (hour + 1) / HoursOfHalf - (long)count * hour / HoursOfHalf);
            var batches = Math.Max(1, (ofHour + MostOfBatch - 1) / MostOfBatch);
            for (var i = 0; i < batches; i++)
            {
                // The calls of a commit came in the second before it: an id never lies far from its commit.
                var to = start.AddHours(hour).AddTicks(TimeSpan.TicksPerHour * (i + 1) / batches).AddMilliseconds(-1);
                var items = Calls(to.AddSeconds(-1), to, (int)((long)ofHour * (i + 1) / batches - (long)ofHour * i / batches), random, stop);
                items.AddRange(Due(_decisions, to, Resolve));
                items.AddRange(Due(_expiries, to, Expire));
                if (items.Count > 0) yield return new(to, items);
            }
        }
        // What is undecided at the end of the first half is decided there: the second half is the same for every total.
        if (stop == end) yield break;
        var last = Due(_decisions, DateTimeOffset.MaxValue, Resolve).Concat(Due(_expiries, DateTimeOffset.MaxValue, Resolve));
        foreach (var chunk in last.Chunk(MostOfBatch)) yield return new(stop.AddMilliseconds(-1), chunk);

        StepItem Resolve(Outcome outcome, DateTimeOffset due)
        {
            Decided++;
            var at = due < stop ? due : stop.AddMilliseconds(-1);
            return new(outcome.Resolve(outcome.Id.Value % 5 == 0 ? OutcomeResult.Failure : OutcomeResult.Success, null, "api", at), 0);
        }

        StepItem Expire(Outcome outcome, DateTimeOffset due)
        {
            Expired++;
            return new(outcome.ExpireIfDue(due), 0);
        }
    }

    private List<WriteItem> Calls(DateTimeOffset from, DateTimeOffset to, int count, Random random, DateTimeOffset stop)
    {
        var items = new List<WriteItem>(count);
        for (var i = 0; i < count; i++)
        {
            var at = new DateTimeOffset(from.Ticks + (to.Ticks - from.Ticks) / count * i / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);
            var agent = random.Next(Agents);
            var facts = new CallFacts(
                new($"agent-{agent}"), Actions[agent % Actions.Length], new($"customer-{agent % customers}"), null,
                random.Next(200, 4_000), random.Next(50, 1_000), Metadata.FromChecked(Payloads[agent % Payloads.Length]));
            var outcome = random.Next(100) switch
            {
                < 50 => ReportedOutcome.Success,
                < 65 => ReportedOutcome.Failure,
                < 85 => ReportedOutcome.Pending,
                _ => ReportedOutcome.None,
            };
            var decidedAfter = ShortestDecision + (LongestDecision - ShortestDecision) * random.NextDouble();
            var staysOpen = random.Next(10) == 0;
            // What nobody decides expires after the tier's term, but for what is so new that it is open at the end.
            var open = staysOpen && stop == end && at > end - tier.Terms.ExpiresAfter;
            var report = new CallReport(facts, outcome, HasMetadata: true, outcome == ReportedOutcome.Pending && open ? end.AddDays(60) : null, null);
            var call = MeteredCall.Record(tenant, new(ids.Next(at)), report, tier, at).Value with
            {
                Idempotency = new(IdempotencyHash.Key(tenant, "calls", Convert.ToHexString(RandomNumberGenerator.GetBytes(16))), new UInt128(1, (ulong)i)),
            };
            items.Add(new CallItem(call, 0));
            if (outcome != ReportedOutcome.Pending || open) continue;
            if (staysOpen) _expiries.Enqueue(call.ToOutcome()!, call.ExpiresAt!.Value);
            else if (at + decidedAfter < end) _decisions.Enqueue(call.ToOutcome()!, at + decidedAfter);
        }
        return items;
    }

    private static List<StepItem> Due(PriorityQueue<Outcome, DateTimeOffset> queue, DateTimeOffset until, Func<Outcome, DateTimeOffset, StepItem> step)
    {
        var due = new List<StepItem>();
        while (queue.TryPeek(out _, out var at) && at <= until)
        {
            queue.TryDequeue(out var outcome, out _);
            due.Add(step(outcome!, at));
        }
        return due;
    }
}
