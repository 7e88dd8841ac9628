namespace Rev.Infrastructure.Common;

/// <summary>Days made of hours; the same text on every database.</summary>
public static class DayRollupSql
{
    /// <summary>The columns of a day's key.</summary>
    public const string Keys = "account_id, mode, currency, day, customer_id, agent_id, action";

    // Below it, the sum of a day's hours is sure to fit into 64 bits.
    private const string MaxUnits = "9000000000";

    private const string OfTheDay =
        "FROM rollups WHERE account_id = @account AND mode = @mode AND currency = CAST(@currency AS char(3)) AND hour >= @from AND hour < @to";

    private static readonly IReadOnlyList<string> Amounts = [.. RollupSql.Sums.Where(s => s.EndsWith("_nanos", StringComparison.Ordinal))];

    /// <summary>Whether a currency of a tenant has hours in a day: null; if so, 0 when their sums fit, else 1.</summary>
    public static readonly string Fits = $"""
        SELECT MAX(CASE WHEN {string.Join(" AND ", Amounts.Select(a => $"{a} < {MaxUnits}"))} THEN 0 ELSE 1 END) FROM (
          SELECT {string.Join(", ", Amounts.Select(a => $"SUM(ABS({a}) / 1000000000) AS {a}"))} {OfTheDay} GROUP BY customer_id, agent_id, action
        ) AS parts
        """;

    /// <summary>Writes a day of a currency of a tenant.</summary>
    public static readonly string Fold = $"""
        INSERT INTO day_rollups ({Keys}, {string.Join(", ", RollupSql.Sums)})
        SELECT account_id, mode, currency, CAST(@from AS bigint), customer_id, agent_id, action, {string.Join(", ", RollupSql.Sums.Select(s => $"SUM({s})"))}
        {OfTheDay} GROUP BY account_id, mode, currency, customer_id, agent_id, action
        """;

    /// <summary>Days as they should be up to a watermark: of each sum whole units and what is beside them.</summary>
    public static readonly string Expected = Halves($"(hour - hour % {24 * Micros.PerHour})", "rollups WHERE hour < @until");

    /// <summary>Days as they are, in the same form.</summary>
    public static readonly string Actual = Halves("day", "day_rollups");

    private static string Halves(string day, string from) => $"""
        SELECT {Keys}, {string.Join(", ", RollupSql.Sums.Select(s => $"SUM({s} / 1000000000), SUM({s} % 1000000000)"))} FROM (
          SELECT account_id, mode, currency, {day} AS day, customer_id, agent_id, action, {string.Join(", ", RollupSql.Sums)} FROM {from}
        ) AS parts GROUP BY {Keys}
        """;
}
