using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Rev.Client.Json;

namespace Rev.Client;

public sealed partial class RevClient
{
    private const int LargestPage = 200;

    // --- tiers ---------------------------------------------------------------------------

    /// <summary>A tier at its newest version.</summary>
    public Task<Tier> GetTierAsync(string key, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/tiers/{Segment(key)}", RevJson.Wire.Tier, cancellationToken);

    /// <summary>The account's tiers; pages are fetched as they are needed.</summary>
    public IAsyncEnumerable<Tier> ListTiersAsync(CancellationToken cancellationToken = default) =>
        PagesAsync("/v1/tiers", static () => new Query(), LargestPage, RevJson.Wire.RevPageTier, cancellationToken);

    /// <summary>The versions of a tier, newest first.</summary>
    public IAsyncEnumerable<Tier> ListTierVersionsAsync(string key, CancellationToken cancellationToken = default) =>
        PagesAsync($"/v1/tiers/{Segment(key)}/versions", static () => new Query(), LargestPage, RevJson.Wire.RevPageTier, cancellationToken);

    /// <summary>Makes a tier, or its next version; the same content makes none.</summary>
    public Task<Tier> PutTierAsync(string key, TierDefinition tier, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(tier);
        return PostAsync(
            HttpMethod.Put, $"/v1/tiers/{Segment(key)}", JsonSerializer.SerializeToUtf8Bytes(tier, RevJson.Wire.TierDefinition), RevJson.Wire.Tier, cancellationToken);
    }

    /// <summary>Archives a tier that nobody is assigned to.</summary>
    public async Task<Tier> ArchiveTierAsync(string key, CancellationToken cancellationToken = default)
    {
        var answer = await SendAsync(new Request(HttpMethod.Delete, $"/v1/tiers/{Segment(key)}"), cancellationToken).ConfigureAwait(false);
        return Read(answer, RevJson.Wire.Tier);
    }

    /// <summary>Carries a tier from test to live; asks for a key of test mode.</summary>
    public Task<Tier> CopyTierToLiveAsync(string key, CancellationToken cancellationToken = default) =>
        PostAsync(
            HttpMethod.Post, $"/v1/tiers/{Segment(key)}/copy", JsonSerializer.SerializeToUtf8Bytes(new CopyTierBody("live"), RevJson.Wire.CopyTierBody),
            RevJson.Wire.Tier, cancellationToken);

    // --- agents and customers ------------------------------------------------------------

    /// <summary>An agent.</summary>
    public Task<AgentDetails> GetAgentAsync(string agentId, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/agents/{Segment(agentId)}", RevJson.Wire.AgentDetails, cancellationToken);

    /// <summary>The account's agents; pages are fetched as they are needed.</summary>
    public IAsyncEnumerable<AgentDetails> ListAgentsAsync(CancellationToken cancellationToken = default) =>
        PagesAsync("/v1/agents", static () => new Query(), LargestPage, RevJson.Wire.RevPageAgentDetails, cancellationToken);

    /// <summary>Changes an agent, or makes it.</summary>
    public Task<AgentDetails> PutAgentAsync(string agentId, AgentUpdate update, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(update);
        var body = Cleared(JsonSerializer.SerializeToNode(update, RevJson.Wire.AgentUpdate), update.Clear);
        return PostAsync(HttpMethod.Put, $"/v1/agents/{Segment(agentId)}", body, RevJson.Wire.AgentDetails, cancellationToken);
    }

    /// <summary>A customer.</summary>
    public Task<CustomerDetails> GetCustomerAsync(string customerId, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/customers/{Segment(customerId)}", RevJson.Wire.CustomerDetails, cancellationToken);

    /// <summary>The account's customers; pages are fetched as they are needed.</summary>
    public IAsyncEnumerable<CustomerDetails> ListCustomersAsync(CancellationToken cancellationToken = default) =>
        PagesAsync("/v1/customers", static () => new Query(), LargestPage, RevJson.Wire.RevPageCustomerDetails, cancellationToken);

    /// <summary>Changes a customer, or makes it.</summary>
    public Task<CustomerDetails> PutCustomerAsync(string customerId, CustomerUpdate update, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(update);
        var body = Cleared(JsonSerializer.SerializeToNode(update, RevJson.Wire.CustomerUpdate), update.Clear);
        return PostAsync(HttpMethod.Put, $"/v1/customers/{Segment(customerId)}", body, RevJson.Wire.CustomerDetails, cancellationToken);
    }

    // --- analytics and statements --------------------------------------------------------

    /// <summary>Revenue over time.</summary>
    public Task<RevenueSeries> GetRevenueAsync(RevenueQuery? query = null, CancellationToken cancellationToken = default)
    {
        var wanted = query ?? new RevenueQuery();
        var parameters = new Query()
            .Add("from", wanted.From)
            .Add("to", wanted.To)
            .Add("interval", wanted.Interval.ToString().ToLowerInvariant())
            .Add("group_by", wanted.GroupBy?.ToString().ToLowerInvariant())
            .Add("currency", wanted.Currency)
            .Add("agent_id", wanted.AgentId)
            .Add("customer_id", wanted.CustomerId)
            .Add("action", wanted.Action);
        return GetAsync("/v1/analytics/revenue" + parameters, RevJson.Wire.RevenueSeries, cancellationToken);
    }

    /// <summary>Today, the last 24 hours, this month and the one before, and what is open.</summary>
    public Task<RevenueSummary> GetSummaryAsync(string? currency = null, CancellationToken cancellationToken = default) =>
        GetAsync("/v1/analytics/summary" + new Query().Add("currency", currency), RevJson.Wire.RevenueSummary, cancellationToken);

    /// <summary>What a customer owes for a time: the sum of what its calls were told, to the nano. Default: this month so far.</summary>
    public Task<Statement> GetStatementAsync(
        string customerId, DateTimeOffset? from = null, DateTimeOffset? to = null, CancellationToken cancellationToken = default) =>
        GetAsync($"/v1/customers/{Segment(customerId)}/statement" + new Query().Add("from", from).Add("to", to), RevJson.Wire.Statement, cancellationToken);

    /// <summary>The same, entry by entry, as CSV.</summary>
    public async Task<string> GetStatementCsvAsync(
        string customerId, DateTimeOffset? from = null, DateTimeOffset? to = null, CancellationToken cancellationToken = default)
    {
        var path = $"/v1/customers/{Segment(customerId)}/statement" + new Query().Add("from", from).Add("to", to).Add("format", "csv");
        var answer = await SendAsync(new Request(HttpMethod.Get, path) { Accept = "text/csv" }, cancellationToken).ConfigureAwait(false);
        return Encoding.UTF8.GetString(answer.Body);
    }

    // --- the simulator -------------------------------------------------------------------

    /// <summary>What a month would come to, by the code that prices calls.</summary>
    public Task<Simulation> SimulateAsync(SimulationRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if ((request.Tier is null) == (request.TierKey is null)) throw new ArgumentException("Give a tier, or the key of one.", nameof(request));
        var body = JsonSerializer.SerializeToNode(request, RevJson.Wire.SimulationRequest)!.AsObject();
        body["tier"] = request.Tier is { } tier ? JsonSerializer.SerializeToNode(tier, RevJson.Wire.TierDefinition) : JsonValue.Create(request.TierKey);
        return PostAsync(HttpMethod.Post, "/v1/simulations", JsonSerializer.SerializeToUtf8Bytes(body, RevJson.Wire.JsonObject), RevJson.Wire.Simulation, cancellationToken);
    }

    private static byte[] Cleared(JsonNode? update, IReadOnlyList<string> names)
    {
        var body = update!.AsObject();
        foreach (var name in names) body[name] = null;
        return JsonSerializer.SerializeToUtf8Bytes(body, RevJson.Wire.JsonObject);
    }
}
