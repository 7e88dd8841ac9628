using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Rev.Client.Tests;

/// <summary>A clock whose waits are noted and do not last.</summary>
internal sealed class FastClock : TimeProvider
{
    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero) Waits.Enqueue(dueTime);
        return base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : dueTime, period);
    }
}

/// <summary>A clock that stands still.</summary>
internal sealed class StillClock(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}

/// <summary>Answers requests without a network, and keeps what was asked.</summary>
internal sealed class StubHandler(Func<HttpRequestMessage, string> answer) : HttpMessageHandler
{
    public List<(string Method, string Path, string? Body)> Seen { get; } = [];

    public static RevClient Client(string answer, out StubHandler handler) => Client(_ => answer, out handler);

    public static RevClient Client(Func<HttpRequestMessage, string> answer, out StubHandler handler)
    {
        handler = new StubHandler(answer);
        return new RevClient(new HttpClient(handler), new RevOptions { ApiKey = "rg_test_key", BaseUrl = new Uri("http://rev.test/base/") });
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        Seen.Add((request.Method.Method, request.RequestUri!.PathAndQuery, body));
        return new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent(answer(request), Encoding.UTF8, "application/json") };
    }
}

/// <summary>A folder for a test.</summary>
internal sealed class TestFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("rev-spool-").FullName;

    public IReadOnlyList<string> Files(string pattern) => [.. Directory.EnumerateFiles(Path, pattern, SearchOption.AllDirectories)];

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

internal static class Wait
{
    /// <summary>Until something holds; a failure after twenty seconds.</summary>
    public static async Task Until(Func<bool> holds)
    {
        var end = Environment.TickCount64 + 20_000;
        while (!holds())
        {
            if (Environment.TickCount64 > end) throw new TimeoutException("It does not come to hold.");
            await Task.Delay(10);
        }
    }
}
