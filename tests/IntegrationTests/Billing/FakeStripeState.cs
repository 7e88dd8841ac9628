using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>Accounts, keys, and what lies in an account in one mode.</content>
public sealed partial class FakeStripe
{
    private readonly Dictionary<string, (string Country, string Currency, long Created)> _accounts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FakeKey> _keys = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Account, bool Live), FakeWorld> _worlds = new();
    private readonly HashSet<(string Platform, string Connected)> _connections = [];

    /// <summary>Makes an account, with keys: <c>sk_live_</c> or <c>rk_live_</c>, and <c>sk_test_</c> or <c>rk_test_</c>.</summary>
    public void AddAccount(string id, string? liveSecret = null, string? testSecret = null, string country = "US", string currency = "usd")
    {
        lock (_gate)
        {
            _accounts[id] = (country, currency, Now);
            _worlds[(id, true)] = new(id, live: true, country, currency);
            _worlds[(id, false)] = new(id, live: false, country, currency);
        }
        if (liveSecret is not null) AddKey(id, liveSecret);
        if (testSecret is not null) AddKey(id, testSecret);
    }

    /// <summary>Another key of an account; its mode is in its name.</summary>
    public void AddKey(string account, string key)
    {
        var live = key.Contains("_live_", StringComparison.Ordinal);
        if (!live && !key.Contains("_test_", StringComparison.Ordinal)) throw new ArgumentException("A key says its mode: sk_test_, sk_live_, rk_test_ or rk_live_.", nameof(key));
        lock (_gate) _keys[key] = new(account, live);
    }

    /// <summary>The key is not taken any more.</summary>
    public void Revoke(string key)
    {
        lock (_gate) _keys[key].IsRevoked = true;
    }

    /// <summary>A key may not ask a route any more, as in <c>POST /v1/credit_notes</c>.</summary>
    public void Forbid(string key, string route)
    {
        lock (_gate) _keys[key].Forbidden.Add(route);
    }

    /// <summary>A key may ask everything again.</summary>
    public void Allow(string key)
    {
        lock (_gate)
        {
            _keys[key].Forbidden.Clear();
            _keys[key].IsRevoked = false;
        }
    }

    /// <summary>The keys of a platform may act for a connected account (<c>Stripe-Account</c>).</summary>
    public void Connect(string platform, string connected)
    {
        lock (_gate) _connections.Add((platform, connected));
    }

    /// <summary>The connected account takes its permission back.</summary>
    public void Disconnect(string platform, string connected)
    {
        lock (_gate)
        {
            if (!_connections.Remove((platform, connected))) return;
            foreach (var live in new[] { true, false })
                Emit(WorldAt(connected, live), "account.application.deauthorized", new JsonObject { ["id"] = "ca_1Platform", ["object"] = "application", ["name"] = platform });
        }
    }

    private static string HintOf(string key)
    {
        var sort = key.LastIndexOf('_');
        return key.Length < 4 ? "none" : $"{(sort < 0 ? "" : key[..(sort + 1)])}…{key[^4..]}";
    }

    /// <summary>The account and the mode that a request is of.</summary>
    private FakeWorld Authenticate(FakeRequest request)
    {
        if (request.Key.Length == 0) throw new FakeStripeException(401, code: null, "You did not provide an API key.", param: null, remembered: false);
        if (!_keys.TryGetValue(request.Key, out var key))
            throw new FakeStripeException(401, code: null, $"Invalid API Key provided: {request.KeyHint}", param: null, remembered: false);
        if (key.IsRevoked) throw new FakeStripeException(401, "api_key_expired", $"Expired API Key provided: {request.KeyHint}", param: null, remembered: false);
        if (key.Forbidden.Exists(request.Is))
        {
            throw new FakeStripeException(
                403, code: null, $"The provided key '{request.KeyHint}' does not have the required permissions for this endpoint on account '{key.Account}'.",
                param: null, remembered: false);
        }
        if (request.ConnectedAccount is not { } connected || connected == key.Account) return WorldAt(key.Account, key.Live);
        if (_accounts.ContainsKey(connected) && _connections.Contains((key.Account, connected))) return WorldAt(connected, key.Live);
        throw new FakeStripeException(
            403, "account_invalid",
            $"The provided key '{request.KeyHint}' does not have access to account '{connected}' (or that account does not exist). Application access may have been revoked.",
            param: null, remembered: false);
    }

    private FakeWorld WorldAt(string account, bool live) =>
        _worlds.TryGetValue((account, live), out var world) ? world : throw new ArgumentException($"No such account: {account}", nameof(account));

    /// <summary>Where the thing with this id is.</summary>
    private FakeWorld WorldOf(string id) =>
        _worlds.Values.FirstOrDefault(world => world.ById.ContainsKey(id)) ?? throw new ArgumentException($"Nothing has the id {id}.", nameof(id));

    private JsonObject AccountOf(FakeWorld world) => new()
    {
        ["id"] = world.Account,
        ["object"] = "account",
        ["business_profile"] = new JsonObject { ["name"] = world.Account },
        ["charges_enabled"] = true,
        ["country"] = world.Country,
        ["created"] = _accounts[world.Account].Created,
        ["default_currency"] = world.Currency,
        ["details_submitted"] = true,
        ["email"] = $"{world.Account}@example.com",
        ["metadata"] = new JsonObject(),
        ["payouts_enabled"] = true,
        ["type"] = "standard",
    };

    /// <summary>Puts a new thing of a kind into an account.</summary>
    private JsonObject Insert(FakeWorld world, string kind, string prefix, JsonObject fields)
    {
        var row = new JsonObject { ["id"] = NewId(prefix), ["object"] = kind, ["created"] = Now, ["livemode"] = world.Live, ["metadata"] = new JsonObject() };
        foreach (var (name, value) in fields) row[name] = value?.DeepClone();
        world.Add(row);
        return row;
    }

    /// <summary>The thing with this id; of another account or mode there is none.</summary>
    private JsonObject Get(FakeWorld world, string kind, string id, string param = "id")
    {
        if (world.ById.TryGetValue(id, out var row) && row.Text("object") == kind) return row;
        var twin = WorldAt(world.Account, !world.Live);
        var hint = twin.ById.ContainsKey(id)
            ? $"; a similar object exists in {(twin.Live ? "live" : "test")} mode, but a {(world.Live ? "live" : "test")} mode key was used to make this request."
            : null;
        throw FakeStripeException.Missing(kind, id, param, hint);
    }

    /// <summary>A list, the newest first.</summary>
    private JsonObject List(FakeWorld world, string kind, JsonObject query, string url, params string[] filters) => StripeJson.Page(
        world.Newest(kind).Where(row => !row.Flag("deleted") && row.Within(query, "created") && row.Fits(query, filters)), query, url, row => Shown(world, row));

    /// <summary>A copy as it goes out.</summary>
    private static JsonObject Shown(FakeWorld world, JsonObject row) => row.Text("object") switch
    {
        "invoice" => ShownInvoice(world, row),
        "customer" when row.Flag("deleted") => new JsonObject { ["id"] = row.Text("id"), ["object"] = "customer", ["deleted"] = true },
        _ => row.Copy(),
    };

    private sealed class FakeKey(string account, bool live)
    {
        public string Account { get; } = account;

        public bool Live { get; } = live;

        public bool IsRevoked { get; set; }

        public List<string> Forbidden { get; } = [];
    }
}

/// <summary>What lies in an account in one mode.</summary>
internal sealed class FakeWorld(string account, bool live, string country, string currency)
{
    private readonly Dictionary<string, List<JsonObject>> _tables = new(StringComparer.Ordinal);

    public string Account { get; } = account;

    public bool Live { get; } = live;

    public string Country { get; } = country;

    public string Currency { get; } = currency;

    public Dictionary<string, JsonObject> ById { get; } = new(StringComparer.Ordinal);

    /// <summary>The lines of each invoice, in the order they were added.</summary>
    public Dictionary<string, List<JsonObject>> Lines { get; } = new(StringComparer.Ordinal);

    /// <summary>Of invoices that are sent.</summary>
    public Dictionary<string, long> DaysUntilDue { get; } = new(StringComparer.Ordinal);

    /// <summary>Answers that are remembered under an idempotency key.</summary>
    public Dictionary<string, FakeMemory> Keys { get; } = new(StringComparer.Ordinal);

    /// <summary>Payment methods that are declined.</summary>
    public HashSet<string> Declined { get; } = new(StringComparer.Ordinal);

    /// <summary>Invoices whose due date was told to have passed.</summary>
    public HashSet<string> Overdue { get; } = new(StringComparer.Ordinal);

    public List<FakeUsage> Usage { get; } = [];

    /// <summary>One entry each time an invoice was finalised: its <c>rev_invoice_id</c>, else its own id.</summary>
    public List<string> Finalisations { get; } = [];

    /// <summary>Things of a kind, the oldest first.</summary>
    public List<JsonObject> Table(string kind)
    {
        if (!_tables.TryGetValue(kind, out var rows)) _tables[kind] = rows = [];
        return rows;
    }

    public IEnumerable<JsonObject> Newest(string kind) => Enumerable.Reverse(Table(kind));

    public void Add(JsonObject row)
    {
        Table(row.Text("object")!).Add(row);
        ById[row.Text("id")!] = row;
    }

    public void Remove(JsonObject row)
    {
        Table(row.Text("object")!).Remove(row);
        ById.Remove(row.Text("id")!);
    }
}

/// <summary>An answer.</summary>
internal sealed record FakeAnswer(int Status, string Body)
{
    public bool Replayed { get; init; }

    public TimeSpan? RetryAfter { get; init; }

    public bool? ShouldRetry { get; init; }

    public static FakeAnswer Of(FakeStripeException refusal) => new(refusal.Status, refusal.Body().ToJsonString()) { ShouldRetry = refusal.ShouldRetry };

    public static FakeAnswer Of(Fault fault)
    {
        var type = fault.Status switch { 409 => "idempotency_error", 429 => "invalid_request_error", _ => "api_error" };
        var message = fault.Code switch
        {
            "rate_limit" => "Request rate limit exceeded.",
            "lock_timeout" => "This object cannot be accessed right now because another API request or Stripe process is currently accessing it.",
            "idempotency_key_in_use" => "There is currently another in-progress request using this Idempotent Key.",
            _ => "An unknown error occurred.",
        };
        var error = new JsonObject { ["type"] = type, ["message"] = message };
        if (fault.Code is not null) error["code"] = fault.Code;
        return new FakeAnswer(fault.Status, new JsonObject { ["error"] = error }.ToJsonString()) { RetryAfter = fault.RetryAfter };
    }
}

/// <summary>An answer that is remembered under an idempotency key, with what was asked.</summary>
internal sealed record FakeMemory(DateTimeOffset At, string Fingerprint, FakeAnswer Answer);

/// <summary>A meter event as it was taken in.</summary>
internal sealed class FakeUsage
{
    public required string Identifier { get; init; }

    public required string EventName { get; init; }

    public required string Customer { get; init; }

    public required long Value { get; init; }

    public required long Timestamp { get; init; }

    public required long ReceivedAt { get; init; }

    public bool IsCancelled { get; set; }

    /// <summary>Why it did not count after all; null when it did.</summary>
    public string? Rejected { get; set; }

    public bool Counts => !IsCancelled && Rejected is null;
}
