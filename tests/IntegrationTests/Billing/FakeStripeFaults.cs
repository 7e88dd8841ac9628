using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <summary>What goes wrong with a request: before it was done, or after.</summary>
public enum FaultKind
{
    /// <summary>Not done; the connection is dropped.</summary>
    DropBefore,
    /// <summary>Not done, not remembered; an answer of an error.</summary>
    RefuseBefore,
    /// <summary>Not done, and the 429 is remembered under the idempotency key.</summary>
    LockTimeout,
    /// <summary>Done; the connection is dropped.</summary>
    DropAfter,
    /// <summary>Done; no answer comes until the client gives up.</summary>
    HangAfter,
    /// <summary>Done; 200, and half a body.</summary>
    TruncateAfter,
    /// <summary>Done; 200, and a page of HTML.</summary>
    HtmlAfter,
    /// <summary>Done; the answer is 500, which is remembered under the idempotency key.</summary>
    ErrorAfter,
}

/// <summary>A fault of Stripe's or of the network between.</summary>
public sealed record Fault(FaultKind Kind, int Status = 0, string? Code = null, TimeSpan? RetryAfter = null)
{
    /// <summary>The connection is dropped before anything is done.</summary>
    public static Fault DropBefore { get; } = new(FaultKind.DropBefore);

    /// <summary>429, by the limiter in front of the idempotency layer.</summary>
    public static Fault RateLimited { get; } = new(FaultKind.RefuseBefore, 429, "rate_limit");

    /// <summary>503, nothing done.</summary>
    public static Fault Unavailable { get; } = new(FaultKind.RefuseBefore, 503);

    /// <summary>409: another request with this key is under way.</summary>
    public static Fault Conflict { get; } = new(FaultKind.RefuseBefore, 409, "idempotency_key_in_use");

    /// <summary>429 lock_timeout, remembered under the key.</summary>
    public static Fault LockTimeout { get; } = new(FaultKind.LockTimeout, 429, "lock_timeout");

    /// <summary>Done, and the connection dropped.</summary>
    public static Fault DropAfter { get; } = new(FaultKind.DropAfter);

    /// <summary>Done, and no answer until the client gives up.</summary>
    public static Fault HangAfter { get; } = new(FaultKind.HangAfter);

    /// <summary>Done, 200 with half a body.</summary>
    public static Fault TruncateAfter { get; } = new(FaultKind.TruncateAfter);

    /// <summary>Done, 200 with a page of HTML.</summary>
    public static Fault HtmlAfter { get; } = new(FaultKind.HtmlAfter);

    /// <summary>Done, 500, remembered under the key.</summary>
    public static Fault ErrorAfter { get; } = new(FaultKind.ErrorAfter, 500);

    /// <summary>Whether the request was not done.</summary>
    public bool IsBefore => Kind is FaultKind.DropBefore or FaultKind.RefuseBefore or FaultKind.LockTimeout;

    /// <summary>429 with <c>Retry-After</c>.</summary>
    public static Fault RateLimitedFor(TimeSpan wait) => new(FaultKind.RefuseBefore, 429, "rate_limit", wait);
}

/// <summary>
/// Which requests go wrong. A route is a method and a path, as in <c>POST /v1/invoices/*/finalize</c>: <c>*</c> stands for any method
/// or any one part of a path; <c>*</c> alone is any request.
/// </summary>
public sealed class FakeFaults
{
    private readonly Lock _gate = new();
    private readonly List<Rule> _rules = [];

    /// <summary>Whether Stripe is down: every request meets <see cref="OutageAs"/>.</summary>
    public bool Outage { get; set; }

    /// <summary>How an outage looks; 503 unless set.</summary>
    public Fault OutageAs { get; set; } = Fault.Unavailable;

    /// <summary>Asked for each request that no rule is for; for random schedules.</summary>
    public Func<FakeRequest, Fault?>? Schedule { get; set; }

    /// <summary>The next requests of a route.</summary>
    public void Next(string route, Fault fault, int times = 1) => Add(new(route, fault, First: 1, times));

    /// <summary>The nth request of a route from now on, counted from 1.</summary>
    public void Nth(string route, int nth, Fault fault, int times = 1) => Add(new(route, fault, nth, times));

    /// <summary>Every request of a route.</summary>
    public void Always(string route, Fault fault) => Add(new(route, fault, First: 1, int.MaxValue));

    /// <summary>Nothing goes wrong any more.</summary>
    public void Clear()
    {
        lock (_gate) _rules.Clear();
        Outage = false;
        Schedule = null;
    }

    /// <summary>Whether a request is of a route.</summary>
    public static bool Matches(string route, string method, string path)
    {
        if (route == "*") return true;
        var at = route.IndexOf(' ', StringComparison.Ordinal);
        if (at < 0) throw new ArgumentException($"Not a method and a path: {route}", nameof(route));
        if (route[..at] != "*" && route[..at] != method) return false;
        var wanted = route[(at + 1)..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return wanted.Length == parts.Length && wanted.Zip(parts).All(pair => pair.First == "*" || pair.First.StartsWith('{') || pair.First == pair.Second);
    }

    internal Fault? For(FakeRequest request)
    {
        if (Outage) return OutageAs;
        Fault? found = null;
        lock (_gate)
        {
            foreach (var rule in _rules.Where(rule => Matches(rule.Route, request.Method, request.Path)))
            {
                rule.Seen++;
                if (rule.Seen >= rule.First && rule.Seen - rule.First < rule.Times) found ??= rule.Fault;
            }
        }
        return found ?? Schedule?.Invoke(request);
    }

    private void Add(Rule rule)
    {
        lock (_gate) _rules.Add(rule);
    }

    private sealed record Rule(string Route, Fault Fault, int First, int Times)
    {
        public int Seen { get; set; }
    }
}

/// <summary>A request that came in.</summary>
public sealed class FakeRequest
{
    /// <summary>From 1, in the order of arrival.</summary>
    public long Number { get; internal set; }

    /// <summary>req_…</summary>
    public required string Id { get; init; }

    /// <summary>GET, POST or DELETE.</summary>
    public required string Method { get; init; }

    /// <summary>As in <c>/v1/invoices</c>.</summary>
    public required string Path { get; init; }

    /// <summary>When it came, by the clock of the test.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>The parameters: of the body, or of the query.</summary>
    public required JsonObject Form { get; init; }

    /// <summary>The sort of the key and its last four characters.</summary>
    public required string KeyHint { get; init; }

    /// <summary>The idempotency key; null when none was sent.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>The connected account that was named; null when none.</summary>
    public string? ConnectedAccount { get; init; }

    /// <summary>The release that was asked for.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>The account it was of; null when the key was not taken.</summary>
    public string? Account { get; internal set; }

    /// <summary>Of live mode.</summary>
    public bool Live { get; internal set; }

    /// <summary>The status of the answer; 0 when there was none.</summary>
    public int Status { get; internal set; }

    /// <summary>Whether it was done, whatever the answer said.</summary>
    public bool Applied { get; internal set; }

    /// <summary>Whether the answer was one remembered under the idempotency key.</summary>
    public bool Replayed { get; internal set; }

    /// <summary>What went wrong with it.</summary>
    public Fault? Fault { get; internal set; }

    /// <summary>Whether it would change something.</summary>
    public bool IsWrite => Method != "GET";

    internal string Key { get; init; } = "";

    internal string Fingerprint { get; init; } = "";

    internal string[] Segments => Path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Whether it is of a route, as in <c>POST /v1/invoices/*/finalize</c>.</summary>
    public bool Is(string route) => FakeFaults.Matches(route, Method, Path);

    /// <inheritdoc/>
    public override string ToString() => $"{Number} {Method} {Path} {IdempotencyKey} → {Status}{(Replayed ? " replayed" : "")}{(Fault is null ? "" : $" {Fault.Kind}")}";
}
