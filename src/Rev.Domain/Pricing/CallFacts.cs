using System.Text.Json;
using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>What conditions look at.</summary>
public interface IFacts
{
    /// <summary>The value of a field; <see cref="FactValue.Missing"/> when it is not there.</summary>
    FactValue this[FactField field] { get; }
}

/// <summary>What pricing may look at: the call, and what is known of its result.</summary>
/// <param name="Agent">Who did it.</param>
/// <param name="Action">What it did.</param>
/// <param name="Customer">Whom it is billed to.</param>
/// <param name="Model">Which model, for per-model rates.</param>
/// <param name="TokensInput">Tokens read.</param>
/// <param name="TokensOutput">Tokens written.</param>
/// <param name="Metadata">The result payload.</param>
public sealed record CallFacts(
    AgentId Agent, string Action, CustomerId Customer, string? Model, long TokensInput, long TokensOutput, Metadata Metadata) : IFacts
{
    /// <summary>Most tokens of one call, in and out each.</summary>
    public const long MaxTokens = 1_000_000_000;

    /// <summary>The facts with a later payload merged over the metadata.</summary>
    public CallFacts With(Metadata? newer) => this with { Metadata = Metadata.MergedWith(newer) };

    /// <inheritdoc/>
    public FactValue this[FactField field] => field.Path.Count > 0 ? FromMetadata(field) : field.Name switch
    {
        "action" => FactValue.Of(Action),
        "agent_id" => FactValue.Of(Agent.Value),
        "customer_id" => FactValue.Of(Customer.Value),
        "model" => FactValue.Of(Model),
        "tokens_input" => FactValue.Of((decimal)TokensInput),
        "tokens_output" => FactValue.Of((decimal)TokensOutput),
        _ => FactValue.Missing,
    };

    private FactValue FromMetadata(FactField field)
    {
        // A call has no payload.
        if (field.IsPayload) return FactValue.Missing;
        var at = Metadata.Root;
        foreach (var name in field.Path)
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return FactValue.Missing;
        return FactValue.Of(at);
    }
}

/// <summary>The name of a fact: <c>action</c>, <c>tokens_input</c>, <c>metadata.deal.value</c>.</summary>
public sealed record FactField
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxLength = 256;

    /// <summary>The rule that <see cref="TryParse(string?, out FactField?)"/> holds a text to.</summary>
    public const string Rule =
        "must be action, agent_id, customer_id, model, tokens_input, tokens_output, or metadata. and a dotted path";

    /// <summary>The rule where there is a payload beside the call.</summary>
    public const string RuleWithPayload =
        "must be payload. and a dotted path, action, agent_id, customer_id, model, tokens_input, tokens_output, or metadata. and a dotted path";

    private static readonly string[] Fixed = ["action", "agent_id", "customer_id", "model", "tokens_input", "tokens_output"];

    private FactField(string name, ValueList<string> path, bool isPayload)
    {
        Name = name;
        Path = path;
        IsPayload = isPayload;
    }

    /// <summary>As written.</summary>
    public string Name { get; }

    /// <summary>The path inside the metadata or the payload; empty for the call's own fields.</summary>
    public ValueList<string> Path { get; }

    /// <summary>Whether it is read from a payload that came for the call, not from the call.</summary>
    public bool IsPayload { get; }

    /// <summary>Whether a resolution can still change it.</summary>
    public bool IsMetadata => Path.Count > 0 && !IsPayload;

    /// <summary>Reads the name of a fact of a call.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FactField? field) =>
        TryParse(text, withPayload: false, out field);

    /// <summary>Reads the name of a fact of a call, or of a payload too.</summary>
    public static bool TryParse(string? text, bool withPayload, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FactField? field)
    {
        field = null;
        if (text is null or { Length: > MaxLength }) return false;
        if (Fixed.Contains(text, StringComparer.Ordinal))
        {
            field = new(text, ValueList<string>.Empty, isPayload: false);
            return true;
        }
        var parts = text.Split('.');
        var isPayload = withPayload && parts[0] == "payload";
        if (parts.Length < 2 || !(isPayload || parts[0] == "metadata") || parts.Any(p => p.Length == 0)) return false;
        field = new(text, parts.Skip(1).ToValueList(), isPayload);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
