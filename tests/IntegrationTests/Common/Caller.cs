using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Common;

/// <summary>Calls the API as a program with this key would.</summary>
public sealed class Caller(RevApp app, string? key)
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public RevApp App => app;

    public string Key => key ?? throw new InvalidOperationException("A caller without a key.");

    /// <summary>The same key at another process.</summary>
    public Caller At(RevApp other) => new(other, key);

    public Task<Answer> Get(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, path, body: null, headers);

    public Task<Answer> Post(string path, object? body = null, params (string Name, string Value)[] headers) => Send(HttpMethod.Post, path, body, headers);

    public Task<Answer> Put(string path, object? body = null, params (string Name, string Value)[] headers) => Send(HttpMethod.Put, path, body, headers);

    public Task<Answer> Patch(string path, object? body = null) => Send(HttpMethod.Patch, path, body);

    public Task<Answer> Delete(string path) => Send(HttpMethod.Delete, path);

    /// <summary>The body: text as it is, bytes as they are, a node or any other value as JSON.</summary>
    public Task<Answer> Send(HttpMethod method, string path, object? body = null, params (string Name, string Value)[] headers)
    {
        HttpContent? content = body switch
        {
            null => null,
            HttpContent ready => ready,
            string text => Json(Encoding.UTF8.GetBytes(text)),
            byte[] bytes => Json(bytes),
            JsonNode node => Json(Encoding.UTF8.GetBytes(node.ToJsonString(Options))),
            _ => Json(JsonSerializer.SerializeToUtf8Bytes(body, Options)),
        };
        return SendContent(method, path, content, headers);
    }

    public async Task<Answer> SendContent(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        foreach (var (name, value) in headers)
        {
            if (name == "Expect") request.Headers.ExpectContinue = true;
            else request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }
        using var response = await app.Http.SendAsync(request);
        return new(response, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Meters and expects 201.</summary>
    public async Task<Answer> Meter(object body, params (string Name, string Value)[] headers) =>
        (await Post("/v1/meter", body, headers)).Is(201);

    public Task<Answer> TryMeter(object body, params (string Name, string Value)[] headers) => Post("/v1/meter", body, headers);

    public Task<Answer> Resolve(string outcomeId, string outcome, object? metadata = null) =>
        Post($"/v1/outcomes/{outcomeId}/resolve", metadata is null ? new { outcome } : new { outcome, metadata });

    public Task<Answer> Reverse(string outcomeId, string reason = "the customer complained") =>
        Post($"/v1/outcomes/{outcomeId}/reverse", new { reason });

    public Task<Answer> Event(string eventId) => Get($"/v1/events/{eventId}");

    public Task<Answer> Outcome(string outcomeId) => Get($"/v1/outcomes/{outcomeId}");

    /// <summary>Every item of a list, page by page; fails when one comes twice or the pages do not end.</summary>
    public async Task<List<JsonObject>> All(string path, int limit = 200)
    {
        var items = new List<JsonObject>();
        var cursor = (string?)null;
        var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        for (var page = 0; page < 200; page++)
        {
            var answer = (await Get($"{path}{separator}limit={limit}{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}")).Is(200);
            var data = answer.Array("data");
            data.Count.ShouldBeLessThanOrEqualTo(limit);
            items.AddRange(data.Select(item => item!.AsObject()));
            cursor = answer["next_cursor"];
            if (cursor is null) return items;
            data.Count.ShouldBeGreaterThan(0, "A page that has a successor is not empty.");
        }
        throw new ShouldAssertException($"{path} does not end.");
    }

    private static ByteArrayContent Json(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }
}
