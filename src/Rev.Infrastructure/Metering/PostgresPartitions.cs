using System.Globalization;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>The partitions that scripts/sql/partition-postgres.sql makes, as the archive meets them.</summary>
public static class PostgresPartitions
{
    /// <summary>How many of a month's partitions hang on their tables.</summary>
    public const string CountThose = """
        SELECT count(*)::int FROM pg_inherits i INNER JOIN pg_class c ON c.oid = i.inhrelid
        WHERE (i.inhparent = to_regclass('calls') AND c.relname = @calls) OR (i.inhparent = to_regclass('outcomes') AND c.relname = @outcomes)
        """;

    /// <summary>Whether the calls are partitioned.</summary>
    public const string IsPartitioned = "SELECT EXISTS (SELECT 1 FROM pg_partitioned_table WHERE partrelid = to_regclass('calls'))";

    /// <summary>Makes the partitions of a month.</summary>
    public const string Make = "SELECT rev_make_partition('calls', @month::date), rev_make_partition('outcomes', @month::date)";

    /// <summary>Adds what the calls and outcomes of a month have added to the rollups to the archived ones.</summary>
    public static readonly string Move = $"""
        INSERT INTO archived_rollups (month, {RollupSql.Keys}, {string.Join(", ", RollupSql.Sums)})
        SELECT @month, {RollupSql.Keys}, {string.Join(", ", RollupSql.Sums)} FROM ({RollupSql.OfAllCalls}) AS m
        """;

    /// <summary>The partition of a table and a month.</summary>
    public static string Name(string table, ArchiveMonth month) => string.Create(CultureInfo.InvariantCulture, $"{table}_{month.Start:yyyy_MM}");

    /// <summary>Keeps rows from changing; readers go on.</summary>
    public static string Hold(string[] partitions) => $"SET LOCAL lock_timeout = '10s'; LOCK TABLE {string.Join(", ", partitions)} IN SHARE MODE";

    /// <summary>Its rows, and those of a range.</summary>
    public static string Count(string partition) => $"SELECT count(*), count(*) FILTER (WHERE id >= @from AND id < @to) FROM {partition}";

    /// <summary>Drops partitions; a table waits for whoever reads it, ten seconds at most.</summary>
    public static string Drop(string[] partitions) => $"DROP TABLE {string.Join(", ", partitions)}";
}
