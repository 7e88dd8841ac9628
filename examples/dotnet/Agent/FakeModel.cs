using System.Text.Json.Nodes;

namespace Rev.Examples;

/// <summary>Answers as OpenAI's Chat Completions do, without a network and without sense.</summary>
internal sealed class FakeModel
{
    private int _calls;

    /// <summary>Answers.</summary>
    public JsonNode Complete(string prompt)
    {
        var (read, written) = (1200 + prompt.Length, 300 + (++_calls % 40));
        return new JsonObject
        {
            ["id"] = $"chatcmpl-{_calls}",
            ["object"] = "chat.completion",
            ["model"] = "fake-1",
            ["choices"] = new JsonArray(
                new JsonObject { ["index"] = 0, ["message"] = new JsonObject { ["role"] = "assistant", ["content"] = "Three short words" }, ["finish_reason"] = "stop" }),
            ["usage"] = new JsonObject
            {
                ["prompt_tokens"] = read,
                ["completion_tokens"] = written,
                ["total_tokens"] = read + written,
                ["prompt_tokens_details"] = new JsonObject { ["cached_tokens"] = 1024 },
                ["completion_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 64 },
            },
        };
    }

    /// <summary>Answers after a while.</summary>
    public async Task<JsonNode> CompleteAsync(string prompt)
    {
        await Task.Delay(20);
        return Complete(prompt);
    }
}
