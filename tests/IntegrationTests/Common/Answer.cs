using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Rev.IntegrationTests.Common;

/// <summary>What the server answered.</summary>
public sealed partial class Answer
{
    private readonly string _request;

    public Answer(HttpResponseMessage response, string body)
    {
        _request = $"{response.RequestMessage?.Method} {response.RequestMessage?.RequestUri?.PathAndQuery}";
        Status = (int)response.StatusCode;
        Body = body;
        Headers = response.Headers;
        ContentType = response.Content.Headers.ContentType?.MediaType;
        if (ContentType is not null && (ContentType.EndsWith("json", StringComparison.Ordinal)) && body.Length > 0) Json = JsonNode.Parse(body);
    }

    public int Status { get; }

    public string Body { get; }

    public JsonNode? Json { get; }

    public string? ContentType { get; }

    public HttpResponseHeaders Headers { get; }

    public bool Replayed => Header("Idempotent-Replayed") == "true";

    /// <summary>The value at a dotted path as text; null for a JSON null. A path that is not there fails the test.</summary>
    public string? this[string path] => Text(Node(path));

    public string? Header(string name) => Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    public bool Has(string path) => TryNode(path, out _);

    public JsonNode? Node(string path) =>
        TryNode(path, out var node) ? node : throw new ShouldAssertException($"{_request}: nothing at '{path}' of\n{Body}");

    public JsonArray Array(string path) => Node(path) as JsonArray ?? throw new ShouldAssertException($"{_request}: no array at '{path}' of\n{Body}");

    public Answer Is(int status)
    {
        if (Status != status) throw new ShouldAssertException(string.Create(CultureInfo.InvariantCulture, $"{_request} answered {Status}, not {status}:\n{Body}"));
        return this;
    }

    /// <summary>A problem: media type, status, title, code, request id, and the field in <c>errors</c>.</summary>
    public Answer Refused(int status, string? code = null, string? field = null)
    {
        Is(status);
        ContentType.ShouldBe("application/problem+json", Body);
        this["status"].ShouldBe(status.ToString(CultureInfo.InvariantCulture));
        this["type"].ShouldNotBeNullOrEmpty();
        this["title"].ShouldNotBeNullOrEmpty();
        Has("detail").ShouldBeTrue(Body);
        this["request_id"].ShouldNotBeNullOrEmpty();
        this["request_id"].ShouldBe(Header("X-Request-Id"));
        Code().IsMatch(this["code"] ?? "").ShouldBeTrue($"code of\n{Body}");
        if (code is not null) this["code"].ShouldBe(code, Body);
        if (field is not null) Names(field).ShouldBeTrue($"{_request}: no '{field}' in errors of\n{Body}");
        Body.ShouldNotContain("   at ", Case.Sensitive);
        Body.ShouldNotContain("Exception", Case.Sensitive);
        return this;
    }

    public string ErrorsOf(string field) => string.Join("; ", Errors().Where(error => error.Key == field).SelectMany(error => error.Value!.AsArray().Select(Text)));

    private bool Names(string field) => Errors().Any(error =>
        (error.Key == field || error.Key.EndsWith("." + field, StringComparison.Ordinal) || error.Key.StartsWith(field + ".", StringComparison.Ordinal)) && error.Value is JsonArray { Count: > 0 });

    private JsonObject Errors() => Json is JsonObject problem && problem["errors"] is JsonObject errors ? errors : [];

    private static string? Text(JsonNode? node) => node switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        _ => node.ToJsonString(),
    };

    private bool TryNode(string path, out JsonNode? node)
    {
        node = Json;
        foreach (var part in path.Split('.'))
        {
            switch (node)
            {
                case JsonObject map when map.TryGetPropertyValue(part, out var value):
                    node = value;
                    break;
                case JsonArray array when int.TryParse(part, CultureInfo.InvariantCulture, out var index) && index < array.Count:
                    node = array[index];
                    break;
                default:
                    return false;
            }
        }
        return true;
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*(?:\\.[a-z][a-z0-9_]*)*$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Code();
}
