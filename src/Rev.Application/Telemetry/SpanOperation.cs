using Rev.Application.Common;

namespace Rev.Application.Telemetry;

/// <summary>
/// What a span did, told by itself alone: no other span is looked at, so that it is billed or not in whatever order and in however many requests the
/// spans of its trace come.
/// </summary>
/// <param name="Name">The operation, by OpenTelemetry's name where it has one; null when nothing says.</param>
/// <param name="Verdict"><see cref="SpanVerdict.Call"/> when its usage is billed, else why not.</param>
/// <param name="Reason">What its sender should know of that; null when there is nothing to mend.</param>
internal readonly record struct SpanOperation(string? Name, SpanVerdict Verdict, string? Reason)
{
    private const string Providers = "provider";
    private const string Frameworks = "framework";

    // Calls of a model, by OpenTelemetry's names, then OpenLLMetry's and those of Semantic Kernel.
    private static readonly string[] Inference =
    [
        "chat", "text_completion", "generate_content", "embeddings", "rerank", "completion", "embedding", "chat.completions", "text.completions",
    ];

    // What has calls of models below it, or none to do with it.
    private static readonly string[] Sums =
    [
        "invoke_agent", "create_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "workflow", "task", "agent", "tool", "chain",
        "create_memory_store", "delete_memory_store", "search_memory", "create_memory", "update_memory", "upsert_memory", "delete_memory",
    ];

    // OpenInference names its instrumentations after what they instrument. Those of providers; all others instrument what calls providers.
    private static readonly string[] OpenInferencePrefixes = ["openinference.instrumentation.", "@arizeai/openinference-instrumentation-"];

    private static readonly string[] OpenInferenceProviders =
    [
        "anthropic", "bedrock", "cohere", "google-genai", "groq", "mistralai", "ollama", "openai", "portkey", "together", "vertexai",
    ];

    /// <summary>What a span did.</summary>
    public static SpanOperation Of(SpanRecord span)
    {
        // A sign that it sums up what others did, in whatever convention, outweighs all others.
        var (name, isSum) = Told(span.Attributes);
        if (isSum) return new(name, SpanVerdict.Sum, null);
        if (span.Kind is SpanKind.Server or SpanKind.Producer or SpanKind.Consumer) return new(name, SpanVerdict.Server, null);
        if (name is null && First(span.Attributes, SpanConventions.Model) is null)
            return new(null, SpanVerdict.Unclear, $"it names neither {SpanConventions.Operation} nor a model");
        if (name is not null && !Inference.Contains(name, StringComparer.Ordinal))
            return new(name, SpanVerdict.Unclear, $"{SpanConventions.Operation} '{Spelling.Shown(name)}' is none that Rev bills by itself; set {SpanConventions.Bill} to true or false");
        return InLayer(span, name ?? "inference");
    }

    /// <summary>The first of the names that has a text.</summary>
    internal static string? First(SpanAttributes attributes, string[] names)
    {
        foreach (var name in names)
            if (attributes[name] is SpanText { Text: { Length: > 0 } text }) return text;
        return null;
    }

    private static (string? Name, bool IsSum) Told(SpanAttributes attributes)
    {
        var operation = Text(attributes, SpanConventions.Operation);
        var sdk = Text(attributes, SpanConventions.AiSdkOperation);
        var kind = Text(attributes, SpanConventions.OpenInferenceKind);
        var isSum = (operation is not null && Sums.Contains(operation, StringComparer.Ordinal)) || (sdk is not null && !IsStep(sdk))
            || kind is not (null or "LLM" or "EMBEDDING" or "RERANKER") || Text(attributes, SpanConventions.OpenLlmetryKind) is "workflow" or "task" or "agent" or "tool";
        var name = operation ?? OfSdk(sdk) ?? kind switch { "LLM" => "chat", "EMBEDDING" => "embeddings", "RERANKER" => "rerank", _ => null };
        return (name ?? Text(attributes, SpanConventions.OpenLlmetryRequest), isSum);
    }

    // The SDK makes a span of the whole, ai.generateText, and one below it for each call of the model, ai.generateText.doGenerate; both have usage.
    private static bool IsStep(string operation) => operation.LastIndexOf(".do", StringComparison.Ordinal) > 0;

    private static string? OfSdk(string? operation) =>
        operation is null ? null
        : operation.EndsWith(".doEmbed", StringComparison.Ordinal) ? "embeddings"
        : operation.EndsWith(".doRerank", StringComparison.Ordinal) ? "rerank"
        : IsStep(operation) ? "chat"
        : operation;

    private static SpanOperation InLayer(SpanRecord span, string name)
    {
        var layer = Text(span.Attributes, SpanConventions.BillLayer) ?? Text(span.Resource, SpanConventions.BillLayer);
        var isFramework = IsFramework(span.Scope);
        return layer switch
        {
            Frameworks => new(name, isFramework ? SpanVerdict.Call : SpanVerdict.OtherLayer, null),
            Providers => new(name, isFramework ? SpanVerdict.OtherLayer : SpanVerdict.Call, null),
            null when isFramework => new(name, SpanVerdict.OtherLayer,
                $"{Spelling.Shown(span.Scope)} instruments a framework, whose provider may be instrumented too; set the resource attribute {SpanConventions.BillLayer} to framework to bill it, or to provider"),
            null => new(name, SpanVerdict.Call, null),
            _ => new(name, SpanVerdict.Refused, $"{SpanConventions.BillLayer}: must be provider or framework"),
        };
    }

    private static bool IsFramework(string scope)
    {
        foreach (var prefix in OpenInferencePrefixes)
        {
            if (!scope.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var what = scope[prefix.Length..].Split('.')[0].Replace('_', '-');
            return !OpenInferenceProviders.Contains(what, StringComparer.Ordinal);
        }
        return false;
    }

    private static string? Text(SpanAttributes attributes, string name) => attributes[name] is SpanText { Text: { Length: > 0 } text } ? text : null;
}
