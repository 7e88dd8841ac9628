using System.Text.Json;
using System.Text.Json.Serialization;
using Rev.Bench.Ceiling;

// The ceiling: Kestrel and source-generated JSON, and nothing else. It reads the body that Rev reads and answers one of the same shape.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
await using var app = builder.Build();
app.Run(async http =>
{
    var call = (await JsonSerializer.DeserializeAsync(http.Request.Body, Wire.Default.Call, http.RequestAborted))!;
    var receipt = JsonSerializer.SerializeToUtf8Bytes(Receipt.Of(call), Wire.Default.Receipt);
    http.Response.StatusCode = StatusCodes.Status201Created;
    http.Response.ContentType = "application/json";
    http.Response.ContentLength = receipt.Length;
    await http.Response.Body.WriteAsync(receipt, http.RequestAborted);
});
await app.RunAsync();

namespace Rev.Bench.Ceiling
{
    internal sealed record Call(
        string AgentId, string Action, long TokensInput, long TokensOutput, string? Outcome, JsonElement? Metadata, string? CustomerId, string? Model,
        string? IdempotencyKey);

    internal sealed record Price(string BaseFee, string TokenCharge, string OutcomeBonus, string Total);

    internal sealed record Bonus(string Name, string Reason);

    internal sealed record Tier(string Key, int Version);

    internal sealed record Receipt(
        string EventId, string OutcomeId, string? Outcome, string OutcomeStatus, string PriceCharged, string Currency, Price Price, Bonus Bonus,
        string? PotentialBonus, Tier Tier, string AgentId, string Action, string? CustomerId, string? Model, long TokensInput, long TokensOutput,
        string OccurredAt, string? ExpiresAt)
    {
        public static Receipt Of(Call call) => new(
            "evt_01J00000000000000000000000", "out_01J00000000000000000000000", call.Outcome, "succeeded", "0.01212", "usd",
            new("0.005", "0.00462", "0.0025", "0.01212"), new("any success", "rule 1 matched"), null, new("default", 1),
            call.AgentId, call.Action, call.CustomerId, call.Model, call.TokensInput, call.TokensOutput, "2026-11-23T12:00:00.123456Z", null);
    }

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Call))]
    [JsonSerializable(typeof(Receipt))]
    internal sealed partial class Wire : JsonSerializerContext;
}
