using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Reads recorded calls by ranges of their primary key: a row at a time, a page a statement, so that neither memory nor a snapshot grows.</summary>
public sealed class RecordedCalls(StoreFactory store, TimeProvider clock) : IRecordedCalls
{
    /// <summary>Rows of one statement.</summary>
    public const int PageRows = 10_000;

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> Read(RecordedWindow window, IRecordedCallSink sink, CancellationToken cancellationToken)
    {
        // Nothing is committed after now, whatever the window says; the margin is another server's clock.
        var end = clock.GetUtcNow() + IdWindow.MaxLag;
        if (window.To < end) end = window.To;
        await using var db = store.Create();
        await db.Database.OpenConnectionAsync(cancellationToken);
        var archived = await Archived(db, window, end, cancellationToken);
        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = RecordedCallsSql.Page(store.Provider, window.Reads, window.Claims, window.AgentId is not null, window.CustomerId is not null);
        Add(command, "account", DbType.Binary, UlidText.ToBytes(window.Tenant.Account.Value));
        Add(command, "mode", DbType.Int16, (short)window.Tenant.Mode);
        var after = Add(command, "after", DbType.Binary, UlidText.ToBytes(Before(IdWindow.From(window.From))));
        Add(command, "until", DbType.Binary, UlidText.ToBytes(IdWindow.To(end)));
        Add(command, "from", DbType.Int64, Micros.Of(window.From));
        Add(command, "to", DbType.Int64, Micros.Of(window.To));
        Add(command, "currency", DbType.AnsiString, window.Currency);
        if (window.AgentId is { } agent) Add(command, "agent", DbType.AnsiString, agent);
        if (window.CustomerId is { } customer) Add(command, "customer", DbType.AnsiString, customer);

        var page = new Page(window, sink);
        while (await page.Read(command, cancellationToken) is { } last) after.Value = last;
        // A month may have gone to an archive, or come back from one, while the calls were read.
        return [.. archived.Union(await Archived(db, window, end, cancellationToken)).Order().Select(month => ArchiveMonth.Of(month).ToString())];
    }

    /// <summary>The months that lack calls of the window now; an hour that lies partly in it counts whole.</summary>
    private static async Task<List<DateTimeOffset>> Archived(RevDbContext db, RecordedWindow window, DateTimeOffset end, CancellationToken cancellationToken)
    {
        var (account, mode) = window.Tenant;
        var (first, last) = (ArchiveMonth.Of(window.From - IdWindow.MaxLag).Start, end + IdWindow.MaxLag);
        var hour = Utc.Hour(window.From);
        var missing = db.ArchivedRollups.AsNoTracking().Where(r => r.AccountId == account && r.Mode == mode && r.Hour >= hour && r.Hour < end && r.Calls > 0);
        if (window.AgentId is { } agent) missing = missing.Where(r => r.AgentId == agent);
        if (window.CustomerId is { } customer) missing = missing.Where(r => r.CustomerId == customer);
        return await db.Archives.AsNoTracking()
            .Where(a => a.Month >= first && a.Month < last && missing.Any(r => r.Month == a.Month)).Select(a => a.Month).ToListAsync(cancellationToken);
    }

    private static UInt128 Before(UInt128 id) => id == 0 ? id : id - 1;

    private static DbParameter Add(DbCommand command, string name, DbType type, object value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.DbType, parameter.Value) = ("@" + name, type, value);
        command.Parameters.Add(parameter);
        return parameter;
    }

    /// <summary>Reads pages row by row; of a row only what is asked for.</summary>
    private sealed class Page(RecordedWindow window, IRecordedCallSink sink)
    {
        private const int MostNames = 10_000;

        private readonly HashSet<string> _names = new(StringComparer.Ordinal);

        /// <summary>Reads a page; answers the last id when there may be more.</summary>
        public async Task<byte[]?> Read(DbCommand command, CancellationToken cancellationToken)
        {
            await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SingleResult, cancellationToken);
            for (var rows = 1; await reader.ReadAsync(cancellationToken); rows++)
            {
                var at = Micros.ToInstant(reader.GetInt64(RecordedCallsSql.EffectiveAt));
                if (!Hand(reader, at)) return null;
                if (rows < PageRows) continue;
                sink.Reached(at);
                return reader.GetFieldValue<byte[]>(RecordedCallsSql.Id);
            }
            return null;
        }

        private bool Hand(DbDataReader reader, DateTimeOffset at)
        {
            if (Text(reader, RecordedCallsSql.OtherCurrency) is { } currency)
            {
                sink.Skip(currency);
                return true;
            }
            var reads = window.Reads;
            var facts = new CallFacts(
                new(Known(reader.GetString(RecordedCallsSql.AgentId))), reads.Action ? Known(reader.GetString(RecordedCallsSql.Action)) : "",
                new(reads.Customer ? reader.GetString(RecordedCallsSql.CustomerId) : ""),
                reads.Model && Text(reader, RecordedCallsSql.Model) is { } model ? Known(model) : null,
                reader.GetInt64(RecordedCallsSql.TokensInput), reader.GetInt64(RecordedCallsSql.TokensOutput), Payload(reader, RecordedCallsSql.Metadata) ?? Metadata.Empty);
            var (status, bonus) = Stands(reader);
            var call = new RecordedCall(
                facts, status is null ? null : Payload(reader, RecordedCallsSql.Resolved), status, reader.GetInt64(RecordedCallsSql.BaseNanos),
                reader.GetInt64(RecordedCallsSql.TokenNanos), bonus, at)
            {
                DecidedAt = at, Expired = status == OutcomeStatus.Expired,
            };
            return sink.Take(window.Claims ? Claiming(reader, call) : call);
        }

        private static RecordedCall Claiming(DbDataReader reader, in RecordedCall call) => call with
        {
            Expired = Long(reader, RecordedCallsSql.Expired) == 1,
            DecidedAt = Long(reader, RecordedCallsSql.DecidedAt) is { } decided ? Micros.ToInstant(decided) : call.EffectiveAt,
            ReversedAt = call.Status == OutcomeStatus.Reversed && Long(reader, RecordedCallsSql.ChangedAt) is { } changed ? Micros.ToInstant(changed) : null,
            WasDenied = Long(reader, RecordedCallsSql.Denied) == 1,
        };

        private static (OutcomeStatus? Status, long Bonus) Stands(DbDataReader reader)
        {
            var reported = (ReportedOutcome)reader.GetInt16(RecordedCallsSql.Outcome);
            // What no outcome is tracked of, or failed at the call, can have no row.
            if (reported is ReportedOutcome.Success or ReportedOutcome.Pending && Long(reader, RecordedCallsSql.Status) is { } stored)
            {
                var status = (OutcomeStatus)stored;
                return (status, status is OutcomeStatus.Succeeded or OutcomeStatus.Expired ? reader.GetInt64(RecordedCallsSql.OutcomeNanos) : 0);
            }
            var charged = reader.GetInt64(RecordedCallsSql.BonusNanos);
            return reported switch
            {
                ReportedOutcome.None => (null, charged),
                ReportedOutcome.Success => (OutcomeStatus.Succeeded, charged),
                ReportedOutcome.Failure => (OutcomeStatus.Failed, charged),
                ReportedOutcome.Pending => (OutcomeStatus.Pending, charged),
            };
        }

        private Metadata? Payload(DbDataReader reader, int column) =>
            window.Reads.Metadata && Text(reader, column) is { } json ? Metadata.FromChecked(json) : null;

        private static long? Long(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

        private static string? Text(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

        /// <summary>Agents, actions and models come again and again: one text each.</summary>
        private string Known(string name)
        {
            if (_names.TryGetValue(name, out var known)) return known;
            if (_names.Count < MostNames) _names.Add(name);
            return name;
        }
    }
}

/// <summary>The statement that reads a page of recorded calls with their outcomes; the same but for its limit on every database.</summary>
public static class RecordedCallsSql
{
    internal const int EffectiveAt = 0, AgentId = 1, TokensInput = 2, TokensOutput = 3, BaseNanos = 4, TokenNanos = 5, BonusNanos = 6, Outcome = 7, OtherCurrency = 8,
        Status = 9, OutcomeNanos = 10, Expired = 11, DecidedAt = 12, ChangedAt = 13, Denied = 14, Action = 15, CustomerId = 16, Model = 17, Metadata = 18, Resolved = 19, Id = 20;

    /// <summary>The statement; what nobody reads is not fetched.</summary>
    public static string Page(StoreProvider provider, FactsRead reads, bool claims, bool ofAgent, bool ofCustomer)
    {
        static string If(bool wanted, string column) => wanted ? column : "NULL";
        var (top, limit) = provider switch
        {
            StoreProvider.SqlServer => ($"TOP ({RecordedCalls.PageRows}) ", ""),
            StoreProvider.Sqlite or StoreProvider.PostgreSql => ("", $" LIMIT {RecordedCalls.PageRows}"),
        };
        return $"""
            SELECT {top}c.effective_at, c.agent_id, c.tokens_input, c.tokens_output, c.base_nanos, c.token_nanos, c.bonus_nanos, c.outcome,
              CASE WHEN c.currency = @currency THEN NULL ELSE c.currency END AS other_currency, CAST(o.status AS bigint) AS status, o.bonus_nanos AS outcome_nanos,
              {If(claims, "CAST(CASE WHEN o.status = 4 OR (o.status = 5 AND o.result IS NULL) THEN 1 ELSE NULL END AS bigint)")} AS expired,
              {If(claims, "CASE WHEN o.result IS NULL THEN o.closed_effective_at ELSE o.decided_effective_at END")} AS decided_at, {If(claims, "o.changed_at")} AS changed_at,
              {If(claims, "CAST(CASE WHEN COALESCE(o.reason, c.reason) = 6 THEN 1 ELSE NULL END AS bigint)")} AS denied,
              {If(reads.Action, "c.action")} AS action, {If(reads.Customer, "c.customer_id")} AS customer_id, {If(reads.Model, "c.model")} AS model,
              {If(reads.Metadata, "c.metadata")} AS metadata, {If(reads.Metadata, "o.metadata")} AS resolved, c.id
            FROM calls c LEFT JOIN outcomes o ON o.account_id = c.account_id AND o.mode = c.mode AND o.id = c.id
            WHERE c.account_id = @account AND c.mode = @mode AND c.id > @after AND c.id < @until AND c.effective_at >= @from AND c.effective_at < @to
              {(ofAgent ? "AND c.agent_id = @agent" : "")} {(ofCustomer ? "AND c.customer_id = @customer" : "")}
            ORDER BY c.id{limit}
            """;
    }
}
