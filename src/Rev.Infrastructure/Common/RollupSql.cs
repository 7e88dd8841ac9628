namespace Rev.Infrastructure.Common;

/// <summary>What the rollups must say, from the calls, the ledger, the outcomes and the archive; the same text on every database.</summary>
public static class RollupSql
{
    /// <summary>The columns of a rollup's key.</summary>
    public const string Keys = "account_id, mode, currency, hour, customer_id, agent_id, action";

    /// <summary>The columns that are summed.</summary>
    public static readonly IReadOnlyList<string> Sums =
        ["calls", "tokens_input", "tokens_output", "base_nanos", "token_nanos", "bonus_nanos", "reversal_nanos", "successes", "failures", "pending", "expired", "bonuses", "reversals"];

    /// <summary>A query of all rollups as they should be.</summary>
    public static readonly string Expected = Summed($"""
        {Facts(_ => "1 = 1")}
          UNION ALL
          SELECT account_id, mode, currency, {Hour("effective_at")}, customer_id, agent_id, action, 0, 0, 0, 0, 0,
            CASE WHEN component = 2 THEN amount_nanos ELSE 0 END, CASE WHEN component = 2 THEN 0 ELSE amount_nanos END, 0, 0, 0, 0,
            {Count("component = 2")}, {Count("component <> 2")}
          FROM ledger_entries
          UNION ALL
          SELECT {Keys}, {string.Join(", ", Sums)} FROM archived_rollups
        """);

    /// <summary>What a tenant's calls and outcomes from @from to @to, exclusive, have added; their later entries stay apart.</summary>
    public static readonly string OfCalls = Summed(Facts(t => $"{t}account_id = @account AND {t}mode = @mode AND {t}id >= @from AND {t}id < @to"));

    /// <summary>The same of everybody's calls and outcomes.</summary>
    public static readonly string OfAllCalls = Summed(Facts(t => $"{t}id >= @from AND {t}id < @to"));

    /// <summary>Makes all rollups anew in the empty table.</summary>
    public static readonly string Fill = $"INSERT INTO rollups ({Keys}, {string.Join(", ", Sums)}) {Expected}";

    private static string Summed(string parts) => $"""
        SELECT {Keys}, {string.Join(", ", Sums.Select(s => $"SUM({s}) AS {s}"))} FROM (
          {parts}
        ) AS parts GROUP BY {Keys}
        """;

    /// <summary>What calls and outcomes add by themselves.</summary>
    private static string Facts(Func<string, string> of) => $"""
        SELECT account_id, mode, currency, {Hour("effective_at")} AS hour, customer_id, agent_id, action,
            CAST(1 AS bigint) AS calls, tokens_input, tokens_output, base_nanos, token_nanos, bonus_nanos, CAST(0 AS bigint) AS reversal_nanos,
            {Count("outcome = 1 AND settles_at IS NULL")} AS successes, {Count("outcome = 2")} AS failures, {Count("outcome = 3")} AS pending, CAST(0 AS bigint) AS expired,
            {Count("bonus_nanos <> 0")} AS bonuses, CAST(0 AS bigint) AS reversals
          FROM calls WHERE {of("")}
          UNION ALL
          SELECT c.account_id, c.mode, c.currency, {Hour("o.decided_effective_at")}, c.customer_id, c.agent_id, c.action, 0, 0, 0, 0, 0, 0, 0,
            {Count("o.result = 1 AND o.settles_at IS NULL")}, {Count("o.result = 2")}, 0, 0, 0, 0
          FROM outcomes o INNER JOIN calls c ON c.account_id = o.account_id AND c.mode = o.mode AND c.id = o.id
          WHERE {of("o.")} AND {of("c.")} AND o.decided_effective_at IS NOT NULL AND (o.result = 2 OR o.settles_at IS NULL)
          UNION ALL
          SELECT c.account_id, c.mode, c.currency, {Hour("o.closed_effective_at")}, c.customer_id, c.agent_id, c.action, 0, 0, 0, 0, 0, 0, 0,
            {Count("o.status <> 4 AND o.result IS NOT NULL")}, 0, 0, {Count("o.result IS NULL")}, 0, 0
          FROM outcomes o INNER JOIN calls c ON c.account_id = o.account_id AND c.mode = o.mode AND c.id = o.id
          WHERE {of("o.")} AND {of("c.")} AND o.closed_effective_at IS NOT NULL
        """;

    private static string Hour(string column) => $"({column} - {column} % {Micros.PerHour})";

    private static string Count(string condition) => $"CASE WHEN {condition} THEN CAST(1 AS bigint) ELSE CAST(0 AS bigint) END";
}
