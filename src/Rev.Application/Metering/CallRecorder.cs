using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;

namespace Rev.Application.Metering;

/// <summary>Prices a valid call and appends it: what a single call and an item of a batch have in common.</summary>
public sealed class CallRecorder(IPriceBook prices, IUsageLog log, IIdFactory ids, TimeProvider clock)
{
    /// <summary>Records a call that its validator passed.</summary>
    public async Task<Result<MeteredReceipt>> Record(MeterCall request, CancellationToken cancellationToken) =>
        await Append(await Price(request, cancellationToken), cancellationToken);

    /// <summary>Prices a call that its validator passed; nothing is stored yet.</summary>
    public async ValueTask<PricedCall> Price(MeterCall request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var agent = new AgentId(request.AgentId!);
        CustomerId? named = request.CustomerId is null ? null : new CustomerId(request.CustomerId);
        var (customer, tier) = await prices.For(request.Tenant, agent, named, cancellationToken);
        var facts = new CallFacts(
            agent, request.Action!, customer, request.Model, request.TokensInput, request.TokensOutput, request.Metadata ?? Metadata.Empty);
        var report = new CallReport(facts, Reported(request.Outcome), request.Metadata is not null, request.ExpiresAt, request.OccurredAt);
        Idempotency? idempotency = request.IdempotencyKey is { } key
            ? new(IdempotencyHash.Key(request.Tenant, request.KeySpace, key), CallContent.Hash(request))
            : null;
        return new(request.Tenant, MeteredCall.Record(request.Tenant, new(ids.Next(now)), report, tier, now, idempotency), idempotency);
    }

    /// <summary>Stores a priced call; calls are stored in the order in which this is called.</summary>
    public async Task<Result<MeteredReceipt>> Append(PricedCall priced, CancellationToken cancellationToken)
    {
        return Counted(priced.Call.IsSuccess
            ? Receipt(await log.Append(priced.Call.Value, cancellationToken))
            : await FindFirst(priced, priced.Call.Error, cancellationToken));
    }

    /// <summary>Stores priced calls in their order, each for itself.</summary>
    public async Task<IReadOnlyList<Result<MeteredReceipt>>> Append(IReadOnlyList<PricedCall> priced, CancellationToken cancellationToken)
    {
        var appended = await log.Append(priced.Where(p => p.Call.IsSuccess).Select(p => p.Call.Value).ToArray(), cancellationToken);
        var refused = await Task.WhenAll(priced.Where(p => !p.Call.IsSuccess).Select(p => FindFirst(p, p.Call.Error!, cancellationToken)));
        var (stored, told) = (0, 0);
        return priced.Select(p => Counted(p.Call.IsSuccess ? Receipt(appended[stored++]) : refused[told++])).ToArray();
    }

    private static Result<MeteredReceipt> Counted(Result<MeteredReceipt> recorded)
    {
        RevMetrics.Calls.Add(1, new KeyValuePair<string, object?>(
            "result", recorded.Error?.Code ?? (recorded.Value.Replayed ? "replayed" : "stored")));
        return recorded;
    }

    /// <summary>A retry after its clocks ran out still finds its answer; a refusal is never remembered.</summary>
    private async Task<Result<MeteredReceipt>> FindFirst(PricedCall priced, Error refusal, CancellationToken cancellationToken)
    {
        if (priced.Idempotency is not { } asked) return refusal;
        var found = await log.Find(priced.Tenant, asked, cancellationToken);
        if (!found.IsSuccess) return found.Error;
        return found.Value is { } first ? new MeteredReceipt(MeterReceipt.Of(first), Replayed: true) : refusal;
    }

    private static Result<MeteredReceipt> Receipt(Result<AppendedCall> appended) => appended.IsSuccess
        ? new MeteredReceipt(MeterReceipt.Of(appended.Value.Call), appended.Value.Replayed)
        : appended.Error;

    private static ReportedOutcome Reported(string? outcome) => outcome switch
    {
        "success" => ReportedOutcome.Success,
        "failure" => ReportedOutcome.Failure,
        "pending" => ReportedOutcome.Pending,
        _ => ReportedOutcome.None,
    };
}

/// <summary>A call with its price, or what is wrong with its clocks.</summary>
public sealed record PricedCall(Tenant Tenant, Result<MeteredCall> Call, Idempotency? Idempotency);
