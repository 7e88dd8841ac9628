using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>Somebody else's system that sends webhooks to a resolver, signed by its own code and not by the product's.</summary>
public sealed class HookSender(Caller owner, JsonNode resolver, string? secret)
{
    private int _sent;

    public string Id => resolver["id"]!.GetValue<string>();

    public string Path => new Uri(resolver["url"]!.GetValue<string>()).AbsolutePath;

    public string Secret => secret ?? throw new InvalidOperationException("A resolver without a secret.");

    /// <summary>A resolver by a field of the metadata: <c>data.id</c> of the payload is <c>metadata.id</c> of the call, a success when the type is <c>reply</c>.</summary>
    public static JsonObject Resolver(string scheme = "standard-webhooks") => new()
    {
        ["name"] = "Replies",
        ["correlate"] = new JsonObject { ["payload"] = "data.id", ["event"] = "metadata.id" },
        ["success_when"] = JsonNode.Parse("""{"field":"payload.type","op":"eq","value":"reply"}"""),
        ["failure_when"] = JsonNode.Parse("""{"field":"payload.type","op":"in","value":["bounce","reply"]}"""),
        ["signature"] = new JsonObject { ["scheme"] = scheme },
    };

    public static async Task<HookSender> Make(Caller owner, JsonObject? body = null)
    {
        var made = (await owner.Post("/v1/resolvers", body ?? Resolver())).Is(201);
        return new(owner, made.Json!, made["secret"]);
    }

    /// <summary>A pending call with an id in its metadata.</summary>
    public static JsonObject Call(JsonNode id) => Bodies.Call("pending").With("metadata", new JsonObject { ["id"] = id });

    /// <summary>A payload that the resolver of <see cref="Resolver"/> reads.</summary>
    public static JsonObject Payload(JsonNode id, string type = "reply") => new() { ["type"] = type, ["data"] = new JsonObject { ["id"] = id, ["from"] = "ann@company.com" } };

    public Task<Answer> Send(JsonNode payload, string? webhookId = null, DateTimeOffset? at = null) => Send(Encoding.UTF8.GetBytes(payload.ToJsonString()), webhookId, at);

    /// <summary>Sends bytes, signed as the resolver asks.</summary>
    public Task<Answer> Send(byte[] body, string? webhookId = null, DateTimeOffset? at = null, string? key = null) =>
        Post(body, Signed(body, webhookId ?? $"msg_{Interlocked.Increment(ref _sent)}", at ?? owner.App.Now, key ?? secret));

    /// <summary>Sends bytes with headers, to this process or another.</summary>
    public async Task<Answer> Post(byte[] body, (string Name, string Value)[] headers, RevApp? at = null)
    {
        var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await (at ?? owner.App).Anonymous.SendContent(HttpMethod.Post, Path, content, headers);
    }

    /// <summary>The headers of a body, as the resolver asks for them.</summary>
    public (string Name, string Value)[] Signed(byte[] body, string webhookId, DateTimeOffset at, string? key)
    {
        var signature = resolver["signature"]!;
        var time = at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        byte[] Over(byte[] bytes, string before) => HMACSHA256.HashData(bytes, (byte[])[.. Encoding.UTF8.GetBytes(before), .. body]);
        string Text(string name) => signature[name]?.GetValue<string>() ?? "";
        switch (Text("scheme"))
        {
            case "none":
                return [];
            case "hmac-sha256":
                var hmac = Over(Encoding.UTF8.GetBytes(key!), "");
                return [(Text("header"), Text("prefix") + (Text("encoding") == "base64" ? Convert.ToBase64String(hmac) : Convert.ToHexStringLower(hmac)))];
            case "stripe":
                return [(Text("header"), $"t={time},v1={Convert.ToHexStringLower(Over(Encoding.UTF8.GetBytes(key!), time + "."))}")];
            default:
                var standard = Over(Convert.FromBase64String(key!["whsec_".Length..]), $"{webhookId}.{time}.");
                return [("webhook-id", webhookId), ("webhook-timestamp", time), ("webhook-signature", "v1," + Convert.ToBase64String(standard))];
        }
    }

    public Task<Answer> Delivery(string id) => owner.Get($"/v1/resolvers/{Id}/deliveries/{id}");

    public Task<List<JsonObject>> Deliveries(string? result = null) => owner.All($"/v1/resolvers/{Id}/deliveries{(result is null ? "" : $"?result={result}")}");

    /// <summary>The delivery once it has a result; fails when it does not get it soon.</summary>
    public async Task<Answer> Until(string id, string result)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            var delivery = (await Delivery(id)).Is(200);
            if (delivery["result"] == result) return delivery;
            if (watch.Elapsed > TimeSpan.FromSeconds(20)) throw new ShouldAssertException($"The delivery did not become {result}:\n{delivery.Body}");
            await Task.Delay(20);
        }
    }
}
