using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Rev.Infrastructure.Common;

namespace Rev.Api.Common;

/// <summary>What the program was started for.</summary>
/// <param name="Name">--migrate, --verify, --rebuild-rollups, --backup or hash-password; null to serve.</param>
/// <param name="Value">The file or the password.</param>
/// <param name="Rest">The other arguments: configuration.</param>
internal sealed record StartMode(string? Name, string? Value, string[] Rest)
{
    private static readonly string[] Names = ["--migrate", "--verify", "--rebuild-rollups", "--backup", "hash-password"];

    /// <summary>Reads the arguments.</summary>
    public static StartMode Read(string[] args)
    {
        var at = Array.FindIndex(args, a => Names.Contains(a, StringComparer.Ordinal));
        if (at < 0) return new(null, null, args);
        var takesValue = args[at] is "--backup" or "hash-password" && at + 1 < args.Length && !args[at + 1].StartsWith("--", StringComparison.Ordinal);
        return new(args[at], takesValue ? args[at + 1] : null, [.. args[..at], .. args[(at + (takesValue ? 2 : 1))..]]);
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
    public async Task<int> Run(StoreAdmin store)
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
            default:
                throw new System.Diagnostics.UnreachableException();
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
            API reference        {address}/docs/api
            Mails                {settings.MailDirectory ?? "are sent by SMTP"}
            Jobs                 {address}/hangfire
            Operator's sign-in   {(password is null ? "as configured" : $"operator, password {password}")}

            """);
    }
}
