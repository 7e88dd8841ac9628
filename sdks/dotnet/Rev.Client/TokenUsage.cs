using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rev.Client;

/// <summary>
/// Tokens as Rev counts them: all that was read, and all that was written, cached and reasoning tokens included once.
/// </summary>
/// <param name="Input">Tokens read, those from and into a cache included.</param>
/// <param name="Output">Tokens written, those of reasoning included.</param>
public readonly record struct TokenUsage(long Input, long Output)
{
    /// <summary>Those of <see cref="Input"/> that were read from a cache.</summary>
    public long CachedInput { get; init; }

    /// <summary>Those of <see cref="Output"/> that were spent on reasoning, as far as the provider says.</summary>
    public long Reasoning { get; init; }

    /// <summary>The model, when a whole response was read that names it.</summary>
    public string? Model { get; init; }

    private static readonly GeminiShape GeminiNames = new(
        "promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount", "cachedContentTokenCount", "totalTokenCount");

    private static readonly GeminiShape GeminiSnakeNames = new(
        "prompt_token_count", "tool_use_prompt_token_count", "candidates_token_count", "response_token_count", "thoughts_token_count", "cached_content_token_count",
        "total_token_count");

    /// <summary>Adds up; the model is kept when both are of the same.</summary>
    public static TokenUsage operator +(TokenUsage left, TokenUsage right) => new(left.Input + right.Input, left.Output + right.Output)
    {
        CachedInput = left.CachedInput + right.CachedInput,
        Reasoning = left.Reasoning + right.Reasoning,
        Model = string.Equals(left.Model, right.Model, StringComparison.Ordinal) ? left.Model : null,
    };

    /// <summary>
    /// Reads a usage object of OpenAI, Anthropic, Google, Microsoft.Extensions.AI or Rev itself, or a response that holds one.
    /// What is none of these is an <see cref="ArgumentException"/>: a wrong guess would be a wrong bill.
    /// </summary>
    public static TokenUsage From(JsonElement usage) =>
        TryFrom(usage, out var found) ? found : throw new ArgumentException("This is no usage object, and no response with one, of a shape that is known.", nameof(usage));

    /// <summary>Reads a usage object, or a response that holds one, of a JSON node. What is of no shape that is known is an <see cref="ArgumentException"/>.</summary>
    public static TokenUsage From(JsonNode usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        using var document = JsonDocument.Parse(usage.ToJsonString());
        return From(document.RootElement);
    }

    /// <summary>Reads a usage object, or a response that holds one; false when it is of no shape that is known.</summary>
    public static bool TryFrom(JsonElement usage, out TokenUsage found)
    {
        try
        {
            return TryResponse(usage, out found) || TryUsage(usage, out found);
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            found = default;
            return false;
        }
    }

    private static bool TryResponse(JsonElement response, out TokenUsage found)
    {
        found = default;
        // Events of a stream of Anthropic's repeat each other's tokens, and each says a part of them.
        if (Text(response, "type") is "message_start" or "message_delta") throw new FormatException("An event is no response.");
        // The last event of a stream of OpenAI's Responses holds the response.
        if (Member(response, "response") is { ValueKind: JsonValueKind.Object } inner && TryResponse(inner, out found)) return true;
        foreach (var name in (ReadOnlySpan<string>)["usage", "usageMetadata", "usage_metadata"])
        {
            if (Member(response, name) is not { ValueKind: JsonValueKind.Object } usage || !TryUsage(usage, out found)) continue;
            var told = Member(response, "response_metadata");
            found = found with
            {
                Model = Text(response, "model") ?? Text(response, "modelVersion") ?? Text(response, "model_version") ?? Text(told, "model_name") ?? Text(told, "model"),
            };
            return true;
        }
        return false;
    }

    private static bool TryUsage(JsonElement usage, out TokenUsage found)
    {
        if (Has(usage, "tokens_input", "tokens_output")) found = new TokenUsage(Count(usage, "tokens_input"), Count(usage, "tokens_output"));
        else if (Has(usage, "total_input_tokens", "total_output_tokens")) found = Interactions(usage);
        else if (Has(usage, "prompt_tokens", "completion_tokens")) found = OpenAiChat(usage);
        else if (Has(usage, "input_tokens", "output_tokens")) found = Messages(usage);
        else if (Has(usage, "promptTokenCount", "candidatesTokenCount", "responseTokenCount", "thoughtsTokenCount")) found = Gemini(usage, GeminiNames);
        else if (Has(usage, "prompt_token_count", "candidates_token_count", "response_token_count", "thoughts_token_count")) found = Gemini(usage, GeminiSnakeNames);
        else if (Has(usage, "inputTokenCount", "outputTokenCount")) found = Extensions(usage, "inputTokenCount", "outputTokenCount", "cachedInputTokenCount", "reasoningTokenCount");
        else if (Has(usage, "InputTokenCount", "OutputTokenCount")) found = Extensions(usage, "InputTokenCount", "OutputTokenCount", "CachedInputTokenCount", "ReasoningTokenCount");
        else
        {
            found = default;
            return false;
        }
        return true;
    }

    /// <summary>OpenAI's Chat Completions, and those who speak like them: the prompt includes what was cached, the completion the reasoning.</summary>
    private static TokenUsage OpenAiChat(JsonElement usage)
    {
        var (input, output) = (Count(usage, "prompt_tokens"), Count(usage, "completion_tokens"));
        var reasoning = Count(Member(usage, "completion_tokens_details"), "reasoning_tokens");
        return new TokenUsage(input, WithHidden(usage, input, output)) { CachedInput = Count(Member(usage, "prompt_tokens_details"), "cached_tokens"), Reasoning = reasoning };
    }

    /// <summary>OpenAI's Responses, whose input includes what was cached, and Anthropic's Messages, whose input does not.</summary>
    private static TokenUsage Messages(JsonElement usage)
    {
        var (input, output) = (Count(usage, "input_tokens"), Count(usage, "output_tokens"));
        var details = Member(usage, "output_tokens_details");
        var reasoning = Count(details, "reasoning_tokens") + Count(details, "thinking_tokens");
        var cached = Member(usage, "input_tokens_details");
        if (cached.ValueKind == JsonValueKind.Object || (Has(usage, "total_tokens") && !Has(usage, "cache_creation_input_tokens", "cache_read_input_tokens")))
        {
            return new TokenUsage(input, WithHidden(usage, input, output)) { CachedInput = Count(cached, "cached_tokens"), Reasoning = reasoning };
        }
        var read = Count(usage, "cache_read_input_tokens");
        var sum = new TokenUsage(input + read + Written(usage), output) { CachedInput = read, Reasoning = reasoning };
        // What a compaction read and wrote stands beside the sum; the other iterations are in it.
        if (Member(usage, "iterations") is not { ValueKind: JsonValueKind.Array } iterations) return sum;
        foreach (var iteration in iterations.EnumerateArray())
        {
            if (Text(iteration, "type") is "compaction") sum += Messages(iteration);
        }
        return sum;
    }

    private static long Written(JsonElement usage)
    {
        if (Has(usage, "cache_creation_input_tokens")) return Count(usage, "cache_creation_input_tokens");
        var parts = Member(usage, "cache_creation");
        return Count(parts, "ephemeral_5m_input_tokens") + Count(parts, "ephemeral_1h_input_tokens");
    }

    /// <summary>Some who speak like OpenAI leave the reasoning out of the output, and even out of the details. Their total has it, and is what they bill.</summary>
    private static long WithHidden(JsonElement usage, long input, long output) => Math.Max(output, Count(usage, "total_tokens") - input);

    /// <summary>Google's: the prompt includes what was cached; results of tools and thoughts stand beside the rest.</summary>
    private static TokenUsage Gemini(JsonElement usage, GeminiShape names)
    {
        var input = Count(usage, names.Prompt) + Count(usage, names.Tools);
        var visible = Has(usage, names.Candidates) ? Count(usage, names.Candidates) : Count(usage, names.Response);
        var thoughts = Count(usage, names.Thoughts);
        return new TokenUsage(input, WithThoughts(input, visible, thoughts, Count(usage, names.Total))) { CachedInput = Count(usage, names.Cached), Reasoning = thoughts };
    }

    /// <summary>Google's Interactions: as Gemini's, by other names.</summary>
    private static TokenUsage Interactions(JsonElement usage)
    {
        var input = Count(usage, "total_input_tokens") + Count(usage, "total_tool_use_tokens");
        var thoughts = Count(usage, "total_thought_tokens");
        return new TokenUsage(input, WithThoughts(input, Count(usage, "total_output_tokens"), thoughts, Count(usage, "total_tokens")))
        {
            CachedInput = Count(usage, "total_cached_tokens"), Reasoning = thoughts,
        };
    }

    /// <summary>Thoughts are added, unless the total says that they are in what was written.</summary>
    private static long WithThoughts(long input, long visible, long thoughts, long total) =>
        thoughts > 0 && visible >= thoughts && total == input + visible ? visible : visible + thoughts;

    /// <summary>UsageDetails of Microsoft.Extensions.AI: cached and reasoning tokens are included.</summary>
    private static TokenUsage Extensions(JsonElement usage, string input, string output, string cached, string reasoning) =>
        new(Count(usage, input), Count(usage, output)) { CachedInput = Count(usage, cached), Reasoning = Count(usage, reasoning) };

    private static JsonElement Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : default;

    private static string? Text(JsonElement element, string name) => Member(element, name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    private static bool Has(JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Member(element, name).ValueKind == JsonValueKind.Number) return true;
        }
        return false;
    }

    /// <summary>A count; absent and null are none.</summary>
    private static long Count(JsonElement element, string name)
    {
        var member = Member(element, name);
        if (member.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return 0;
        if (member.ValueKind == JsonValueKind.Number && member.TryGetDecimal(out var number)
            && number >= 0m && number <= long.MaxValue && number == decimal.Truncate(number)) return (long)number;
        throw new FormatException($"{name} is no count.");
    }

    private sealed record GeminiShape(string Prompt, string Tools, string Candidates, string Response, string Thoughts, string Cached, string Total);
}
