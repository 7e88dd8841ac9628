using System.Globalization;
using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Telemetry;

/// <summary>A span as an agent's program makes it.</summary>
internal sealed record Emitted(string Trace, string Id, string Name, DateTimeOffset At, params (string Name, object Value)[] Attributes)
{
    /// <summary>The span that it happened in.</summary>
    public string? Parent { get; init; }

    /// <summary>OTLP's number: 1 internal, 2 server, 3 client.</summary>
    public int Kind { get; init; } = 3;

    /// <summary>The span with further attributes.</summary>
    public Emitted With(params (string Name, object Value)[] more) => this with { Attributes = [.. Attributes, .. more] };
}

/// <summary>What an exporter was answered.</summary>
internal sealed record Exported(int Status, string? ContentType, string? RetryAfter, string? RequestId, byte[] Body, int Rejected, string? Message)
{
    public Exported Is(int status)
    {
        Status.ShouldBe(status, Encoding.UTF8.GetString(Body));
        return this;
    }

    /// <summary>All spans were taken, and there is nothing to know.</summary>
    public void Done()
    {
        Is(200);
        Message.ShouldBeNull();
        Rejected.ShouldBe(0);
    }

    /// <summary>The sentence of the google.rpc.Status that refuses.</summary>
    public string Refusal()
    {
        ContentType.ShouldBe("application/x-protobuf");
        return Encoding.UTF8.GetString(Otlp.Fields(Body).Single(f => f.Number == 2).Bytes);
    }
}

/// <summary>An exporter of OpenTelemetry, which writes OTLP by its own code and not by the product's.</summary>
internal static class Otlp
{
    public const string Path = "/v1/otlp/v1/traces";

    private static readonly (string Name, object Value)[] Service = [("service.name", "outreach-agent-v2")];

    /// <summary>Both encodings: true is JSON.</summary>
    public static readonly bool[] Encodings = [false, true];

    public static string NewTrace() => Guid.NewGuid().ToString("N");

    public static string NewId() => Guid.NewGuid().ToString("N")[..16];

    /// <summary>A model's span: 0.00962 under a new account's default tier.</summary>
    public static Emitted Chat(DateTimeOffset at, string? trace = null) => new(
        trace ?? NewTrace(), NewId(), "chat gpt-4o", at, ("gen_ai.operation.name", "chat"), ("gen_ai.provider.name", "openai"), ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.usage.input_tokens", 1200L), ("gen_ai.usage.output_tokens", 340L));

    /// <summary>An agent's span that sums up two of those.</summary>
    public static Emitted Agent(DateTimeOffset at, string? trace = null) => new(
        trace ?? NewTrace(), NewId(), "invoke_agent outreach", at, ("gen_ai.operation.name", "invoke_agent"), ("gen_ai.agent.name", "outreach"), ("gen_ai.request.model", "gpt-4o"),
        ("gen_ai.usage.input_tokens", 2400L), ("gen_ai.usage.output_tokens", 680L)) { Kind = 1 };

    /// <summary>Exports spans of one program and one instrumentation.</summary>
    public static Task<Exported> Export(Caller caller, bool json, params Emitted[] spans) => Export(caller, json, spans, Service);

    public static Task<Exported> Export(Caller caller, bool json, Emitted[] spans, (string Name, object Value)[] resource, string scope = "tests", bool gzip = false) =>
        Send(caller, json ? Encoding.UTF8.GetBytes(Json(spans, resource, scope).ToJsonString()) : Protobuf(spans, resource, scope), json, gzip);

    /// <summary>Sends a body as it is.</summary>
    public static async Task<Exported> Send(Caller caller, byte[] body, bool json, bool gzip = false, string? coding = null)
    {
        using var content = new ByteArrayContent(gzip ? Gzip(body) : body);
        content.Headers.ContentType = new MediaTypeHeaderValue(json ? "application/json" : "application/x-protobuf");
        if (gzip || coding is not null) content.Headers.ContentEncoding.Add(coding ?? "gzip");
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = content };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", caller.Key);
        using var response = await caller.App.Http.SendAsync(request);
        return await Read(response);
    }

    /// <summary>What was answered, by the encoding that it says it has.</summary>
    public static async Task<Exported> Read(HttpResponseMessage response)
    {
        var body = await response.Content.ReadAsByteArrayAsync();
        var type = response.Content.Headers.ContentType?.MediaType;
        var (rejected, message) = (0, (string?)null);
        if (response.IsSuccessStatusCode && type == "application/json")
        {
            var told = JsonNode.Parse(body)!["partialSuccess"];
            message = told?["errorMessage"]?.GetValue<string>();
            rejected = int.Parse(told?["rejectedSpans"]?.GetValue<string>() ?? "0", CultureInfo.InvariantCulture);
        }
        else if (response.IsSuccessStatusCode)
        {
            foreach (var told in Fields(body).Where(f => f.Number == 1).SelectMany(f => Fields(f.Bytes)))
            {
                if (told.Number == 1) rejected = (int)told.Varint;
                else if (told.Number == 2) message = Encoding.UTF8.GetString(told.Bytes);
            }
        }
        string? Header(string name) => response.Headers.TryGetValues(name, out var values) ? values.Single() : null;
        return new((int)response.StatusCode, type, Header("Retry-After"), Header("X-Request-Id"), body, rejected, message);
    }

    public static byte[] Gzip(byte[] body)
    {
        using var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(body);
        return stream.ToArray();
    }

    public static byte[] Protobuf(IEnumerable<Emitted> spans, (string Name, object Value)[] resource, string scope) =>
        Field(1, [
            // As it may stand on the wire: the resource and the scope behind their spans.
            .. Field(2, [.. spans.SelectMany(span => Field(2, Span(span))), .. Field(1, Field(1, scope))]),
            .. Field(1, [.. resource.SelectMany(a => Field(1, Attribute(a.Name, a.Value)))]),
        ]);

    public static JsonObject Json(IEnumerable<Emitted> spans, (string Name, object Value)[] resource, string scope) => new()
    {
        ["resourceSpans"] = new JsonArray(new JsonObject
        {
            ["resource"] = new JsonObject { ["attributes"] = JsonAttributes(resource), ["droppedAttributesCount"] = 0 },
            ["scopeSpans"] = new JsonArray(new JsonObject
            {
                ["scope"] = new JsonObject { ["name"] = scope, ["version"] = "1" },
                ["spans"] = new JsonArray([.. spans.Select(span => (JsonNode)new JsonObject
                {
                    ["traceId"] = span.Trace.ToUpperInvariant(), ["spanId"] = span.Id, ["parentSpanId"] = span.Parent, ["name"] = span.Name, ["kind"] = span.Kind,
                    ["startTimeUnixNano"] = Nanos(span.At.AddSeconds(-1)).ToString(CultureInfo.InvariantCulture),
                    ["endTimeUnixNano"] = Nanos(span.At).ToString(CultureInfo.InvariantCulture),
                    ["attributes"] = JsonAttributes(span.Attributes), ["status"] = new JsonObject(), ["ofTheFuture"] = new JsonArray(1),
                })]),
            }),
        }),
    };

    /// <summary>The fields of a message.</summary>
    public static List<(int Number, byte[] Bytes, ulong Varint)> Fields(byte[] message)
    {
        var fields = new List<(int, byte[], ulong)>();
        var at = 0;
        ulong Next()
        {
            ulong value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var part = message[at++];
                value |= (ulong)(part & 0x7F) << shift;
                if (part < 0x80) return value;
            }
        }
        while (at < message.Length)
        {
            var tag = Next();
            if ((tag & 7) == 0)
            {
                fields.Add(((int)(tag >> 3), Array.Empty<byte>(), Next()));
                continue;
            }
            (tag & 7).ShouldBe(2UL);
            var length = (int)Next();
            fields.Add(((int)(tag >> 3), message[at..(at + length)], 0));
            at += length;
        }
        return fields;
    }

    private static byte[] Span(Emitted span) =>
    [
        .. Field(1, Convert.FromHexString(span.Trace)), .. Field(2, Convert.FromHexString(span.Id)),
        .. (span.Parent is { } parent ? Field(4, Convert.FromHexString(parent)) : Array.Empty<byte>()),
        .. Field(5, span.Name), .. Number(6, (ulong)span.Kind), .. Fixed(7, Nanos(span.At.AddSeconds(-1))), .. Fixed(8, Nanos(span.At)),
        .. span.Attributes.SelectMany(a => Field(9, Attribute(a.Name, a.Value))),
        // An event, a status, and a field of the future.
        .. Field(11, [.. Fixed(1, Nanos(span.At)), .. Field(2, "event")]), .. Field(15, Number(3, 1)), .. Field(1000, "new"),
    ];

    private static byte[] Attribute(string name, object value) => [.. Field(1, name), .. Field(2, Value(value))];

    private static byte[] Value(object value) => value switch
    {
        string text => Field(1, text),
        bool flag => Number(2, flag ? 1UL : 0),
        long whole => Number(3, unchecked((ulong)whole)),
        double real => Fixed(4, BitConverter.DoubleToUInt64Bits(real)),
        object[] list => Field(5, [.. list.SelectMany(item => Field(1, Value(item)))]),
        KeyValuePair<string, object>[] map => Field(6, [.. map.SelectMany(member => Field(1, Attribute(member.Key, member.Value)))]),
        _ => throw new ArgumentException($"{value.GetType()} is no value of OTLP.", nameof(value)),
    };

    private static JsonArray JsonAttributes(IEnumerable<(string Name, object Value)> attributes) =>
        new([.. attributes.Select(a => (JsonNode)new JsonObject { ["key"] = a.Name, ["value"] = JsonValueOf(a.Value) })]);

    private static JsonObject JsonValueOf(object value) => value switch
    {
        string text => new() { ["stringValue"] = text },
        bool flag => new() { ["boolValue"] = flag },
        long whole => new() { ["intValue"] = whole.ToString(CultureInfo.InvariantCulture) },
        double real => new() { ["doubleValue"] = real },
        object[] list => new() { ["arrayValue"] = new JsonObject { ["values"] = new JsonArray([.. list.Select(item => (JsonNode)JsonValueOf(item))]) } },
        KeyValuePair<string, object>[] map => new() { ["kvlistValue"] = new JsonObject { ["values"] = JsonAttributes(map.Select(member => (member.Key, member.Value))) } },
        _ => throw new ArgumentException($"{value.GetType()} is no value of OTLP.", nameof(value)),
    };

    private static ulong Nanos(DateTimeOffset at) => (ulong)(at - DateTimeOffset.UnixEpoch).Ticks * 100;

    private static byte[] Field(int number, string text) => Field(number, Encoding.UTF8.GetBytes(text));

    private static byte[] Field(int number, byte[] bytes) => [.. Varint(((ulong)number << 3) | 2), .. Varint((ulong)bytes.Length), .. bytes];

    private static byte[] Number(int number, ulong value) => [.. Varint((ulong)number << 3), .. Varint(value)];

    private static byte[] Fixed(int number, ulong value) => [.. Varint(((ulong)number << 3) | 1), .. BitConverter.GetBytes(value)];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        while (value >= 0x80)
        {
            bytes.Add((byte)((value & 0x7F) | 0x80));
            value >>= 7;
        }
        bytes.Add((byte)value);
        return [.. bytes];
    }
}
