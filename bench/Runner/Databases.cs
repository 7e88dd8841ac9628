using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Rev.Bench.Runner;

/// <summary>The databases of one kind: made, copied, counted and dropped by name.</summary>
internal abstract class Databases : IAsyncDisposable
{
    /// <summary>As Rev's configuration calls it.</summary>
    public abstract string Provider { get; }

    /// <summary>As people call it.</summary>
    public abstract string Name { get; }

    /// <summary>The server's own process; null when there is none.</summary>
    public virtual int? Process => null;

    public abstract string Connection(string database);

    public abstract Task Create(string database);

    public abstract Task Drop(string database);

    /// <summary>Copies a database that nobody uses.</summary>
    public abstract Task Copy(string from, string to);

    /// <summary>What a database does by itself in time: statistics, a flushed log.</summary>
    public abstract Task Settle(string database);

    /// <summary>The first column of the first row.</summary>
    public abstract Task<long> Scalar(string database, string sql);

    public abstract Task<string> Version();

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>Files.</summary>
internal sealed class SqliteFiles(string folder) : Databases
{
    public override string Provider => "Sqlite";

    public override string Name => "SQLite";

    public override string Connection(string database) => $"Data Source={FileOf(database)}";

    public override Task Create(string database) => Task.CompletedTask;

    public override Task Drop(string database)
    {
        Directory.CreateDirectory(folder);
        foreach (var end in new[] { "", "-wal", "-shm", ".migrating" }) File.Delete(FileOf(database) + end);
        return Task.CompletedTask;
    }

    public override async Task Copy(string from, string to)
    {
        await Drop(to);
        await Settle(from);
        await Shell.Run("cp", ["--sparse=never", FileOf(from), FileOf(to)]);
        await Shell.Run("sync", [FileOf(to)]);
    }

    public override async Task Settle(string database) => await Scalar(database, "PRAGMA wal_checkpoint(TRUNCATE)");

    public override async Task<long> Scalar(string database, string sql) => Convert.ToInt64(await Ask(Connection(database), sql));

    public override async Task<string> Version() => (string)(await Ask("Data Source=:memory:", "SELECT sqlite_version()"))!;

    private static async Task<object?> Ask(string connectionString, string sql)
    {
        await using var connection = new SqliteConnection(connectionString + ";Pooling=False");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    private string FileOf(string database) => Path.Combine(folder, database + ".db");
}

/// <summary>A PostgreSQL server of our own, with fsync. It hangs on this process' pipe: however this ends, the server stops.</summary>
internal sealed class Postgres : Databases
{
    /// <summary>What is not the server's default.</summary>
    public const string Settings = "shared_buffers=512MB max_wal_size=4GB max_connections=400 fsync=on synchronous_commit=on wal_compression=lz4 log_autovacuum_min_duration=0 log_min_duration_statement=200 log_lock_waits=on";

    private readonly Process _keeper;
    private readonly string _folder;
    private readonly string _binaries;
    private readonly int _port;

    private Postgres(Process keeper, string folder, string binaries, int port) => (_keeper, _folder, _binaries, _port) = (keeper, folder, binaries, port);

    public override string Provider => "PostgreSql";

    public override string Name => "PostgreSQL";

    public override int? Process => _keeper.Id;

    public string Log => Path.Combine(_folder, "server.log");

    public static async Task<Postgres> Start(string folder)
    {
        var binaries = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(f => int.TryParse(Path.GetFileName(f), out var version) ? version : 0)
                .Select(f => Path.Combine(f, "bin")).FirstOrDefault(f => File.Exists(Path.Combine(f, "initdb")))
            : null;
        if (binaries is null) throw new InvalidOperationException("No PostgreSQL server is installed: apt-get install postgresql.");
        var port = Shell.FreePort();
        var root = Environment.UserName == "root";
        var run = root ? "runuser -u postgres --" : "";
        Directory.CreateDirectory(folder);
        // A server that was killed with its runner left its lock behind, and may still be ending.
        var script = $"""
            set -e
            trap '' INT TERM
            {(root ? $"chown postgres '{folder}'" : ":")}
            [ -f '{folder}/data/PG_VERSION' ] || {run} '{binaries}/initdb' -A trust -U postgres -E UTF8 --locale=C -D '{folder}/data' >'{folder}/initdb.log' 2>&1
            {run} '{binaries}/pg_ctl' stop -D '{folder}/data' -m fast >/dev/null 2>&1 || true
            {run} '{binaries}/postgres' -D '{folder}/data' -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' \
              {string.Join(' ', Settings.Split(' ').Select(s => "-c " + s))} >'{folder}/server.log' 2>&1 </dev/null &
            cat >/dev/null || true
            {run} '{binaries}/pg_ctl' stop -D '{folder}/data' -m fast >/dev/null 2>&1 || true
            """;
        var keeper = Shell.Start("/bin/bash", ["-c", script]);
        var server = new Postgres(keeper, folder, binaries, port);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await server.Execute("postgres", "SELECT 1");
                return server;
            }
            catch (NpgsqlException) when (waited.Elapsed < TimeSpan.FromMinutes(2) && !keeper.HasExited)
            {
                await Task.Delay(100);
            }
        }
    }

    public override string Connection(string database) => $"Host=127.0.0.1;Port={_port};Username=postgres;Database={Quote(database)};Maximum Pool Size=100";

    public override Task Create(string database) => Execute("postgres", $"CREATE DATABASE \"{Quote(database)}\"");

    public override Task Drop(string database) => Execute("postgres", $"DROP DATABASE IF EXISTS \"{Quote(database)}\" WITH (FORCE)");

    public override async Task Copy(string from, string to)
    {
        await Drop(to);
        await Execute("postgres", $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{Quote(from)}'");
        // From version 15 on the default is to write every page to the log as well.
        var strategy = await Scalar("postgres", "SELECT current_setting('server_version_num')::int") >= 150_000 ? "STRATEGY FILE_COPY" : "";
        await Execute("postgres", $"CREATE DATABASE \"{Quote(to)}\" TEMPLATE \"{Quote(from)}\" {strategy}");
        await Execute("postgres", "CHECKPOINT");
    }

    public override async Task Settle(string database)
    {
        await Execute(database, "VACUUM ANALYZE");
        await Execute(database, "CHECKPOINT");
    }

    public override async Task<long> Scalar(string database, string sql) => Convert.ToInt64(await Ask(database, sql));

    public override async Task<string> Version() => (string)(await Ask("postgres", "SHOW server_version"))!;

    /// <summary>Runs pgbench with a script of our own; transactions per second.</summary>
    public async Task<double> PgBench(string database, string script, int clients, int seconds)
    {
        var output = await Shell.Run(Path.Combine(_binaries, "pgbench"),
            ["-h", "127.0.0.1", "-p", _port.ToString(), "-U", "postgres", "-n", "-M", "prepared", "-j", "2", "-c", clients.ToString(), "-T", seconds.ToString(), "-f", script, Quote(database)]);
        var line = output.Split('\n').First(l => l.StartsWith("tps = ", StringComparison.Ordinal));
        return double.Parse(line["tps = ".Length..].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    public override async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        _keeper.StandardInput.Close();
        await _keeper.WaitForExitAsync();
        _keeper.Dispose();
    }

    private async Task Execute(string database, string sql) => _ = await Ask(database, sql);

    private async Task<object?> Ask(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(Connection(database) + ";Pooling=false;Command Timeout=0");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>The names are our own; a dash is all that they need folded.</summary>
    private static string Quote(string database) => database.Replace('-', '_');
}
