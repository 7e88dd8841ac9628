using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using Rev.Infrastructure.Common;
using SQLitePCL;
using static SQLitePCL.raw;

namespace Rev.Infrastructure.Metering;

/// <summary>
/// Prepared statements, row by row, on one connection of the writer's own, bound by place through SQLite's own interface:
/// binding by name costs more than the insert.
/// </summary>
public sealed class SqliteBulkStore(string connectionString) : IBulkStore
{
    private readonly Dictionary<(object Table, string Verb), sqlite3_stmt> _statements = [];
    private SqliteConnection? _connection;

    private sqlite3 Database => _connection!.Handle!;

    /// <inheritdoc/>
    public bool AnswersCostATrip => false;

    /// <inheritdoc/>
    public Task<IBulkSession> Begin(CancellationToken cancellationToken)
    {
        _connection ??= Open();
        try
        {
            Execute("BEGIN IMMEDIATE");
            return Task.FromResult<IBulkSession>(new Session(this));
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
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder(connectionString) { DefaultTimeout = 5, Pooling = false }.ToString());
        connection.Open();
        using var pragmas = connection.CreateCommand();
        pragmas.CommandText = SqliteDurability.Pragmas + SqliteDurability.WriterPragmas;
        pragmas.ExecuteNonQuery();
        return connection;
    }

    private void Close()
    {
        foreach (var statement in _statements.Values) statement.Dispose();
        _statements.Clear();
        _connection?.Dispose();
        _connection = null;
    }

    private void Execute(string sql) => Check(sqlite3_exec(Database, sql));

    private void Check(int code) => SqliteException.ThrowExceptionForRC(code, Database);

    private sqlite3_stmt Statement<T>(BulkTable<T> table, string verb, Func<string> sql)
    {
        if (_statements.TryGetValue((table, verb), out var known)) return known;
        Check(sqlite3_prepare_v2(Database, sql(), out var statement));
        _statements.Add((table, verb), statement);
        return statement;
    }

    private sealed class Session(SqliteBulkStore store) : IBulkSession
    {
        private bool _done;

        public Task Insert<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            _ = Run(table, rows, "insert", () => Inserting(table));
            return Task.CompletedTask;
        }

        public Task<bool[]> InsertMissing<T>(BulkTable<T> table, IReadOnlyList<T> rows) =>
            Task.FromResult(Run(table, rows, "missing", () => $"{Inserting(table)} ON CONFLICT ({table.KeyNames}) DO NOTHING"));

        public Task<bool[]> UpdateExpected<T>(BulkTable<T> table, IReadOnlyList<T> rows) => Task.FromResult(Run(table, rows, "update", () =>
        {
            var keys = table.Keys.Length;
            var set = string.Join(", ", table.Values.SkipLast(1).Select((c, i) => $"{c.Name} = ?{keys + i + 1}"));
            return $"UPDATE {table.Name} SET {set} WHERE {Match(table.Keys)} AND version = ?{table.Columns.Length}";
        }));

        public Task Add<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            _ = Run(table, rows, "add", () => $"{Inserting(table)} ON CONFLICT ({table.KeyNames}) DO UPDATE SET "
                + string.Join(", ", table.Values.Select(c => $"{c.Name} = {table.Name}.{c.Name} + excluded.{c.Name}")));
            return Task.CompletedTask;
        }

        public Task Delete<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            _ = Run(table, rows, "delete", () => $"DELETE FROM {table.Name} WHERE {Match(table.Columns)}");
            return Task.CompletedTask;
        }

        public Task Commit()
        {
            store.Execute("COMMIT");
            _done = true;
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            if (_done) return ValueTask.CompletedTask;
            try
            {
                // An error may have undone the transaction already.
                if (sqlite3_get_autocommit(store.Database) == 0) store.Execute("ROLLBACK");
            }
            catch (SqliteException)
            {
                // The connection is of no use any more; the next batch opens another.
                store.Close();
            }
            return ValueTask.CompletedTask;
        }

        private static string Inserting<T>(BulkTable<T> table) =>
            $"INSERT INTO {table.Name} ({table.ColumnNames}) VALUES ({string.Join(", ", table.Columns.Select((_, i) => $"?{i + 1}"))})";

        private static string Match<T>(BulkColumn<T>[] columns) => string.Join(" AND ", columns.Select((c, i) => $"{c.Name} = ?{i + 1}"));

        private bool[] Run<T>(BulkTable<T> table, IReadOnlyList<T> rows, string verb, Func<string> sql)
        {
            if (rows.Count == 0) return [];
            var done = new bool[rows.Count];
            var statement = store.Statement(table, verb, sql);
            Span<byte> id = stackalloc byte[16];
            for (var r = 0; r < rows.Count; r++)
            {
                for (var c = 0; c < table.Columns.Length; c++) store.Check(Bind(statement, c + 1, table.Columns[c], rows[r], id));
                var code = sqlite3_step(statement);
                if (code != SQLITE_DONE)
                {
                    // Resetting answers the same error, with its text.
                    store.Check(sqlite3_reset(statement) is var told && told != SQLITE_OK ? told : code);
                }
                done[r] = sqlite3_changes(store.Database) > 0;
                _ = sqlite3_reset(statement);
            }
            return done;
        }

        private static int Bind<T>(sqlite3_stmt statement, int place, BulkColumn<T> column, T row, Span<byte> bytes)
        {
            if (column.Number is { } number) return number(row) is { } value ? sqlite3_bind_int64(statement, place, value) : sqlite3_bind_null(statement, place);
            if (column.Text is { } text) return text(row) is { } chars ? sqlite3_bind_text(statement, place, chars) : sqlite3_bind_null(statement, place);
            if (column.Id!(row) is not { } id) return sqlite3_bind_null(statement, place);
            BinaryPrimitives.WriteUInt128BigEndian(bytes, id);
            return sqlite3_bind_blob(statement, place, bytes);
        }
    }
}
