using System.Diagnostics;
using System.Numerics;
using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;

namespace Rev.Application.Metering;

/// <summary>
/// Prices the recorded calls that were committed from <paramref name="From"/> (inclusive) to <paramref name="To"/>
/// (exclusive) under a tier: one given inline, or one of the account's by its key.
/// </summary>
public sealed record ReplayCalls(
    Tenant Tenant, TierSpec? Tier, string? TierKey, DateTimeOffset? From, DateTimeOffset? To, string? AgentId, string? CustomerId)
    : IRequest<Result<ReplayReport>>
{
    /// <summary>The window when nobody says.</summary>
    public static readonly TimeSpan DefaultWindow = TimeSpan.FromDays(30);

    /// <summary>The longest window.</summary>
    public static readonly TimeSpan MaxWindow = TimeSpan.FromDays(366);

    /// <summary>Told about twice a second how far it is.</summary>
    public IProgress<ReplayProgress>? Progress { get; init; }
}

/// <summary>How far a replay is.</summary>
/// <param name="Calls">Calls looked at.</param>
/// <param name="Percent">The part of the window that lies behind.</param>
public sealed record ReplayProgress(long Calls, int Percent);

/// <summary>What recorded calls came to, against what a tier would have charged. Amounts in major units, exact.</summary>
/// <param name="ArchivedMonths">Months (UTC, of receipt) of which calls were moved to an archive; no amount here covers those.</param>
public sealed record ReplayReport(
    TierReference? Tier, string Currency, DateTimeOffset From, DateTimeOffset To, IReadOnlyList<string> ArchivedMonths, long Calls, ReplayedPrice Actual, ReplayedPrice Replayed,
    string Difference, IReadOnlyList<ReplayedDay> Days, IReadOnlyList<ReplayedAgent> Agents, ReplayedOthers? OtherAgents, IReadOnlyList<OtherCurrency> OtherCurrencies, long CallsErased);

/// <summary>Amounts by what they are for.</summary>
public sealed record ReplayedPrice(string BaseFees, string TokenCharges, string OutcomeBonuses, string Total);

/// <summary>One day (UTC) of commits.</summary>
public sealed record ReplayedDay(DateOnly Day, long Calls, ReplayedPrice Actual, ReplayedPrice Replayed, string Difference);

/// <summary>One agent.</summary>
public sealed record ReplayedAgent(string AgentId, long Calls, ReplayedPrice Actual, ReplayedPrice Replayed, string Difference);

/// <summary>The agents that the list leaves out.</summary>
public sealed record ReplayedOthers(int Agents, long Calls, ReplayedPrice Actual, ReplayedPrice Replayed, string Difference);

/// <summary>Calls in another currency than the tier's: they are not compared.</summary>
public sealed record OtherCurrency(string Currency, long Calls);

/// <summary>Which recorded calls, and what of them.</summary>
public sealed record RecordedWindow(Tenant Tenant, string Currency, DateTimeOffset From, DateTimeOffset To, string? AgentId, string? CustomerId, FactsRead Reads, bool Claims);

/// <summary>What is done with recorded calls as they are read.</summary>
public interface IRecordedCallSink
{
    /// <summary>Takes a call in the currency; false ends the reading.</summary>
    bool Take(in RecordedCall call);

    /// <summary>Takes a call in another currency.</summary>
    void Skip(string currency);

    /// <summary>Told now and then where the reading is.</summary>
    void Reached(DateTimeOffset at);
}

/// <summary>Reads recorded calls back, each with where its outcome stands, in the order of their ids.</summary>
public interface IRecordedCalls
{
    /// <summary>
    /// Hands the calls of a window over, one by one, without keeping them. Answers the months (2026-01, UTC, of receipt) of
    /// which calls of the window are in an archive and were not handed over, or not all of them.
    /// </summary>
    Task<IReadOnlyList<string>> Read(RecordedWindow window, IRecordedCallSink sink, CancellationToken cancellationToken);
}

/// <summary>Shape of <see cref="ReplayCalls"/>.</summary>
public sealed class ReplayCallsValidator : AbstractValidator<ReplayCalls>
{
    /// <summary>The rules.</summary>
    public ReplayCallsValidator()
    {
        RuleFor(x => x.Tier).Must((x, _) => x.Tier is not null || x.TierKey is not null).OverridePropertyName("tier").WithMessage("is required");
        RuleFor(x => x.TierKey).OptionalKey("tier");
        RuleFor(x => x.Tier!).SetValidator(new TierSpecValidator("tier")).OverridePropertyName("").When(x => x.Tier is not null);
        RuleFor(x => x.AgentId).OptionalKey("agent_id");
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
    }
}

/// <summary>Replays read much: a process runs two at once, and one of an account.</summary>
public sealed class ReplayTurns
{
    private const int Most = 2;

    private readonly Lock _lock = new();
    private readonly HashSet<AccountId> _running = [];

    /// <summary>The refusal of a replay that has to wait.</summary>
    public static readonly Error Taken = ServiceErrors.Overloaded with
    {
        Message = "A replay of this account runs already, or as many as Rev runs at once. Retry it when one has ended.",
        RetryAfter = TimeSpan.FromSeconds(5),
    };

    /// <summary>A turn, to be disposed of at the end; null when none is free.</summary>
    public IDisposable? Take(AccountId account)
    {
        lock (_lock) return _running.Count < Most && _running.Add(account) ? new Turn(this, account) : null;
    }

    private sealed class Turn(ReplayTurns turns, AccountId account) : IDisposable
    {
        public void Dispose()
        {
            lock (turns._lock) _ = turns._running.Remove(account);
        }
    }
}

/// <summary>Handles <see cref="ReplayCalls"/>.</summary>
public sealed class ReplayCallsHandler(SimulatedTiers tiers, IRecordedCalls calls, ReplayTurns turns, TimeProvider clock) : IRequestHandler<ReplayCalls, Result<ReplayReport>>
{
    private const int MaxAgents = 1_000;

    /// <inheritdoc/>
    public async Task<Result<ReplayReport>> Handle(ReplayCalls request, CancellationToken cancellationToken)
    {
        var window = Window(request, clock.Now());
        if (!window.IsSuccess) return window.Error;
        var (from, to) = window.Value;
        var found = await tiers.Find(request.Tenant, request.Tier, request.TierKey, cancellationToken);
        if (!found.IsSuccess) return found.Error;
        var tier = found.Value;
        using var turn = turns.Take(request.Tenant.Account);
        if (turn is null) return ReplayTurns.Taken;

        var run = new Run(new(request.Tenant, tier), from, to, request.Progress);
        var archived = await calls.Read(
            new(request.Tenant, tier.Currency.Code, from, to, request.AgentId, request.CustomerId, FactsRead.Of(tier.Terms), tier.Terms.OneBonusPer is not null),
            run, cancellationToken);
        if (run.IsFull) return Error.Invalid("from", $"must be later: the window has more than {Replay.MaxClaimants} outcomes that one_bonus_per decides about");
        run.Replay.Finish();
        return Report(request, tier, from, to, archived, run);
    }

    private static Result<(DateTimeOffset From, DateTimeOffset To)> Window(ReplayCalls request, DateTimeOffset now)
    {
        var to = request.To ?? now;
        if (to - DateTimeOffset.UnixEpoch < ReplayCalls.MaxWindow) return Error.Invalid("to", "is long before the first call");
        var from = request.From ?? to - ReplayCalls.DefaultWindow;
        if (from >= to) return Error.Invalid("from", "must be before to");
        if (to - from > ReplayCalls.MaxWindow) return Error.Invalid("from", $"must be at most {ReplayCalls.MaxWindow.Days} days before to");
        return (from, to);
    }

    private static ReplayReport Report(ReplayCalls request, TierVersion tier, DateTimeOffset from, DateTimeOffset to, IReadOnlyList<string> archived, Run run)
    {
        var total = new ReplayedSums();
        foreach (var (_, day) in run.Replay.Days) total.Add(day);
        var agents = run.Replay.Agents.OrderByDescending(a => Int128.Abs(a.Value.Difference)).ThenBy(a => a.Key, StringComparer.Ordinal).ToArray();
        return new(
            request.Tier is null ? TierReference.Of(tier) : null, tier.Currency.Code, from, to, archived, total.Calls, Price(total.Actual), Price(total.Replayed), Text(total.Difference),
            run.Replay.Days.OrderBy(d => d.Key).Select(d => new ReplayedDay(d.Key, d.Value.Calls, Price(d.Value.Actual), Price(d.Value.Replayed), Text(d.Value.Difference))).ToArray(),
            agents.Take(MaxAgents).Select(a => new ReplayedAgent(a.Key, a.Value.Calls, Price(a.Value.Actual), Price(a.Value.Replayed), Text(a.Value.Difference))).ToArray(),
            Others(agents[Math.Min(MaxAgents, agents.Length)..]),
            run.Skipped.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => new OtherCurrency(s.Key, s.Value)).ToArray(), run.Replay.Erased);
    }

    private static ReplayedOthers? Others(KeyValuePair<string, ReplayedSums>[] agents)
    {
        if (agents.Length == 0) return null;
        var sums = new ReplayedSums();
        foreach (var (_, agent) in agents) sums.Add(agent);
        return new(agents.Length, sums.Calls, Price(sums.Actual), Price(sums.Replayed), Text(sums.Difference));
    }

    private static ReplayedPrice Price(ReplayedAmounts amounts) =>
        new(Text(amounts.BaseFees), Text(amounts.TokenCharges), Text(amounts.OutcomeBonuses), Text(amounts.Total));

    private static string Text(Int128 nanos) => (Exact.Whole((BigInteger)nanos) / Exact.Whole(Money.NanosPerUnit)).ToText(Money.Decimals);

    private sealed class Run(Replay replay, DateTimeOffset from, DateTimeOffset to, IProgress<ReplayProgress>? progress) : IRecordedCallSink
    {
        private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(500);

        private long? _toldAt;
        private long _calls;

        public Replay Replay => replay;

        public Dictionary<string, long> Skipped { get; } = new(StringComparer.Ordinal);

        public bool IsFull { get; private set; }

        public bool Take(in RecordedCall call)
        {
            _calls++;
            IsFull = !replay.Take(call);
            return !IsFull;
        }

        public void Skip(string currency)
        {
            _calls++;
            Skipped[currency] = Skipped.GetValueOrDefault(currency) + 1;
        }

        public void Reached(DateTimeOffset at)
        {
            if (progress is null || (_toldAt is { } told && Stopwatch.GetElapsedTime(told) < Pace)) return;
            _toldAt = Stopwatch.GetTimestamp();
            progress.Report(new(_calls, (int)Math.Clamp((at - from) * 100 / (to - from), 0, 100)));
        }
    }
}
