using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Streaming;

/// <summary>One event of a stream.</summary>
public sealed record StreamedEvent(string? Id, string Name, JsonObject Data)
{
    public string? this[string member] => Data[member]?.ToString();
}

/// <summary>Reads server-sent events as a browser does.</summary>
public sealed class Viewer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HttpResponseMessage _response;
    private readonly Channel<StreamedEvent> _events = Channel.CreateUnbounded<StreamedEvent>();
    private readonly TaskCompletionSource _beat = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _reading;
    private int _beats;

    private Viewer(HttpResponseMessage response)
    {
        _response = response;
        _reading = Task.Run(Read);
    }

    public HttpResponseMessage Response => _response;

    /// <summary>The last id that came, of an event or a heartbeat.</summary>
    public string? LastId { get; private set; }

    /// <summary>A heartbeat beside that at the beginning.</summary>
    public Task Beat => _beat.Task.WaitAsync(Patience);

    /// <summary>The server ended the stream; faulted when it did so without a word.</summary>
    public Task Ended => _reading.WaitAsync(Patience);

    /// <summary>Opens a stream with the caller's key, or with a session of the pages in the place of it.</summary>
    public static async Task<Viewer> Open(Caller caller, string path = "/v1/stream", string? lastEventId = null, HttpContent? body = null, string? session = null)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, path) { Content = body };
        if (session is null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", caller.Key);
        else request.Headers.Add("Cookie", $"rev-session={session}");
        request.Headers.Accept.Add(new("text/event-stream"));
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId).ShouldBeTrue();
        var response = await caller.App.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        if ((int)response.StatusCode != 200) throw new ShouldAssertException(await response.Content.ReadAsStringAsync());
        return new(response);
    }

    /// <summary>The next event.</summary>
    public async Task<StreamedEvent> Next()
    {
        using var limit = new CancellationTokenSource(Patience);
        return await _events.Reader.ReadAsync(limit.Token);
    }

    /// <summary>The next event of a name; what comes before it is passed over.</summary>
    public async Task<StreamedEvent> Next(string name)
    {
        while (true)
            if (await Next() is var next && next.Name == name) return next;
    }

    /// <summary>The next events of a name until so many different ones came, by the id of their call.</summary>
    public async Task<List<StreamedEvent>> Until(int different, string name = "call")
    {
        var events = new List<StreamedEvent>();
        while (events.Select(e => e["event_id"]).Distinct(StringComparer.Ordinal).Count() < different)
            if (await Next() is var next && next.Name == name) events.Add(next);
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _response.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task Read()
    {
        try
        {
            using var reader = new StreamReader(await _response.Content.ReadAsStreamAsync(_stop.Token));
            string? name = null, data = null, id = null;
            while (await reader.ReadLineAsync(_stop.Token) is { } line)
            {
                if (line.StartsWith(':'))
                {
                    if (++_beats > 1) _beat.TrySetResult();
                }
                else if (Value(line, "event") is { } named) name = named;
                else if (Value(line, "data") is { } text) data = text;
                else if (Value(line, "id") is { } given) id = LastId = given;
                else if (line.Length == 0)
                {
                    if (data is not null) _events.Writer.TryWrite(new(id, name ?? "message", JsonNode.Parse(data)!.AsObject()));
                    (name, data, id) = (null, null, null);
                }
            }
        }
        finally
        {
            _events.Writer.TryComplete();
        }
    }

    private static string? Value(string line, string field) => line.StartsWith(field + ": ", StringComparison.Ordinal) ? line[(field.Length + 2)..] : null;
}
