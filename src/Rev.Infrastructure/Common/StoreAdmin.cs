using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Rev.Domain.Common;
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
            await CatchUp(db, cancellationToken);
            Jobs.Prepare(services);
            return;
        }
        if (store.Provider == StoreProvider.SqlServer)
        {
            await CatchUp(db, cancellationToken);
            Jobs.Prepare(services);
            return;
        }
        PrivateDirectory.Create(settings.DataDirectory);
        var file = new SqliteConnectionStringBuilder(settings.ConnectionString).DataSource;
        await using var held = await HoldLock(Path.GetFullPath(file) + ".migrating", cancellationToken);
        await ClearStaleLock(db, cancellationToken);
        await CatchUp(db, cancellationToken);
    }

    /// <summary>Compares the rollups with what the calls, the ledger and the outcomes say; a line per difference.</summary>
    public async Task<IReadOnlyList<string>> Verify(CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        db.Database.SetCommandTimeout(LongRead);
        // Both are read as of one instant, so that it may run while servers write.
        await using var snapshot = await db.BeginRead(cancellationToken);
        var differences = new List<string>();
        foreach (var (table, keys, sums, query) in Summed)
        {
            var expected = await Read(db, query, [], keys, sums, cancellationToken);
            var actual = await Read(db, $"SELECT {keys}, {string.Join(", ", sums)} FROM {table}", [], keys, sums, cancellationToken);
            Compare(differences, table, sums, expected, actual, "the calls");
        }
        var marks = await db.Watermarks.AsNoTracking().ToListAsync(cancellationToken);
        var until = marks.Find(w => w.Name == RollupReads.Days)?.Until ?? DateTimeOffset.UnixEpoch;
        var hours = await Read(db, DayRollupSql.Expected, [("@until", Micros.Of(until))], DayRollupSql.Keys, RollupSql.Sums, cancellationToken, halves: true);
        foreach (var key in hours.Keys.Where(key => marks.Exists(w => w.Name == HoursOnly(key))).ToArray()) hours.Remove(key);
        var days = await Read(db, DayRollupSql.Actual, [], DayRollupSql.Keys, RollupSql.Sums, cancellationToken, halves: true);
        Compare(differences, "day_rollups", RollupSql.Sums, hours, days, "the hours");
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
        // Days are folded anew from these; until then they are read by hours.
        await db.DayRollups.ExecuteDeleteAsync(cancellationToken);
        await db.Watermarks.Where(w => w.Name == RollupReads.Days || w.Name.StartsWith("hours ")).ExecuteDeleteAsync(cancellationToken);
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

    /// <summary>Most starts find nothing to migrate. Entity Framework would still compare its whole model, and write its lock.</summary>
    private static async Task CatchUp(RevDbContext db, CancellationToken cancellationToken)
    {
        var pending = await db.Database.GetPendingMigrationsAsync(cancellationToken);
        if (pending.Any()) await db.Database.MigrateAsync(cancellationToken);
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

    private static void Compare(
        List<string> differences, string table, IReadOnlyList<string> sums, Dictionary<string, decimal[]> expected, Dictionary<string, decimal[]> actual, string source)
    {
        var zero = sums.Select(_ => 0m).ToArray();
        foreach (var key in expected.Keys.Union(actual.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var (should, does) = (expected.GetValueOrDefault(key, zero), actual.GetValueOrDefault(key, zero));
            for (var i = 0; i < zero.Length; i++)
                if (should[i] != does[i]) differences.Add($"{table} {key} {sums[i]}: the table says {does[i]}, {source} say {should[i]}");
        }
    }

    /// <summary>The watermark of a key as <see cref="Read"/> writes it.</summary>
    private static string HoursOnly(string key)
    {
        var parts = key.Split(' ');
        var account = new AccountId(UlidText.FromBytes(Convert.FromHexString(parts[0])));
        return RollupReads.HoursOnly(new(account, (Mode)int.Parse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture)), parts[2]);
    }

    /// <summary>Sums by their keys, as text.</summary>
    /// <param name="db">Where.</param>
    /// <param name="sql">The text.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="keys">The columns it begins with.</param>
    /// <param name="sums">Those that follow.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="halves">Whether of each sum there are whole units and what is beside them.</param>
    private static async Task<Dictionary<string, decimal[]>> Read(
        RevDbContext db, string sql, (string, object)[] parameters, string keys, IReadOnlyList<string> sums, CancellationToken cancellationToken, bool halves = false)
    {
        var width = keys.Split(',').Length;
        var rows = await db.Query(sql, parameters, reader =>
        {
            decimal Value(int i) => Convert.ToDecimal(reader.GetValue(width + i), CultureInfo.InvariantCulture);
            var key = string.Join(' ', Enumerable.Range(0, width).Select(i => reader.GetValue(i) switch
            {
                byte[] bytes => Convert.ToHexString(bytes),
                var value => Convert.ToString(value, CultureInfo.InvariantCulture),
            }));
            return (Key: key, Sums: sums.Select((_, i) => halves ? (Value(2 * i) * Money.NanosPerUnit) + Value((2 * i) + 1) : Value(i)).ToArray());
        }, cancellationToken);
        return rows.ToDictionary(r => r.Key, r => r.Sums, StringComparer.Ordinal);
    }
}
