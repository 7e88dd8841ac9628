using Rev.Domain.Pricing;
using Rev.UnitTests.Common;
using Rev.Web.Outcomes;

namespace Rev.UnitTests.Web;

public sealed class OutcomeTextTests
{
    [Theory]
    [InlineData(-1, "due now")]
    [InlineData(0, "due now")]
    [InlineData(59, "under a minute")]
    [InlineData(60, "1 min")]
    [InlineData(3_599, "59 min")]
    [InlineData(3_600, "1 h")]
    [InlineData(18_720, "5 h 12 min")]
    [InlineData(86_400, "1 d")]
    [InlineData(532_800, "6 d 4 h")]
    [InlineData(1_300_000, "15 d")]
    public void The_time_that_is_left_has_two_units_at_most(int seconds, string text) =>
        TimeLeft.Text(Given.Noon.AddSeconds(seconds), Given.Noon).ShouldBe(text);

    [Fact]
    public void Without_an_end_nothing_is_left() => TimeLeft.Text(null, Given.Noon).ShouldBe("–");

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  \r\n ")]
    public void No_payload_is_none(string? text)
    {
        ResolvePayload.Read(text, out var metadata).ShouldBeNull();
        metadata.ShouldBeNull();
    }

    [Fact]
    public void A_payload_is_kept_as_the_API_keeps_it()
    {
        ResolvePayload.Read("{ \"reply_received\" : true,\r\n \"value\": 1.50 }", out var metadata).ShouldBeNull();
        metadata!.Json.ShouldBe("""{"reply_received":true,"value":1.50}""");
    }

    [Theory]
    [InlineData("[1]", "must be a JSON object")]
    [InlineData("true", "must be a JSON object")]
    [InlineData("{", "is not JSON: line 1")]
    [InlineData("{},\"outcome\":{}", "is not JSON: line 1")]
    [InlineData("{'a':1}", "is not JSON: line 1")]
    [InlineData("{\"a\":1,\"a\":2}", "is given twice")]
    [InlineData("{\"a\":[[[[[[[[1]]]]]]]]}", "is nested deeper than 8 levels")]
    [InlineData("{\"a\":\"\\ud800\"}", "must be Unicode")]
    public void What_the_API_refuses_is_refused(string text, string why)
    {
        var refusal = ResolvePayload.Read(text, out _)!;
        refusal.Code.ShouldBe("request.invalid");
        refusal.Message.ShouldContain(why);
    }

    [Fact]
    public void Values_of_conditions_are_shown_as_JSON()
    {
        OutcomeText.Of((FactValue?)null).ShouldBe("–");
        OutcomeText.Of(FactValue.Missing).ShouldBe("–");
        OutcomeText.Of(FactValue.Null).ShouldBe("null");
        OutcomeText.Of(FactValue.Of("a\"b")).ShouldBe("\"a\\\"b\"");
        OutcomeText.Of(FactValue.Of(1.50m)).ShouldBe("1.5");
        OutcomeText.Of(FactValue.Of([FactValue.Of(true), FactValue.Of("x")])).ShouldBe("[true,\"x\"]");
        OutcomeText.Of(Given.Metadata("""{"a":{"b":1}}""")).ReplaceLineEndings("\n").ShouldBe("{\n  \"a\": {\n    \"b\": 1\n  }\n}");
    }
}
