using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using EventUtility = Stripe.EventUtility;

namespace Rev.IntegrationTests.Billing;

/// <content>Events and webhooks.</content>
public sealed partial class FakeStripe
{
    private const long EventsKept = 30 * 86_400;

    private const long RetriedFor = 3 * 86_400;

    private readonly List<FakeEndpoint> _endpoints = [];
    private readonly List<FakePending> _pending = [];
    private readonly List<FakeDelivery> _deliveries = [];

    /// <summary>All webhooks that were sent.</summary>
    public IReadOnlyList<FakeDelivery> Deliveries
    {
        get
        {
            lock (_gate) return [.. _deliveries];
        }
    }

    /// <summary>How many webhooks wait to be sent.</summary>
    public int Pending
    {
        get
        {
            lock (_gate) return _pending.Count;
        }
    }

    /// <summary>Where events go from now on: all of them, unless an account, a mode or types are named.</summary>
    public FakeEndpoint Endpoint(Uri url, string secret, string? account = null, bool? live = null, bool isConnect = false, bool isThin = false, params string[] types)
    {
        var endpoint = new FakeEndpoint(url, secret) { Account = account, Live = live, IsConnect = isConnect, IsThin = isThin, Types = types.Length == 0 ? null : types };
        lock (_gate) _endpoints.Add(endpoint);
        return endpoint;
    }

    /// <summary>Makes an event of any type.</summary>
    public string Raise(string account, bool live, string type, JsonObject about)
    {
        lock (_gate) return Emit(WorldAt(account, live), type, about);
    }

    /// <summary>Sends the webhooks that wait, signed. One that is not answered 2xx waits on, for three days.</summary>
    public async Task<IReadOnlyList<FakeDelivery>> DeliverAsync(FakeDeliveryOptions? options = null, CancellationToken cancellationToken = default)
    {
        var how = options ?? new FakeDeliveryOptions();
        List<FakePending> queue;
        lock (_gate)
        {
            foreach (var world in _worlds.Values) Advance(world);
            _pending.RemoveAll(pending => Now - pending.CreatedAt > RetriedFor);
            if (how.Lose is { } lose) _pending.RemoveAll(pending => lose(pending.Event));
            var chosen = _pending.Where(pending => how.Only?.Invoke(pending.Event) != false).ToList();
            queue = how.Arrange<FakePending>([.. Enumerable.Repeat(chosen, Math.Max(1, how.Copies)).SelectMany(each => each)]);
        }
        var sent = new List<FakeDelivery>();
        foreach (var pending in queue) sent.Add(await SendAsync(pending, how, cancellationToken));
        return sent;
    }

    private async Task<FakeDelivery> SendAsync(FakePending pending, FakeDeliveryOptions how, CancellationToken cancellationToken)
    {
        string body;
        string signature;
        lock (_gate)
        {
            var sent = pending.Event.Copy();
            if (!pending.Endpoint.IsThin) sent["api_version"] = how.ApiVersion ?? pending.Endpoint.ApiVersion ?? sent.Text("api_version");
            if (pending.Endpoint.IsConnect) sent[pending.Endpoint.IsThin ? "context" : "account"] = pending.Account;
            body = sent.ToJsonString();
            signature = EventUtility.GenerateSignatureHeader(body, how.Secret ?? pending.Endpoint.Secret, Now - (long)how.SignedAgo.TotalSeconds);
        }
        using var message = new HttpRequestMessage(HttpMethod.Post, pending.Endpoint.Url) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        message.Headers.TryAddWithoutValidation("Stripe-Signature", signature);
        message.Headers.TryAddWithoutValidation("User-Agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
        var status = 0;
        try
        {
            using var response = await _webhooks.SendAsync(message, cancellationToken);
            status = (int)response.StatusCode;
        }
        catch (HttpRequestException)
        {
            // Nobody answered; it waits on.
        }
        catch (TaskCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nor in time.
        }
        var delivery = new FakeDelivery(pending.Event.Text("id")!, pending.Event.Text("type")!, pending.Endpoint.Url, status, body, signature);
        lock (_gate)
        {
            _deliveries.Add(delivery);
            if (status is >= 200 and < 300 && _pending.Remove(pending)) pending.Event["pending_webhooks"] = Math.Max(0, pending.Event.Long("pending_webhooks") - 1);
        }
        return delivery;
    }

    /// <summary>An event about a thing as it is now. Its id.</summary>
    private string Emit(FakeWorld world, string type, JsonObject about)
    {
        var happened = new JsonObject
        {
            ["id"] = NewId("evt"), ["object"] = "event", ["api_version"] = ApiVersion, ["created"] = Now, ["data"] = new JsonObject { ["object"] = Shown(world, about) },
            ["livemode"] = world.Live,
            ["pending_webhooks"] = 0L, ["request"] = new JsonObject { ["id"] = _current?.Id, ["idempotency_key"] = _current?.IdempotencyKey }, ["type"] = type,
        };
        return Queue(world, happened, type, isThin: false);
    }

    /// <summary>A thin event: what is sent names a thing, and the rest is read.</summary>
    private void EmitThin(FakeWorld world, string type, JsonObject related, JsonObject data)
    {
        Queue(
            world,
            new JsonObject
            {
                ["id"] = NewId("evt"), ["object"] = "v2.core.event", ["context"] = null, ["created"] = Iso(Now), ["data"] = data, ["livemode"] = world.Live, ["reason"] = null,
                ["related_object"] = related, ["type"] = type,
            },
            type, isThin: true);
    }

    private string Queue(FakeWorld world, JsonObject happened, string type, bool isThin)
    {
        world.Add(happened);
        foreach (var endpoint in _endpoints.Where(endpoint => endpoint.Takes(world.Account, world.Live, type, isThin)))
        {
            var sent = happened;
            if (isThin)
            {
                sent = happened.Copy();
                sent.Remove("data");
            }
            else
            {
                happened["pending_webhooks"] = happened.Long("pending_webhooks") + 1;
            }
            _pending.Add(new(endpoint, sent, world.Account, Now));
        }
        return happened.Text("id")!;
    }

    private JsonObject ListEvents(FakeWorld world, JsonObject query)
    {
        if (query.Has("type") && query.Has("types")) throw FakeStripeException.Invalid("parameter_invalid", "You may pass either type or types, but not both.", "types");
        string[] types = query["types"] is JsonArray several ? [.. several.Select(type => type!.GetValue<string>())] : query.Given("type") is { } one ? [one] : [];
        if (types.Length > 20) throw FakeStripeException.Invalid("parameter_invalid", "At most 20 types can be named.", "types");
        var found = world.Newest("event").Where(happened => Now - happened.Long("created") <= EventsKept && happened.Within(query, "created")
            && (types.Length == 0 || types.Any(type => IsOf(happened.Text("type")!, type)))
            && (query.Given("delivery_success") is null || query.Flag("delivery_success") == (happened.Long("pending_webhooks") == 0)));
        return StripeJson.Page(found, query, "/v1/events", happened => happened.Copy());
    }

    private JsonObject RecentEvent(FakeWorld world, string id)
    {
        var happened = Get(world, "event", id);
        return Now - happened.Long("created") <= EventsKept ? happened.Copy() : throw FakeStripeException.Missing("event", id, "id");
    }

    private static bool IsOf(string type, string pattern) =>
        pattern == type || (pattern.EndsWith('*') && type.StartsWith(pattern[..^1], StringComparison.Ordinal));

    private sealed record FakePending(FakeEndpoint Endpoint, JsonObject Event, string Account, long CreatedAt);
}

/// <summary>Where webhooks go.</summary>
public sealed class FakeEndpoint(Uri url, string secret)
{
    /// <summary>we_…, when it was made through the API.</summary>
    public string? Id { get; init; }

    public Uri Url { get; set; } = url;

    /// <summary>What its webhooks are signed with.</summary>
    public string Secret { get; set; } = secret;

    /// <summary>Whose events; null for everybody's.</summary>
    public string? Account { get; init; }

    /// <summary>Of which mode; null for both.</summary>
    public bool? Live { get; init; }

    /// <summary>Whether events name the connected account they are of.</summary>
    public bool IsConnect { get; init; }

    /// <summary>Whether it gets thin events, and no others.</summary>
    public bool IsThin { get; init; }

    /// <summary>Which types; null for all.</summary>
    public IReadOnlyList<string>? Types { get; init; }

    /// <summary>The release its events are written in; null for the fake's.</summary>
    public string? ApiVersion { get; init; }

    internal bool Takes(string account, bool live, string type, bool isThin) =>
        isThin == IsThin && (Account ?? account) == account && (Live ?? live) == live && (Types?.Contains(type, StringComparer.Ordinal) ?? true);
}

/// <summary>How webhooks are sent.</summary>
public sealed record FakeDeliveryOptions
{
    /// <summary>How many times each is sent.</summary>
    public int Copies { get; init; } = 1;

    /// <summary>The newest first.</summary>
    public bool IsReversed { get; init; }

    /// <summary>In an order made from this seed; null for the order they happened in.</summary>
    public int? Shuffle { get; init; }

    /// <summary>Which are sent; the others wait on.</summary>
    public Func<JsonObject, bool>? Only { get; init; }

    /// <summary>Which are never sent, to that endpoint or any; their <c>delivery_success</c> stays false.</summary>
    public Func<JsonObject, bool>? Lose { get; init; }

    /// <summary>Another secret than the endpoint's.</summary>
    public string? Secret { get; init; }

    /// <summary>Another release than the endpoint's.</summary>
    public string? ApiVersion { get; init; }

    /// <summary>How old the signature is.</summary>
    public TimeSpan SignedAgo { get; init; }

    internal List<T> Arrange<T>(List<T> queue)
    {
        if (IsReversed) queue.Reverse();
        if (Shuffle is not { } seed) return queue;
        var random = new Random(seed);
        return [.. queue.Select(one => (Place: random.Next(), One: one)).OrderBy(each => each.Place).Select(each => each.One)];
    }
}

/// <summary>A webhook that was sent, and how it was answered: 0 when nobody did.</summary>
public sealed record FakeDelivery(string EventId, string Type, Uri Url, int Status, string Body, string Signature)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{EventId} {Type} → {Status}");
}
