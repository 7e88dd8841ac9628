using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;

namespace Rev.Api.Common;

/// <summary>What the program was started for.</summary>
/// <param name="Name">One of the names below; null to serve.</param>
/// <param name="Values">What was given with it: a file, a password, a month and a folder.</param>
/// <param name="Rest">The other arguments: configuration.</param>
internal sealed record StartMode(string? Name, string[] Values, string[] Rest)
{
    private const string Force = "--force";

    /// <summary>What the program can be started for, and how many values come with it at most.</summary>
    private static readonly Dictionary<string, int> Names = new(StringComparer.Ordinal)
    {
        ["--migrate"] = 0, ["--verify"] = 0, ["--rebuild-rollups"] = 0, ["--backup"] = 1, ["hash-password"] = 1,
        ["--archive"] = 2, ["--archive-remove"] = 3, ["--archive-restore"] = 1,
    };

    /// <summary>The file, the folder or the password that was given.</summary>
    public string? Value => Values.FirstOrDefault();

    /// <summary>Reads the arguments.</summary>
    public static StartMode Read(string[] args)
    {
        var at = Array.FindIndex(args, Names.ContainsKey);
        if (at < 0) return new(null, [], args);
        var values = args.Skip(at + 1).Take(Names[args[at]]).TakeWhile(a => a == Force || !a.StartsWith("--", StringComparison.Ordinal)).ToArray();
        return new(args[at], values, [.. args[..at], .. args[(at + 1 + values.Length)..]]);
    }

    /// <summary>Prints the hash of a password, from the argument or the standard input.</summary>
    public static int HashPassword(string? password)
    {
        password ??= Console.In.ReadLine();
        if (string.IsNullOrEmpty(password))
        {
            Console.Error.WriteLine("Give the password as an argument or on the standard input.");
            return 1;
        }
        Console.WriteLine(Operators.HashPassword(password));
        return 0;
    }

    /// <summary>Does what the program was started for, other than serving.</summary>
    public async Task<int> Run(StoreAdmin store, MonthArchive archive)
    {
        switch (Name)
        {
            case "--migrate":
                await store.Migrate(CancellationToken.None);
                Console.WriteLine("The database is up to date.");
                return 0;
            case "--verify":
                var differences = await store.Verify(CancellationToken.None);
                foreach (var difference in differences) Console.WriteLine(difference);
                Console.WriteLine(differences.Count == 0 ? "The rollups equal the sum of calls and ledger." : $"{differences.Count} differences.");
                return differences.Count == 0 ? 0 : 1;
            case "--rebuild-rollups":
                Console.WriteLine($"{await store.RebuildRollups(CancellationToken.None)} rollups were written.");
                return 0;
            case "--backup":
                if (Value is null) throw new SettingException("--backup needs the file to write.");
                await store.Backup(Value, CancellationToken.None);
                Console.WriteLine($"The backup is in {Path.GetFullPath(Value)}.");
                return 0;
            case "--archive":
                var (month, folder) = MonthAndFolder();
                var manifest = await archive.Write(month, folder, CancellationToken.None);
                Console.WriteLine($"{string.Join(", ", manifest.Files.Select(f => $"{f.Rows} rows in {f.Name}"))}: {month} is in {Path.Combine(Path.GetFullPath(folder), month.ToString())}.");
                return 0;
            case "--archive-remove":
                (month, folder) = MonthAndFolder();
                var removed = await archive.Remove(month, folder, Values.Contains(Force, StringComparer.Ordinal), new Progress(), CancellationToken.None);
                Console.WriteLine($"{removed} calls of {month} were removed from the database.");
                return 0;
            case "--archive-restore":
                if (Value is null) throw new SettingException("--archive-restore needs the month's folder.");
                Console.WriteLine($"{await archive.Restore(Value, new Progress(), CancellationToken.None)} calls were brought back.");
                return 0;
            default:
                throw new System.Diagnostics.UnreachableException();
        }
    }

    private (ArchiveMonth Month, string Folder) MonthAndFolder() =>
        Values.Where(v => v != Force).ToArray() is [var text, var folder] && ArchiveMonth.TryParse(text, out var month)
            ? (month, folder)
            : throw new SettingException($"{Name} needs a month, such as 2026-01, and a folder.");

    /// <summary>A line for each hundred thousand calls.</summary>
    private sealed class Progress : IProgress<long>
    {
        private const long Step = 100_000;
        private long _told;

        public void Report(long value)
        {
            if (value / Step == _told / Step) return;
            _told = value;
            Console.WriteLine($"{value} calls so far.");
        }
    }

    /// <summary>Why Rev cannot start, in one line, when it is no bug.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        SettingException => exception.Message,
        IOException { InnerException: AddressInUseException or System.Net.Sockets.SocketException } => $"Rev cannot listen: {exception.Message}",
        System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.AccessDenied or System.Net.Sockets.SocketError.AddressNotAvailable } =>
            $"Rev cannot listen: {exception.Message}.",
        _ when StoreFaults.IsUnavailable(exception) =>
            $"Rev cannot reach its database (Database__Provider, ConnectionStrings__Rev): {exception.Message.ReplaceLineEndings(" ")}",
        _ => null,
    };

    /// <summary>Tells a developer where everything is.</summary>
    public static void Greet(WebApplication app)
    {
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "http://localhost:5080";
        address = address.Replace("//[::]", "//localhost", StringComparison.Ordinal).Replace("//0.0.0.0", "//localhost", StringComparison.Ordinal)
            .Replace("//+", "//localhost", StringComparison.Ordinal).Replace("//*", "//localhost", StringComparison.Ordinal).TrimEnd('/');
        var settings = app.Services.GetRequiredService<RevSettings>();
        var password = app.Services.GetRequiredService<Operators>().GeneratedPassword;
        Console.WriteLine($"""

            Rev is at            {address}
            Dashboard            {address}/signin
            Guide, reference     {address}/docs, {address}/docs/api
            Mails                {settings.MailDirectory ?? "are sent by SMTP"}
            Jobs                 {address}/hangfire
            Operator's sign-in   {(password is null ? "as configured" : $"operator, password {password}")}

            """);
    }
}
