using System.Collections.Frozen;

namespace Rev.Application.Telemetry;

/// <summary>
/// The names of attributes in every convention that Rev knows: OpenTelemetry's new and old ones, OpenInference, OpenLLMetry and the AI SDK of
/// Vercel. Of several names that a span has, the first counts. docs/telemetry.md says the same.
/// </summary>
public static class SpanConventions
{
    /// <summary>The version of the mapping, which stands in the metadata of every call that it made. What prices a span otherwise is a new one.</summary>
    public const int Version = 1;

    /// <summary>How the names of Rev's own attributes begin.</summary>
    public const string Own = "rev.";

    /// <summary>How the names of metadata begin.</summary>
    public const string Metadata = "rev.metadata.";

    internal const string Bill = "rev.bill";
    internal const string BillLayer = "rev.bill_layer";
    internal const string Outcome = "rev.outcome";
    internal const string ServiceName = "service.name";
    internal const string Operation = "gen_ai.operation.name";
    internal const string OpenInferenceKind = "openinference.span.kind";
    internal const string OpenLlmetryKind = "traceloop.span.kind";
    internal const string OpenLlmetryRequest = "llm.request.type";
    internal const string AiSdkOperation = "ai.operationId";

    /// <summary>Rev's own attributes, beside metadata.</summary>
    internal static readonly string[] OwnNames =
    [
        "rev.agent_id", "rev.action", Outcome, "rev.customer_id", "rev.expires_at", "rev.model", Bill, BillLayer,
    ];

    /// <summary>Tokens read. What was cached is part of them.</summary>
    internal static readonly string[] Input =
    [
        "gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.token_count.prompt",
        "ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens",
    ];

    /// <summary>Tokens written. Those of reasoning are part of them.</summary>
    internal static readonly string[] Output =
    [
        "gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.usage.completion_tokens", "llm.token_count.completion",
        "ai.usage.outputTokens", "ai.usage.completionTokens",
    ];

    /// <summary>Of the tokens read those that came from a cache: told, and not added.</summary>
    internal static readonly string[] Cached =
    [
        "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens", "llm.token_count.prompt_details.cache_read", "ai.usage.cachedInputTokens",
    ];

    /// <summary>Of the tokens written those of reasoning: told, and not added.</summary>
    internal static readonly string[] Reasoning =
    [
        "gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens", "llm.token_count.completion_details.reasoning", "ai.usage.reasoningTokens",
    ];

    /// <summary>The model that answered.</summary>
    internal static readonly string[] ResponseModel = ["gen_ai.response.model", "llm.response.model", "llm.response.model_name", "ai.response.model"];

    /// <summary>The model that was asked for, before the one that answered: tiers name models as their builder does.</summary>
    internal static readonly string[] Model =
    [
        "gen_ai.request.model", "llm.request.model", "llm.request.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name", "ai.model.id",
        .. ResponseModel,
    ];

    /// <summary>The id that the provider gave its answer.</summary>
    internal static readonly string[] ResponseId = ["gen_ai.response.id", "ai.response.id"];

    /// <summary>The agent: its name before its id, which many frameworks make anew for every run.</summary>
    internal static readonly string[] Agent = ["gen_ai.agent.name", "gen_ai.agent.id", "agent.name", "traceloop.workflow.name", "ai.telemetry.functionId"];

    /// <summary>Who provides the model.</summary>
    internal static readonly string[] Provider = ["gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system", "ai.model.provider"];

    /// <summary>The conversation.</summary>
    internal static readonly string[] Conversation =
    [
        "gen_ai.conversation.id", "session.id", "traceloop.association.properties.session_id", "traceloop.association.properties.thread_id",
        "ai.telemetry.metadata.sessionId",
    ];

    private static readonly string[] Single = [ServiceName, Operation, OpenInferenceKind, OpenLlmetryKind, OpenLlmetryRequest, AiSdkOperation];

    private static readonly FrozenSet<string> Names =
        ((string[])[.. Single, .. Input, .. Output, .. Cached, .. Reasoning, .. Model, .. ResponseId, .. Agent, .. Provider, .. Conversation])
        .ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether the mapping looks at an attribute: no other need be kept.</summary>
    public static bool Reads(string name) => name.StartsWith(Own, StringComparison.Ordinal) || Names.Contains(name);
}
