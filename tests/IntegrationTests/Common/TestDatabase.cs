using System.Data.Common;
using System.Globalization;
using Microsoft.Data.SqlClient;
using Microsoft.Data.Sqlite;
using Npgsql;
using Respawn;

namespace Rev.IntegrationTests.Common;

/// <summary>
/// A migrated, empty database, emptied between tests. On SQLite a copy of one migrated file; on a server a database of its own
/// (PostgreSQL: from one migrated template).
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    /// <summary>What stays when all else goes.</summary>
    private static readonly string[] Kept = ["__EFMigrationsHistory", "__EFMigrationsLock", "data_protection_keys"];

    private static readonly Lazy<Task<string>> SqliteTemplate = new(MigrateSqliteAsync);
    private static readonly Lazy<Task<string>> PostgresTemplate = new(MigratePostgresAsync);
    private static readonly SemaphoreSlim Creating = new(1);
    private readonly string _name;
    private Respawner? _respawner;

    private TestDatabase(Provider provider, string name, string connectionString, string dataDirectory)
    {
        Provider = provider;
        _name = name;
        ConnectionString = connectionString;
        DataDirectory = dataDirectory;
    }

    public Provider Provider { get; }

    public string ConnectionString { get; }

    public string DataDirectory { get; }

    public static async Task<TestDatabase> CreateAsync(Provider provider)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"rev_{Guid.NewGuid():N}");
        var folder = Repository.TemporaryFolder("data");
        switch (provider)
        {
            case Provider.Sqlite:
                File.Copy(await SqliteTemplate.Value, Path.Combine(folder, "rev.db"));
                return new(provider, name, SqliteConnectionString(folder), folder);
            case Provider.PostgreSql:
                var template = await PostgresTemplate.Value;
                await Creating.WaitAsync();
                try
                {
                    await ExecuteAsync(new NpgsqlConnection(await PostgresServer.ConnectionStringAsync()), $"create database {name} template {template}");
                }
                finally
                {
                    Creating.Release();
                }
                return new(provider, name, await PostgresAsync(name), folder);
            case Provider.SqlServer:
                var server = EachProviderAttribute.SqlServer!;
                await ExecuteAsync(new SqlConnection(server), $"create database {name}");
                return new(provider, name, new SqlConnectionStringBuilder(server) { InitialCatalog = name }.ConnectionString, folder);
            default:
                throw new ArgumentOutOfRangeException(nameof(provider));
        }
    }

    /// <summary>A server's database without Rev's tables; on SQLite a folder without a file.</summary>
    public static async Task<TestDatabase> CreateEmptyAsync(Provider provider)
    {
        if (provider == Provider.SqlServer) return await CreateAsync(provider);
        var name = string.Create(CultureInfo.InvariantCulture, $"rev_{Guid.NewGuid():N}");
        var folder = Repository.TemporaryFolder("data");
        if (provider == Provider.Sqlite) return new(provider, name, SqliteConnectionString(folder), folder);
        await ExecuteAsync(new NpgsqlConnection(await PostgresServer.ConnectionStringAsync()), $"create database {name}");
        return new(provider, name, await PostgresAsync(name), folder);
    }

    public DbConnection Connect() => Provider switch
    {
        Provider.Sqlite => new SqliteConnection(ConnectionString),
        Provider.PostgreSql => new NpgsqlConnection(ConnectionString),
        Provider.SqlServer => new SqlConnection(ConnectionString),
        _ => throw new InvalidOperationException(),
    };

    /// <summary>Empties every table but the history of migrations and what belongs to Hangfire and to the key ring.</summary>
    public async Task ResetAsync()
    {
        if (Provider == Provider.Sqlite)
        {
            await EmptySqliteAsync();
            return;
        }
        await using var connection = Connect();
        await connection.OpenAsync();
        _respawner ??= await Respawner.CreateAsync(connection, new RespawnerOptions
        {
            DbAdapter = Provider == Provider.PostgreSql ? DbAdapter.Postgres : DbAdapter.SqlServer,
            TablesToIgnore = [.. Kept],
            SchemasToExclude = ["hangfire"],
        });
        await _respawner.ResetAsync(connection);
    }

    public async ValueTask DisposeAsync()
    {
        switch (Provider)
        {
            case Provider.Sqlite:
                using (var connection = new SqliteConnection(ConnectionString)) SqliteConnection.ClearPool(connection);
                break;
            case Provider.PostgreSql:
                await using (var connection = new NpgsqlConnection(ConnectionString)) NpgsqlConnection.ClearPool(connection);
                await ExecuteAsync(new NpgsqlConnection(await PostgresServer.ConnectionStringAsync()), $"drop database {_name} with (force)");
                break;
            case Provider.SqlServer:
                await using (var connection = new SqlConnection(ConnectionString)) SqlConnection.ClearPool(connection);
                await ExecuteAsync(new SqlConnection(EachProviderAttribute.SqlServer), $"alter database {_name} set single_user with rollback immediate; drop database {_name}");
                break;
            default:
                throw new InvalidOperationException();
        }
        Repository.Remove(DataDirectory);
    }

    /// <summary>All tables in one transaction: whoever still looks sees everything or nothing.</summary>
    private async Task EmptySqliteAsync()
    {
        // Not from the pool: what is set here must not meet whoever is given the connection next.
        await using var connection = new SqliteConnection(new SqliteConnectionStringBuilder(ConnectionString) { Pooling = false }.ToString());
        await connection.OpenAsync();
        await using (var relax = connection.CreateCommand())
        {
            relax.CommandText = "PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF";
            await relax.ExecuteNonQueryAsync();
        }
        await using var transaction = connection.BeginTransaction(deferred: false);
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = "SELECT name FROM sqlite_master WHERE type = 'table'";
        var tables = new List<string>();
        await using (var reader = await command.ExecuteReaderAsync())
            while (await reader.ReadAsync()) tables.Add(reader.GetString(0));
        var emptied = tables.Where(name => !Kept.Contains(name, StringComparer.Ordinal) && !name.StartsWith("sqlite_", StringComparison.Ordinal));
        command.CommandText = string.Concat(emptied.Select(name => $"DELETE FROM \"{name}\";"));
        await command.ExecuteNonQueryAsync();
        await transaction.CommitAsync();
    }

    private static string SqliteConnectionString(string folder) => $"Data Source={Path.Combine(folder, "rev.db")}";

    private static async Task<string> PostgresAsync(string name) =>
        new NpgsqlConnectionStringBuilder(await PostgresServer.ConnectionStringAsync()) { Database = name }.ConnectionString;

    private static async Task<string> MigrateSqliteAsync()
    {
        var folder = Repository.TemporaryFolder("template");
        var database = new TestDatabase(Provider.Sqlite, "template", SqliteConnectionString(folder), folder);
        await using (RevApp.Start(database))
        {
            // Starting migrates.
        }
        await using (var connection = new SqliteConnection(database.ConnectionString))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA wal_checkpoint(TRUNCATE)";
            await command.ExecuteNonQueryAsync();
            SqliteConnection.ClearPool(connection);
        }
        return Path.Combine(folder, "rev.db");
    }

    private static async Task<string> MigratePostgresAsync()
    {
        const string name = "rev_template";
        await ExecuteAsync(new NpgsqlConnection(await PostgresServer.ConnectionStringAsync()), $"create database {name}");
        var database = new TestDatabase(Provider.PostgreSql, name, await PostgresAsync(name), Repository.TemporaryFolder("template"));
        await using (RevApp.Start(database))
        {
            // Starting migrates.
        }
        await using (var connection = new NpgsqlConnection(database.ConnectionString)) NpgsqlConnection.ClearPool(connection);
        await ExecuteAsync(
            new NpgsqlConnection(await PostgresServer.ConnectionStringAsync()),
            $"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'");
        return name;
    }

    private static async Task ExecuteAsync(DbConnection connection, string sql)
    {
        await using (connection)
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            await command.ExecuteNonQueryAsync();
        }
    }
}
