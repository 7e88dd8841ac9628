using Rev.Domain.Common;
using Rev.Infrastructure.Common;
using OfCall = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.CallRow>;
using OfClaim = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.BonusClaimRow>;
using OfEntry = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.LedgerEntryRow>;
using OfKey = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.IdempotencyKeyRow>;
using OfOpen = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.OpenOutcomesRow>;
using OfOutcome = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.OutcomeRow>;
using OfParty = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.Party>;
using OfRollup = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.RollupRow>;
using OfUpdate = Rev.Infrastructure.Metering.Column<Rev.Infrastructure.Metering.OutcomeUpdate>;

namespace Rev.Infrastructure.Metering;

/// <summary>The types of columns that the writer fills.</summary>
public enum BulkType
{
    /// <summary>16 bytes.</summary>
    Id,
    /// <summary>16 bits.</summary>
    Small,
    /// <summary>32 bits.</summary>
    Int,
    /// <summary>64 bits.</summary>
    Long,
    /// <summary>True or false.</summary>
    Flag,
    /// <summary>ASCII text of at most 128.</summary>
    Key,
    /// <summary>Any text.</summary>
    Text,
}

/// <summary>A column, and how to read its value off a row; one of the three readers is there.</summary>
public sealed class BulkColumn<T>
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its type.</summary>
    public required BulkType Type { get; init; }

    /// <summary>Reads 16 bytes.</summary>
    public Func<T, UInt128?>? Id { get; init; }

    /// <summary>Reads a number or a flag.</summary>
    public Func<T, long?>? Number { get; init; }

    /// <summary>Reads a text.</summary>
    public Func<T, string?>? Text { get; init; }

    /// <summary>The value as an object of the type's own.</summary>
    public object? Box(T row) => Type switch
    {
        BulkType.Id => Id!(row) is { } id ? UlidText.ToBytes(id) : null,
        BulkType.Small => (short?)Number!(row),
        BulkType.Int => (int?)Number!(row),
        BulkType.Long => Number!(row),
        BulkType.Flag => Number!(row) is { } flag ? flag != 0 : null,
        BulkType.Key or BulkType.Text => Text!(row),
    };

    /// <summary>The same column, read off another row.</summary>
    public BulkColumn<TOther> Of<TOther>(Func<TOther, T> row) => new()
    {
        Name = Name, Type = Type,
        Id = Id is { } id ? r => id(row(r)) : null,
        Number = Number is { } number ? r => number(row(r)) : null,
        Text = Text is { } text ? r => text(row(r)) : null,
    };
}

/// <summary>Makes columns.</summary>
public static class Column<T>
{
    /// <summary>16 bytes.</summary>
    public static BulkColumn<T> Id(string name, Func<T, UInt128?> read) => new() { Name = name, Type = BulkType.Id, Id = read };

    /// <summary>16 bits.</summary>
    public static BulkColumn<T> Small(string name, Func<T, long?> read) => Number(name, BulkType.Small, read);

    /// <summary>32 bits.</summary>
    public static BulkColumn<T> Int(string name, Func<T, long?> read) => Number(name, BulkType.Int, read);

    /// <summary>64 bits.</summary>
    public static BulkColumn<T> Long(string name, Func<T, long?> read) => Number(name, BulkType.Long, read);

    /// <summary>0 or 1.</summary>
    public static BulkColumn<T> Flag(string name, Func<T, long?> read) => Number(name, BulkType.Flag, read);

    /// <summary>ASCII text of at most 128.</summary>
    public static BulkColumn<T> Key(string name, Func<T, string?> read) => new() { Name = name, Type = BulkType.Key, Text = read };

    /// <summary>Any text.</summary>
    public static BulkColumn<T> Text(string name, Func<T, string?> read) => new() { Name = name, Type = BulkType.Text, Text = read };

    private static BulkColumn<T> Number(string name, BulkType type, Func<T, long?> read) => new() { Name = name, Type = type, Number = read };
}

/// <summary>A table as the writer sees it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Keys">The columns of its key.</param>
/// <param name="Values">The others.</param>
public sealed record BulkTable<T>(string Name, BulkColumn<T>[] Keys, BulkColumn<T>[] Values)
{
    /// <summary>All columns, the key's first.</summary>
    public BulkColumn<T>[] Columns { get; } = [.. Keys, .. Values];

    /// <summary>Names of the key's columns.</summary>
    public string KeyNames { get; } = string.Join(", ", Keys.Select(k => k.Name));

    /// <summary>Names of all columns.</summary>
    public string ColumnNames { get; } = string.Join(", ", Keys.Concat(Values).Select(c => c.Name));
}

/// <summary>An outcome row to write if its version is still the one it was loaded with.</summary>
public sealed record OutcomeUpdate(OutcomeRow Row, int ExpectedVersion);

/// <summary>An agent or a customer to register if nobody knows it.</summary>
public sealed record Party(Tenant Tenant, string Key, UInt128 Id, long CreatedAt);

/// <summary>The tables that the writer fills.</summary>
public static class BulkTables
{
    /// <summary>Idempotency keys.</summary>
    public static readonly BulkTable<IdempotencyKeyRow> IdempotencyKeys = new("idempotency_keys",
        [OfKey.Id("key_hash", r => r.KeyHash)],
        [OfKey.Id("content_hash", r => r.ContentHash), OfKey.Id("call_id", r => r.CallId.Value)]);

    /// <summary>Claims.</summary>
    public static readonly BulkTable<BonusClaimRow> BonusClaims = new("bonus_claims",
        [OfClaim.Id("claim_hash", r => r.ClaimHash)],
        [OfClaim.Id("call_id", r => r.CallId.Value)]);

    /// <summary>Calls.</summary>
    public static readonly BulkTable<CallRow> Calls = new("calls",
        [
            OfCall.Id("account_id", r => r.AccountId.Value), OfCall.Small("mode", r => (long)r.Mode),
            OfCall.Id("id", r => r.Id.Value),
        ],
        [
            OfCall.Key("agent_id", r => r.AgentId), OfCall.Key("action", r => r.Action), OfCall.Key("customer_id", r => r.CustomerId),
            OfCall.Text("model", r => r.Model), OfCall.Long("tokens_input", r => r.TokensInput), OfCall.Long("tokens_output", r => r.TokensOutput),
            OfCall.Small("outcome", r => (long)r.Outcome), OfCall.Key("tier_key", r => r.TierKey), OfCall.Int("tier_version", r => r.TierVersion),
            OfCall.Key("currency", r => r.Currency), OfCall.Long("base_nanos", r => r.BaseNanos), OfCall.Long("token_nanos", r => r.TokenNanos),
            OfCall.Long("bonus_nanos", r => r.BonusNanos), OfCall.Long("potential_nanos", r => r.PotentialNanos), OfCall.Int("rule", r => r.Rule),
            OfCall.Small("reason", r => (long?)r.Reason), OfCall.Id("claim", r => r.Claim is null ? null : UlidText.FromBytes(r.Claim)), OfCall.Text("metadata", r => r.Metadata),
            OfCall.Long("occurred_at", r => Micros.Of(r.OccurredAt)), OfCall.Long("received_at", r => Micros.Of(r.ReceivedAt)),
            OfCall.Long("effective_at", r => Micros.Of(r.EffectiveAt)), OfCall.Long("expires_at", r => Micros.Of(r.ExpiresAt)),
            OfCall.Long("settles_at", r => Micros.Of(r.SettlesAt)),
        ]);

    private static readonly BulkColumn<OutcomeRow>[] OutcomeKeys =
    [
        OfOutcome.Id("account_id", r => r.AccountId.Value), OfOutcome.Small("mode", r => (long)r.Mode),
        OfOutcome.Id("id", r => r.Id.Value),
    ];

    private static readonly BulkColumn<OutcomeRow>[] OutcomeParties = [OfOutcome.Key("agent_id", r => r.AgentId), OfOutcome.Key("customer_id", r => r.CustomerId)];

    private static readonly BulkColumn<OutcomeRow>[] OutcomeValues =
    [
        OfOutcome.Small("status", r => (long)r.Status), OfOutcome.Int("version", r => r.Version), OfOutcome.Long("expires_at", r => Micros.Of(r.ExpiresAt)),
        OfOutcome.Long("due_at", r => Micros.Of(r.DueAt)), OfOutcome.Small("result", r => (long?)r.Result),
        OfOutcome.Long("decided_at", r => Micros.Of(r.DecidedAt)), OfOutcome.Text("decided_by", r => r.DecidedBy),
        OfOutcome.Long("decided_effective_at", r => Micros.Of(r.DecidedEffectiveAt)), OfOutcome.Long("settles_at", r => Micros.Of(r.SettlesAt)),
        OfOutcome.Long("closed_effective_at", r => Micros.Of(r.ClosedEffectiveAt)), OfOutcome.Int("rule", r => r.Rule),
        OfOutcome.Small("reason", r => (long?)r.Reason), OfOutcome.Long("bonus_nanos", r => r.BonusNanos), OfOutcome.Flag("expired", r => r.Expired ? 1 : 0),
        OfOutcome.Id("claim", r => r.Claim is null ? null : UlidText.FromBytes(r.Claim)), OfOutcome.Text("metadata", r => r.Metadata), OfOutcome.Text("trace", r => r.Trace),
        OfOutcome.Long("reversed_at", r => Micros.Of(r.ReversedAt)), OfOutcome.Text("reversed_by", r => r.ReversedBy),
        OfOutcome.Text("reversal_reason", r => r.ReversalReason), OfOutcome.Long("reversed_nanos", r => r.ReversedNanos),
        OfOutcome.Long("changed_at", r => Micros.Of(r.ChangedAt)),
    ];

    /// <summary>Outcomes.</summary>
    public static readonly BulkTable<OutcomeRow> Outcomes = new("outcomes", OutcomeKeys, [.. OutcomeParties, .. OutcomeValues]);

    /// <summary>Outcomes to change: the last value is the version they must still have.</summary>
    public static readonly BulkTable<OutcomeUpdate> OutcomeUpdates = new("outcomes",
        [.. OutcomeKeys.Select(Of)], [.. OutcomeValues.Select(Of), OfUpdate.Int("expected_version", u => u.ExpectedVersion)]);

    /// <summary>Outcomes to hold until the commit: their version stays.</summary>
    public static readonly BulkTable<OutcomeUpdate> OutcomeLocks = new("outcomes",
        [.. OutcomeKeys.Select(Of)], [OfUpdate.Int("version", u => u.ExpectedVersion), OfUpdate.Int("expected_version", u => u.ExpectedVersion)]);

    /// <summary>Ledger entries.</summary>
    public static readonly BulkTable<LedgerEntryRow> LedgerEntries = new("ledger_entries",
        [
            OfEntry.Id("account_id", r => r.AccountId.Value), OfEntry.Small("mode", r => (long)r.Mode),
            OfEntry.Id("id", r => r.Id.Value),
        ],
        [
            OfEntry.Id("call_id", r => r.CallId.Value), OfEntry.Key("customer_id", r => r.CustomerId),
            OfEntry.Key("agent_id", r => r.AgentId), OfEntry.Key("action", r => r.Action), OfEntry.Small("component", r => (long)r.Component),
            OfEntry.Long("amount_nanos", r => r.AmountNanos), OfEntry.Key("currency", r => r.Currency), OfEntry.Key("tier_key", r => r.TierKey),
            OfEntry.Int("tier_version", r => r.TierVersion), OfEntry.Text("reason", r => r.Reason),
            OfEntry.Long("service_at", r => Micros.Of(r.ServiceAt)), OfEntry.Long("effective_at", r => Micros.Of(r.EffectiveAt)),
        ]);

    /// <summary>Rollups: values are added.</summary>
    public static readonly BulkTable<RollupRow> Rollups = new("rollups",
        [
            OfRollup.Id("account_id", r => r.AccountId.Value), OfRollup.Small("mode", r => (long)r.Mode),
            OfRollup.Key("currency", r => r.Currency), OfRollup.Long("hour", r => Micros.Of(r.Hour)), OfRollup.Key("customer_id", r => r.CustomerId),
            OfRollup.Key("agent_id", r => r.AgentId), OfRollup.Key("action", r => r.Action),
        ],
        [
            OfRollup.Long("calls", r => r.Calls), OfRollup.Long("tokens_input", r => r.TokensInput), OfRollup.Long("tokens_output", r => r.TokensOutput),
            OfRollup.Long("base_nanos", r => r.BaseNanos), OfRollup.Long("token_nanos", r => r.TokenNanos), OfRollup.Long("bonus_nanos", r => r.BonusNanos),
            OfRollup.Long("reversal_nanos", r => r.ReversalNanos), OfRollup.Long("successes", r => r.Successes), OfRollup.Long("failures", r => r.Failures),
            OfRollup.Long("pending", r => r.Pending), OfRollup.Long("expired", r => r.Expired),
            OfRollup.Long("bonuses", r => r.Bonuses), OfRollup.Long("reversals", r => r.Reversals),
        ]);

    /// <summary>Open outcomes: values are added.</summary>
    public static readonly BulkTable<OpenOutcomesRow> OpenOutcomes = new("open_outcomes",
        [
            OfOpen.Id("account_id", r => r.AccountId.Value), OfOpen.Small("mode", r => (long)r.Mode),
            OfOpen.Key("currency", r => r.Currency), OfOpen.Key("agent_id", r => r.AgentId), OfOpen.Small("status", r => (long)r.Status),
        ],
        [
            OfOpen.Long("outcomes", r => r.Outcomes), OfOpen.Long("potential_units", r => r.PotentialUnits),
            OfOpen.Long("potential_nanos", r => r.PotentialNanos), OfOpen.Long("unbounded", r => r.Unbounded),
        ]);

    /// <summary>Agents that a call names first.</summary>
    public static readonly BulkTable<Party> Agents = Parties("agents", "agent_id", []);

    /// <summary>Customers that a call names first.</summary>
    public static readonly BulkTable<Party> Customers = Parties("customers", "customer_id", [OfParty.Flag("erasure_open", _ => 0)]);

    private static BulkTable<Party> Parties(string table, string key, BulkColumn<Party>[] more) => new(table,
        [
            OfParty.Id("account_id", r => r.Tenant.Account.Value), OfParty.Small("mode", r => (long)r.Tenant.Mode),
            OfParty.Key(key, r => r.Key),
        ],
        [OfParty.Id("id", r => r.Id), OfParty.Long("created_at", r => r.CreatedAt), .. more]);

    private static BulkColumn<OutcomeUpdate> Of(BulkColumn<OutcomeRow> column) => column.Of<OutcomeUpdate>(u => u.Row);
}

/// <summary>One transaction of the writer; disposed without a commit, nothing is kept.</summary>
public interface IBulkSession : IAsyncDisposable
{
    /// <summary>Inserts rows that must be new.</summary>
    Task Insert<T>(BulkTable<T> table, IReadOnlyList<T> rows);

    /// <summary>Inserts the rows whose key is not there; answers which. The keys of the rows differ from each other.</summary>
    Task<bool[]> InsertMissing<T>(BulkTable<T> table, IReadOnlyList<T> rows);

    /// <summary>Sets the values of the rows whose <c>version</c> is the last value, <c>expected_version</c>; answers which.</summary>
    Task<bool[]> UpdateExpected<T>(BulkTable<T> table, IReadOnlyList<T> rows);

    /// <summary>Adds the values to those that are there, or inserts them.</summary>
    Task Add<T>(BulkTable<T> table, IReadOnlyList<T> rows);

    /// <summary>Deletes rows by their key.</summary>
    Task Delete<T>(BulkTable<T> table, IReadOnlyList<T> rows);

    /// <summary>Commits.</summary>
    Task Commit();
}

/// <summary>The bulk path of one database.</summary>
public interface IBulkStore : IAsyncDisposable
{
    /// <summary>Whether a statement that answers costs a way to a server and back; what answers nothing waits for the commit.</summary>
    bool AnswersCostATrip { get; }

    /// <summary>Begins a transaction.</summary>
    Task<IBulkSession> Begin(CancellationToken cancellationToken);
}
