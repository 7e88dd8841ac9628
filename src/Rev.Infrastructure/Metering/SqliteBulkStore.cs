using Microsoft.Data.Sqlite;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Prepared statements, row by row, on one connection of the writer's own.</summary>
public sealed class SqliteBulkStore(string connectionString) : IBulkStore
{
    private readonly Dictionary<string, SqliteCommand> _commands = new(StringComparer.Ordinal);
    private SqliteConnection? _connection;

    /// <inheritdoc/>
    public Task<IBulkSession> Begin(CancellationToken cancellationToken)
    {
        _connection ??= Open();
        try
        {
            return Task.FromResult<IBulkSession>(new Session(this, _connection.BeginTransaction(deferred: false)));
        }
        catch
        {
            Close();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Close();
        return ValueTask.CompletedTask;
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { DefaultTimeout = 5 }.ToString());
        connection.Open();
        using var pragmas = connection.CreateCommand();
        pragmas.CommandText = SqliteDurability.Pragmas;
        pragmas.ExecuteNonQuery();
        return connection;
    }

    private void Close()
    {
        foreach (var command in _commands.Values) command.Dispose();
        _commands.Clear();
        _connection?.Dispose();
        _connection = null;
    }

    private SqliteCommand Command<T>(string sql, BulkColumn<T>[] columns, SqliteTransaction transaction)
    {
        if (!_commands.TryGetValue(sql, out var command))
        {
            command = _connection!.CreateCommand();
            command.CommandText = sql;
            for (var i = 0; i < columns.Length; i++)
            {
                var parameter = command.CreateParameter();
                parameter.ParameterName = $"@p{i}";
                parameter.SqliteType = columns[i].Type switch
                {
                    BulkType.Id => SqliteType.Blob,
                    BulkType.Small or BulkType.Int or BulkType.Long or BulkType.Flag => SqliteType.Integer,
                    BulkType.Key or BulkType.Text => SqliteType.Text,
                };
                command.Parameters.Add(parameter);
            }
            _commands.Add(sql, command);
        }
        command.Transaction = transaction;
        return command;
    }

    private sealed class Session(SqliteBulkStore store, SqliteTransaction transaction) : IBulkSession
    {
        public Task Insert<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            _ = Run($"INSERT INTO {table.Name} ({table.ColumnNames}) VALUES ({Places(table.Columns)})", table.Columns, rows);
            return Task.CompletedTask;
        }

        public Task<bool[]> InsertMissing<T>(BulkTable<T> table, IReadOnlyList<T> rows) => Task.FromResult(Run(
            $"INSERT INTO {table.Name} ({table.ColumnNames}) VALUES ({Places(table.Columns)}) ON CONFLICT ({table.KeyNames}) DO NOTHING", table.Columns, rows));

        public Task<bool[]> UpdateExpected<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            var keys = table.Keys.Length;
            var set = string.Join(", ", table.Values.SkipLast(1).Select((c, i) => $"{c.Name} = @p{keys + i}"));
            var where = string.Join(" AND ", table.Keys.Select((c, i) => $"{c.Name} = @p{i}"));
            return Task.FromResult(Run($"UPDATE {table.Name} SET {set} WHERE {where} AND version = @p{table.Columns.Length - 1}", table.Columns, rows));
        }

        public Task Add<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            var add = string.Join(", ", table.Values.Select(c => $"{c.Name} = {table.Name}.{c.Name} + excluded.{c.Name}"));
            _ = Run($"INSERT INTO {table.Name} ({table.ColumnNames}) VALUES ({Places(table.Columns)}) ON CONFLICT ({table.KeyNames}) DO UPDATE SET {add}", table.Columns, rows);
            return Task.CompletedTask;
        }

        public Task Delete<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            var where = string.Join(" AND ", table.Columns.Select((c, i) => $"{c.Name} = @p{i}"));
            _ = Run($"DELETE FROM {table.Name} WHERE {where}", table.Columns, rows);
            return Task.CompletedTask;
        }

        public Task Commit()
        {
            transaction.Commit();
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            try
            {
                transaction.Dispose();
            }
            catch (SqliteException)
            {
                // The connection is of no use any more; the next batch opens another.
                store.Close();
            }
            return ValueTask.CompletedTask;
        }

        private static string Places<T>(BulkColumn<T>[] columns) => string.Join(", ", columns.Select((_, i) => $"@p{i}"));

        private bool[] Run<T>(string sql, BulkColumn<T>[] columns, IReadOnlyList<T> rows)
        {
            var done = new bool[rows.Count];
            if (rows.Count == 0) return done;
            var command = store.Command(sql, columns, transaction);
            for (var r = 0; r < rows.Count; r++)
            {
                for (var c = 0; c < columns.Length; c++) command.Parameters[c].Value = columns[c].Get(rows[r]) ?? DBNull.Value;
                done[r] = command.ExecuteNonQuery() > 0;
            }
            return done;
        }
    }
}
