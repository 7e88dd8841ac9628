using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>Reads the ledger of a time as an invoice sums it: by agent, action, price and component, all as of one instant.</summary>
public sealed class BillableLedger(StoreFactory store) : IBillableLedger
{
    // What was done before the time is apart: its period of service is an earlier one.
    private const string OfCalls = """
        SELECT agent_id, action, tier_key, tier_version, early, CAST(COUNT(*) AS bigint), CAST(SUM(tokens) AS bigint), CAST(SUM(bonuses) AS bigint), MIN(occurred_at),
          CAST(SUM(base_nanos / 1000000000) AS bigint), CAST(SUM(base_nanos % 1000000000) AS bigint),
          CAST(SUM(token_nanos / 1000000000) AS bigint), CAST(SUM(token_nanos % 1000000000) AS bigint),
          CAST(SUM(bonus_nanos / 1000000000) AS bigint), CAST(SUM(bonus_nanos % 1000000000) AS bigint)
        FROM (
          SELECT agent_id, action, tier_key, tier_version, CASE WHEN occurred_at < @from THEN 1 ELSE 0 END AS early, tokens_input + tokens_output AS tokens,
            CASE WHEN bonus_nanos <> 0 THEN 1 ELSE 0 END AS bonuses, occurred_at, base_nanos, token_nanos, bonus_nanos
          FROM calls
          WHERE account_id = @account AND mode = @mode AND customer_id = @customer AND id >= @first AND id < @end
            AND effective_at >= @from AND effective_at < @to AND currency = CAST(@currency AS char(3))
        ) AS parts GROUP BY agent_id, action, tier_key, tier_version, early
        """;

    // Calls that were moved to an archive left what they had added to each hour; of which price is not known there.
    private const string OfArchived = """
        SELECT agent_id, action, 'archived', 0, 0, CAST(SUM(calls) AS bigint), CAST(SUM(tokens_input + tokens_output) AS bigint), CAST(SUM(bonuses) AS bigint), CAST(MIN(hour) AS bigint),
          CAST(SUM(base_nanos / 1000000000) AS bigint), CAST(SUM(base_nanos % 1000000000) AS bigint),
          CAST(SUM(token_nanos / 1000000000) AS bigint), CAST(SUM(token_nanos % 1000000000) AS bigint),
          CAST(SUM(bonus_nanos / 1000000000) AS bigint), CAST(SUM(bonus_nanos % 1000000000) AS bigint)
        FROM archived_rollups
        WHERE account_id = @account AND mode = @mode AND currency = CAST(@currency AS char(3)) AND customer_id = @customer AND hour >= @from AND hour < @to
        GROUP BY agent_id, action
        """;

    private const string Later = """
        FROM ledger_entries AS e
        WHERE e.account_id = @account AND e.mode = @mode AND e.customer_id = @customer AND e.id >= @first AND e.id < @end
          AND e.effective_at >= @from AND e.effective_at < @to AND e.currency = CAST(@currency AS char(3))
        """;

    private const string FirstService = $"SELECT MIN(e.service_at) {Later} AND e.component <> 3";

    private const string OfEntries = $"""
        SELECT e.agent_id, e.action, e.tier_key, e.tier_version, e.component, CAST(COUNT(*) AS bigint),
          CAST(SUM(e.amount_nanos / 1000000000) AS bigint), CAST(SUM(e.amount_nanos % 1000000000) AS bigint)
        {Later} AND e.component <> 3 AND e.service_at >= @service_from AND e.service_at < @service_to
        GROUP BY e.agent_id, e.action, e.tier_key, e.tier_version, e.component
        """;

    private const string OfReversals = """
        SELECT e.id, e.agent_id, e.action, e.tier_key, e.tier_version, e.service_at, e.amount_nanos, b.effective_at, c.effective_at, c.bonus_nanos
        FROM ledger_entries AS e
        LEFT JOIN ledger_entries AS b ON b.account_id = e.account_id AND b.mode = e.mode AND b.call_id = e.call_id AND b.component = 2
        LEFT JOIN calls AS c ON c.account_id = e.account_id AND c.mode = e.mode AND c.id = e.call_id
        LEFT JOIN credited_entries AS d ON d.account_id = e.account_id AND d.mode = e.mode AND d.entry_id = e.id
        WHERE e.account_id = @account AND e.mode = @mode AND e.customer_id = @customer AND e.id >= @first AND e.id < @end
          AND e.effective_at >= @from AND e.effective_at < @to AND e.currency = CAST(@currency AS char(3)) AND e.component = 3 AND d.entry_id IS NULL
        ORDER BY e.id
        """;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<(CustomerId Customer, string Currency)>> Customers(
        Tenant tenant, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var first = Utc.Hour(from);
        await using var db = store.Create();
        var found = new List<(CustomerId, string)>();
        foreach (var currency in await db.Currencies(tenant, cancellationToken))
            found.AddRange((await db.Rollups.AsNoTracking()
                .Where(r => r.AccountId == account && r.Mode == mode && r.Currency == currency && r.Hour >= first && r.Hour < to)
                .Select(r => r.CustomerId).Distinct().ToListAsync(cancellationToken)).Select(c => (new CustomerId(c), currency)));
        return found;
    }

    /// <inheritdoc/>
    public async Task<BillableCharges> Charges(
        Tenant tenant, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to, BillingCycle cycle, CancellationToken cancellationToken)
    {
        if (from >= to) return new([], []);
        IEnumerable<(string Name, object Value)> parameters =
        [
            .. tenant.Parameters(), ("@customer", customer.Value), ("@currency", currency), ("@from", Micros.Of(from)), ("@to", Micros.Of(to)),
            ("@first", UlidText.ToBytes(IdWindow.From(from))), ("@end", UlidText.ToBytes(IdWindow.To(to))),
        ];
        await using var db = store.Create();
        await using var snapshot = await db.BeginRead(cancellationToken);
        var charges = new Dictionary<ChargeKey, (long Quantity, Total Exact)>();
        void Add(ChargeKey key, long quantity, Total exact)
        {
            if (quantity == 0 && exact.IsZero) return;
            var sum = charges.GetValueOrDefault(key);
            charges[key] = (sum.Quantity + quantity, sum.Exact + exact);
        }

        var sums = await db.Query(OfCalls, parameters, CallSums.Read, cancellationToken);
        sums.AddRange(await db.Query(OfArchived, parameters.Where(p => p.Name is not ("@first" or "@end")), CallSums.Read, cancellationToken));
        foreach (var calls in sums)
        {
            var service = calls.IsEarly ? new BillingPeriod(cycle.PeriodOf(calls.FirstAt).Start, from) : new BillingPeriod(from, to);
            ChargeKey Key(LedgerComponent component) => new(new(calls.Agent), calls.Action, component, new(calls.Tier), calls.TierVersion, service);
            Add(Key(LedgerComponent.Base), calls.Calls, calls.Base);
            Add(Key(LedgerComponent.Tokens), calls.Tokens, calls.Token);
            Add(Key(LedgerComponent.Outcome), calls.Bonuses, calls.Bonus);
        }
        // Of what came later each period of service is read by itself: usually one or two.
        var earliest = (await db.Query<long?>(FirstService, parameters, r => r.IsDBNull(0) ? null : r.GetInt64(0), cancellationToken))[0];
        if (earliest is { } at)
            foreach (var service in Services(Micros.ToInstant(at), from, to, cycle))
                foreach (var entries in await db.Query(OfEntries, [.. parameters, ("@service_from", Micros.Of(service.Start)), ("@service_to", Micros.Of(service.End))], EntrySums.Read, cancellationToken))
                    Add(new(new(entries.Agent), entries.Action, entries.Component, new(entries.Tier), entries.TierVersion, service), entries.Quantity, entries.Amount);
        var reversed = await db.Query(OfReversals, parameters, reader => Reversal(reader, from, to, cycle), cancellationToken);
        return new([.. charges.Select(c => new Charge(c.Key, c.Value.Quantity, c.Value.Exact))], reversed);
    }

    /// <summary>The periods before a time in which work of it was done, and the time itself.</summary>
    private static IEnumerable<BillingPeriod> Services(DateTimeOffset earliest, DateTimeOffset from, DateTimeOffset to, BillingCycle cycle)
    {
        if (earliest < from)
            for (var period = cycle.PeriodOf(earliest); period.Start < from; period = cycle.After(period))
                yield return period.End < from ? period : period with { End = from };
        yield return new(from, to);
    }

    private static ReversedBonus Reversal(DbDataReader r, DateTimeOffset from, DateTimeOffset to, BillingCycle cycle)
    {
        var serviceAt = Micros.ToInstant(r.GetInt64(5));
        var service = Services(serviceAt, from, to, cycle).First();
        // A bonus was charged by an entry of its own, or at the call.
        long? chargedAt = !r.IsDBNull(7) ? r.GetInt64(7) : !r.IsDBNull(8) && r.GetInt64(9) != 0 ? r.GetInt64(8) : null;
        return new(
            new(UlidText.FromBytes((byte[])r.GetValue(0))),
            new(new(r.GetString(1)), r.GetString(2), LedgerComponent.Outcome, new(r.GetString(3)), r.GetInt32(4), service),
            serviceAt, new(r.GetInt64(6)), chargedAt is { } micros ? Micros.ToInstant(micros) : null);
    }

    private sealed record CallSums(
        string Agent, string Action, string Tier, int TierVersion, bool IsEarly, long Calls, long Tokens, long Bonuses, DateTimeOffset FirstAt, Total Base, Total Token, Total Bonus)
    {
        public static CallSums Read(DbDataReader r) => new(
            r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt32(3), r.GetInt32(4) != 0, r.GetInt64(5), r.GetInt64(6), r.GetInt64(7), Micros.ToInstant(r.GetInt64(8)),
            Total.Of(r.GetInt64(9), r.GetInt64(10)), Total.Of(r.GetInt64(11), r.GetInt64(12)), Total.Of(r.GetInt64(13), r.GetInt64(14)));
    }

    private sealed record EntrySums(string Agent, string Action, string Tier, int TierVersion, LedgerComponent Component, long Quantity, Total Amount)
    {
        public static EntrySums Read(DbDataReader r) => new(
            r.GetString(0), r.GetString(1), r.GetString(2), r.GetInt32(3), (LedgerComponent)r.GetInt16(4), r.GetInt64(5), Total.Of(r.GetInt64(6), r.GetInt64(7)));
    }
}
