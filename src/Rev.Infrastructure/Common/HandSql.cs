using System.Data;
using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Common;

/// <summary>Runs texts that are the same on every database.</summary>
internal static class HandSql
{
    /// <summary>The rows of a query, as many as are wanted.</summary>
    /// <param name="db">Where; in its transaction, if there is one.</param>
    /// <param name="sql">The text.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="read">Reads the row that the reader is at.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="limit">Most rows to read; the rest is left.</param>
    public static async Task<List<T>> Query<T>(
        this RevDbContext db, string sql, IEnumerable<(string Name, object Value)> parameters, Func<DbDataReader, T> read,
        CancellationToken cancellationToken, int limit = int.MaxValue)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = Command(db, sql, parameters);
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var rows = new List<T>();
            while (await reader.ReadAsync(cancellationToken))
            {
                if (rows.Count == limit)
                {
                    command.Cancel();
                    break;
                }
                rows.Add(read(reader));
            }
            return rows;
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Runs a statement; answers how many rows it changed.</summary>
    public static async Task<int> Run(this RevDbContext db, string sql, IEnumerable<(string Name, object Value)> parameters, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = Command(db, sql, parameters);
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Begins a transaction whose reads are all as of one instant. On SQL Server what it read waits for its end to be changed.</summary>
    public static async Task<IDbContextTransaction> BeginRead(this RevDbContext db, CancellationToken cancellationToken)
    {
        if (db.Database.GetDbConnection() is not SqliteConnection sqlite)
            return await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await db.Database.OpenConnectionAsync(cancellationToken);
        return (await db.Database.UseTransactionAsync(sqlite.BeginTransaction(deferred: true), cancellationToken))!;
    }

    /// <summary>The parameters that name a tenant.</summary>
    public static IEnumerable<(string Name, object Value)> Parameters(this Tenant tenant) =>
        [("@account", UlidText.ToBytes(tenant.Account.Value)), ("@mode", (short)tenant.Mode)];

    private static DbCommand Command(RevDbContext db, string sql, IEnumerable<(string Name, object Value)> parameters)
    {
        var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = sql;
        command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
        if (db.Database.GetCommandTimeout() is { } timeout) command.CommandTimeout = timeout;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = name;
            parameter.Value = value;
            // The columns of keys are ASCII: otherwise SQL Server would convert them instead of looking them up.
            if (value is string) parameter.DbType = DbType.AnsiString;
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
