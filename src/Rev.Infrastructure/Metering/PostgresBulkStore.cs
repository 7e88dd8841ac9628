using Npgsql;
using NpgsqlTypes;

namespace Rev.Infrastructure.Metering;

/// <summary>One statement per table over arrays of its columns (unnest). Rows are sorted by key where two servers may meet.</summary>
public sealed class PostgresBulkStore(string connectionString) : IBulkStore
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString)
    {
        Timeout = 3, CommandTimeout = 5, MaxAutoPrepare = 40, AutoPrepareMinUsages = 2, ApplicationName = "rev-writer", MaxPoolSize = 4, KeepAlive = 30,
        // An answered call is on disk whatever the server's default is; a lock that another holds for long fails the batch
        // soon, so that halving finds who asks for it; a writer that vanished lets go of its own.
        Options = "-c synchronous_commit=on -c lock_timeout=1500 -c idle_in_transaction_session_timeout=10000",
    });

    /// <inheritdoc/>
    public async Task<IBulkSession> Begin(CancellationToken cancellationToken)
    {
        var connection = await _source.OpenConnectionAsync(cancellationToken);
        try
        {
            return new Session(connection, await connection.BeginTransactionAsync(cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private sealed class Session(NpgsqlConnection connection, NpgsqlTransaction transaction) : IBulkSession
    {
        public async Task Insert<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count == 0) return;
            await using var command = Over(table.Columns, rows, $"INSERT INTO {table.Name} ({table.ColumnNames}) SELECT {table.ColumnNames} FROM {Source(table)}");
            await command.ExecuteNonQueryAsync();
        }

        public Task<bool[]> InsertMissing<T>(BulkTable<T> table, IReadOnlyList<T> rows) => Which(table, rows,
            $"INSERT INTO {table.Name} ({table.ColumnNames}) SELECT {table.ColumnNames} FROM {Source(table)} ORDER BY {table.KeyNames} ON CONFLICT ({table.KeyNames}) DO NOTHING RETURNING {table.KeyNames}");

        public async Task<bool[]> UpdateExpected<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            var set = string.Join(", ", table.Values.SkipLast(1).Select(c => $"{c.Name} = v.{c.Name}"));
            var where = string.Join(" AND ", table.Keys.Select(c => $"t.{c.Name} = v.{c.Name}"));
            if (rows.Count > 1) await Hold(table, rows, where);
            return await Which(table, rows,
                $"UPDATE {table.Name} AS t SET {set} FROM {Source(table)} WHERE {where} AND t.version = v.expected_version RETURNING {string.Join(", ", table.Keys.Select(c => "t." + c.Name))}");
        }

        /// <summary>Locks the rows in the order of their keys, so that two servers that change the same ones never wait for each other.</summary>
        private async Task Hold<T>(BulkTable<T> table, IReadOnlyList<T> rows, string where)
        {
            var keys = new BulkTable<T>(table.Name, table.Keys, []);
            await using var command = Over(keys.Columns, rows,
                $"SELECT 1 FROM {table.Name} AS t JOIN {Source(keys)} ON {where} ORDER BY {string.Join(", ", table.Keys.Select(c => "t." + c.Name))} FOR UPDATE OF t");
            await command.ExecuteNonQueryAsync();
        }

        public async Task Add<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count == 0) return;
            var add = string.Join(", ", table.Values.Select(c => $"{c.Name} = {table.Name}.{c.Name} + excluded.{c.Name}"));
            await using var command = Over(table.Columns, rows,
                $"INSERT INTO {table.Name} ({table.ColumnNames}) SELECT {table.ColumnNames} FROM {Source(table)} ORDER BY {table.KeyNames} ON CONFLICT ({table.KeyNames}) DO UPDATE SET {add}");
            await command.ExecuteNonQueryAsync();
        }

        public async Task Delete<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count == 0) return;
            var where = string.Join(" AND ", table.Columns.Select(c => $"t.{c.Name} = v.{c.Name}"));
            await using var command = Over(table.Columns, rows, $"DELETE FROM {table.Name} AS t USING {Source(table)} WHERE {where}");
            await command.ExecuteNonQueryAsync();
        }

        public Task Commit() => transaction.CommitAsync();

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }

        private async Task<bool[]> Which<T>(BulkTable<T> table, IReadOnlyList<T> rows, string sql)
        {
            var done = new bool[rows.Count];
            if (rows.Count == 0) return done;
            var places = new Dictionary<string, int>(rows.Count, StringComparer.Ordinal);
            for (var i = 0; i < rows.Count; i++) places[RowKey.Of(table.Keys.Select(k => k.Get(rows[i])))] = i;
            await using var command = Over(table.Columns, rows, sql);
            await using var reader = await command.ExecuteReaderAsync();
            var key = new object?[table.Keys.Length];
            while (await reader.ReadAsync())
            {
                for (var c = 0; c < key.Length; c++) key[c] = reader.GetValue(c);
                done[places[RowKey.Of(key)]] = true;
            }
            return done;
        }

        private static string Source<T>(BulkTable<T> table) =>
            $"unnest({string.Join(", ", table.Columns.Select((c, i) => $"@p{i}::{Name(c.Type)}[]"))}) AS v({table.ColumnNames})";

        private NpgsqlCommand Over<T>(BulkColumn<T>[] columns, IReadOnlyList<T> rows, string sql)
        {
            var command = new NpgsqlCommand(sql, connection, transaction);
            for (var i = 0; i < columns.Length; i++)
            {
                var column = columns[i];
                command.Parameters.Add(new($"p{i}", NpgsqlDbType.Array | Type(column.Type))
                {
                    Value = column.Type switch
                    {
                        BulkType.Id => Array<byte[]?>(column),
                        BulkType.Small => Array<short?>(column),
                        BulkType.Int => Array<int?>(column),
                        BulkType.Long => Array<long?>(column),
                        BulkType.Flag => Array<bool?>(column),
                        BulkType.Key or BulkType.Text => Array<string?>(column),
                    },
                });
            }
            return command;

            TValue[] Array<TValue>(BulkColumn<T> column)
            {
                var values = new TValue[rows.Count];
                for (var r = 0; r < values.Length; r++) values[r] = (TValue)column.Get(rows[r])!;
                return values;
            }
        }

        private static NpgsqlDbType Type(BulkType type) => type switch
        {
            BulkType.Id => NpgsqlDbType.Bytea,
            BulkType.Small => NpgsqlDbType.Smallint,
            BulkType.Int => NpgsqlDbType.Integer,
            BulkType.Long => NpgsqlDbType.Bigint,
            BulkType.Flag => NpgsqlDbType.Boolean,
            BulkType.Key or BulkType.Text => NpgsqlDbType.Text,
        };

        private static string Name(BulkType type) => type switch
        {
            BulkType.Id => "bytea",
            BulkType.Small => "smallint",
            BulkType.Int => "integer",
            BulkType.Long => "bigint",
            BulkType.Flag => "boolean",
            BulkType.Key or BulkType.Text => "text",
        };
    }
}

/// <summary>A row's key as text, to find it again in what a database returns.</summary>
internal static class RowKey
{
    public static string Of(IEnumerable<object?> values) => string.Join('\n', values.Select(v => v switch
    {
        byte[] bytes => Convert.ToHexString(bytes),
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => v?.ToString(),
    }));
}
