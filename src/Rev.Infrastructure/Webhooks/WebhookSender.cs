using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Rev.Application.Webhooks;
using Rev.Domain.Webhooks;

namespace Rev.Infrastructure.Webhooks;

/// <summary>Names and connections, as the network has them.</summary>
public interface INetwork
{
    /// <summary>The addresses of a name.</summary>
    Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken);

    /// <summary>A connection to an address.</summary>
    Task<Stream> Connect(IPEndPoint to, CancellationToken cancellationToken);
}

/// <summary>The network of this machine.</summary>
public sealed class MachineNetwork : INetwork
{
    private const int MostLookups = 256;

    private static readonly SemaphoreSlim Lookups = new(MostLookups);

    /// <inheritdoc/>
    public async Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken)
    {
        await Lookups.WaitAsync(cancellationToken);
        // A lookup cannot be ended, and a name server that somebody else chose may never answer: it holds a thread of its own, none of the pool's.
        var lookup = Task.Factory.StartNew(() =>
        {
            try
            {
                return Dns.GetHostAddresses(host);
            }
            finally
            {
                Lookups.Release();
            }
        }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        return await lookup.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Stream> Connect(IPEndPoint to, CancellationToken cancellationToken)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(to, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>A name leads into a private network.</summary>
public sealed class PrivateAddressException(string message) : Exception(message);

/// <summary>
/// Posts messages. A name is looked up once for each connection, every address it has is judged, and the connection goes to an
/// address that was judged: a name that leads elsewhere a moment later leads nowhere.
/// </summary>
public sealed class WebhookSender : IWebhookSender, IDisposable
{
    private readonly WebhookSettings _settings;
    private readonly INetwork _network;
    private readonly TimeProvider _clock;
    private readonly HttpClient _http;

    /// <summary>A sender.</summary>
    public WebhookSender(WebhookSettings settings, INetwork network, TimeProvider clock)
    {
        _settings = settings;
        _network = network;
        _clock = clock;
        _http = new(new SocketsHttpHandler
        {
            ConnectCallback = (context, cancellationToken) => Connect(context.DnsEndPoint, cancellationToken),
            // A proxy would connect for us, to whatever the name leads to.
            UseProxy = false, AllowAutoRedirect = false, UseCookies = false, AutomaticDecompression = DecompressionMethods.None,
            // A name that leads elsewhere is looked up again soon.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            // A certificate names where more of its chain lies: nothing is fetched from there, which may be inside.
            SslOptions = new() { CertificateChainPolicy = new() { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck } },
            MaxResponseHeadersLength = 16, MaxResponseDrainSize = 0, ResponseDrainTimeout = TimeSpan.Zero, ConnectTimeout = settings.Timeout,
            // Traces are ours alone.
            ActivityHeadersPropagator = null,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc/>
    public async Task<WebhookResult> Post(WebhookPost post, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_settings.Timeout);
        using var request = new HttpRequestMessage(HttpMethod.Post, post.Url) { Content = new ByteArrayContent(post.Body) };
        foreach (var (name, value) in post.Headers)
        {
            if (name == "content-type") request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            else request.Headers.TryAddWithoutValidation(name, value);
        }
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            var body = await Beginning(response, limit.Token, cancellationToken);
            return new((int)response.StatusCode, null, body, RetryAfter(response.Headers.RetryAfter));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Failed(string.Create(CultureInfo.InvariantCulture, $"The endpoint did not answer within {_settings.Timeout.TotalSeconds} s."));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            // Whatever it is: a message that could only be thrown about would be taken again for ever.
            return Failed(Reason(exception));
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static WebhookResult Failed(string error) => new(null, error, null, null);

    private async ValueTask<Stream> Connect(DnsEndPoint to, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(to.Host, out var literal) ? [literal] : await _network.Resolve(to.Host, cancellationToken);
        // One private address among public ones is no accident.
        if (!_settings.PrivateAllowed && Array.Exists(addresses, a => !PublicAddress.Is(a)))
            throw new PrivateAddressException("The address leads to a private, loopback or link-local network, which the operator does not allow.");
        SocketException? fault = null;
        foreach (var address in addresses)
        {
            try
            {
                return await _network.Connect(new(address, to.Port), cancellationToken);
            }
            catch (SocketException exception)
            {
                fault = exception;
            }
        }
        throw fault ?? new SocketException((int)SocketError.HostNotFound);
    }

    /// <summary>The beginning of the answer. What was answered counts as it is: an answer that breaks off, or does not end, is no fault.</summary>
    private static async Task<string?> Beginning(HttpResponseMessage response, CancellationToken limit, CancellationToken cancellationToken)
    {
        var bytes = new byte[WebhookAttempt.MaxBodyLength];
        var length = 0;
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(limit);
            while (length < bytes.Length)
            {
                var count = await body.ReadAsync(bytes.AsMemory(length), limit);
                if (count == 0) break;
                length += count;
            }
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // What came until then is kept.
        }
        if (length == 0) return null;
        // PostgreSQL keeps no NUL in a text.
        return Encoding.UTF8.GetString(bytes, 0, length).Replace('\0', '\uFFFD');
    }

    private TimeSpan? RetryAfter(RetryConditionHeaderValue? header)
    {
        if (header?.Delta is { } delta) return delta;
        return header?.Date is { } date && date - _clock.GetUtcNow() is { Ticks: > 0 } wait ? wait : null;
    }

    private static string Reason(Exception exception)
    {
        for (Exception? e = exception; e is not null; e = e.InnerException)
            if (e is PrivateAddressException) return e.Message;
        return exception is HttpRequestException { HttpRequestError: var error } ? error switch
        {
            HttpRequestError.NameResolutionError => "The name of the endpoint leads to no address.",
            HttpRequestError.ConnectionError => $"The endpoint cannot be connected to: {Innermost(exception)}",
            HttpRequestError.SecureConnectionError => $"The endpoint's certificate or TLS was refused: {Innermost(exception)}",
            _ => $"The endpoint gave no answer that can be read: {Innermost(exception)}",
        } : $"The endpoint gave no answer that can be read: {Innermost(exception)}";
    }

    private static string Innermost(Exception exception) => exception.GetBaseException().Message;
}
