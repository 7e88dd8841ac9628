using System.Data.Common;
using System.Runtime.CompilerServices;
using MediatR;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Billing;

/// <summary>
/// Handles <see cref="GetStatement"/>: whole hours from the rollups, what remains at the ends from the ledger, all as of one
/// instant. An end within an hour is counted from the nearer end of its hour.
/// </summary>
public sealed class GetStatementHandler(StoreFactory store, TimeProvider clock) : IRequestHandler<GetStatement, Result<Statement>>
{
    /// <inheritdoc/>
    public async Task<Result<Statement>> Handle(GetStatement request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var period = StatementPeriod.Of(request.Period, now);
        if (!period.IsSuccess) return period.Error;
        var (from, to) = period.Value;
        var customer = new StatementOf(request.Tenant, request.CustomerId);

        await using var db = store.Create();
        await using var snapshot = await db.BeginRead(cancellationToken);
        if (!await customer.IsKnown(db, cancellationToken)) return CustomerErrors.CustomerNotFound;
        var (whole, rests) = Split(from, to, now);
        foreach (var rest in rests)
            if (await customer.Archived(db, rest.From, rest.To, cancellationToken) is { } archived) return archived;

        var sums = new Dictionary<(string Currency, string Agent, string Action), LineSums>();
        LineSums At(string currency, string agent, string action)
        {
            if (!sums.TryGetValue((currency, agent, action), out var line)) sums.Add((currency, agent, action), line = new());
            return line;
        }
        foreach (var currency in await db.Currencies(request.Tenant, cancellationToken))
        {
            var folded = await db.FoldedUntil(request.Tenant, currency, cancellationToken);
            foreach (var (agent, action, figures) in await db.Sums(
                new(request.Tenant, currency, whole.From, whole.To) { CustomerId = request.CustomerId }, folded, _ => "0", ["agent_id", "action"],
                (reader, figures) => (reader.GetString(0), reader.GetString(1), figures), cancellationToken))
                At(currency, agent, action).Add(figures, 1);
        }
        foreach (var rest in rests)
            foreach (var (currency, agent, action, figures) in await customer.Ledger(db, rest.From, rest.To, cancellationToken))
                At(currency, agent, action).Add(figures, rest.Sign);

        return new Statement(request.CustomerId, from, to,
        [
            .. sums.GroupBy(s => s.Key.Currency, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => Folded(g.Key, [.. g.SelectMany(s => s.Value.Lines(s.Key.Agent, s.Key.Action))])).Where(c => c.Lines.Count > 0),
        ]);
    }

    private static CurrencyStatement Folded(string currency, IReadOnlyList<StatementLine> lines) => new(
        currency, lines.Aggregate(default(Total), (sum, line) => sum + line.Amount),
        [.. lines.OrderBy(l => l.AgentId, StringComparer.Ordinal).ThenBy(l => l.Action, StringComparer.Ordinal).ThenBy(l => l.Component)]);

    /// <summary>Whole hours, and what is to be added to them or taken off at either end.</summary>
    private static ((DateTimeOffset From, DateTimeOffset To) Whole, List<(DateTimeOffset From, DateTimeOffset To, int Sign)> Rests) Split(
        DateTimeOffset from, DateTimeOffset to, DateTimeOffset now)
    {
        var rests = new List<(DateTimeOffset, DateTimeOffset, int)>();
        var (first, last) = (Utc.Hour(from), Utc.Hour(to));
        if (first == last) return ((first, first), [(from, to, 1)]);
        var start = first;
        if (from > first)
        {
            var next = first.AddHours(1);
            if (from - first <= next - from)
            {
                rests.Add((first, from, -1));
            }
            else
            {
                rests.Add((from, next, 1));
                start = next;
            }
        }
        var end = last;
        if (to > last)
        {
            // Nothing is charged later than now: a statement up to now takes its last hour whole, less what came meanwhile.
            var next = last.AddHours(1);
            if ((now < next ? now : next) - to < to - last)
            {
                rests.Add((to, next, -1));
                end = next;
            }
            else
            {
                rests.Add((last, to, 1));
            }
        }
        return ((start, end), rests);
    }

    /// <summary>The sums of an agent's action.</summary>
    private sealed class LineSums
    {
        private readonly (long Quantity, Total Amount)[] _components = new (long, Total)[4];

        public void Add(RollupFigures f, int sign)
        {
            Add(LedgerComponent.Base, f.Calls, f.Base);
            Add(LedgerComponent.Tokens, f.TokensInput + f.TokensOutput, f.Token);
            Add(LedgerComponent.Outcome, f.Bonuses, f.Bonus);
            Add(LedgerComponent.Reversal, f.Reversals, f.Reversal);

            void Add(LedgerComponent component, long quantity, Total amount)
            {
                ref var sum = ref _components[(int)component];
                sum = sign > 0 ? (sum.Quantity + quantity, sum.Amount + amount) : (sum.Quantity - quantity, sum.Amount - amount);
            }
        }

        public IEnumerable<StatementLine> Lines(string agent, string action) => _components
            .Select((c, i) => new StatementLine(agent, action, (LedgerComponent)i, c.Quantity, c.Amount)).Where(l => l.Quantity != 0 || !l.Amount.IsZero);
    }
}

/// <summary>Handles <see cref="GetStatementEntries"/>: by id, a part at a time, so that a slow reader holds nothing open and little in memory.</summary>
public sealed class GetStatementEntriesHandler(StoreFactory store, TimeProvider clock) : IRequestHandler<GetStatementEntries, Result<StatementEntries>>
{
    private const int PartSize = 2_000;

    /// <inheritdoc/>
    public async Task<Result<StatementEntries>> Handle(GetStatementEntries request, CancellationToken cancellationToken)
    {
        var period = StatementPeriod.Of(request.Period, clock.Now());
        if (!period.IsSuccess) return period.Error;
        var (from, to) = period.Value;
        var customer = new StatementOf(request.Tenant, request.CustomerId);
        await using var db = store.Create();
        if (!await customer.IsKnown(db, cancellationToken)) return CustomerErrors.CustomerNotFound;
        if (await customer.Archived(db, from, to, cancellationToken) is { } archived) return archived;
        return new StatementEntries(request.CustomerId, from, to, Entries(request.Tenant, request.CustomerId, from, to));
    }

    /// <summary>Calls and later entries, merged by id.</summary>
    private async IAsyncEnumerable<StatementEntry> Entries(
        Tenant tenant, string customer, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var later = Later(tenant, customer, from, to, cancellationToken).GetAsyncEnumerator(cancellationToken);
        var more = await later.MoveNextAsync();
        await foreach (var call in Calls(tenant, customer, from, to, cancellationToken))
        {
            while (more && later.Current.Id < call.Id.Value)
            {
                yield return later.Current.Entry;
                more = await later.MoveNextAsync();
            }
            OutcomeId? outcome = call.Outcome == ReportedOutcome.None ? null : new(call.Id.Value);
            var currency = Currency.Parse(call.Currency);
            StatementEntry Entry(LedgerComponent component, long quantity, long nanos) =>
                new(call.OccurredAt, call.EffectiveAt, call.Id, outcome, call.AgentId, call.Action, component, quantity, Money.FromNanos(nanos, currency));
            yield return Entry(LedgerComponent.Base, 1, call.BaseNanos);
            yield return Entry(LedgerComponent.Tokens, call.Tokens, call.TokenNanos);
            if (call.BonusNanos != 0) yield return Entry(LedgerComponent.Outcome, 1, call.BonusNanos);
        }
        while (more)
        {
            yield return later.Current.Entry;
            more = await later.MoveNextAsync();
        }
        // Calls that were moved to an archive meanwhile are missing above: better a list that breaks off than one that seems whole.
        await using var db = store.Create();
        if (await new StatementOf(tenant, customer).Archived(db, from, to, cancellationToken) is { } archived) throw new InvalidOperationException(archived.Message);
    }

    private async IAsyncEnumerable<StatementCall> Calls(
        Tenant tenant, string customer, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var (next, end) = (new CallId(IdWindow.From(from)), new CallId(IdWindow.To(to)));
        while (true)
        {
            List<StatementCall> part;
            await using (var db = store.Create())
            {
                var at = next;
                part = await db.Calls.AsNoTracking()
                    .Where(c => c.AccountId == account && c.Mode == mode && c.CustomerId == customer && c.Id >= at && c.Id < end && c.EffectiveAt >= from && c.EffectiveAt < to)
                    .OrderBy(c => c.Id).Take(PartSize)
                    .Select(c => new StatementCall(
                        c.Id, c.OccurredAt, c.EffectiveAt, c.Outcome, c.AgentId, c.Action, c.TokensInput + c.TokensOutput, c.BaseNanos, c.TokenNanos, c.BonusNanos, c.Currency))
                    .ToListAsync(cancellationToken);
            }
            foreach (var call in part) yield return call;
            if (part.Count < PartSize) yield break;
            next = new(part[^1].Id.Value + 1);
        }
    }

    private async IAsyncEnumerable<(UInt128 Id, StatementEntry Entry)> Later(
        Tenant tenant, string customer, DateTimeOffset from, DateTimeOffset to, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (account, mode) = tenant;
        var (next, end) = (new LedgerEntryId(IdWindow.From(from)), new LedgerEntryId(IdWindow.To(to)));
        while (true)
        {
            List<(UInt128 Id, StatementEntry Entry)> part;
            await using (var db = store.Create())
            {
                var at = next;
                var rows = await db.LedgerEntries.AsNoTracking()
                    .Where(e => e.AccountId == account && e.Mode == mode && e.Id >= at && e.Id < end && e.CustomerId == customer && e.EffectiveAt >= from && e.EffectiveAt < to)
                    .OrderBy(e => e.Id).Take(PartSize)
                    .Select(e => new { e.Id, e.ServiceAt, e.EffectiveAt, e.CallId, e.AgentId, e.Action, e.Component, e.AmountNanos, e.Currency })
                    .ToListAsync(cancellationToken);
                part = rows.ConvertAll(e => (e.Id.Value, new StatementEntry(
                    e.ServiceAt, e.EffectiveAt, e.CallId, new(e.CallId.Value), e.AgentId, e.Action, e.Component, 1, Money.FromNanos(e.AmountNanos, Currency.Parse(e.Currency)))));
            }
            foreach (var entry in part) yield return entry;
            if (part.Count < PartSize) yield break;
            next = new(part[^1].Id + 1);
        }
    }

    private sealed record StatementCall(
        CallId Id, DateTimeOffset OccurredAt, DateTimeOffset EffectiveAt, ReportedOutcome Outcome, string AgentId, string Action, long Tokens,
        long BaseNanos, long TokenNanos, long BonusNanos, string Currency);
}

/// <summary>Whose statement.</summary>
public sealed record StatementOf(Tenant Tenant, string CustomerId)
{
    /// <summary>The ledger of some time, summed in the form of rollups.</summary>
    public static readonly string LedgerSums = $"""
        SELECT currency, agent_id, action, {RollupFigures.Sums} FROM (
          SELECT currency, agent_id, action, 1 AS calls, tokens_input, tokens_output, 0 AS successes, 0 AS failures, 0 AS pending, 0 AS expired,
            CASE WHEN bonus_nanos <> 0 THEN 1 ELSE 0 END AS bonuses, 0 AS reversals, base_nanos, token_nanos, bonus_nanos, CAST(0 AS bigint) AS reversal_nanos
          FROM calls
          WHERE account_id = @account AND mode = @mode AND customer_id = @customer AND id >= @first AND id < @end AND effective_at >= @from AND effective_at < @to
          UNION ALL
          SELECT currency, agent_id, action, 0, 0, 0, 0, 0, 0, 0, CASE WHEN component = 2 THEN 1 ELSE 0 END, CASE WHEN component = 2 THEN 0 ELSE 1 END,
            0, 0, CASE WHEN component = 2 THEN amount_nanos ELSE 0 END, CASE WHEN component = 2 THEN 0 ELSE amount_nanos END
          FROM ledger_entries
          WHERE account_id = @account AND mode = @mode AND customer_id = @customer AND id >= @first AND id < @end AND effective_at >= @from AND effective_at < @to
        ) AS parts GROUP BY currency, agent_id, action
        """;

    /// <summary>Whether the customer is known.</summary>
    public Task<bool> IsKnown(RevDbContext db, CancellationToken cancellationToken)
    {
        var id = new CustomerId(CustomerId);
        return db.Customers.AnyAsync(c => c.AccountId == Tenant.Account && c.Mode == Tenant.Mode && c.CustomerId == id, cancellationToken);
    }

    /// <summary>The sums of the customer's ledger over some time, read from single amounts.</summary>
    public Task<List<(string Currency, string Agent, string Action, RollupFigures Figures)>> Ledger(
        RevDbContext db, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken) => db.Query(
            LedgerSums,
            [
                .. Tenant.Parameters(), ("@customer", CustomerId), ("@first", UlidText.ToBytes(IdWindow.From(from))), ("@end", UlidText.ToBytes(IdWindow.To(to))),
                ("@from", Micros.Of(from)), ("@to", Micros.Of(to)),
            ],
            (DbDataReader reader) => (reader.GetString(0), reader.GetString(1), reader.GetString(2), RollupFigures.Read(reader, 3)), cancellationToken);

    /// <summary>The refusal when single calls of a time were removed to an archive.</summary>
    public async Task<Error?> Archived(RevDbContext db, DateTimeOffset from, DateTimeOffset to, CancellationToken cancellationToken)
    {
        var (account, mode) = Tenant;
        var (first, customer) = (Utc.Hour(from), CustomerId);
        var months = await db.Archives.AsNoTracking()
            .Where(a => db.ArchivedRollups.Any(r =>
                r.Month == a.Month && r.AccountId == account && r.Mode == mode && r.CustomerId == customer && r.Hour >= first && r.Hour < to && r.Calls > 0))
            .OrderBy(a => a.Month).Select(a => a.Month).ToListAsync(cancellationToken);
        return months.Count == 0 ? null : BillingErrors.Archived(months);
    }
}
