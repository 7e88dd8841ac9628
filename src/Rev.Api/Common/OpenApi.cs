using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.OpenApi;
using Rev.Api.Metering;
using Rev.Api.Outcomes;
using Rev.Api.Pricing;
using Rev.Api.Telemetry;
using Rev.Api.Webhooks;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;

namespace Rev.Api.Common;

/// <summary>The OpenAPI document: what routes, contracts and <see cref="Doc"/>s say.</summary>
internal static class OpenApi
{
    private const string AmountPattern = @"^-?(0|[1-9][0-9]*)(\.[0-9]{1,9})?$";

    private const string Introduction = """
        Rev meters, prices and resolves the work of AI agents.

        **Keys.** Send `Authorization: Bearer rg_live_…` or `rg_test_…`. Test data is kept apart from live data everywhere.

        **Money** is a decimal string in major units, exact to nine decimals: `"0.01212"`. Bodies may also give a JSON number. **Instants** are RFC 3339 in UTC, **durations** ISO 8601 in weeks to seconds.

        **Ids** are a prefix and 26 characters: `evt_`, `out_`, `key_`, `acc_`. Agents, customers, tiers and actions are known by your own keys: 1 to 128 of `A-Z a-z 0-9 . _ : @ + -`.

        **Bodies** are JSON in UTF-8 of at most 1 MiB, batches 20 MiB. Unknown and repeated fields are refused; integers are integer literals; `null` is as if absent, except in the PUTs of agents and customers, where it clears.

        **Errors** are `application/problem+json` with a stable `code`; `errors` names the fields of invalid input. What each code means stands at `/docs/errors`.

        **Idempotency.** Send `Idempotency-Key` with calls that must not count twice: a repeat with the same content is answered as the first was, with `Idempotent-Replayed: true`; with another content it is 409.

        **Lists** are newest first: `limit` (1 to 200, default 50) and `cursor`, which is the `next_cursor` of the page before.

        Every answer carries `X-Request-Id` (yours, if you send one) and, under `/v1`, `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`.
        """;

    /// <summary>Registers the document.</summary>
    public static IServiceCollection AddReference(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(json =>
        {
            var options = json.SerializerOptions;
            options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            options.NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.Strict;
            foreach (var converter in RevJson.Default.Options.Converters)
                if (converter.Type is { } type && type != typeof(Rev.Application.Pricing.TierDetails) && type != typeof(DateTimeOffset) && type != typeof(TimeSpan))
                    options.Converters.Add(converter);
                else if (converter.Type is null) options.Converters.Add(converter);
        });
        services.TryAddEnumerable(ServiceDescriptor.Transient<IApiDescriptionProvider, Bodies>());
        return services.AddOpenApi("v1", options =>
        {
            options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            options.AddSchemaTransformer(Schema);
            options.AddOperationTransformer(Operation);
            options.AddDocumentTransformer(Document);
        });
    }

    private static Task Document(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new()
        {
            Title = "Rev API", Version = "v1", Description = Introduction,
            License = new() { Name = "MIT", Identifier = "MIT" },
        };
        document.Servers = [];
        document.Components ??= new();
        foreach (var (name, schema) in document.Components.Schemas ?? new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal))
        {
            if (schema is not OpenApiSchema written) continue;
            written.Description = Described(name) ?? written.Description;
            // Whether it may be null is said where it is used.
            if (written.Type is { } allowed) written.Type = allowed & ~JsonSchemaType.Null;
            // Any value may be null already: beside null it would match twice.
            foreach (var (member, value) in (written.Properties ?? new Dictionary<string, IOpenApiSchema>(StringComparer.Ordinal)).ToArray())
                if (value.OneOf?.OfType<OpenApiSchemaReference>().FirstOrDefault(r => r.Reference.Id is nameof(JsonElement) or nameof(FactValue)) is { } any)
                    written.Properties![member] = any;
            Alternatives(written, name, document);
        }
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal);
        document.Components.SecuritySchemes["api_key"] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "An API key: rg_live_… or rg_test_…. Sign up to get one by mail.",
        };
        return Task.CompletedTask;
    }

    private static Task Operation(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (metadata.OfType<Doc>().FirstOrDefault() is not { } doc) return Task.CompletedTask;
        var access = metadata.OfType<Access>().FirstOrDefault();
        if (access is not null)
        {
            var needed = new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("api_key", context.Document)] = [] };
            operation.Security = access.KeyIsOptional ? [needed, new()] : [needed];
            var scope = $"Scope of the key: `{ScopeNames.Of(access.Scope)[0]}`.";
            operation.Description = $"{doc.Description}\n\n{(access.KeyIsOptional ? "The key is optional. " : "")}{scope}";
        }
        Parameters(operation, doc);
        if (operation.RequestBody is OpenApiRequestBody body)
        {
            body.Required = !doc.RequestIsOptional;
            foreach (var (type, media) in body.Content!)
                if (media is OpenApiMediaType written) Request(written, type, doc);
        }
        Responses(operation, doc, doc.Codes(access).Select(ErrorCatalog.Of).ToArray());
        return Task.CompletedTask;
    }

    /// <summary>What a body of one media type is: of a batch of events, a list.</summary>
    private static void Request(OpenApiMediaType written, string type, Doc doc)
    {
        var isList = type.Contains("-batch+", StringComparison.Ordinal);
        if (isList) written.Schema = new OpenApiSchema { Type = JsonSchemaType.Array, Items = written.Schema };
        if (doc.RequestExample is not { } example || !type.EndsWith("json", StringComparison.Ordinal)) return;
        written.Example = isList ? new JsonArray(JsonNode.Parse(example)) : JsonNode.Parse(example);
    }

    private static void Parameters(OpenApiOperation operation, Doc doc)
    {
        operation.Parameters ??= [];
        foreach (var parameter in operation.Parameters.OfType<OpenApiParameter>())
            if (parameter.In == ParameterLocation.Path) Path(parameter, doc);
        foreach (var (name, description, values) in doc.Query)
            operation.Parameters.Add(Query(name, description, new OpenApiSchema
            {
                Type = JsonSchemaType.String, Format = name is "from" or "to" ? "date-time" : null,
                Enum = values?.Select(v => (JsonNode)JsonValue.Create(v)).ToList(),
            }));
        if (doc.IsList)
        {
            operation.Parameters.Add(Query("limit", Docs.Limit, new OpenApiSchema
            {
                Type = JsonSchemaType.Integer, Minimum = "1", Maximum = "200", Default = JsonValue.Create(50),
            }));
            operation.Parameters.Add(Query("cursor", "The next_cursor of the page before; absent is the newest.", new OpenApiSchema { Type = JsonSchemaType.String }));
        }
        if (doc.IsIdempotent)
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = "Idempotency-Key", In = ParameterLocation.Header,
                Description = "A repeat with the same key and content is answered as the first was, and counts once.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 255 },
            });
        if (operation.Parameters.Count == 0) operation.Parameters = null;
    }

    private static OpenApiParameter Query(string name, string description, OpenApiSchema schema) =>
        new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = schema };

    private static void Path(OpenApiParameter parameter, Doc doc)
    {
        var prefix = (doc.Tag, parameter.Name) switch
        {
            ("Metering", "id") => CallId.Prefix,
            ("Outcomes", "id") => OutcomeId.Prefix,
            (WebhookTag.Name, "id") => WebhookEndpointId.Prefix,
            (WebhookTag.Name, "delivery") => WebhookDeliveryId.Prefix,
            (ResolverDocs.Tag, "id") => ResolverId.Prefix,
            (ResolverDocs.Tag, "delivery") => HookDeliveryId.Prefix,
            (_, "id") => ApiKeyId.Prefix,
            _ => null,
        };
        parameter.Description = prefix is null ? "Your own key of it." : $"The id, {prefix}…";
        parameter.Schema = prefix is null ? new OpenApiSchema { Type = JsonSchemaType.String, Pattern = @"^[A-Za-z0-9._:@+-]{1,128}$" } : IdSchema(prefix);
    }

    private static void Responses(OpenApiOperation operation, Doc doc, ErrorEntry[] errors)
    {
        foreach (var (status, response) in operation.Responses ?? [])
        {
            if (response is not OpenApiResponse written) continue;
            var code = int.Parse(status, CultureInfo.InvariantCulture);
            if (doc.Answers.FirstOrDefault(a => a.Status == code) is { Description: not null } answer)
            {
                written.Description = answer.Description;
                written.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal) { ["X-Request-Id"] = Header("The request's id.") };
                if (code == StatusCodes.Status201Created && doc.IsIdempotent) written.Headers["Idempotent-Replayed"] = Header("true when the answer was given before.");
                if (doc.AnswerExample is { } example && Media(written, "application/json") is { } media) media.Example = JsonNode.Parse(example);
                if (doc.CsvExample is { } rows)
                    written.Content!["text/csv"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String }, Example = JsonValue.Create(rows) };
                if (doc.StreamExample is { } events && Media(written, ServerSentEvents.MediaType) is { } stream) stream.Example = JsonValue.Create(events);
                continue;
            }
            var entries = errors.Where(e => e.Status == code).ToArray();
            written.Description = string.Join('\n', entries.Select(e => $"- `{e.Code}`: {e.Meaning}"));
            if (code is 429 or 503) written.Headers = new Dictionary<string, IOpenApiHeader>(StringComparer.Ordinal) { ["Retry-After"] = Header("Seconds to wait.") };
            if (Media(written, Problems.MediaType) is { } problem)
                problem.Examples = entries.ToDictionary(e => e.Code, e => (IOpenApiExample)new OpenApiExample { Summary = e.Title, Value = Example(e) }, StringComparer.Ordinal);
        }
    }

    private static OpenApiMediaType? Media(OpenApiResponse response, string type) =>
        response.Content is { } content && content.TryGetValue(type, out var media) ? media as OpenApiMediaType : null;

    private static JsonObject Example(ErrorEntry entry)
    {
        var problem = new JsonObject
        {
            ["type"] = $"/docs/errors#{entry.Code}", ["title"] = entry.Title, ["status"] = entry.Status, ["detail"] = entry.Meaning, ["code"] = entry.Code,
            ["request_id"] = "4f6d1c0e8a2b4d7f9c3e5a7b1d2f4e6a",
        };
        if (entry.Code == "request.invalid") problem["errors"] = new JsonObject { ["tokens_input"] = new JsonArray("must be 0 to 1000000000") };
        return problem;
    }

    private static OpenApiHeader Header(string description) => new() { Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };

    private static Task Schema(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo.Type;
        var bare = Nullable.GetUnderlyingType(type) ?? type;
        if (Scalar(bare, context) is { } scalar)
        {
            schema.Type = scalar.Type;
            schema.Format = scalar.Format;
            schema.Pattern = scalar.Pattern;
            schema.Examples = scalar.Examples;
            if (bare != type || context.JsonPropertyInfo is { IsGetNullable: true, PropertyType.IsValueType: false }) schema.Type |= JsonSchemaType.Null;
            if (bare == typeof(JsonElement) || bare == typeof(FactValue)) schema.Type = null;
        }
        else if (bare.IsEnum)
        {
            schema.Type = JsonSchemaType.String;
            schema.Enum = Enum.GetNames(bare).Where(n => bare != typeof(ReportedOutcome) || n != nameof(ReportedOutcome.None))
                .Select(n => (JsonNode)JsonValue.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(n))!).ToList();
        }
        else if (context.JsonPropertyInfo is { Name: "code" or "type", DeclaringType: var declaring } && declaring == typeof(Problem))
        {
            schema.Examples = [JsonValue.Create(context.JsonPropertyInfo.Name == "code" ? "outcome.already_resolved" : "/docs/errors#outcome.already_resolved")];
        }
        if (context.JsonTypeInfo.Kind == JsonTypeInfoKind.Object && schema.Properties is { Count: > 0 })
        {
            var isRequest = context.JsonTypeInfo.Properties.Any(p => p.AttributeProvider?.IsDefined(typeof(RequiredAttribute), inherit: true) == true)
                || type.Name.EndsWith("Request", StringComparison.Ordinal) || (type.Namespace == typeof(TierRequest).Namespace && type != typeof(TierAnswer));
            schema.Required = context.JsonTypeInfo.Properties
                .Where(p => isRequest ? p.AttributeProvider?.IsDefined(typeof(RequiredAttribute), inherit: true) == true : p.Name != "errors" || type != typeof(Problem))
                .Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
            if (isRequest) schema.AdditionalPropertiesAllowed = false;
            if (isRequest)
                foreach (var name in schema.Required)
                    if (schema.Properties[name] is OpenApiSchema { Type: { } allowed } required) required.Type = allowed & ~JsonSchemaType.Null;
        }
        return Task.CompletedTask;
    }

    /// <summary>What may be one of several things: items of batches, a tier or its key, a field or a field with its scope.</summary>
    private static void Alternatives(OpenApiSchema schema, string type, OpenApiDocument document)
    {
        IOpenApiSchema Ref(string name) => new OpenApiSchemaReference(name, document);
        OpenApiSchema Status(params int[] values) => new() { Type = JsonSchemaType.Integer, Enum = values.Select(v => (JsonNode)JsonValue.Create(v)).ToList() };
        OpenApiSchema Of(params (string Name, IOpenApiSchema Schema)[] members) => new()
        {
            Type = JsonSchemaType.Object, Properties = members.ToDictionary(m => m.Name, m => m.Schema, StringComparer.Ordinal),
            Required = members.Select(m => m.Name).Where(n => n != "replayed").ToHashSet(StringComparer.Ordinal),
        };
        IOpenApiSchema OrNull(IOpenApiSchema value) => new OpenApiSchema { OneOf = [value, new OpenApiSchema { Type = JsonSchemaType.Null }] };
        OpenApiSchema Items(OpenApiSchema done) =>
            new() { OneOf = [done, Of(("status", Status(400, 404, 409, 503)), ("error", Ref(nameof(Problem))))] };
        void Replace(string name, IOpenApiSchema[] oneOf) =>
            schema.Properties![name] = new OpenApiSchema { OneOf = oneOf, Description = DescriptionOf(schema.Properties[name]) };

        if (type == nameof(MeterBatchAnswer) && schema.Properties!["results"] is OpenApiSchema metered)
        {
            var own = Of(("status", Status(201)), ("replayed", new OpenApiSchema { Type = JsonSchemaType.Boolean, Description = "There, and true, when the event was stored before." }));
            metered.Items = Items(new() { AllOf = [own, Ref(nameof(MeterReceipt))] });
        }
        else if (type == nameof(ResolveBatchResults) && schema.Properties!["results"] is OpenApiSchema resolved)
        {
            OpenApiSchema Instant() => new() { Type = JsonSchemaType.String, Format = "date-time" };
            resolved.Items = Items(Of(
                ("status", Status(200)), ("outcome_id", Ref(nameof(OutcomeId))), ("outcome_status", Ref(nameof(OutcomeStatus))), ("outcome_bonus", Ref(nameof(Money))),
                ("potential_bonus", OrNull(Ref(nameof(Money)))), ("price_charged", Ref(nameof(Money))), ("currency", new OpenApiSchema { Type = JsonSchemaType.String }),
                ("bonus", OrNull(Ref(nameof(BonusDetails)))), ("resolved_at", Instant()), ("settles_at", OrNull(Instant())), ("event_id", Ref(nameof(CallId)))));
        }
        else if (type is nameof(SimulationRequest) or nameof(ReplayRequest))
        {
            Replace("tier", [Ref(nameof(TierRequest)), new OpenApiSchema { Type = JsonSchemaType.String, Description = "A tier's key." }]);
        }
        else if (type == nameof(CloudEventRequest))
        {
            // Events may have extension attributes.
            schema.AdditionalPropertiesAllowed = true;
        }
        else if (type is nameof(SpansRequest) or nameof(SpansAnswer) or nameof(SpansRefused))
        {
            // What OTLP adds is ignored, and of the answer nothing is there when all spans were taken.
            schema.AdditionalPropertiesAllowed = true;
            schema.Required = null;
        }
        else if (type == nameof(TierRequest) || type == nameof(TierAnswer))
        {
            Replace("one_bonus_per",
            [
                new OpenApiSchema { Type = JsonSchemaType.Null }, new OpenApiSchema { Type = JsonSchemaType.String, Description = "A field, within one agent." },
                Ref(nameof(TierOneBonusPer)),
            ]);
        }
    }

    private static string? DescriptionOf(IOpenApiSchema schema) => schema.Description ?? schema.OneOf?.Select(s => s.Description).FirstOrDefault(d => d is not null);

    /// <summary>What the wire knows of a type, where its own words speak of the inside.</summary>
    private static string? Described(string type) => type switch
    {
        nameof(Money) => "An amount in major units of its currency, exact to nine decimals.",
        nameof(Total) => "A sum of amounts in major units of their currency, exact to nine decimals.",
        nameof(Metadata) => "A JSON object; numbers are kept as they were sent.",
        nameof(JsonElement) or nameof(FactValue) => "Any JSON value.",
        nameof(LedgerComponent) => "What an amount in the ledger is for.",
        _ => null,
    };

    private static OpenApiSchema? Scalar(Type type, OpenApiSchemaTransformerContext context)
    {
        if (type == typeof(Money)) return new() { Type = JsonSchemaType.String, Pattern = AmountPattern, Examples = ["0.01212"] };
        if (type == typeof(Total)) return new() { Type = JsonSchemaType.String, Pattern = AmountPattern, Examples = ["9.8675"] };
        if (type == typeof(decimal)) return new() { Type = JsonSchemaType.String | JsonSchemaType.Number, Pattern = AmountPattern, Examples = ["0.005"] };
        if (type == typeof(CallId)) return IdSchema(CallId.Prefix);
        if (type == typeof(OutcomeId)) return IdSchema(OutcomeId.Prefix);
        if (type == typeof(ApiKeyId)) return IdSchema(ApiKeyId.Prefix);
        if (type == typeof(AccountId)) return IdSchema(AccountId.Prefix);
        if (type == typeof(StripeConnectionId)) return IdSchema(StripeConnectionId.Prefix);
        if (type == typeof(InvoiceId)) return IdSchema(InvoiceId.Prefix);
        if (type == typeof(CreditNoteId)) return IdSchema(CreditNoteId.Prefix);
        if (type == typeof(ResolverId)) return IdSchema(ResolverId.Prefix);
        if (type == typeof(HookDeliveryId)) return IdSchema(HookDeliveryId.Prefix);
        if (type == typeof(WebhookEndpointId)) return IdSchema(WebhookEndpointId.Prefix);
        if (type == typeof(WebhookMessageId)) return IdSchema(WebhookMessageId.Prefix);
        if (type == typeof(WebhookDeliveryId)) return IdSchema(WebhookDeliveryId.Prefix);
        if (type == typeof(DateTimeOffset)) return new() { Type = JsonSchemaType.String, Format = "date-time", Examples = ["2026-11-23T12:00:00Z"] };
        if (type == typeof(TimeSpan)) return new() { Type = JsonSchemaType.String, Format = "duration", Examples = ["P7D"] };
        if (type == typeof(Metadata)) return new() { Type = JsonSchemaType.Object };
        if (type == typeof(JsonElement) || type == typeof(FactValue)) return new();
        if (type == typeof(string) && context.JsonPropertyInfo is { Name: not "currency", DeclaringType: { Namespace: "Rev.Application.Pricing" } owner }
            && owner.Name is not (nameof(BonusDetails) or nameof(TierReference)))
            return new() { Type = JsonSchemaType.String, Pattern = @"^-?[0-9]+(\.[0-9]+)?$" };
        if (type == typeof(string) && context.JsonPropertyInfo is { Name: "difference" } or { DeclaringType.Name: nameof(ReplayedPrice) })
            return new() { Type = JsonSchemaType.String, Pattern = @"^-?[0-9]+(\.[0-9]+)?$" };
        return null;
    }

    private static OpenApiSchema IdSchema(string prefix) => new()
    {
        Type = JsonSchemaType.String, Pattern = $"^{prefix}[0-7][0-9A-HJKMNP-TV-Z]{{25}}$", Examples = [prefix + "01KA9Z3Y5W7V1T0R2Q4P6N8M0K"],
    };

    /// <summary>Tells the explorer of bodies that endpoints read by themselves.</summary>
    private sealed class Bodies(IModelMetadataProvider? metadata = null) : IApiDescriptionProvider
    {
        public int Order => 100;

        public void OnProvidersExecuting(ApiDescriptionProviderContext context)
        {
            foreach (var description in context.Results)
            {
                if (description.ActionDescriptor.EndpointMetadata?.OfType<Doc>().FirstOrDefault() is not { Request: { } type } doc) continue;
                foreach (var media in doc.RequestMediaTypes) description.SupportedRequestFormats.Add(new() { MediaType = media });
                description.ParameterDescriptions.Add(new()
                {
                    Name = "body", Source = BindingSource.Body, Type = type, IsRequired = !doc.RequestIsOptional, ModelMetadata = metadata?.GetMetadataForType(type)!,
                });
            }
        }

        public void OnProvidersExecuted(ApiDescriptionProviderContext context) { }
    }
}
