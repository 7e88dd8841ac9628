using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Common;

/// <summary>What an operator does with the store as a whole.</summary>
public sealed class StoreAdmin(StoreFactory store, RevSettings settings, GroupCommitWriter writer, IServiceProvider services)
{
    /// <summary>The tables that sum others, each with what it should say.</summary>
    private static readonly (string Table, string Keys, IReadOnlyList<string> Sums, string Query)[] Summed =
    [
        ("rollups", RollupSql.Keys, RollupSql.Sums, RollupSql.Expected),
        ("open_outcomes", OpenOutcomesSql.Keys, OpenOutcomesSql.Sums, OpenOutcomesSql.Expected),
    ];

    private static readonly TimeSpan LongRead = TimeSpan.FromHours(1);
    private static readonly TimeSpan LongestMigration = TimeSpan.FromMinutes(10);

    /// <summary>Brings the schema up to date, under a lock, so that several servers may start at once.</summary>
    public async Task Migrate(CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        if (store.Provider == StoreProvider.PostgreSql)
        {
            await using var turn = await TakeTurn(db, cancellationToken);
            await db.Database.MigrateAsync(cancellationToken);
            Jobs.Prepare(services);
            return;
        }
        if (store.Provider == StoreProvider.SqlServer)
        {
            await db.Database.MigrateAsync(cancellationToken);
            Jobs.Prepare(services);
            return;
        }
        PrivateDirectory.Create(settings.DataDirectory);
        var file = new SqliteConnectionStringBuilder(settings.ConnectionString).DataSource;
        await using var held = await HoldLock(Path.GetFullPath(file) + ".migrating", cancellationToken);
        await ClearStaleLock(db, cancellationToken);
        await db.Database.MigrateAsync(cancellationToken);
    }

    /// <summary>Compares the rollups with what the calls, the ledger and the outcomes say; a line per difference.</summary>
    public async Task<IReadOnlyList<string>> Verify(CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var connection = db.Database.GetDbConnection();
        await db.Database.OpenConnectionAsync(cancellationToken);
        // Both are read as of one instant, so that it may run while servers write.
        await using var transaction = connection is SqliteConnection sqlite
            ? sqlite.BeginTransaction(deferred: true)
            : await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var differences = new List<string>();
        foreach (var (table, keys, sums, query) in Summed)
        {
            var expected = await Read(connection, transaction, query, keys, sums, cancellationToken);
            var actual = await Read(connection, transaction, $"SELECT {keys}, {string.Join(", ", sums)} FROM {table}", keys, sums, cancellationToken);
            var zero = sums.Select(_ => 0m).ToArray();
            foreach (var key in expected.Keys.Union(actual.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
            {
                var (should, does) = (expected.GetValueOrDefault(key, zero), actual.GetValueOrDefault(key, zero));
                for (var i = 0; i < zero.Length; i++)
                    if (should[i] != does[i]) differences.Add($"{table} {key} {sums[i]}: the table says {does[i]}, the calls say {should[i]}");
            }
        }
        return differences;
    }

    /// <summary>Makes the rollups anew. No server may write meanwhile.</summary>
    public async Task<int> RebuildRollups(CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        db.Database.SetCommandTimeout(LongRead);
        await using var transaction = await db.Database.BeginTransactionAsync(System.Data.IsolationLevel.Serializable, cancellationToken);
        var rows = 0;
        foreach (var (table, keys, sums, query) in Summed)
        {
#pragma warning disable EF1002 // The texts are constants of this assembly.
            await db.Database.ExecuteSqlRawAsync($"DELETE FROM {table}", cancellationToken);
            rows += await db.Database.ExecuteSqlRawAsync($"INSERT INTO {table} ({keys}, {string.Join(", ", sums)}) {query}", cancellationToken);
#pragma warning restore EF1002
        }
        await transaction.CommitAsync(cancellationToken);
        return rows;
    }

    /// <summary>Copies the SQLite database into a file, consistent, while servers run.</summary>
    /// <exception cref="SettingException">Another database is configured, or the file is there.</exception>
    public async Task Backup(string file, CancellationToken cancellationToken)
    {
        if (store.Provider != StoreProvider.Sqlite)
            throw new SettingException($"--backup is for SQLite; Database__Provider is {store.Provider}: use its own tools.");
        if (File.Exists(file)) throw new SettingException($"--backup: {file} exists already.");
        await using var source = new SqliteConnection(settings.ConnectionString);
        await source.OpenAsync(cancellationToken);
        await using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        await target.OpenAsync(cancellationToken);
        source.BackupDatabase(target);
    }

    /// <summary>Why this server cannot take calls now; null when it can.</summary>
    public async Task<string?> NotReady(CancellationToken cancellationToken)
    {
        if (writer.IsStalled) return "the writer is stalled";
        try
        {
            await using var db = store.Create();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(3));
            var pending = await db.Database.GetPendingMigrationsAsync(limit.Token);
            return pending.Any() ? "migrations are pending" : null;
        }
        catch (Exception exception) when (exception is OperationCanceledException or DbException or InvalidOperationException || StoreFaults.IsUnavailable(exception))
        {
            return "the store cannot be reached";
        }
    }

    /// <summary>
    /// A lock of PostgreSQL's that lasts as long as the connection. Entity Framework's own ends with each migration, and
    /// who waited for it would run the next one twice.
    /// </summary>
    private async Task<NpgsqlConnection> TakeTurn(RevDbContext db, CancellationToken cancellationToken)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        try
        {
            if (!await creator.ExistsAsync(cancellationToken)) await creator.CreateAsync(cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
        {
            // Another server made it at the same time.
        }
        var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false, CommandTimeout = (int)LongestMigration.TotalSeconds }.ToString());
        try
        {
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("SELECT pg_advisory_lock(hashtext('rev.migrate'))", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>A file lock of the operating system: a killed process leaves none behind.</summary>
    private static async Task<FileStream> HoldLock(string path, CancellationToken cancellationToken)
    {
        var until = Environment.TickCount64 + (long)LongestMigration.TotalMilliseconds;
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
            }
            catch (IOException) when (File.Exists(path) && Environment.TickCount64 < until)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
            }
        }
    }

    /// <summary>A process killed while migrating leaves a row that the next would wait for without end; under our lock it is stale.</summary>
    private static async Task ClearStaleLock(RevDbContext db, CancellationToken cancellationToken)
    {
        if (!await db.GetService<IRelationalDatabaseCreator>().ExistsAsync(cancellationToken)) return;
        try
        {
            await db.Database.ExecuteSqlRawAsync("DELETE FROM __EFMigrationsLock", cancellationToken);
        }
        catch (SqliteException exception) when (exception.SqliteErrorCode == 1)
        {
            // There is no such table yet.
        }
    }

    private static async Task<Dictionary<string, decimal[]>> Read(DbConnection connection, DbTransaction transaction, string sql, string keys, IReadOnlyList<string> sums, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = (int)LongRead.TotalSeconds;
        command.Transaction = transaction;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new Dictionary<string, decimal[]>(StringComparer.Ordinal);
        var width = keys.Split(',').Length;
        while (await reader.ReadAsync(cancellationToken))
        {
            var key = string.Join(' ', Enumerable.Range(0, width).Select(i => reader.GetValue(i) switch
            {
                byte[] bytes => Convert.ToHexString(bytes),
                var value => Convert.ToString(value, CultureInfo.InvariantCulture),
            }));
            rows[key] = sums.Select((_, i) => Convert.ToDecimal(reader.GetValue(width + i), CultureInfo.InvariantCulture)).ToArray();
        }
        return rows;
    }
}
