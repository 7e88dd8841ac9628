using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>A message as it came.</summary>
public sealed record ReceivedMessage(string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public JsonNode Json { get; } = JsonNode.Parse(Body)!;

    public string Id => Headers["webhook-id"];

    public string Type => Json["type"]!.GetValue<string>();

    public JsonNode Data => Json["data"]!;

    public long Sequence => Json["sequence"]!.GetValue<long>();

    public string[] Signatures => Headers["webhook-signature"].Split(' ');

    /// <summary>The signature that a secret makes over what came, by the specification and not by the product's own code.</summary>
    public string Expected(string secret) => Sign(secret, Id, Headers["webhook-timestamp"], Body);

    public static string Sign(string secret, string id, string timestamp, string body) =>
        "v1," + Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(secret["whsec_".Length..]), Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")));
}

/// <summary>Somebody's server on a loopback port, which takes messages, or does not.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentQueue<ReceivedMessage> _received = new();
    private int _requests;

    private WebhookReceiver()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(http => Serve(http));
    }

    public string Address { get; private set; } = "";

    public int Port => new Uri(Address).Port;

    /// <summary>How a request is answered once it was read: by default with 204.</summary>
    public Func<HttpContext, ReceivedMessage, Task> Answer { get; set; } = (http, _) => Status(http, StatusCodes.Status204NoContent);

    /// <summary>Requests that came, all told.</summary>
    public int Requests => Volatile.Read(ref _requests);

    public IReadOnlyList<ReceivedMessage> Received => [.. _received];

    public static async Task<WebhookReceiver> StartAsync()
    {
        var receiver = new WebhookReceiver();
        await receiver._app.StartAsync();
        receiver.Address = receiver._app.Urls.Single();
        return receiver;
    }

    public static Task Status(HttpContext http, int status, string? body = null)
    {
        http.Response.StatusCode = status;
        return body is null ? Task.CompletedTask : http.Response.WriteAsync(body);
    }

    /// <summary>Does not answer before the client gives up.</summary>
    public async Task Hang(HttpContext http)
    {
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, _stopping.Token);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, gone.Token);
        }
        catch (OperationCanceledException)
        {
            http.Abort();
        }
    }

    /// <summary>Waits until so many messages came.</summary>
    public async Task<IReadOnlyList<ReceivedMessage>> WaitFor(int count)
    {
        var watch = Stopwatch.StartNew();
        while (_received.Count < count)
        {
            if (watch.Elapsed > TimeSpan.FromSeconds(60)) throw new ShouldAssertException(string.Create(CultureInfo.InvariantCulture, $"{_received.Count} messages came, waited for {count}: {string.Join(", ", _received.Select(r => r.Type))}"));
            await Task.Delay(20);
        }
        return Received;
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task Serve(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        var headers = http.Request.Headers.ToDictionary(h => h.Key.ToLowerInvariant(), h => h.Value.ToString(), StringComparer.Ordinal);
        Interlocked.Increment(ref _requests);
        if (http.Request.Method != "POST" || !headers.ContainsKey("webhook-id"))
        {
            await Status(http, StatusCodes.Status405MethodNotAllowed);
            return;
        }
        var message = new ReceivedMessage(http.Request.Path.Value ?? "/", headers, body);
        _received.Enqueue(message);
        await Answer(http, message);
    }
}

/// <summary>A server on a loopback port that answers every request with some bytes, whatever they are.</summary>
public sealed class RawReceiver : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _serving;

    public RawReceiver(byte[] answer)
    {
        _listener.Start();
        _serving = Serve(answer);
    }

    public string Address => $"http://{_listener.LocalEndpoint}";

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
    }

    private async Task Serve(byte[] answer)
    {
        var buffer = new byte[16_384];
        while (true)
        {
            using var client = await _listener.AcceptTcpClientAsync();
            try
            {
                await using var stream = client.GetStream();
                if (await stream.ReadAsync(buffer) == 0) continue;
                await stream.WriteAsync(answer);
                client.Client.Shutdown(SocketShutdown.Send);
                while (await stream.ReadAsync(buffer) > 0)
                {
                    // Until the other side has read it.
                }
            }
            catch (Exception exception) when (exception is IOException or SocketException)
            {
                // It went away.
            }
        }
    }
}
