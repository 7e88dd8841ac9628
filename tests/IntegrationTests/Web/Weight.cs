using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>What a browser that has nothing yet takes over the wire to show a page.</summary>
internal static partial class Weight
{
    /// <summary>The most that a page may take, in bytes.</summary>
    public const long Budget = 120 * 1024;

    /// <summary>The fonts alone weigh more: with less something was not counted.</summary>
    public const long Least = 50_000;

    /// <summary>What a browser takes, and its best first.</summary>
    public const string Encodings = "gzip, deflate, br, zstd";

    private static readonly string[] Agents = ["outreach", "support", "booking", "research", "contract-review", "deep-research", "ticket-triage", "renewals"];

    private static readonly string?[] Outcomes = ["success", "failure", null, "pending", "success"];

    /// <summary>The bytes of a page, of all that it loads, and of all that those load: bodies as they are sent, and their heads. By their addresses.</summary>
    public static async Task<Dictionary<string, long>> Of(RevApp app, string page, string? session = null)
    {
        var weights = new Dictionary<string, long>(StringComparer.Ordinal);
        var open = new Queue<string>();
        open.Enqueue(page);
        while (open.TryDequeue(out var path))
        {
            if (weights.ContainsKey(path)) continue;
            using var response = await Ask(app, path, session, path == page ? "document" : "script");
            ((int)response.StatusCode).ShouldBe(200, path);
            var body = await response.Content.ReadAsByteArrayAsync();
            weights[path] = body.Length + Head(response);
            foreach (var load in Loads(response, Encoding.UTF8.GetString(await Clear(response, body)))) open.Enqueue(new Uri(new Uri($"http://localhost{path}"), load).PathAndQuery);
        }
        return weights;
    }

    /// <summary>Asks as a browser does that its reader, or a page of the same server, had open something.</summary>
    public static async Task<HttpResponseMessage> Ask(RevApp app, string path, string? session, string kind, string? site = "same-origin", string encodings = Encodings)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", kind == "document" ? "text/html,application/xhtml+xml" : "*/*");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", encodings);
        request.Headers.TryAddWithoutValidation("Sec-Fetch-Dest", kind);
        if (site is not null) request.Headers.TryAddWithoutValidation("Sec-Fetch-Site", site);
        if (session is not null) request.Headers.TryAddWithoutValidation("Cookie", $"rev-session={session}");
        return await app.Http.SendAsync(request);
    }

    /// <summary>A body as it was before it was compressed.</summary>
    public static async Task<byte[]> Clear(HttpResponseMessage response, byte[] body)
    {
        if (response.Content.Headers.ContentEncoding.Count == 0) return body;
        using var source = new MemoryStream(body);
        await using Stream stream = response.Content.Headers.ContentEncoding.Single() switch
        {
            "br" => new BrotliStream(source, CompressionMode.Decompress),
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            var other => throw new ShouldAssertException($"{response.RequestMessage?.RequestUri} is sent as {other}."),
        };
        using var clear = new MemoryStream();
        await stream.CopyToAsync(clear);
        return clear.ToArray();
    }

    /// <summary>A month of calls of eight agents, with outcomes of every kind.</summary>
    public static async Task Month(RevApp app, Caller live)
    {
        for (var day = 0; day < 30; day++)
        {
            if (day > 0) app.Clock.Advance(TimeSpan.FromDays(1));
            (await live.Post("/v1/meter/batch", new JsonObject
            {
                ["events"] = new JsonArray([.. Agents.Select((agent, i) => Bodies.Call(Outcomes[(day + i) % Outcomes.Length])
                    .With("agent_id", agent).With("customer_id", $"customer-{(day + i) % 5}").With("tokens_input", 1_000 + (day * 37) + (i * 111)))]),
            })).Is(200)["rejected"].ShouldBe("0");
        }
    }

    /// <summary>The heaviest first, for who has to find out what weighs too much.</summary>
    public static string Told(IEnumerable<KeyValuePair<string, long>> weights) =>
        string.Join('\n', weights.OrderByDescending(w => w.Value).Select(w => string.Create(CultureInfo.InvariantCulture, $"{w.Value,8} {w.Key}")));

    /// <summary>What a page, a style sheet or a module loads at once.</summary>
    private static IEnumerable<string> Loads(HttpResponseMessage response, string text) => response.Content.Headers.ContentType?.MediaType switch
    {
        "text/html" => new Answer(response, text).Loads().Where(load => load.StartsWith("/_content/", StringComparison.Ordinal)),
        "text/css" => Located().Matches(text).Select(match => match.Groups["to"].Value),
        "text/javascript" => Imported().Matches(text).Select(match => match.Groups["to"].Value),
        _ => [],
    };

    private static long Head(HttpResponseMessage response)
    {
        var length = 20L;
        foreach (var (name, values) in response.Headers.Concat(response.Content.Headers)) length += values.Sum(value => name.Length + value.Length + 4L);
        return length;
    }

    [GeneratedRegex("""url\(["']?(?<to>(?!data:|#)[^"')]+)["']?\)""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Located();

    [GeneratedRegex("""^import\s(?:[^'";]*\sfrom\s)?['"](?<to>\.{1,2}/[^'"]+)['"]""", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Multiline, 2000)]
    private static partial Regex Imported();
}
