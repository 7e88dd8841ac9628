using System.Net.Sockets;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Rev.Infrastructure.Common;

/// <summary>What an exception of a database means.</summary>
public static class StoreFaults
{
    private static readonly HashSet<int> SqlServerAway =
        [-2, -1, 2, 20, 53, 64, 121, 233, 1205, 1222, 4060, 4221, 10053, 10054, 10060, 10061, 10928, 10929, 40143, 40197, 40501, 40540, 40613, 49918, 49919, 49920];

    /// <summary>The store is away, starting, busy, or chose this transaction as a victim: the same may work later.</summary>
    public static bool IsUnavailable(Exception exception) => Chain(exception).Any(e => e switch
    {
        PostgresException p => p.IsTransient || p.SqlState.StartsWith("08", StringComparison.Ordinal) || p.SqlState.StartsWith("57P", StringComparison.Ordinal)
            || p.SqlState is "40001" or "40P01" or "53300" or "25006" or "55P03" or "57014",
        NpgsqlException n => n.IsTransient || n.InnerException is IOException or SocketException or TimeoutException,
        SqliteException s => s.SqliteErrorCode is 5 or 6 or 10 or 13 or 14 or 8,
        SqlException s => s.Errors.Cast<SqlError>().Any(error => SqlServerAway.Contains(error.Number)),
        SocketException or TimeoutException => true,
        // A transaction or connection of SqlClient that the server ended under our hands.
        InvalidOperationException { Source: "Microsoft.Data.SqlClient" } => true,
        _ => false,
    });

    /// <summary>Another holds a row for longer than this waited: only who needs that row has to wait.</summary>
    public static bool IsLocked(Exception exception) => Chain(exception).Any(e => e switch
    {
        PostgresException p => p.SqlState == PostgresErrorCodes.LockNotAvailable,
        SqlException s => s.Number == 1222,
        _ => false,
    });

    /// <summary>A row with the same key is there.</summary>
    public static bool IsDuplicate(Exception exception) => Chain(exception).Any(e => e switch
    {
        PostgresException p => p.SqlState == PostgresErrorCodes.UniqueViolation,
        SqliteException s => s.SqliteExtendedErrorCode is 1555 or 2067,
        SqlException s => s.Number is 2601 or 2627,
        _ => false,
    });

    /// <summary>A row was changed or written by another at the same time.</summary>
    public static bool IsConflict(Exception exception) => Chain(exception).Any(e => e is DbUpdateConcurrencyException) || IsDuplicate(exception);

    /// <summary>A sum no longer fits.</summary>
    public static bool IsOverflow(Exception exception) => Chain(exception).Any(e => e switch
    {
        OverflowException => true,
        PostgresException p => p.SqlState == PostgresErrorCodes.NumericValueOutOfRange,
        SqliteException s => s.SqliteExtendedErrorCode == 275 || s.Message.Contains("integer overflow", StringComparison.Ordinal),
        SqlException s => s.Number is 8115 or 220,
        _ => false,
    });

    private static IEnumerable<Exception> Chain(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException) yield return e;
    }
}
