using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Common;

/// <summary>Bodies that many tests send.</summary>
public static class Bodies
{
    /// <summary>The guide's call: 0.01212 under a new account's default tier.</summary>
    public static JsonObject Call(string? outcome = "success") => new()
    {
        ["agent_id"] = "outreach-agent-v2",
        ["action"] = "email.sent",
        ["tokens_input"] = 1200,
        ["tokens_output"] = 340,
        ["outcome"] = outcome,
        ["metadata"] = new JsonObject { ["recipient"] = "prospect@company.com", ["campaign"] = "q2-enterprise" },
    };

    /// <summary>The call with other or further fields.</summary>
    public static JsonObject With(this JsonObject body, string name, JsonNode? value)
    {
        var copy = body.DeepClone().AsObject();
        copy[name] = value;
        return copy;
    }

    public static JsonObject Without(this JsonObject body, string name)
    {
        var copy = body.DeepClone().AsObject();
        copy.Remove(name);
        return copy;
    }

    /// <summary>A tier: base 0.01, no token rates, 1 on any success.</summary>
    public static JsonObject Tier(string name = "Plain") => new()
    {
        ["name"] = name,
        ["currency"] = "usd",
        ["base_fee"] = "0.01",
        ["outcome_bonuses"] = new JsonArray(new JsonObject { ["name"] = "any success", ["amount"] = "1" }),
    };

    public static string Instant(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The second's form of a JSON text, parsed.</summary>
    public static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
