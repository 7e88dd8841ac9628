using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Rev.Bench.Runner;

/// <summary>Programs that run and end.</summary>
internal static class Shell
{
    /// <summary>Runs a program to its end and answers what it wrote.</summary>
    public static async Task<string> Run(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, bool mayFail = false)
    {
        using var process = Start(program, arguments, environment);
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 || mayFail
            ? output + (mayFail ? await error : "")
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {output} {await error}");
    }

    public static Process Start(string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false, WorkingDirectory = "/",
        };
        foreach (var name in new[] { "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "ASPNETCORE_URLS", "OTEL_EXPORTER_OTLP_ENDPOINT" }) start.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal)) start.Environment[name] = value;
        return Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The JSON after RESULT in what a program wrote.</summary>
    public static System.Text.Json.JsonElement Result(string output)
    {
        var line = output.Split('\n').LastOrDefault(l => l.StartsWith("RESULT ", StringComparison.Ordinal))
            ?? throw new InvalidOperationException($"There is no result in: {output}");
        using var document = System.Text.Json.JsonDocument.Parse(line["RESULT ".Length..]);
        return document.RootElement.Clone();
    }
}
