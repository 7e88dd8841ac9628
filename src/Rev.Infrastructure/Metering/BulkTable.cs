using Rev.Domain.Common;
using Rev.Infrastructure.Common;

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

/// <summary>A column, and how to read its value off a row.</summary>
public sealed record BulkColumn<T>(string Name, BulkType Type, Func<T, object?> Get);

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
        [new("key_hash", BulkType.Id, r => UlidText.ToBytes(r.KeyHash))],
        [new("content_hash", BulkType.Id, r => UlidText.ToBytes(r.ContentHash)), new("call_id", BulkType.Id, r => UlidText.ToBytes(r.CallId.Value))]);

    /// <summary>Claims.</summary>
    public static readonly BulkTable<BonusClaimRow> BonusClaims = new("bonus_claims",
        [new("claim_hash", BulkType.Id, r => UlidText.ToBytes(r.ClaimHash))],
        [new("call_id", BulkType.Id, r => UlidText.ToBytes(r.CallId.Value))]);

    /// <summary>Calls.</summary>
    public static readonly BulkTable<CallRow> Calls = new("calls",
        [
            new("account_id", BulkType.Id, r => UlidText.ToBytes(r.AccountId.Value)), new("mode", BulkType.Small, r => (short)r.Mode),
            new("id", BulkType.Id, r => UlidText.ToBytes(r.Id.Value)),
        ],
        [
            new("agent_id", BulkType.Key, r => r.AgentId), new("action", BulkType.Key, r => r.Action), new("customer_id", BulkType.Key, r => r.CustomerId),
            new("model", BulkType.Text, r => r.Model), new("tokens_input", BulkType.Long, r => r.TokensInput), new("tokens_output", BulkType.Long, r => r.TokensOutput),
            new("outcome", BulkType.Small, r => (short)r.Outcome), new("tier_key", BulkType.Key, r => r.TierKey), new("tier_version", BulkType.Int, r => r.TierVersion),
            new("currency", BulkType.Key, r => r.Currency), new("base_nanos", BulkType.Long, r => r.BaseNanos), new("token_nanos", BulkType.Long, r => r.TokenNanos),
            new("bonus_nanos", BulkType.Long, r => r.BonusNanos), new("potential_nanos", BulkType.Long, r => r.PotentialNanos), new("rule", BulkType.Int, r => r.Rule),
            new("reason", BulkType.Small, r => (short?)r.Reason), new("claim", BulkType.Id, r => r.Claim), new("metadata", BulkType.Text, r => r.Metadata),
            new("occurred_at", BulkType.Long, r => Micros.Of(r.OccurredAt)), new("received_at", BulkType.Long, r => Micros.Of(r.ReceivedAt)),
            new("effective_at", BulkType.Long, r => Micros.Of(r.EffectiveAt)), new("expires_at", BulkType.Long, r => Micros.Of(r.ExpiresAt)),
            new("settles_at", BulkType.Long, r => Micros.Of(r.SettlesAt)),
        ]);

    private static readonly BulkColumn<OutcomeRow>[] OutcomeKeys =
    [
        new("account_id", BulkType.Id, r => UlidText.ToBytes(r.AccountId.Value)), new("mode", BulkType.Small, r => (short)r.Mode),
        new("id", BulkType.Id, r => UlidText.ToBytes(r.Id.Value)),
    ];

    private static readonly BulkColumn<OutcomeRow>[] OutcomeValues =
    [
        new("status", BulkType.Small, r => (short)r.Status), new("version", BulkType.Int, r => r.Version), new("expires_at", BulkType.Long, r => Micros.Of(r.ExpiresAt)),
        new("due_at", BulkType.Long, r => Micros.Of(r.DueAt)), new("result", BulkType.Small, r => (short?)r.Result),
        new("decided_at", BulkType.Long, r => Micros.Of(r.DecidedAt)), new("decided_by", BulkType.Text, r => r.DecidedBy),
        new("decided_effective_at", BulkType.Long, r => Micros.Of(r.DecidedEffectiveAt)), new("settles_at", BulkType.Long, r => Micros.Of(r.SettlesAt)),
        new("closed_effective_at", BulkType.Long, r => Micros.Of(r.ClosedEffectiveAt)), new("rule", BulkType.Int, r => r.Rule),
        new("reason", BulkType.Small, r => (short?)r.Reason), new("bonus_nanos", BulkType.Long, r => r.BonusNanos), new("expired", BulkType.Flag, r => r.Expired),
        new("claim", BulkType.Id, r => r.Claim), new("metadata", BulkType.Text, r => r.Metadata), new("trace", BulkType.Text, r => r.Trace),
        new("reversed_at", BulkType.Long, r => Micros.Of(r.ReversedAt)), new("reversed_by", BulkType.Text, r => r.ReversedBy),
        new("reversal_reason", BulkType.Text, r => r.ReversalReason), new("reversed_nanos", BulkType.Long, r => r.ReversedNanos),
        new("changed_at", BulkType.Long, r => Micros.Of(r.ChangedAt)),
    ];

    /// <summary>Outcomes.</summary>
    public static readonly BulkTable<OutcomeRow> Outcomes = new("outcomes", OutcomeKeys, OutcomeValues);

    /// <summary>Outcomes to change: the last value is the version they must still have.</summary>
    public static readonly BulkTable<OutcomeUpdate> OutcomeUpdates = new("outcomes",
        [.. OutcomeKeys.Select(Of)], [.. OutcomeValues.Select(Of), new("expected_version", BulkType.Int, u => u.ExpectedVersion)]);

    /// <summary>Outcomes to hold until the commit: their version stays.</summary>
    public static readonly BulkTable<OutcomeUpdate> OutcomeLocks = new("outcomes",
        [.. OutcomeKeys.Select(Of)], [new("version", BulkType.Int, u => u.ExpectedVersion), new("expected_version", BulkType.Int, u => u.ExpectedVersion)]);

    /// <summary>Ledger entries.</summary>
    public static readonly BulkTable<LedgerEntryRow> LedgerEntries = new("ledger_entries",
        [
            new("account_id", BulkType.Id, r => UlidText.ToBytes(r.AccountId.Value)), new("mode", BulkType.Small, r => (short)r.Mode),
            new("id", BulkType.Id, r => UlidText.ToBytes(r.Id.Value)),
        ],
        [
            new("call_id", BulkType.Id, r => UlidText.ToBytes(r.CallId.Value)), new("customer_id", BulkType.Key, r => r.CustomerId),
            new("agent_id", BulkType.Key, r => r.AgentId), new("action", BulkType.Key, r => r.Action), new("component", BulkType.Small, r => (short)r.Component),
            new("amount_nanos", BulkType.Long, r => r.AmountNanos), new("currency", BulkType.Key, r => r.Currency), new("tier_key", BulkType.Key, r => r.TierKey),
            new("tier_version", BulkType.Int, r => r.TierVersion), new("reason", BulkType.Text, r => r.Reason),
            new("service_at", BulkType.Long, r => Micros.Of(r.ServiceAt)), new("effective_at", BulkType.Long, r => Micros.Of(r.EffectiveAt)),
        ]);

    /// <summary>Rollups: values are added.</summary>
    public static readonly BulkTable<RollupRow> Rollups = new("rollups",
        [
            new("account_id", BulkType.Id, r => UlidText.ToBytes(r.AccountId.Value)), new("mode", BulkType.Small, r => (short)r.Mode),
            new("currency", BulkType.Key, r => r.Currency), new("hour", BulkType.Long, r => Micros.Of(r.Hour)), new("customer_id", BulkType.Key, r => r.CustomerId),
            new("agent_id", BulkType.Key, r => r.AgentId), new("action", BulkType.Key, r => r.Action),
        ],
        [
            new("calls", BulkType.Long, r => r.Calls), new("tokens_input", BulkType.Long, r => r.TokensInput), new("tokens_output", BulkType.Long, r => r.TokensOutput),
            new("base_nanos", BulkType.Long, r => r.BaseNanos), new("token_nanos", BulkType.Long, r => r.TokenNanos), new("bonus_nanos", BulkType.Long, r => r.BonusNanos),
            new("reversal_nanos", BulkType.Long, r => r.ReversalNanos), new("successes", BulkType.Long, r => r.Successes), new("failures", BulkType.Long, r => r.Failures),
            new("pending", BulkType.Long, r => r.Pending), new("expired", BulkType.Long, r => r.Expired),
            new("bonuses", BulkType.Long, r => r.Bonuses), new("reversals", BulkType.Long, r => r.Reversals),
        ]);

    /// <summary>Open outcomes: values are added.</summary>
    public static readonly BulkTable<OpenOutcomesRow> OpenOutcomes = new("open_outcomes",
        [
            new("account_id", BulkType.Id, r => UlidText.ToBytes(r.AccountId.Value)), new("mode", BulkType.Small, r => (short)r.Mode),
            new("currency", BulkType.Key, r => r.Currency), new("agent_id", BulkType.Key, r => r.AgentId), new("status", BulkType.Small, r => (short)r.Status),
        ],
        [
            new("outcomes", BulkType.Long, r => r.Outcomes), new("potential_units", BulkType.Long, r => r.PotentialUnits),
            new("potential_nanos", BulkType.Long, r => r.PotentialNanos), new("unbounded", BulkType.Long, r => r.Unbounded),
        ]);

    /// <summary>Agents that a call names first.</summary>
    public static readonly BulkTable<Party> Agents = Parties("agents", "agent_id", []);

    /// <summary>Customers that a call names first.</summary>
    public static readonly BulkTable<Party> Customers = Parties("customers", "customer_id", [new("erasure_open", BulkType.Flag, _ => false)]);

    private static BulkTable<Party> Parties(string table, string key, BulkColumn<Party>[] more) => new(table,
        [
            new("account_id", BulkType.Id, r => UlidText.ToBytes(r.Tenant.Account.Value)), new("mode", BulkType.Small, r => (short)r.Tenant.Mode),
            new(key, BulkType.Key, r => r.Key),
        ],
        [new("id", BulkType.Id, r => UlidText.ToBytes(r.Id)), new("created_at", BulkType.Long, r => r.CreatedAt), .. more]);

    private static BulkColumn<OutcomeUpdate> Of(BulkColumn<OutcomeRow> column) => new(column.Name, column.Type, u => column.Get(u.Row));
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
    /// <summary>Begins a transaction.</summary>
    Task<IBulkSession> Begin(CancellationToken cancellationToken);
}
