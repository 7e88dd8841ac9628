namespace Rev.Infrastructure.Common;

/// <summary>What the open outcomes must say, from the outcomes and their calls; the same text on every database.</summary>
public static class OpenOutcomesSql
{
    /// <summary>The columns of the key.</summary>
    public const string Keys = "account_id, mode, currency, agent_id, status";

    /// <summary>The columns that are summed.</summary>
    public static readonly IReadOnlyList<string> Sums = ["outcomes", "potential_units", "potential_nanos", "unbounded"];

    /// <summary>A query of all of them as they should be.</summary>
    public static readonly string Expected = $"""
        SELECT {Keys}, {string.Join(", ", Sums.Select(s => $"SUM({s}) AS {s}"))} FROM (
          SELECT o.account_id, o.mode, c.currency, c.agent_id, o.status, CAST(1 AS bigint) AS outcomes,
            COALESCE({Potential}, 0) / 1000000000 AS potential_units, COALESCE({Potential}, 0) % 1000000000 AS potential_nanos,
            CASE WHEN {Potential} IS NULL THEN CAST(1 AS bigint) ELSE CAST(0 AS bigint) END AS unbounded
          FROM outcomes o INNER JOIN calls c ON c.account_id = o.account_id AND c.mode = o.mode AND c.id = o.id
          WHERE o.status IN (0, 1)
        ) AS parts GROUP BY {Keys}
        """;

    /// <summary>Fills the empty table.</summary>
    public static readonly string Fill = $"INSERT INTO open_outcomes ({Keys}, {string.Join(", ", Sums)}) {Expected}";

    /// <summary>Writes agent and customer of their calls to outcomes that were stored before they said so.</summary>
    public const string TakeOver = $"UPDATE outcomes SET agent_id = (SELECT c.agent_id {OfCall}), customer_id = (SELECT c.customer_id {OfCall}) WHERE EXISTS (SELECT 1 {OfCall})";

    private const string OfCall = "FROM calls c WHERE c.account_id = outcomes.account_id AND c.mode = outcomes.mode AND c.id = outcomes.id";

    private const string Potential = "(CASE WHEN o.status = 0 THEN c.potential_nanos ELSE o.bonus_nanos END)";
}
