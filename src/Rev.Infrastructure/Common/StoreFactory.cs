using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using SQLitePCL;

namespace Rev.Infrastructure.Common;

/// <summary>Opens the configured database.</summary>
public sealed class StoreFactory
{
    private readonly Func<RevDbContext> _create;

    /// <summary>A factory for the configured database.</summary>
    public StoreFactory(RevSettings settings)
    {
        Provider = settings.Provider;
        switch (settings.Provider)
        {
            case StoreProvider.Sqlite:
                if (new SqliteConnectionStringBuilder(settings.ConnectionString).DataSource is { Length: > 0 } file && Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder)
                    PrivateDirectory.Create(folder);
                var sqlite = new DbContextOptionsBuilder<SqliteRevDbContext>()
                    .UseSqlite(settings.ConnectionString, o => o.MigrationsHistoryTable("__EFMigrationsHistory"))
                    .AddInterceptors(new SqliteDurability()).Options;
                _create = () => new SqliteRevDbContext(sqlite);
                break;
            case StoreProvider.PostgreSql:
                var postgres = new DbContextOptionsBuilder<PostgresRevDbContext>().UseNpgsql(Plain(settings.ConnectionString)).Options;
                _create = () => new PostgresRevDbContext(postgres);
                break;
            case StoreProvider.SqlServer:
                var sqlServer = new DbContextOptionsBuilder<SqlServerRevDbContext>().UseSqlServer(settings.ConnectionString).Options;
                _create = () => new SqlServerRevDbContext(sqlServer);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(settings), settings.Provider, "No such database.");
        }
    }

    /// <summary>
    /// Reads leave nothing behind on a connection that the next one would trip over, and what is asked often is parsed once.
    /// It is planned for each asking all the same: one plan for every tenant and every length of time would be a bad one for some.
    /// </summary>
    private static string Plain(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString) { NoResetOnClose = true };
        if (builder.MaxAutoPrepare > 0) return builder.ToString();
        builder.MaxAutoPrepare = 100;
        builder.Options = $"{builder.Options} -c plan_cache_mode=force_custom_plan".TrimStart();
        return builder.ToString();
    }

    /// <summary>The database.</summary>
    public StoreProvider Provider { get; }

    /// <summary>A new unit of reading and writing; dispose it.</summary>
    public RevDbContext Create() => _create();
}

/// <summary>An answered call survives a power loss: every connection to SQLite writes through.</summary>
internal sealed class SqliteDurability : DbConnectionInterceptor
{
    internal const string Pragmas = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";

    /// <summary>The writer's own: pages that many commits change are written to the file once, and it keeps the branches of its trees.</summary>
    internal const string WriterPragmas = " PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -32768;";

    /// <summary>Those that were told already: a pooled connection keeps what it was told.</summary>
    private static readonly ConditionalWeakTable<sqlite3, object> Told = [];

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        if (IsTold(connection)) return;
        using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        command.ExecuteNonQuery();
        Remember(connection);
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        if (IsTold(connection)) return;
        await using var command = connection.CreateCommand();
        command.CommandText = Pragmas;
        await command.ExecuteNonQueryAsync(cancellationToken);
        Remember(connection);
    }

    private static bool IsTold(DbConnection connection) => connection is SqliteConnection { Handle: { } handle } && Told.TryGetValue(handle, out _);

    private static void Remember(DbConnection connection)
    {
        if (connection is SqliteConnection { Handle: { } handle }) Told.TryAdd(handle, Told);
    }
}

/// <summary>For dotnet ef.</summary>
public sealed class SqliteDesignTimeFactory : IDesignTimeDbContextFactory<SqliteRevDbContext>
{
    /// <inheritdoc/>
    public SqliteRevDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqliteRevDbContext>().UseSqlite("Data Source=design.db").Options);
}

/// <summary>For dotnet ef.</summary>
public sealed class PostgresDesignTimeFactory : IDesignTimeDbContextFactory<PostgresRevDbContext>
{
    /// <inheritdoc/>
    public PostgresRevDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresRevDbContext>().UseNpgsql("Host=localhost;Database=design").Options);
}

/// <summary>For dotnet ef.</summary>
public sealed class SqlServerDesignTimeFactory : IDesignTimeDbContextFactory<SqlServerRevDbContext>
{
    /// <inheritdoc/>
    public SqlServerRevDbContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqlServerRevDbContext>().UseSqlServer("Server=localhost;Database=design").Options);
}
