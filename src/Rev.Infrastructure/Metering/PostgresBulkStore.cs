using Npgsql;
using NpgsqlTypes;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>
/// One statement per table over arrays of its columns (unnest). Rows are sorted by key where two servers may meet. What
/// answers nothing waits for the commit and goes with it in one message.
/// </summary>
public sealed class PostgresBulkStore(string connectionString) : IBulkStore
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString)
    {
        Timeout = 3, CommandTimeout = 5, MaxAutoPrepare = 60, AutoPrepareMinUsages = 2, ApplicationName = "rev-writer", MaxPoolSize = 4, KeepAlive = 30,
        // Nothing is left on a connection that the next batch could trip over; a transaction that was left open is undone all the same.
        NoResetOnClose = true,
        // An answered call is on disk whatever the server's default is; a lock that another holds for long fails the batch
        // soon, so that halving finds who asks for it; a writer that vanished lets go of its own.
        Options = "-c synchronous_commit=on -c lock_timeout=1500 -c idle_in_transaction_session_timeout=10000",
    });

    /// <inheritdoc/>
    public bool AnswersCostATrip => true;

    /// <inheritdoc/>
    public async Task<IBulkSession> Begin(CancellationToken cancellationToken) => new Session(await _source.OpenConnectionAsync(cancellationToken));

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private sealed class Session : IBulkSession
    {
        private readonly NpgsqlConnection _connection;
        private NpgsqlBatch _queued;
        private bool _open;
        private int _held;

        public Session(NpgsqlConnection connection)
        {
            _connection = connection;
            _queued = new(connection);
            _queued.BatchCommands.Add(new("BEGIN"));
        }

        public Task Insert<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count > 0) Queue(table.Columns, rows, PostgresBulkSql<T>.Of(table).Insert);
            return Task.CompletedTask;
        }

        public Task<bool[]> InsertMissing<T>(BulkTable<T> table, IReadOnlyList<T> rows) => Which(table, rows, PostgresBulkSql<T>.Of(table).InsertMissing);

        public Task<bool[]> UpdateExpected<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            var sql = PostgresBulkSql<T>.Of(table);
            // The rows are locked in the order of their keys first, so that two servers that change the same ones never wait for each other.
            if (rows.Count > 1)
            {
                Queue(table.Keys, rows, sql.Hold);
                _held++;
            }
            return Which(table, rows, sql.UpdateExpected);
        }

        public Task Add<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count > 0) Queue(table.Columns, rows, PostgresBulkSql<T>.Of(table).Add);
            return Task.CompletedTask;
        }

        public Task Delete<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count > 0) Queue(table.Columns, rows, PostgresBulkSql<T>.Of(table).Delete);
            return Task.CompletedTask;
        }

        public async Task Commit()
        {
            _queued.BatchCommands.Add(new("COMMIT"));
            _open = true;
            await _queued.ExecuteNonQueryAsync();
            _open = false;
        }

        public async ValueTask DisposeAsync()
        {
            await _queued.DisposeAsync();
            if (_open) await Undo();
            await _connection.DisposeAsync();
        }

        private async Task Undo()
        {
            try
            {
                await using var command = new NpgsqlCommand("ROLLBACK", _connection);
                await command.ExecuteNonQueryAsync();
            }
            catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or OperationCanceledException)
            {
                // The connection is broken: the server undoes the transaction itself.
            }
        }

        private async Task<bool[]> Which<T>(BulkTable<T> table, IReadOnlyList<T> rows, string sql)
        {
            var done = new bool[rows.Count];
            if (rows.Count == 0) return done;
            var places = new RowPlaces<T>(table, rows);
            Queue(table.Columns, rows, sql);
            await using var batch = _queued;
            _queued = new(_connection);
            _open = true;
            await using var reader = await batch.ExecuteReaderAsync();
            // The last command is the one that answers; what went before it has no rows that matter.
            // Only the locks have rows before those of the last command.
            for (; _held > 0; _held--) await reader.NextResultAsync();
            await places.Mark(reader, done);
            while (await reader.NextResultAsync())
            {
                // Errors of what comes after show here.
            }
            return done;
        }

        private void Queue<T>(BulkColumn<T>[] columns, IReadOnlyList<T> rows, string sql)
        {
            var command = new NpgsqlBatchCommand(sql);
            foreach (var column in columns)
            {
                command.Parameters.Add(column.Type switch
                {
                    BulkType.Id => new NpgsqlParameter<byte[]?[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea, TypedValue = Ids(column, rows) },
                    BulkType.Small => Numbers<T, short>(column, rows, NpgsqlDbType.Smallint),
                    BulkType.Int => Numbers<T, int>(column, rows, NpgsqlDbType.Integer),
                    BulkType.Long => Numbers<T, long>(column, rows, NpgsqlDbType.Bigint),
                    BulkType.Flag => new NpgsqlParameter<bool?[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Boolean, TypedValue = Array(rows, r => column.Number!(r) is { } flag ? flag != 0 : (bool?)null) },
                    BulkType.Key or BulkType.Text => new NpgsqlParameter<string?[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text, TypedValue = Array(rows, column.Text!) },
                });
            }
            _queued.BatchCommands.Add(command);
        }

        private static NpgsqlParameter Numbers<T, TValue>(BulkColumn<T> column, IReadOnlyList<T> rows, NpgsqlDbType type) where TValue : struct, System.Numerics.INumber<TValue> =>
            new NpgsqlParameter<TValue?[]>
            {
                NpgsqlDbType = NpgsqlDbType.Array | type,
                TypedValue = Array(rows, r => column.Number!(r) is { } number ? TValue.CreateChecked(number) : (TValue?)null),
            };

        /// <summary>The bytes of an id that repeats from row to row are made once.</summary>
        private static byte[]?[] Ids<T>(BulkColumn<T> column, IReadOnlyList<T> rows)
        {
            var values = new byte[]?[rows.Count];
            UInt128? last = null;
            for (var i = 0; i < values.Length; i++)
            {
                var id = column.Id!(rows[i]);
                values[i] = id is null ? null : i > 0 && id == last ? values[i - 1] : UlidText.ToBytes(id.Value);
                last = id;
            }
            return values;
        }

        private static TValue[] Array<T, TValue>(IReadOnlyList<T> rows, Func<T, TValue> read)
        {
            var values = new TValue[rows.Count];
            for (var i = 0; i < values.Length; i++) values[i] = read(rows[i]);
            return values;
        }
    }
}

/// <summary>The statements of the bulk path on PostgreSQL for one table, made once.</summary>
internal sealed class PostgresBulkSql<T>
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<BulkTable<T>, PostgresBulkSql<T>> Known = new(ReferenceEqualityComparer.Instance);

    private PostgresBulkSql(BulkTable<T> table)
    {
        var source = Source(table.Columns);
        var match = string.Join(" AND ", table.Keys.Select(c => $"t.{c.Name} = v.{c.Name}"));
        var keys = string.Join(", ", table.Keys.Select(c => "t." + c.Name));
        Insert = $"INSERT INTO {table.Name} ({table.ColumnNames}) SELECT {table.ColumnNames} FROM {source}";
        InsertMissing = $"{Insert} ORDER BY {table.KeyNames} ON CONFLICT ({table.KeyNames}) DO NOTHING RETURNING {table.KeyNames}";
        Hold = $"SELECT 1 FROM {table.Name} AS t JOIN {Source(table.Keys)} ON {match} ORDER BY {keys} FOR UPDATE OF t";
        UpdateExpected = $"UPDATE {table.Name} AS t SET {string.Join(", ", table.Values.SkipLast(1).Select(c => $"{c.Name} = v.{c.Name}"))} "
            + $"FROM {source} WHERE {match} AND t.version = v.expected_version RETURNING {keys}";
        Add = $"{Insert} ORDER BY {table.KeyNames} ON CONFLICT ({table.KeyNames}) DO UPDATE SET "
            + string.Join(", ", table.Values.Select(c => $"{c.Name} = {table.Name}.{c.Name} + excluded.{c.Name}"));
        Delete = $"DELETE FROM {table.Name} AS t USING {source} WHERE {string.Join(" AND ", table.Columns.Select(c => $"t.{c.Name} = v.{c.Name}"))}";
    }

    public string Insert { get; }

    public string InsertMissing { get; }

    public string Hold { get; }

    public string UpdateExpected { get; }

    public string Add { get; }

    public string Delete { get; }

    public static PostgresBulkSql<T> Of(BulkTable<T> table) => Known.GetOrAdd(table, t => new(t));

    private static string Source(BulkColumn<T>[] columns) =>
        $"unnest({string.Join(", ", columns.Select((c, i) => $"${i + 1}::{Name(c.Type)}[]"))}) AS v({string.Join(", ", columns.Select(c => c.Name))})";

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
