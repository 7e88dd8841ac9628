using System.Diagnostics;
using System.Text;

namespace Rev.IntegrationTests.Common;

/// <summary>The program itself in a process of its own.</summary>
public static class RevProcess
{
    public static Dictionary<string, string> Settings(RevApp app) => new(StringComparer.Ordinal)
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Development",
        ["Database__Provider"] = app.Database.Provider.ToString(),
        ["ConnectionStrings__Rev"] = app.Database.ConnectionString,
        ["DataDirectory"] = app.DataDirectory,
    };

    /// <summary>Starts it on a free port, without what the environment of the tests says of it. It is the caller's to end.</summary>
    public static Process Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, Action<string>? heard = null)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.ApiAssembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            UseShellExecute = false,
            WorkingDirectory = Repository.TemporaryFolder("process"),
        };
        foreach (var name in new[] { "ASPNETCORE_ENVIRONMENT", "DOTNET_ENVIRONMENT", "ASPNETCORE_URLS", "DataDirectory", "Security__Secret", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT" }) start.Environment.Remove(name);
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        start.Environment["Demo__Enabled"] = "false";
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException("dotnet did not start.");
        process.StandardInput.Close();
        void Hear(object sender, DataReceivedEventArgs line)
        {
            if (line.Data is { } text) heard?.Invoke(text);
        }
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    public static async Task<(int ExitCode, string Output)> Run(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        var output = new StringBuilder();
        void Collect(string line)
        {
            lock (output) output.AppendLine(line);
        }
        using var process = Start(arguments, environment, Collect);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException exception)
        {
            process.Kill(entireProcessTree: true);
            throw new ShouldAssertException($"The process did not end within a minute:\n{output}", exception);
        }
        return (process.ExitCode, output.ToString());
    }
}
