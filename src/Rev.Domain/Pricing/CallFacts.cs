using System.Text.Json;
using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>What pricing may look at: the call, and what is known of its result.</summary>
/// <param name="Agent">Who did it.</param>
/// <param name="Action">What it did.</param>
/// <param name="Customer">Whom it is billed to.</param>
/// <param name="Model">Which model, for per-model rates.</param>
/// <param name="TokensInput">Tokens read.</param>
/// <param name="TokensOutput">Tokens written.</param>
/// <param name="Metadata">The result payload.</param>
public sealed record CallFacts(
    AgentId Agent, string Action, CustomerId Customer, string? Model, long TokensInput, long TokensOutput, Metadata Metadata)
{
    /// <summary>Most tokens of one call, in and out each.</summary>
    public const long MaxTokens = 1_000_000_000;

    /// <summary>The facts with a later payload merged over the metadata.</summary>
    public CallFacts With(Metadata? newer) => this with { Metadata = Metadata.MergedWith(newer) };

    /// <summary>The value of a field; <see cref="FactValue.Missing"/> when it is not there.</summary>
    public FactValue this[FactField field] => field.Path.Count > 0 ? FromMetadata(field.Path) : field.Name switch
    {
        "action" => FactValue.Of(Action),
        "agent_id" => FactValue.Of(Agent.Value),
        "customer_id" => FactValue.Of(Customer.Value),
        "model" => FactValue.Of(Model),
        "tokens_input" => FactValue.Of((decimal)TokensInput),
        "tokens_output" => FactValue.Of((decimal)TokensOutput),
        _ => FactValue.Missing,
    };

    private FactValue FromMetadata(ValueList<string> path)
    {
        var at = Metadata.Root;
        foreach (var name in path)
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at)) return FactValue.Missing;
        return FactValue.Of(at);
    }
}

/// <summary>The name of a fact: <c>action</c>, <c>tokens_input</c>, <c>metadata.deal.value</c>.</summary>
public sealed record FactField
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxLength = 256;

    /// <summary>The rule that <see cref="TryParse"/> holds a text to.</summary>
    public const string Rule =
        "must be action, agent_id, customer_id, model, tokens_input, tokens_output, or metadata. and a dotted path";

    private static readonly string[] Fixed = ["action", "agent_id", "customer_id", "model", "tokens_input", "tokens_output"];

    private FactField(string name, ValueList<string> path)
    {
        Name = name;
        Path = path;
    }

    /// <summary>As written.</summary>
    public string Name { get; }

    /// <summary>The path inside the metadata; empty for the call's own fields.</summary>
    public ValueList<string> Path { get; }

    /// <summary>Whether a resolution can still change it.</summary>
    public bool IsMetadata => Path.Count > 0;

    /// <summary>Reads a name.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FactField? field)
    {
        field = null;
        if (text is null or { Length: > MaxLength }) return false;
        if (Fixed.Contains(text, StringComparer.Ordinal))
        {
            field = new(text, ValueList<string>.Empty);
            return true;
        }
        var parts = text.Split('.');
        if (parts.Length < 2 || parts[0] != "metadata" || parts.Any(p => p.Length == 0)) return false;
        field = new(text, parts.Skip(1).ToValueList());
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
