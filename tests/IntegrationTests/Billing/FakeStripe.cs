using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using StripeConfiguration = Stripe.StripeConfiguration;

namespace Rev.IntegrationTests.Billing;

/// <summary>
/// Stripe in memory, on a loopback port: the part of its API that Rev uses, with what Stripe enforces, its idempotency keys, events and
/// webhooks, and with faults on order. Time comes from the test's clock.
/// </summary>
public sealed partial class FakeStripe : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping = new();
    private readonly HttpClient _webhooks = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly List<FakeRequest> _requests = [];
    private readonly List<string> _bugs = [];
    private FakeRequest? _current;

    private FakeStripe(TimeProvider clock)
    {
        _clock = clock;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.Run(context => ServeAsync(context));
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1");

    /// <summary>The address as <c>StripeClient</c> takes it: without a slash at the end.</summary>
    public string ApiBase => Address.GetLeftPart(UriPartial.Authority);

    /// <summary>What goes wrong.</summary>
    public FakeFaults Faults { get; } = new();

    /// <summary>The release that events are written in.</summary>
    public string ApiVersion { get; set; } = StripeConfiguration.ApiVersion;

    /// <summary>All requests, in the order of arrival.</summary>
    public IReadOnlyList<FakeRequest> Requests
    {
        get
        {
            lock (_gate) return [.. _requests];
        }
    }

    /// <summary>Faults of the fake itself: must stay empty.</summary>
    public IReadOnlyList<string> Bugs
    {
        get
        {
            lock (_gate) return [.. _bugs];
        }
    }

    private long Now => _clock.GetUtcNow().ToUnixTimeSeconds();

    public static async Task<FakeStripe> StartAsync(TimeProvider clock)
    {
        var fake = new FakeStripe(clock);
        await fake._app.StartAsync();
        fake.Address = new Uri(fake._app.Urls.Single());
        return fake;
    }

    /// <summary>Requests of a route that came in, as in <c>POST /v1/invoices</c>.</summary>
    public int Count(string route) => Requests.Count(request => request.Is(route));

    /// <summary>Requests of a route that were done, whatever their answer said; a remembered answer is not.</summary>
    public int Applied(string route) => Requests.Count(request => request.Applied && request.Is(route));

    /// <summary>Forgets the requests so far.</summary>
    public void ForgetRequests()
    {
        lock (_gate) _requests.Clear();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _app.StopAsync();
        await _app.DisposeAsync();
        _webhooks.Dispose();
        _stopping.Dispose();
    }

    private static string NewId(string prefix) => $"{prefix}_1{Guid.NewGuid().ToString("N")[..23]}";

    private static string? Header(HttpRequest http, string name) => http.Headers[name].ToString() is { Length: > 0 } value ? value : null;

    private async Task<FakeRequest> ReadAsync(HttpContext context)
    {
        var http = context.Request;
        using var reader = new StreamReader(http.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(context.RequestAborted);
        var sent = http.Method == "POST" ? body : http.QueryString.Value ?? "";
        var isJson = http.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) == true;
        var key = Header(http, "Authorization") is { } authorization && authorization.StartsWith("Bearer ", StringComparison.Ordinal) ? authorization["Bearer ".Length..] : "";
        return new FakeRequest
        {
            Id = NewId("req"),
            Method = http.Method,
            Path = http.Path.Value ?? "/",
            At = _clock.GetUtcNow(),
            Form = isJson ? (JsonNode.Parse(sent) as JsonObject) ?? new JsonObject() : StripeForm.Parse(sent),
            Key = key,
            KeyHint = HintOf(key),
            IdempotencyKey = Header(http, "Idempotency-Key"),
            ConnectedAccount = Header(http, "Stripe-Account") ?? Header(http, "Stripe-Context"),
            ApiVersion = Header(http, "Stripe-Version"),
            Fingerprint = $"{http.Method} {http.Path.Value}\n{(isJson ? sent : StripeForm.Canonical(sent))}",
        };
    }

    private async Task ServeAsync(HttpContext context)
    {
        var request = await ReadAsync(context);
        FakeAnswer? answer;
        lock (_gate)
        {
            _requests.Add(request);
            request.Number = _requests.Count;
            request.Fault = Faults.For(request);
            answer = Handle(request);
            if (request.Fault?.Kind is FaultKind.HangAfter or FaultKind.DropAfter) answer = null;
            request.Status = answer?.Status ?? 0;
        }
        if (request.Fault?.Kind == FaultKind.HangAfter) await HangAsync(context);
        if (answer is null)
        {
            context.Abort();
            return;
        }
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = "application/json";
        // A kept connection would let the client send a request again by itself when it is dropped.
        response.Headers.Connection = "close";
        response.Headers["Request-Id"] = request.Id;
        if (request.ApiVersion is not null) response.Headers["Stripe-Version"] = request.ApiVersion;
        if (request.IdempotencyKey is not null) response.Headers["Idempotency-Key"] = request.IdempotencyKey;
        if (answer.Replayed) response.Headers["Idempotent-Replayed"] = "true";
        if (answer.RetryAfter is { } wait) response.Headers.RetryAfter = ((long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (answer.ShouldRetry is { } again) response.Headers["Stripe-Should-Retry"] = again ? "true" : "false";
        await response.WriteAsync(answer.Body, context.RequestAborted);
    }

    private async Task HangAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, either.Token);
        }
        catch (OperationCanceledException)
        {
            // The client gave up, or the test is over.
        }
    }

    /// <summary>The answer; null when the connection is dropped before anything is done.</summary>
    private FakeAnswer? Handle(FakeRequest request)
    {
        var fault = request.Fault;
        if (fault is { Kind: FaultKind.DropBefore }) return null;
        if (fault is { Kind: FaultKind.RefuseBefore }) return FakeAnswer.Of(fault);
        FakeWorld world;
        try
        {
            world = Authenticate(request);
        }
        catch (FakeStripeException refusal)
        {
            return FakeAnswer.Of(refusal);
        }
        request.Account = world.Account;
        request.Live = world.Live;
        var key = request.Method == "POST" ? request.IdempotencyKey : null;
        if (key is { Length: > 255 }) return FakeAnswer.Of(FakeStripeException.Invalid("idempotency_key_too_long", "Idempotency keys can be at most 255 characters.", param: null));
        if (key is not null && world.Keys.TryGetValue(key, out var known) && request.At - known.At < TimeSpan.FromHours(24))
        {
            if (known.Fingerprint != request.Fingerprint) return FakeAnswer.Of(KeyReused(key));
            request.Replayed = true;
            return Garbled(known.Answer with { Replayed = true }, fault);
        }
        var (answer, remembered) = fault is { Kind: FaultKind.LockTimeout } ? (FakeAnswer.Of(fault), true) : Execute(world, request);
        if (fault is { Kind: FaultKind.ErrorAfter }) (answer, remembered) = (FakeAnswer.Of(fault), true);
        if (key is not null && remembered) world.Keys[key] = new(request.At, request.Fingerprint, answer);
        return Garbled(answer, fault);
    }

    private static FakeAnswer Garbled(FakeAnswer answer, Fault? fault) => fault?.Kind switch
    {
        FaultKind.TruncateAfter => answer with { Body = answer.Body[..(answer.Body.Length / 2)] },
        FaultKind.HtmlAfter => answer with { Body = "<html><body>One moment, please.</body></html>" },
        _ => answer,
    };

    private static FakeStripeException KeyReused(string key) => new(
        400, code: null,
        $"Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '{key}'.",
        param: null, remembered: false, type: "idempotency_error");

    private (FakeAnswer Answer, bool Remembered) Execute(FakeWorld world, FakeRequest request)
    {
        _current = request;
        try
        {
            Advance(world);
            var body = Route(world, request);
            request.Applied = true;
            foreach (var path in Expansions(request.Form)) Expand(world, body, path);
            return (new FakeAnswer(200, body.ToJsonString()), true);
        }
        catch (FakeStripeException refusal)
        {
            return (FakeAnswer.Of(refusal), refusal.Remembered);
        }
        catch (Exception bug) when (bug is InvalidOperationException or ArgumentException or FormatException or NullReferenceException or OverflowException or KeyNotFoundException)
        {
            _bugs.Add($"{request.Method} {request.Path}: {bug}");
            var error = new JsonObject { ["type"] = "api_error", ["message"] = $"FakeStripe: {bug.Message}" };
            return (new FakeAnswer(500, new JsonObject { ["error"] = error }.ToJsonString()), false);
        }
        finally
        {
            _current = null;
        }
    }

    private static IEnumerable<string[]> Expansions(JsonObject form) =>
        form["expand"] is JsonArray paths ? paths.Select(path => (path?.GetValue<string>() ?? "").Split('.')) : [];

    /// <summary>Puts objects in place of their ids.</summary>
    private void Expand(FakeWorld world, JsonNode? node, string[] path)
    {
        if (path.Length == 0) return;
        if (node is JsonArray items)
        {
            foreach (var item in items) Expand(world, item, path);
            return;
        }
        if (node is not JsonObject holder) return;
        if (holder.Given(path[0]) is { } id && world.ById.TryGetValue(id, out var row)) holder[path[0]] = Shown(world, row);
        if (path[0] == "payments" && holder.Text("object") == "invoice" && holder["payments"] is null)
        {
            var payments = world.Table("invoice_payment").Where(payment => payment.Text("invoice") == holder.Text("id"));
            holder["payments"] = StripeJson.Page(payments, new JsonObject(), "/v1/invoice_payments", payment => payment.Copy());
        }
        Expand(world, holder[path[0]], path[1..]);
    }

    private JsonObject Route(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments) switch
        {
            ("GET", ["v1", "account"]) => AccountOf(world),
            ("GET", ["v1", "accounts", var id]) when id == world.Account => AccountOf(world),
            ("GET", ["v1", "balance"]) => new JsonObject { ["object"] = "balance", ["livemode"] = world.Live, ["available"] = new JsonArray(), ["pending"] = new JsonArray() },
            (_, ["v1", "customers", ..]) => RouteCustomers(world, request),
            (_, ["v1", "invoices", ..]) => RouteInvoices(world, request),
            (_, ["v1", "credit_notes", ..]) => RouteCreditNotes(world, request),
            (_, ["v1", "billing", ..]) => RouteMeters(world, request),
            (_, ["v2", ..]) => RouteV2(world, request),
            ("GET", ["v1", "invoice_payments"]) => ListPayments(world, form),
            ("GET", ["v1", "events"]) => ListEvents(world, form),
            ("GET", ["v1", "events", var id]) => RecentEvent(world, id),
            _ => RouteOthers(world, request),
        };
    }
}
