using System.Globalization;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Rev.Client.Json;

namespace Rev.Client;

/// <summary>
/// Talks to Rev. One instance serves a whole program, from any thread. Every call is retried as <see cref="RevOptions"/> say, a metered one with
/// the same idempotency key: it counts once. Refusals and failures are a <see cref="RevException"/>.
/// </summary>
public sealed partial class RevClient
{
    /// <summary>The name of the HTTP client that <c>AddRev</c> configures.</summary>
    public const string HttpClientName = "Rev";

    private static readonly string Agent = string.Create(
        CultureInfo.InvariantCulture, $"Rev.Client/{typeof(RevClient).Assembly.GetName().Version?.ToString(3) ?? "0"} dotnet/{Environment.Version.Major}");

    private static readonly Uri DefaultBaseUrl = new("http://localhost:5080");

    private readonly Func<HttpClient> _http;
    private readonly string _baseUrl;
    private readonly string _key;
    private readonly TimeSpan _timeout;
    private readonly int _maxRetries;
    private readonly TimeSpan _retryDelay;
    private readonly TimeSpan _maxRetryDelay;
    private readonly TimeSpan _maxRetryAfter;

    /// <summary>A client with connections of its own. Key and address come from the options, else from <c>REV_API_KEY</c> and <c>REV_BASE_URL</c>; without an address it is <c>http://localhost:5080</c>.</summary>
    public RevClient(RevOptions? options = null)
        : this(static () => Shared.Http, null, options ?? new RevOptions(), null)
    {
    }

    /// <summary>A client that sends with an HTTP client that is given. It is not disposed, and its own timeout holds as well.</summary>
    public RevClient(HttpClient http, RevOptions? options = null, ILogger<RevClient>? logger = null)
        : this(Always(http), http.BaseAddress, options ?? new RevOptions(), logger)
    {
    }

    internal RevClient(Func<HttpClient> http, Uri? address, RevOptions options, ILogger? logger)
    {
        _http = http;
        _key = (options.ApiKey ?? Environment.GetEnvironmentVariable("REV_API_KEY"))?.Trim() is { Length: > 0 } key
            ? key
            : throw NotConfigured("Rev needs an API key: set RevOptions.ApiKey, or the environment variable REV_API_KEY.");
        if (!_key.All(static c => c is > ' ' and <= '~')) throw NotConfigured("The API key of Rev has characters that no key has: see RevOptions.ApiKey, or the environment variable REV_API_KEY.");
        _baseUrl = Address(options.BaseUrl ?? FromEnvironment() ?? address ?? DefaultBaseUrl);
        Limits.Above(options.Timeout, TimeSpan.Zero);
        Limits.Between(options.Timeout, TimeSpan.Zero, Limits.LongestTime);
        Limits.AtLeast(options.MaxRetries, 0);
        Limits.Between(options.RetryDelay, TimeSpan.Zero, Limits.LongestTime);
        Limits.Between(options.MaxRetryDelay, TimeSpan.Zero, Limits.LongestTime);
        Limits.Between(options.MaxRetryAfter, TimeSpan.Zero, Limits.LongestTime);
        _timeout = options.Timeout;
        _maxRetries = options.MaxRetries;
        _retryDelay = options.RetryDelay;
        _maxRetryDelay = options.MaxRetryDelay;
        _maxRetryAfter = options.MaxRetryAfter;
        Clock = options.Clock;
        Logger = new QuietLogger(logger ?? NullLogger.Instance);
    }

    /// <summary>The clock.</summary>
    internal TimeProvider Clock { get; }

    internal ILogger Logger { get; }

    /// <summary>The key that is in use.</summary>
    internal string Key => _key;

    /// <summary>The handler of connections that stay open, are renewed, and follow no redirect: the key goes where it was told to and nowhere else.</summary>
    internal static SocketsHttpHandler CreateHandler() => new() { AllowAutoRedirect = false, PooledConnectionLifetime = TimeSpan.FromMinutes(2) };

    /// <summary>A key for one logical call. It rises with time, which is kind to the index that it goes into.</summary>
    internal string NewKey() =>
        string.Create(CultureInfo.InvariantCulture, $"rev_{Clock.GetUtcNow().ToUnixTimeMilliseconds():x12}{RandomNumberGenerator.GetHexString(20, lowercase: true)}");

    /// <summary>What tells this address and a key from others, without telling the key.</summary>
    internal string Fingerprint(string key) =>
        Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{_baseUrl}\n{key}")).AsSpan(0, 8)).ToLowerInvariant();

    /// <summary>How long to wait before the next try: full jitter below a ceiling that doubles, after what the server asked for.</summary>
    internal TimeSpan Backoff(int attempt, TimeSpan? retryAfter)
    {
        if (retryAfter is { } asked) return asked + (_retryDelay * Random.Shared.NextDouble());
        var ceiling = Math.Min(_maxRetryDelay.TotalMilliseconds, _retryDelay.TotalMilliseconds * Math.Pow(2, Math.Min(attempt, 30)));
        return TimeSpan.FromMilliseconds(ceiling * Random.Shared.NextDouble());
    }

    /// <summary>Sends a request until there is an answer that waiting does not mend.</summary>
    internal async Task<Answer> SendAsync(Request request, CancellationToken cancellationToken)
    {
        try
        {
            return await RetryAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (request.IdempotencyKey is { } key)
        {
            exception.Data[RevException.IdempotencyKeyData] = key;
            throw;
        }
    }

    private async Task<Answer> RetryAsync(Request request, CancellationToken cancellationToken)
    {
        var retries = request.MaxRetries ?? _maxRetries;
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan wait;
            try
            {
                return await AttemptAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (RevException failure) when (failure.IsRetryable && attempt < retries && !(failure.RetryAfter > _maxRetryAfter))
            {
                wait = Backoff(attempt, failure.RetryAfter);
                Logger.LogDebug(failure, "{Method} {Path} is sent again in {Wait}", request.Method, request.Path, wait);
            }
            RevMetrics.Retries.Add(1);
            await Task.Delay(wait, Clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private static RevException NotConfigured(string message) => new(RevException.NotConfiguredCode, message);

    private static Func<HttpClient> Always(HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return () => http;
    }

    private static Uri? FromEnvironment()
    {
        if (Environment.GetEnvironmentVariable("REV_BASE_URL")?.Trim() is not { Length: > 0 } text) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) ? address : throw NotConfigured("REV_BASE_URL is no address.");
    }

    private static string Address(Uri address)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https")) throw NotConfigured("The base URL of Rev must begin with https:// or http://.");
        return address.GetLeftPart(UriPartial.Path).TrimEnd('/');
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider clock)
    {
        if (response.Headers.RetryAfter is not { } header) return null;
        var wait = header.Delta;
        if (wait is null && header.Date is { } date) wait = date - clock.GetUtcNow();
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static RevError? Problem(HttpResponseMessage response, byte[] content)
    {
        if (response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.OrdinalIgnoreCase) is not true) return null;
        try
        {
            var problem = JsonSerializer.Deserialize(content, RevJson.Wire.RevError);
            return string.IsNullOrEmpty(problem?.Code) ? null : problem;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private async Task<Answer> AttemptAsync(Request request, CancellationToken cancellationToken)
    {
        var http = _http();
        using var message = Message(request);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(_timeout);
        try
        {
            using var response = await http.SendAsync(message, HttpCompletionOption.ResponseContentRead, deadline.Token).ConfigureAwait(false);
            var content = await response.Content.ReadAsByteArrayAsync(deadline.Token).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            if (status is >= 200 and < 300) return new Answer(content, Header(response, "Idempotent-Replayed") is "true");
            throw Refusal(request, response, content);
        }
        catch (OperationCanceledException exception) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
        catch (OperationCanceledException exception)
        {
            throw new RevException(RevException.TimeoutCode, $"{request.Method} {request.Path} was not answered in time. It may have been carried out.", exception) { IdempotencyKey = request.IdempotencyKey };
        }
        catch (Exception exception) when (exception is not RevException)
        {
            // Also what a handler throws that was added, such as a circuit breaker: the call and its key are not lost for it.
            throw new RevException(RevException.ConnectionCode, $"{request.Method} {request.Path}: the connection failed. It may have been carried out. {exception.Message}", exception)
            {
                IdempotencyKey = request.IdempotencyKey,
            };
        }
    }

    private HttpRequestMessage Message(Request request)
    {
        var message = new HttpRequestMessage(request.Method, new Uri(_baseUrl + request.Path));
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        message.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(request.Accept));
        _ = message.Headers.TryAddWithoutValidation("User-Agent", Agent);
        if (request.HeaderKey is { } key) message.Headers.Add("Idempotency-Key", key);
        if (request.Body is { } body)
        {
            message.Content = new ReadOnlyMemoryContent(body);
            message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        }
        return message;
    }

    private RevException Refusal(Request request, HttpResponseMessage response, byte[] content)
    {
        var status = (int)response.StatusCode;
        var worded = Problem(response, content);
        var error = worded ?? new RevError
        {
            Code = string.Create(CultureInfo.InvariantCulture, $"http.{status}"),
            Title = $"{request.Method} {request.Path} was answered {response.ReasonPhrase}, not in Rev's words.",
        };
        return new RevException(error with { Status = status, RequestId = error.RequestId ?? Header(response, "X-Request-Id") })
        {
            RetryAfter = RetryAfter(response, Clock),
            IdempotencyKey = request.IdempotencyKey,
            IsWorded = worded is not null,
        };
    }

    // --- what the calls are made of ------------------------------------------------------

    private static string Segment(string id, [CallerArgumentExpression(nameof(id))] string? name = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(id, name);
        // They would lead out of the path.
        if (id is "." or "..") throw new ArgumentException("This is no id.", nameof(id));
        return Uri.EscapeDataString(id);
    }

    private static T Read<T>(Answer answer, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            if (JsonSerializer.Deserialize(answer.Body, type) is { } value) return value;
        }
        catch (JsonException exception)
        {
            throw new RevException(RevException.UnreadableCode, "The answer is none of Rev's.", exception);
        }
        throw new RevException(RevException.UnreadableCode, "The answer is empty.");
    }

    private async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var answer = await SendAsync(new Request(HttpMethod.Get, path), cancellationToken).ConfigureAwait(false);
        return Read(answer, type);
    }

    private async Task<T> PostAsync<T>(HttpMethod method, string path, byte[] body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        var answer = await SendAsync(new Request(method, path) { Body = body }, cancellationToken).ConfigureAwait(false);
        return Read(answer, type);
    }

    private async IAsyncEnumerable<T> PagesAsync<T>(
        string path, Func<Query> query, int size, JsonTypeInfo<RevPage<T>> type, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            var parameters = query().Add("limit", size).Add("cursor", cursor);
            var page = await GetAsync(path + parameters, type, cancellationToken).ConfigureAwait(false);
            foreach (var item in page.Data) yield return item;
            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    /// <summary>A request; the same bytes at each attempt.</summary>
    internal sealed record Request(HttpMethod Method, string Path)
    {
        /// <summary>The body.</summary>
        public ReadOnlyMemory<byte>? Body { get; init; }

        /// <summary>The key that goes into the header; null when the body has one of its own.</summary>
        public string? HeaderKey { get; init; }

        /// <summary>The key of the call, wherever it stands.</summary>
        public string? IdempotencyKey { get; init; }

        /// <summary>What to be answered with.</summary>
        public string Accept { get; init; } = "application/json";

        /// <summary>How often it is sent again; null as the options say.</summary>
        public int? MaxRetries { get; init; }
    }

    /// <summary>An answer of 200 to 299.</summary>
    internal sealed record Answer(byte[] Body, bool Replayed);

    private static class Shared
    {
        public static readonly HttpClient Http = new(CreateHandler()) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }
}
