using System.ComponentModel.DataAnnotations;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using Rev.Api.Common;
using Rev.Api.Metering;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Api.Telemetry;

/// <summary>An ExportTraceServiceRequest of OTLP 1.</summary>
/// <param name="ResourceSpans">Spans, by the program and the instrumentation that made them; 10,000 at most.</param>
internal sealed record SpansRequest([property: JsonPropertyName("resourceSpans")] IReadOnlyList<JsonElement> ResourceSpans);

/// <summary>An ExportTraceServiceResponse of OTLP 1; empty when all spans were taken.</summary>
/// <param name="PartialSuccess">What was not taken.</param>
internal sealed record SpansAnswer([property: JsonPropertyName("partialSuccess")] SpansRefused? PartialSuccess);

/// <summary>What was not taken of the spans.</summary>
/// <param name="RejectedSpans">How many spans were refused; absent when there is only something to know.</param>
/// <param name="ErrorMessage">Why, of the first.</param>
internal sealed record SpansRefused(
    [property: JsonPropertyName("rejectedSpans")] string? RejectedSpans, [property: JsonPropertyName("errorMessage")] string ErrorMessage);

/// <summary>An event of CloudEvents 1.0 that is a metered call. Other attributes, subject among them, are ignored.</summary>
/// <param name="Specversion">1.0</param>
/// <param name="Id">The event's id: with its source it tells repeats, as an idempotency key does.</param>
/// <param name="Source">Who tells of it.</param>
/// <param name="Type">rev.call</param>
/// <param name="Time">When the work was done, unless data says so itself.</param>
/// <param name="Datacontenttype">application/json, as when it is absent.</param>
/// <param name="Data">The call, as in POST /v1/meter, without idempotency_key.</param>
internal sealed record CloudEventRequest(
    [property: Required] string? Specversion, [property: Required] string? Id, [property: Required] string? Source, [property: Required] string? Type,
    DateTimeOffset? Time, string? Datacontenttype, [property: Required] MeterCallRequest? Data)
{
    private const string CallType = "rev.call";
    private const string HeaderPrefix = "ce-";
    private const int MaxName = 1_024;

    private static readonly string[] Names = ["specversion", "type", "source", "id", "time", "datacontenttype", "data", "data_base64"];

    /// <summary>Reads one event that is the body.</summary>
    public static MeterCall? ReadOne(JsonElement body, List<FieldError> errors, Tenant tenant)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new("body", "must be a JSON object"));
            return null;
        }
        foreach (var name in Names)
            if (body.EnumerateObject().Count(member => member.NameEquals(name)) > 1) errors.Add(new(name, "is given twice"));
        var type = Text(body, "datacontenttype", errors);
        if (type is not null && !IsJson(type)) errors.Add(new("datacontenttype", "must be application/json"));
        if (Has(body, "data_base64")) errors.Add(new("data_base64", "is not read; send the call as data"));
        var data = body.TryGetProperty("data", out var given) && given.ValueKind != JsonValueKind.Null ? given : (JsonElement?)null;
        return ToCall(name => Text(body, name, errors), data, errors, tenant);
    }

    /// <summary>Reads events of a batch one by one: what is wrong with one is its own error.</summary>
    public static IReadOnlyList<BatchItem<MeterCall>> ReadMany(JsonElement body, List<FieldError> errors, Tenant tenant)
    {
        if (body.ValueKind != JsonValueKind.Array) errors.Add(new("body", "must be a list of events"));
        else if (body.GetArrayLength() > MeterBatch.MaxItems) errors.Add(new("body", $"must be a list of at most {MeterBatch.MaxItems}"));
        return errors.Count == 0 ? body.EnumerateArray().Select(element => Item(element, tenant)).ToArray() : [];
    }

    /// <summary>Reads one event whose attributes are headers, and whose data is the body.</summary>
    public static MeterCall? ReadBinary(IHeaderDictionary headers, JsonElement body, List<FieldError> errors, Tenant tenant) =>
        ToCall(name => Header(headers, name, errors), body, errors, tenant);

    private static BatchItem<MeterCall> Item(JsonElement element, Tenant tenant)
    {
        if (BodyReader.TextFault(element) is { } fault) return new(null, fault);
        var errors = new List<FieldError>();
        var call = ReadOne(element, errors, tenant);
        return errors.Count == 0 ? new(call, null) : new(null, Error.Invalid(errors));
    }

    private static MeterCall? ToCall(Func<string, string?> attribute, JsonElement? data, List<FieldError> errors, Tenant tenant)
    {
        if (attribute("specversion") != "1.0") errors.Add(new("specversion", "must be 1.0"));
        if (attribute("type") != CallType) errors.Add(new("type", $"must be {CallType}"));
        var (source, id) = (Name("source"), Name("id"));
        var time = attribute("time");
        DateTimeOffset at = default;
        if (time is not null && !JsonFields.TryInstant(time, out at)) errors.Add(new("time", JsonFields.InstantRule));
        if (data is null)
        {
            errors.Add(new("data", "is required"));
            return null;
        }
        var call = MeterCallRequest.Read(data.Value, errors);
        if (call.IdempotencyKey is not null) errors.Add(new("idempotency_key", "is not taken here: an event goes by its source and id"));
        return call.ToCommand(tenant) with { OccurredAt = call.OccurredAt ?? (time is null ? (DateTimeOffset?)null : at), IdempotencyKey = KeyOf(source, id) };

        string? Name(string name)
        {
            var value = attribute(name);
            if (string.IsNullOrEmpty(value)) errors.Add(new(name, "is required"));
            else if (!Rules.IsLine(value, MaxName)) errors.Add(new(name, $"must be 1 to {MaxName} characters, none of them a control character"));
            return value;
        }
    }

    /// <summary>The idempotency key of an event: neither part can hold the line feed between them.</summary>
    private static string KeyOf(string? source, string? id) => "ce:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{source}\n{id}")));

    private static bool Has(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    private static string? Text(JsonElement body, string name, List<FieldError> errors)
    {
        if (!body.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        errors.Add(new(name, "must be a string"));
        return null;
    }

    private static string? Header(IHeaderDictionary headers, string name, List<FieldError> errors)
    {
        if (!headers.TryGetValue(HeaderPrefix + name, out StringValues values)) return null;
        if (values.Count != 1)
        {
            errors.Add(new(name, "is given twice"));
            return null;
        }
        // What the sender put in quotes is the same without them: 3.1.3.2 of the binding.
        var value = values.ToString();
        return Uri.UnescapeDataString(HeaderUtilities.IsQuoted(value) ? HeaderUtilities.UnescapeAsQuotedString(value).ToString() : value);
    }

    private static bool IsJson(string type) => MediaTypeHeaderValue.TryParse(type, out var parsed) && BodyReader.IsJson(parsed);
}
