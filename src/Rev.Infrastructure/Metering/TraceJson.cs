using System.Text;
using System.Text.Json;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.Infrastructure.Metering;

/// <summary>What was tried for a decision, as it is stored with it.</summary>
public static class TraceJson
{
    /// <summary>The trace of a decided outcome.</summary>
    public static string? Of(Outcome outcome)
    {
        if (OutcomeDetails.Explain(outcome, null) is not { Rules.Count: > 0 } explanation) return null;
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JsonText.Compact))
        {
            writer.WriteStartArray();
            foreach (var rule in explanation.Rules)
            {
                writer.WriteStartObject();
                writer.WriteNumber("rule", rule.Rule);
                writer.WriteString("name", rule.Name);
                writer.WriteBoolean("action_fits", rule.ActionFits);
                writer.WriteBoolean("matched", rule.Matched);
                writer.WriteStartArray("conditions");
                foreach (var leaf in rule.Conditions)
                {
                    writer.WriteStartObject();
                    writer.WriteString("field", leaf.Field);
                    writer.WriteString("op", leaf.Op);
                    writer.WritePropertyName("expected");
                    leaf.Expected.WriteTo(writer);
                    if (leaf.Actual is { } actual)
                    {
                        writer.WritePropertyName("actual");
                        actual.WriteTo(writer);
                    }
                    writer.WriteBoolean("passed", leaf.Passed);
                    if (leaf.Note is not null) writer.WriteString("note", leaf.Note);
                    writer.WriteEndObject();
                }
                writer.WriteEndArray();
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>A stored trace.</summary>
    public static IReadOnlyList<ExplainedRule>? Read(string? json)
    {
        if (json is null) return null;
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone().EnumerateArray().Select(rule => new ExplainedRule(
            rule.GetProperty("rule").GetInt32(), rule.GetProperty("name").GetString()!, rule.GetProperty("action_fits").GetBoolean(),
            rule.GetProperty("matched").GetBoolean(),
            rule.GetProperty("conditions").EnumerateArray().Select(leaf => new ExplainedLeaf(
                leaf.GetProperty("field").GetString()!, leaf.GetProperty("op").GetString()!, FactValue.Of(leaf.GetProperty("expected")),
                leaf.TryGetProperty("actual", out var actual) ? FactValue.Of(actual) : null, leaf.GetProperty("passed").GetBoolean(),
                leaf.TryGetProperty("note", out var note) ? note.GetString() : null)).ToArray())).ToArray();
    }
}
