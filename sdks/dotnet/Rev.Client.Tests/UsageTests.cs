using System.Text.Json;
using System.Text.Json.Nodes;

namespace Rev.Client.Tests;

/// <summary>Tokens are read from responses of the shapes that providers answer with, and each counts once.</summary>
public sealed class UsageTests
{
    public static TheoryData<string> Shapes()
    {
        var shapes = new TheoryData<string>();
        foreach (var path in Directory.EnumerateFiles(Path.Combine(AppContext.BaseDirectory, "Usage"), "*.json").Order(StringComparer.Ordinal)) shapes.Add(Path.GetFileName(path));
        return shapes;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_response_counts_cached_and_reasoning_tokens_once(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Usage", file)));
        var expected = document.RootElement;
        var response = expected.GetProperty("response");

        var usage = TokenUsage.From(response);

        usage.Input.ShouldBe(expected.GetProperty("input").GetInt64());
        usage.Output.ShouldBe(expected.GetProperty("output").GetInt64());
        usage.CachedInput.ShouldBe(expected.GetProperty("cached").GetInt64());
        usage.Reasoning.ShouldBe(expected.GetProperty("reasoning").GetInt64());
        usage.Model.ShouldBe(expected.GetProperty("model").GetString());
        TokenUsage.From(JsonNode.Parse(response.GetRawText())!).ShouldBe(usage);
    }

    [Fact]
    public void The_shapes_are_there() => Shapes().Cast<object>().Count().ShouldBeGreaterThanOrEqualTo(27);

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("12")]
    [InlineData("""{ "usage": null, "choices": [] }""")]
    [InlineData("""{ "tokens": 12 }""")]
    [InlineData("""{ "prompt_tokens": -1, "completion_tokens": 2 }""")]
    [InlineData("""{ "prompt_tokens": 1.5, "completion_tokens": 2 }""")]
    [InlineData("""{ "prompt_tokens": 1, "completion_tokens": "2" }""")]
    [InlineData("""{ "type": "message_start", "message": { "usage": { "input_tokens": 25, "output_tokens": 1 } } }""")]
    [InlineData("""{ "type": "message_delta", "usage": { "output_tokens": 15 } }""")]
    [InlineData("""{ "input_tokens": 9223372036854775807, "cache_read_input_tokens": 1, "output_tokens": 1 }""")]
    public void What_is_no_usage_is_refused_and_not_taken_for_nothing(string json)
    {
        using var document = JsonDocument.Parse(json);
        var element = document.RootElement;

        TokenUsage.TryFrom(element, out _).ShouldBeFalse();
        Should.Throw<ArgumentException>(() => TokenUsage.From(element));
    }

    [Fact]
    public void Usages_add_up()
    {
        var sum = new TokenUsage(1, 2) { CachedInput = 1, Model = "m" } + new TokenUsage(10, 20) { Reasoning = 5, Model = "m" };

        sum.ShouldBe(new TokenUsage(11, 22) { CachedInput = 1, Reasoning = 5, Model = "m" });
    }
}
