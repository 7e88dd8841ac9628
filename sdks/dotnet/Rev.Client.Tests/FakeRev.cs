using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Rev.Client.Tests;

/// <summary>What a request meets with.</summary>
internal enum Fault
{
    /// <summary>The connection breaks before anything is done.</summary>
    DropBefore,

    /// <summary>The call is stored, and the connection breaks before the answer.</summary>
    DropAfter,

    /// <summary>The call is stored, and the answer comes late.</summary>
    Slow,

    /// <summary>Status 408.</summary>
    Timeout,

    /// <summary>Status 429 with a Retry-After of seven seconds.</summary>
    RateLimited,

    /// <summary>Status 429 with a Retry-After of ten minutes.</summary>
    RateLimitedForLong,

    /// <summary>Status 500, not in Rev's words.</summary>
    Broken,

    /// <summary>The call is stored, and the answer is 503.</summary>
    Unavailable,

    /// <summary>Status 200 and a page.</summary>
    Page,

    /// <summary>Status 401.</summary>
    Unauthorized,

    /// <summary>Status 413, not in Rev's words.</summary>
    TooLarge,
}

/// <summary>A request as it arrived.</summary>
internal sealed record Seen(string Method, string Path, IReadOnlyDictionary<string, string> Headers, string Body)
{
    public string? HeaderKey => Headers.GetValueOrDefault("idempotency-key");

    public JsonObject Json => JsonNode.Parse(Body)!.AsObject();
}

/// <summary>A server over a bare socket that stores calls by their keys, as Rev does, and fails as it is told to.</summary>
internal sealed class FakeRev : IAsyncDisposable
{
    private static readonly IPAddress Host = IPAddress.Loopback;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, string> _stored = new(StringComparer.Ordinal);
    private readonly List<Seen> _seen = [];
    private readonly Queue<Fault> _faults = new();
    private readonly HashSet<string> _busy = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, (int Status, string Body)> _answers = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<TcpClient, bool> _open = new();
    private TcpListener? _listener;
    private Task _accepting = Task.CompletedTask;
    private int _port;

    /// <summary>Starts.</summary>
    public FakeRev() => Start();

    public Uri Url => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}"));

    /// <summary>Batches of more calls than this are refused with 413.</summary>
    public int LargestBatch { get; set; } = 1000;

    /// <summary>What every request meets with; null is nothing.</summary>
    public Fault? Always { get; set; }

    /// <summary>The stored calls: their keys and how they were sent.</summary>
    public IReadOnlyDictionary<string, string> Stored
    {
        get
        {
            lock (_gate) return new Dictionary<string, string>(_stored, StringComparer.Ordinal);
        }
    }

    public IReadOnlyList<Seen> Requests
    {
        get
        {
            lock (_gate) return [.. _seen];
        }
    }

    /// <summary>What the next requests meet with, in order.</summary>
    public void Next(params Fault[] faults)
    {
        lock (_gate)
        {
            foreach (var fault in faults) _faults.Enqueue(fault);
        }
    }

    /// <summary>Answers a method and a path.</summary>
    public void On(string method, string path, string body, int status = 200) => _answers[$"{method} {path}"] = (status, body);

    public RevOptions Options(Action<RevOptions>? configure = null)
    {
        var options = new RevOptions { ApiKey = "rg_test_key", BaseUrl = Url, RetryDelay = TimeSpan.FromMilliseconds(5), MaxRetryDelay = TimeSpan.FromMilliseconds(20) };
        configure?.Invoke(options);
        return options;
    }

    public RevClient Client(Action<RevOptions>? configure = null) => new(Options(configure));

    public void Start()
    {
        var listener = new TcpListener(Host, _port);
        listener.Start(512);
        _port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _listener = listener;
        _accepting = AcceptAsync(listener);
    }

    /// <summary>As a process that is killed: connections break, and no more are taken.</summary>
    public async Task StopAsync()
    {
        _listener?.Stop();
        foreach (var client in _open.Keys) client.Close();
        await _accepting;
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                _open[client] = true;
                _ = ServeAsync(client);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var reader = new HttpReader(stream);
                while (await reader.ReadAsync() is { } request)
                {
                    if (await AnswerAsync(request) is not { } answer) return;
                    await stream.WriteAsync(answer);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Broken off.
        }
        finally
        {
            _open.TryRemove(client, out _);
        }
    }

    private async Task<byte[]?> AnswerAsync(Seen request)
    {
        Fault? fault;
        lock (_gate)
        {
            _seen.Add(request);
            fault = _faults.TryDequeue(out var next) ? next : Always;
        }
        switch (fault)
        {
            case Fault.DropBefore: return null;
            case Fault.Timeout: return Refusal(408, "request.timeout");
            case Fault.RateLimited: return Refusal(429, "rate.limited", "Retry-After: 7\r\n");
            case Fault.RateLimitedForLong: return Refusal(429, "rate.limited", "Retry-After: 600\r\n");
            case Fault.Broken: return Http(500, "<html>", "Content-Type: text/html\r\n");
            case Fault.TooLarge: return Http(413, "<html>", "Content-Type: text/html\r\n");
            case Fault.Page: return Http(200, "<html>", "Content-Type: text/html\r\n");
            case Fault.Unauthorized: return Refusal(401, "auth.invalid_key");
            default: break;
        }
        var answer = Route(request);
        if (fault == Fault.DropAfter) return null;
        if (fault == Fault.Unavailable) return Refusal(503, "service.unavailable");
        if (fault == Fault.Slow) await Task.Delay(1500);
        return answer;
    }

    private byte[] Route(Seen request)
    {
        if (request is { Method: "POST", Path: "/v1/meter" }) return Meter(request);
        if (request is { Method: "POST", Path: "/v1/meter/batch" }) return Batch(request);
        return _answers.TryGetValue($"{request.Method} {request.Path}", out var known) ? Http(known.Status, known.Body) : Refusal(404, "route.not_found");
    }

    private byte[] Meter(Seen request)
    {
        var call = request.Json;
        if (Refusal(call) is { } fault) return Http((int)fault["status"]!, fault["error"]!.ToJsonString(), "Content-Type: application/problem+json\r\n");
        var (receipt, isReplayed) = Store(request.HeaderKey ?? call["idempotency_key"]!.GetValue<string>(), call);
        return Http(201, receipt, isReplayed ? "Idempotent-Replayed: true\r\n" : "");
    }

    private byte[] Batch(Seen request)
    {
        var events = request.Json["events"]!.AsArray();
        if (events.Count > LargestBatch) return Refusal(413, "body.too_large");
        var results = new JsonArray();
        foreach (var item in events)
        {
            var call = item!.AsObject();
            if (Refusal(call) is { } fault)
            {
                results.Add(fault);
                continue;
            }
            var (receipt, isReplayed) = Store(call["idempotency_key"]!.GetValue<string>(), call);
            var result = JsonNode.Parse(receipt)!.AsObject();
            result["status"] = 201;
            if (isReplayed) result["replayed"] = true;
            if ((string?)call["agent_id"] == "odd") result["price_charged"] = "much";
            results.Add(result);
        }
        return Http(200, new JsonObject { ["results"] = results, ["accepted"] = 0, ["replayed"] = 0, ["rejected"] = 0 }.ToJsonString());
    }

    /// <summary>The agent <c>bad</c> is refused; <c>busy</c> once, for now; <c>poison</c> always, for now; what <c>archived</c> did was stored long ago; <c>late</c> may not say when it was.</summary>
    private JsonObject? Refusal(JsonObject call)
    {
        var (status, code) = call["agent_id"]!.GetValue<string>() switch
        {
            "bad" => (400, "request.invalid"),
            "busy" or "poison" => (503, "service.unavailable"),
            "archived" => (409, "event.archived"),
            "late" when call.ContainsKey("occurred_at") => (400, "request.invalid"),
            _ => (0, ""),
        };
        if (status == 0) return null;
        if (status == 503)
        {
            lock (_gate)
            {
                if (!_busy.Add(call["idempotency_key"]!.GetValue<string>()) && (string?)call["agent_id"] == "busy") return null;
            }
        }
        return new JsonObject
        {
            ["status"] = status,
            ["error"] = new JsonObject
            {
                ["type"] = $"/docs/errors#{code}", ["title"] = "Refused", ["status"] = status, ["detail"] = "tokens_input: must be ≥ 0", ["code"] = code, ["request_id"] = "req-1",
                ["errors"] = new JsonObject { [call["agent_id"]!.GetValue<string>() == "late" ? "occurred_at" : "tokens_input"] = new JsonArray("must be ≥ 0") },
            },
        };
    }

    private (string Receipt, bool IsReplayed) Store(string key, JsonObject call)
    {
        // The key is no part of the content.
        call.Remove("idempotency_key");
        bool isReplayed;
        lock (_gate)
        {
            isReplayed = _stored.TryGetValue(key, out var before);
            if (isReplayed && !JsonNode.DeepEquals(JsonNode.Parse(before!), call)) throw new InvalidOperationException("The key was used with other content.");
            if (!isReplayed) _stored[key] = call.ToJsonString();
        }
        var outcome = (string?)call["outcome"];
        return (
            $$"""
            { "event_id": "evt_{{key}}", "outcome_id": {{(outcome is null ? "null" : $"\"out_{key}\"")}}, "outcome": {{(outcome is null ? "null" : $"\"{outcome}\"")}},
              "outcome_status": {{(outcome is null ? "null" : "\"succeeded\"")}}, "price_charged": "0.01212", "currency": "usd",
              "price": { "base_fee": "0.005", "token_charge": "0.00462", "outcome_bonus": "0.0025", "total": "0.01212" },
              "bonus": { "name": "any success", "reason": "rule 1 matched" }, "potential_bonus": null, "tier": { "key": "default", "version": 1 },
              "agent_id": "{{call["agent_id"]!.GetValue<string>()}}", "action": "{{call["action"]!.GetValue<string>()}}", "customer_id": "default", "model": null,
              "tokens_input": 1200, "tokens_output": 340, "occurred_at": "2026-11-23T12:00:00.123456Z", "expires_at": null }
            """,
            isReplayed);
    }

    private static byte[] Refusal(int status, string code, string headers = "") => Http(
        status,
        $$"""{ "type": "/docs/errors#{{code}}", "title": "Refused", "status": {{status}}, "detail": "For a test.", "code": "{{code}}", "request_id": "req-1" }""",
        "Content-Type: application/problem+json\r\n" + headers);

    private static byte[] Http(int status, string body, string headers = "")
    {
        var content = Encoding.UTF8.GetBytes(body);
        var type = headers.Contains("Content-Type", StringComparison.Ordinal) ? "" : "Content-Type: application/json\r\n";
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 {status} Status\r\nX-Request-Id: req-1\r\n{type}{headers}Content-Length: {content.Length}\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. content];
    }

    /// <summary>Reads requests with a Content-Length from a connection.</summary>
    private sealed class HttpReader(NetworkStream stream)
    {
        private readonly List<byte> _bytes = [];
        private readonly byte[] _buffer = new byte[64 * 1024];

        public async Task<Seen?> ReadAsync()
        {
            int end;
            while ((end = Head()) < 0)
            {
                if (!await FillAsync()) return null;
            }
            var lines = Encoding.ASCII.GetString(_bytes.GetRange(0, end).ToArray()).Split("\r\n");
            var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var line in lines.Skip(1))
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers[line[..colon]] = line[(colon + 1)..].Trim();
            }
            var length = headers.TryGetValue("Content-Length", out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0;
            while (_bytes.Count < end + 4 + length)
            {
                if (!await FillAsync()) return null;
            }
            var body = Encoding.UTF8.GetString(_bytes.GetRange(end + 4, length).ToArray());
            _bytes.RemoveRange(0, end + 4 + length);
            var words = lines[0].Split(' ');
            return new Seen(words[0], words[1], headers, body);
        }

        private int Head()
        {
            for (var i = 0; i + 3 < _bytes.Count; i++)
            {
                if (_bytes[i] == '\r' && _bytes[i + 1] == '\n' && _bytes[i + 2] == '\r' && _bytes[i + 3] == '\n') return i;
            }
            return -1;
        }

        private async Task<bool> FillAsync()
        {
            var read = await stream.ReadAsync(_buffer);
            _bytes.AddRange(_buffer.AsSpan(0, read));
            return read > 0;
        }
    }
}
