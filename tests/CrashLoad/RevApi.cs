using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Rev.CrashLoad;

/// <summary>An answer of the server, or null where there was none.</summary>
internal sealed record Answer(int Status, bool Replayed, string Text)
{
    public JsonElement Json()
    {
        using var document = JsonDocument.Parse(Text);
        return document.RootElement.Clone();
    }
}

internal sealed class RevApi : IDisposable
{
    private readonly HttpClient _client;

    public RevApi(Uri url, string key)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) };
        _client = new HttpClient(handler) { BaseAddress = url, Timeout = TimeSpan.FromSeconds(30) };
        _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public Task<Answer?> Get(string path) => Send(HttpMethod.Get, path, body: null);

    public Task<Answer?> Post(string path, string body) => Send(HttpMethod.Post, path, body);

    /// <summary>Null when the server could not be reached or went away before it had answered whole.</summary>
    private async Task<Answer?> Send(HttpMethod method, string path, string? body)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body is not null)
                request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            using var response = await _client.SendAsync(request);
            var text = await response.Content.ReadAsStringAsync();
            var replayed = response.Headers.TryGetValues("Idempotent-Replayed", out var values)
                && values.Contains("true", StringComparer.OrdinalIgnoreCase);
            return new Answer((int)response.StatusCode, replayed, text);
        }
        catch (HttpRequestException)
        {
            return null;
        }
        catch (IOException)
        {
            return null;
        }
        catch (TaskCanceledException)
        {
            return null;
        }
    }

    public void Dispose() => _client.Dispose();
}
