using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Rev.Bench.Runner;

/// <summary>A server under measurement: Rev, the ceiling, or one SaveChanges per request.</summary>
internal sealed partial class Server : IAsyncDisposable
{
    /// <summary>Where a setting has this value, it is given the address that the server listens on.</summary>
    public const string OwnAddress = "(its own address)";

    private static readonly HttpClient Http = new() { Timeout = TimeSpan.FromMinutes(30) };

    private readonly Process _process;
    private readonly StringBuilder _log = new();

    private Server(Process process, Uri url)
    {
        _process = process;
        Url = url;
        process.OutputDataReceived += Collect;
        process.ErrorDataReceived += Collect;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Url { get; }

    public int Id => _process.Id;

    /// <summary>Starts a program of the repository and waits until it answers.</summary>
    public static async Task<Server> Start(string assembly, string readyPath, IReadOnlyDictionary<string, string> environment)
    {
        var url = new Uri($"http://127.0.0.1:{Shell.FreePort()}");
        var settings = environment.ToDictionary(e => e.Key, e => e.Value == OwnAddress ? url.GetLeftPart(UriPartial.Authority) : e.Value, StringComparer.Ordinal);
        settings["ASPNETCORE_URLS"] = url.ToString();
        var server = new Server(Shell.Start("dotnet", [assembly], settings), url);
        var waited = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using var answer = await Http.GetAsync(new Uri(url, readyPath));
                if ((int)answer.StatusCode < 500 || readyPath == "/") return server;
            }
            catch (HttpRequestException) when (!server._process.HasExited)
            {
                // Not yet.
            }
            if (server._process.HasExited || waited.Elapsed > TimeSpan.FromMinutes(40))
                throw new InvalidOperationException($"{Path.GetFileName(assembly)} did not start: {server._log}");
            await Task.Delay(50);
        }
    }

    /// <summary>Sends a request and reads the answer to its end.</summary>
    public async Task<(int Status, string Body, double Millis)> Send(HttpMethod method, string path, string? key, string? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(Url, path));
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        var at = Stopwatch.GetTimestamp();
        using var answer = await Http.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        return ((int)answer.StatusCode, text, Stopwatch.GetElapsedTime(at).TotalMilliseconds);
    }

    /// <summary>Opens a page as a browser does, and reads it to its end: how long that took, and its bytes on the wire.</summary>
    public async Task<(double Millis, int Bytes)> Page(string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, path));
        request.Headers.Accept.ParseAdd("text/html");
        request.Headers.AcceptEncoding.ParseAdd("gzip, br");
        var at = Stopwatch.GetTimestamp();
        using var answer = await Http.SendAsync(request);
        var bytes = await answer.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync();
        return (Stopwatch.GetElapsedTime(at).TotalMilliseconds, bytes.Length);
    }

    /// <summary>Sends a request whose answer is read line by line, as it comes.</summary>
    public async Task<int> Lines(string path, string key, Action<string> line)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, path));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        while (await reader.ReadLineAsync(CancellationToken.None) is { } text) line(text);
        return (int)answer.StatusCode;
    }

    /// <summary>Sum of a metric over all its labels that fit.</summary>
    public async Task<double> Metric(string name, string label = "")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(Url, "/metrics"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RevSetup.Operator}:{RevSetup.Password}")));
        using var answer = await Http.SendAsync(request);
        var text = await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
        return text.Split('\n').Where(l => l.StartsWith(name, StringComparison.Ordinal) && l.Contains(label, StringComparison.Ordinal))
            .Select(l => MetricValue().Match(l)).Where(m => m.Success).Sum(m => double.Parse(m.Groups["value"].Value, CultureInfo.InvariantCulture));
    }

    /// <summary>Asks it to stop and waits until it did.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _ = Kill(_process.Id, 15);
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }
        _process.Dispose();
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
            if (line.Data is not null && _log.Length < 20_000) _log.AppendLine(line.Data);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Kill(int process, int signal);

    [GeneratedRegex(@"^\S+(\{.*\})? (?<value>[-+0-9.eE]+)( \d+)?(\s#.*)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex MetricValue();
}
