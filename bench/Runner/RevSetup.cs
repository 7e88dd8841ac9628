using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Rev.Bench.Runner;

/// <summary>A database that holds calls, and who may use it.</summary>
internal sealed record Preload(string Database, int Calls, int Window, string Key, string Account, DateTimeOffset End, string Schema, double Seconds)
{
    /// <summary>The window that reads look at: the last thirty days of the calls.</summary>
    public (string From, string To) Window30 => (Instant(End.AddDays(-30)), Instant(End));

    /// <summary>All of them.</summary>
    public (string From, string To) Window60 => (Instant(End.AddDays(-60)), Instant(End));

    /// <summary>The last of them.</summary>
    public (string From, string To) LastDay => (Instant(End.AddDays(-1)), Instant(End));

    private static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Starts Rev as in production, and makes the databases that it is measured on.</summary>
internal sealed partial class RevSetup(string root, State state)
{
    public const string Operator = "operator";
    public const string Password = "correct horse battery staple";

    private string? _passwordHash;

    public string Assembly(string project) => Path.Combine(root, "bench", project, "bin", "Release", "net10.0", $"Rev.Bench.{project}.dll");

    private string Api => Path.Combine(root, "src", "Rev.Api", "bin", "Release", "net10.0", "Rev.Api.dll");

    public Task<Server> Start(Databases databases, string database) => Launch(databases, database, "");

    /// <summary>Starts Rev with the live demo, which so many may watch from this machine.</summary>
    public async Task<Server> StartWithDemo(Databases databases, string database, int viewers)
    {
        var environment = await Environment(databases, database);
        environment["Demo__Enabled"] = "true";
        environment["Demo__Url"] = Server.OwnAddress;
        environment["Demo__ViewersPerAddress"] = viewers.ToString();
        // All viewers come from one address.
        environment["RateLimits__Anonymous__PerSecond"] = "10000";
        environment["RateLimits__Anonymous__Burst"] = "10000";
        return await Server.Start(Api, "/health/ready", environment);
    }

    /// <summary>Starts Rev with more said to every connection of its reads.</summary>
    public async Task<Server> Launch(Databases databases, string database, string connectionSuffix) =>
        await Server.Start(Api, "/health/ready", await Environment(databases, database, connectionSuffix));

    /// <summary>Production settings; only the limit of requests per key is out of the way.</summary>
    public async Task<Dictionary<string, string>> Environment(Databases databases, string database, string connectionSuffix = "")
    {
        _passwordHash ??= (await Shell.Run("dotnet", [Api, "hash-password", Password])).Trim();
        return new(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Production",
            ["MALLOC_ARENA_MAX"] = "2",
            ["ASPNETCORE_CONTENTROOT"] = Path.Combine(root, "src", "Rev.Api"),
            ["Security__Secret"] = "the secret of the benchmark, long enough to be taken",
            ["Operators__0__Name"] = Operator,
            ["Operators__0__PasswordHash"] = _passwordHash,
            ["Database__Provider"] = databases.Provider,
            ["ConnectionStrings__Rev"] = databases.Connection(database) + connectionSuffix,
            ["DataDirectory"] = DataFolder(databases, database),
            ["RateLimits__PerKey__PerSecond"] = "10000000",
            ["RateLimits__PerKey__Burst"] = "10000000",
            ["Demo__Enabled"] = "false",
        };
    }

    /// <summary>The output of Rev's --verify; throws when it finds a difference.</summary>
    public async Task<string> Verify(Databases databases, string database) =>
        (await Shell.Run("dotnet", [Api, "--verify"], await Environment(databases, database))).Trim();

    /// <summary>A database of so many calls, made once: signed up over HTTP, filled by the bulk loader, checked by --verify.</summary>
    public async Task<Preload> Preload(Databases databases, int calls, int window, int customers = Plan.Customers)
    {
        var name = $"calls-{calls}-{window}{(customers == Plan.Customers ? "" : $"-{customers}")}";
        var marker = Path.Combine(Directory.CreateDirectory(state.In("preloads")).FullName, $"{databases.Provider}-{name}.json");
        if (state.Read<Preload>(marker) is { } made && made.Schema == Schema() && made.Window == window) return made;

        Console.WriteLine($"  {databases.Name}: loading {calls} calls");
        var started = Stopwatch.StartNew();
        File.Delete(marker);
        var data = DataFolder(databases, name);
        if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
        await databases.Drop(name);
        await databases.Create(name);
        string key, account;
        await using (var rev = await Start(databases, name)) (key, account) = await SignUp(rev, data);
        var loading = Stopwatch.StartNew();
        var end = End();
        await Shell.Run("dotnet",
            [
                Assembly("Loader"), "--provider", databases.Provider, "--connection", databases.Connection(name), "--data", data, "--account", account,
                "--calls", calls.ToString(), "--window", window.ToString(), "--customers", customers.ToString(), "--end", end.ToString("O"),
            ]);
        var seconds = loading.Elapsed.TotalSeconds;
        await databases.Settle(name);
        var verified = await Verify(databases, name);
        Console.WriteLine($"  {databases.Name}: {calls} calls in {seconds:0} s, ready after {started.Elapsed.TotalSeconds:0} s. {verified}");
        var preload = new Preload(name, calls, window, key, account, end, Schema(), seconds);
        state.Write(marker, preload);
        return preload;
    }

    private static async Task<(string Key, string Account)> SignUp(Server rev, string data)
    {
        var (status, body, _) = await rev.Send(HttpMethod.Post, "/v1/signup", null, """{"email":"bench@example.com","company":"Bench"}""");
        if (status != 202) throw new InvalidOperationException($"Sign-up was answered {status}: {body}");
        var waited = Stopwatch.StartNew();
        while (waited.Elapsed < TimeSpan.FromSeconds(60))
        {
            var mails = Directory.Exists(Path.Combine(data, "mail")) ? Directory.GetFiles(Path.Combine(data, "mail"), "*.eml") : [];
            if (mails.Select(m => LiveKey().Match(File.ReadAllText(m))).FirstOrDefault(m => m.Success) is { } found)
            {
                using var answer = JsonDocument.Parse((await rev.Send(HttpMethod.Get, "/v1/account", found.Value)).Body);
                return (found.Value, answer.RootElement.GetProperty("id").GetString()!);
            }
            await Task.Delay(100);
        }
        throw new InvalidOperationException("No mail with a key came.");
    }

    /// <summary>The last midnight before the first preload; the same for all of them.</summary>
    private DateTimeOffset End()
    {
        var file = state.In("end.json");
        if (state.Read<string>(file) is { } text) return DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
        var end = new DateTimeOffset(TimeProvider.System.GetUtcNow().UtcDateTime.Date, TimeSpan.Zero);
        state.Write(file, end.ToString("O"));
        return end;
    }

    /// <summary>Tells one schema from another, so that a preload of an older one is made anew.</summary>
    private string Schema()
    {
        var names = Directory.EnumerateFiles(Path.Combine(root, "src", "Rev.Infrastructure", "Migrations", "Sqlite"), "*.cs").Select(Path.GetFileName).Order(StringComparer.Ordinal);
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', names))))[..16];
    }

    private string DataFolder(Databases databases, string database) => Directory.CreateDirectory(state.In("data", databases.Provider + "-" + database)).FullName;

    [GeneratedRegex("rg_live_[A-Za-z0-9_-]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LiveKey();
}
