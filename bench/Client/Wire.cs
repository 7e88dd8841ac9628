using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Rev.Bench.Client;

/// <summary>One connection that posts and waits for the answer. Far cheaper than HttpClient, so that the server keeps the cores.</summary>
internal sealed class Wire(Uri url, string key) : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[16 * 1024];

    /// <summary>The body of the last answer.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    public Task Connect() => _socket.ConnectAsync(IPAddress.Loopback, url.Port);

    /// <summary>Posts, and answers the status.</summary>
    public async Task<int> Post(string path, string body)
    {
        var request = Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: {url.Authority}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");
        for (var sent = 0; sent < request.Length;) sent += await _socket.SendAsync(request.AsMemory(sent));

        var length = 0;
        while (true)
        {
            if (length == _buffer.Length) Array.Resize(ref _buffer, _buffer.Length * 2);
            var count = await _socket.ReceiveAsync(_buffer.AsMemory(length));
            if (count == 0) throw new IOException("The server closed the connection.");
            length += count;
            if (Read(length) is { } status) return status;
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The status, once the answer is here whole.</summary>
    private int? Read(int length)
    {
        var received = _buffer.AsSpan(0, length);
        var head = received.IndexOf("\r\n\r\n"u8);
        if (head < 0) return null;
        var names = received[..head];
        var at = names.IndexOf("Content-Length: "u8);
        if (at < 0) throw new IOException("The answer has no Content-Length.");
        var rest = names[(at + 16)..];
        var end = rest.IndexOf("\r\n"u8);
        var size = int.Parse(end < 0 ? rest : rest[..end], CultureInfo.InvariantCulture);
        if (length < head + 4 + size) return null;
        Body = _buffer.AsMemory(head + 4, size);
        return int.Parse(received.Slice(9, 3), CultureInfo.InvariantCulture);
    }
}

/// <summary>Bodies like those of the wrk scripts.</summary>
internal static class Bodies
{
    private static readonly string[] Actions = ["email.sent", "ticket.solved", "lead.found", "call.booked", "report.made"];

    /// <summary>A call with a random key.</summary>
    public static string Call(string outcome)
    {
        var agent = Random.Shared.Next(1_000);
        return $$"""
            {"agent_id":"agent-{{agent}}","action":"{{Actions[agent % 5]}}","tokens_input":1200,"tokens_output":340,"outcome":"{{outcome}}","customer_id":"customer-{{agent % 200}}","metadata":{"recipient":"prospect@company.com","campaign":"q2"},"idempotency_key":"{{Guid.NewGuid():N}}"}
            """;
    }
}

/// <summary>Times of requests, in microseconds.</summary>
internal sealed class Times
{
    private readonly Lock _lock = new();
    private readonly List<int> _micros = [];

    public void Add(TimeSpan time)
    {
        lock (_lock) _micros.Add((int)Math.Min(int.MaxValue, time.TotalMicroseconds));
    }

    /// <summary>Sorts them; call it when all are in.</summary>
    public Quantiles Sum()
    {
        _micros.Sort();
        return new(_micros.Count, At(0.5), At(0.99), At(1));
    }

    private int At(double share) => _micros.Count == 0 ? 0 : _micros[Math.Min(_micros.Count - 1, (int)(_micros.Count * share))];
}

internal sealed record Quantiles(int Requests, int P50, int P99, int Max);
