using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Rev.IntegrationTests.Common;

/// <summary>
/// A real PostgreSQL server of the test process' own, on a free port, its data in a temporary folder.
/// It hangs on this process' pipe: whichever way the process ends, the server stops and its folder goes.
/// </summary>
public static class PostgresServer
{
    private static readonly Lazy<Task<string>> Started = new(StartAsync);
    private static Process? s_keeper;

    /// <summary>Connection string without a database.</summary>
    public static Task<string> ConnectionStringAsync() => Started.Value;

    private static async Task<string> StartAsync()
    {
        var bin = Binaries();
        var folder = Directory.CreateTempSubdirectory("rev-pg-").FullName;
        var port = FreePort();
        var asRoot = Environment.UserName == "root";
        var run = asRoot ? "runuser -u postgres --" : "";
        var script = string.Create(CultureInfo.InvariantCulture, $"""
            set -e
            cd /
            trap '' INT TERM
            {(asRoot ? $"chown postgres '{folder}'" : ":")}
            {run} '{bin}/initdb' -A trust -U postgres -E UTF8 --locale=C -N -D '{folder}/data' >'{folder}/initdb.log' 2>&1
            {run} '{bin}/postgres' -D '{folder}/data' -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='{folder}' \
              -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=400 -c shared_buffers=128MB \
              >'{folder}/server.log' 2>&1 </dev/null &
            cat >/dev/null || true
            {run} '{bin}/pg_ctl' stop -D '{folder}/data' -m immediate >/dev/null 2>&1 || true
            rm -rf '{folder}'
            """);
        s_keeper = Process.Start(new ProcessStartInfo("/bin/bash", ["-c", script])
        {
            RedirectStandardInput = true,
            UseShellExecute = false,
        }) ?? throw new InvalidOperationException("bash did not start.");
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Stop();

        var connectionString = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "postgres",
            Database = "postgres",
            MaxPoolSize = 40,
            Timeout = 30,
        }.ConnectionString;
        var deadline = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
                await connection.OpenAsync();
                return connectionString;
            }
            catch (NpgsqlException) when (deadline.Elapsed < TimeSpan.FromSeconds(60) && !s_keeper.HasExited)
            {
                await Task.Delay(50);
            }
            catch (NpgsqlException exception)
            {
                throw new InvalidOperationException($"PostgreSQL did not start:\n{Log(folder, "initdb.log")}\n{Log(folder, "server.log")}", exception);
            }
        }
    }

    private static string Log(string folder, string name) =>
        File.Exists(Path.Combine(folder, name)) ? File.ReadAllText(Path.Combine(folder, name)) : $"(no {name})";

    private static void Stop()
    {
        s_keeper?.StandardInput.Close();
        s_keeper?.WaitForExit(TimeSpan.FromSeconds(10));
    }

    /// <summary>The newest server that Debian and Ubuntu installed, else the one in the PATH.</summary>
    private static string Binaries()
    {
        const string debian = "/usr/lib/postgresql";
        var versions = Directory.Exists(debian)
            ? Directory.GetDirectories(debian)
                .Where(folder => File.Exists(Path.Combine(folder, "bin", "initdb")))
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var version) ? version : 0)
            : Enumerable.Empty<string>();
        if (versions.FirstOrDefault() is { } newest) return Path.Combine(newest, "bin");
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            var initdb = Path.Combine(folder, "initdb");
            if (!File.Exists(initdb)) continue;
            var real = new FileInfo(initdb).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? initdb;
            return Path.GetDirectoryName(real)!;
        }
        throw new InvalidOperationException("No PostgreSQL server is installed (initdb): scripts/test.sh installs one, or apt-get install postgresql.");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
