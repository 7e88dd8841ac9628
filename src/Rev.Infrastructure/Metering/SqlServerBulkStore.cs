using System.Data;
using Microsoft.Data.SqlClient;

namespace Rev.Infrastructure.Metering;

/// <summary>SqlBulkCopy into the table, or into a temporary one that one statement reads where rows may be there already.</summary>
public sealed class SqlServerBulkStore(string connectionString) : IBulkStore
{
    private readonly string _connectionString = new SqlConnectionStringBuilder(connectionString)
    {
        ConnectTimeout = 3, CommandTimeout = 5, ApplicationName = "rev-writer",
    }.ToString();

    /// <inheritdoc/>
    public bool AnswersCostATrip => false;

    /// <inheritdoc/>
    public async Task<IBulkSession> Begin(CancellationToken cancellationToken)
    {
        var connection = new SqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using (var settings = new SqlCommand(SqlServerBulkSql.SessionSettings, connection)) await settings.ExecuteNonQueryAsync(cancellationToken);
            return new Session(connection, (SqlTransaction)await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class Session(SqlConnection connection, SqlTransaction transaction) : IBulkSession
    {
        private int _temporaries;

        public async Task Insert<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count > 0) await Copy(table.Name, table.Columns, rows);
        }

        public async Task<bool[]> InsertMissing<T>(BulkTable<T> table, IReadOnlyList<T> rows) =>
            rows.Count == 0 ? [] : await Which(table, rows, SqlServerBulkSql.InsertMissing(table, await Stage(table, rows)));

        public async Task<bool[]> UpdateExpected<T>(BulkTable<T> table, IReadOnlyList<T> rows) =>
            rows.Count == 0 ? [] : await Which(table, rows, SqlServerBulkSql.UpdateExpected(table, await Stage(table, rows)));

        public async Task Add<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count == 0) return;
            var staged = await Stage(table, rows);
            await Execute(SqlServerBulkSql.AddToThose(table, staged));
            await Execute(SqlServerBulkSql.InsertTheRest(table, staged));
        }

        public async Task Delete<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            if (rows.Count > 0) await Execute(SqlServerBulkSql.Delete(table, await Stage(table, rows)));
        }

        public Task Commit() => transaction.CommitAsync();

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }

        private async Task<string> Stage<T>(BulkTable<T> table, IReadOnlyList<T> rows)
        {
            var name = $"#staged{_temporaries++}";
            await Execute(SqlServerBulkSql.CreateStage(table, name));
            await Copy(name, table.Columns, rows);
            return name;
        }

        private async Task Copy<T>(string destination, BulkColumn<T>[] columns, IReadOnlyList<T> rows)
        {
            using var data = new DataTable();
            foreach (var column in columns) data.Columns.Add(column.Name, ClrType(column.Type));
            foreach (var row in rows) data.Rows.Add(columns.Select(c => c.Box(row) ?? DBNull.Value).ToArray());
            using var copy = new SqlBulkCopy(connection, SqlBulkCopyOptions.CheckConstraints, transaction) { DestinationTableName = destination, BulkCopyTimeout = 5 };
            foreach (var column in columns) copy.ColumnMappings.Add(column.Name, column.Name);
            await copy.WriteToServerAsync(data);
        }

        private async Task Execute(string sql)
        {
            await using var command = new SqlCommand(sql, connection, transaction);
            await command.ExecuteNonQueryAsync();
        }

        private async Task<bool[]> Which<T>(BulkTable<T> table, IReadOnlyList<T> rows, string sql)
        {
            var done = new bool[rows.Count];
            var places = new RowPlaces<T>(table, rows);
            await using var command = new SqlCommand(sql, connection, transaction);
            await using var reader = await command.ExecuteReaderAsync();
            await places.Mark(reader, done);
            return done;
        }

        private static Type ClrType(BulkType type) => type switch
        {
            BulkType.Id => typeof(byte[]),
            BulkType.Small => typeof(short),
            BulkType.Int => typeof(int),
            BulkType.Long => typeof(long),
            BulkType.Flag => typeof(bool),
            BulkType.Key or BulkType.Text => typeof(string),
        };
    }
}

/// <summary>The statements of the bulk path on SQL Server, as text, so that a test can parse them without a server.</summary>
public static class SqlServerBulkSql
{
    /// <summary>A lock that another holds for long fails the batch soon, so that halving finds who asks for it.</summary>
    public const string SessionSettings = "SET XACT_ABORT ON; SET LOCK_TIMEOUT 1500";

    /// <summary>A temporary table of the columns.</summary>
    public static string CreateStage<T>(BulkTable<T> table, string name) =>
        $"CREATE TABLE {name} ({string.Join(", ", table.Columns.Select(c => $"[{c.Name}] {Type(c.Type)} NULL"))})";

    /// <summary>Inserts what is not there; returns the keys that were inserted.</summary>
    public static string InsertMissing<T>(BulkTable<T> table, string stage) =>
        $"INSERT INTO [{table.Name}] ({Names(table.Columns)}) OUTPUT {Prefixed(table.Keys, "inserted.")} SELECT {Names(table.Columns)} FROM {stage} AS v "
        + $"WHERE NOT EXISTS (SELECT 1 FROM [{table.Name}] AS t WITH (UPDLOCK, HOLDLOCK) WHERE {Match(table.Keys)})";

    /// <summary>Changes the rows that have the expected version; returns their keys.</summary>
    public static string UpdateExpected<T>(BulkTable<T> table, string stage) =>
        $"UPDATE t SET {string.Join(", ", table.Values.SkipLast(1).Select(c => $"[{c.Name}] = v.[{c.Name}]"))} OUTPUT {Prefixed(table.Keys, "inserted.")} "
        + $"FROM [{table.Name}] AS t INNER JOIN {stage} AS v ON {Match(table.Keys)} WHERE t.version = v.expected_version";

    /// <summary>Adds to the rows that are there.</summary>
    public static string AddToThose<T>(BulkTable<T> table, string stage) =>
        $"UPDATE t SET {string.Join(", ", table.Values.Select(c => $"[{c.Name}] = t.[{c.Name}] + v.[{c.Name}]"))} "
        + $"FROM [{table.Name}] AS t WITH (UPDLOCK, HOLDLOCK) INNER JOIN {stage} AS v ON {Match(table.Keys)}";

    /// <summary>Inserts the rows that are not.</summary>
    public static string InsertTheRest<T>(BulkTable<T> table, string stage) =>
        $"INSERT INTO [{table.Name}] ({Names(table.Columns)}) SELECT {Names(table.Columns)} FROM {stage} AS v "
        + $"WHERE NOT EXISTS (SELECT 1 FROM [{table.Name}] AS t WITH (UPDLOCK, HOLDLOCK) WHERE {Match(table.Keys)})";

    /// <summary>Deletes rows that are equal in all columns.</summary>
    public static string Delete<T>(BulkTable<T> table, string stage) =>
        $"DELETE t FROM [{table.Name}] AS t INNER JOIN {stage} AS v ON {Match(table.Columns)}";

    private static string Names<T>(BulkColumn<T>[] columns) => Prefixed(columns, "");

    private static string Match<T>(BulkColumn<T>[] columns) => string.Join(" AND ", columns.Select(c => $"t.[{c.Name}] = v.[{c.Name}]"));

    private static string Prefixed<T>(BulkColumn<T>[] columns, string prefix) => string.Join(", ", columns.Select(c => $"{prefix}[{c.Name}]"));

    private static string Type(BulkType type) => type switch
    {
        BulkType.Id => "binary(16)",
        BulkType.Small => "smallint",
        BulkType.Int => "int",
        BulkType.Long => "bigint",
        BulkType.Flag => "bit",
        BulkType.Key => $"varchar(128) COLLATE {SqlServerCollation}",
        BulkType.Text => $"nvarchar(max) COLLATE {SqlServerCollation}",
    };

    private const string SqlServerCollation = Common.SqlServerRevDbContext.Collation;
}
