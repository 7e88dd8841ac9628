using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Rev.Domain.Common;
using Rev.Infrastructure.Accounts;

namespace Rev.Api.Demo;

/// <summary>What the demo was answered.</summary>
/// <param name="Call">The call.</param>
/// <param name="Outcome">Its outcome; null when none is tracked.</param>
/// <param name="Took">How long the answer took, from the request to its last byte.</param>
internal sealed record DemoAnswer(CallId Call, OutcomeId? Outcome, TimeSpan Took);

/// <summary>Calls the API by HTTP, as any program does. Whatever keeps the server from answering is waited out, each time longer.</summary>
internal sealed class DemoClient(
    DemoSettings settings, DemoAccess access, IHttpClientFactory clients, IServer server, TimeProvider clock, ILogger<DemoClient> logger)
{
    /// <summary>The name of its HTTP client.</summary>
    public const string Name = "demo";

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    /// <summary>How long nothing more is logged once something was.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _lock = new();
    private bool _hasStarted;
    private string? _key;
    private string? _own;
    private long? _toldAt;

    /// <summary>Posts until there is an answer. Null when it is a refusal that no waiting mends.</summary>
    public async Task<DemoAnswer?> Post(string path, byte[] body, string? idempotencyKey, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            TimeSpan? asked = null;
            try
            {
                var key = await Key(cancellationToken);
                using var request = Request(path, body, idempotencyKey, key);
                var start = clock.GetTimestamp();
                using var response = await clients.CreateClient(Name).SendAsync(request, cancellationToken);
                var content = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                var took = clock.GetElapsedTime(start);
                if (response.IsSuccessStatusCode) return Read(content, took);
                // Another process has started and ended it, or an operator has.
                if (response.StatusCode == HttpStatusCode.Unauthorized) Interlocked.CompareExchange(ref _key, null, key);
                else if (!IsPassing(response.StatusCode)) return Refused(path, response.StatusCode, tries);
                else Tell($"it was answered {(int)response.StatusCode}", null);
                asked = response.Headers.RetryAfter?.Delta;
            }
            catch (Exception exception)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Tell("it was not answered", exception);
            }
            await Task.Delay(Wait(tries, asked), cancellationToken);
        }
    }

    private HttpRequestMessage Request(string path, byte[] body, string? idempotencyKey, string key)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri((settings.Url ?? (_own ??= Own())) + path)) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (idempotencyKey is not null) request.Headers.Add("Idempotency-Key", idempotencyKey);
        return request;
    }

    private async Task<string> Key(CancellationToken cancellationToken)
    {
        if (_key is { } known) return known;
        await _turn.WaitAsync(cancellationToken);
        try
        {
            if (_key is { } made) return made;
            var prepared = await access.Prepare(endEarlier: !_hasStarted, cancellationToken);
            if (!prepared.IsSuccess) throw new InvalidOperationException($"The account of the demo was refused: {prepared.Error.Code}.");
            _hasStarted = true;
            return _key = prepared.Value;
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>The address that this process listens on, as it is reached from here; http where there is a choice.</summary>
    private string Own()
    {
        var addresses = server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [];
        return PublicUrl.Local(addresses.OrderByDescending(a => a.StartsWith("http://", StringComparison.OrdinalIgnoreCase)));
    }

    private static DemoAnswer? Read(byte[] content, TimeSpan took)
    {
        using var document = JsonDocument.Parse(content);
        if (!CallId.TryParse(Text(document.RootElement, "event_id"), out var call)) return null;
        return new(call, OutcomeId.TryParse(Text(document.RootElement, "outcome_id"), out var outcome) ? outcome : null, took);
    }

    private static string? Text(JsonElement answer, string name) =>
        answer.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    private DemoAnswer? Refused(string path, HttpStatusCode status, int tries)
    {
        // What was sent again after a while may be too late, and an outcome may be decided or gone.
        if (tries == 0 && status is not (HttpStatusCode.Conflict or HttpStatusCode.NotFound)) Tell($"{path} was refused with {(int)status}", null);
        return null;
    }

    private static TimeSpan Wait(int tries, TimeSpan? asked)
    {
        var wait = TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, Math.Pow(2, tries)));
        return asked > wait ? (asked.Value < LongestWait ? asked.Value : LongestWait) : wait;
    }

    private void Tell(string what, Exception? exception)
    {
        lock (_lock)
        {
            if (_toldAt is { } at && clock.GetElapsedTime(at) < Silence) return;
            _toldAt = clock.GetTimestamp();
        }
        logger.LogWarning(exception, "The live demo waits: {What}", what);
    }
}
