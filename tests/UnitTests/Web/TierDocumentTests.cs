using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;
using Rev.Web.Pricing;

namespace Rev.UnitTests.Web;

public sealed class TierDocumentTests
{
    private const string Whole = """
        {"name":"Email outreach","currency":"eur","base_fee":"0.005",
         "token_rates":{"input_per_million":"3","output_per_million":"15","models":{"small-*":{"input_per_million":"0.15","output_per_million":"0.6"}}},
         "outcome_bonuses":[{"name":"positive reply","action":"email.*","when":{"all":[{"field":"metadata.reply","op":"eq","value":true},
           {"not":{"field":"metadata.mood","op":"in","value":["sad",1,null]}}]},"amount":"2.5"},
           {"name":"deal","percent":"5","of":"metadata.deal","max_amount":"500"}],
         "pending":{"expires_after":"P3D","on_expiry":{"bonus":"fixed","amount":"0.1"}},"review_window":"PT1H","reversal_window":"P10D",
         "one_bonus_per":{"field":"metadata.ticket","scope":"account"}}
        """;

    [Fact]
    public void A_document_that_was_written_reads_back_as_the_same_terms()
    {
        foreach (var terms in new[] { Given.Terms(Whole), TierTerms.Starter(Currency.Usd), Given.Terms("""{"name":"n"}""") })
        {
            var text = TierDocument.Write(terms);
            text.ShouldContain("\n  \"base_fee\": ");
            text.ShouldNotContain("\r");
            TierDocument.Read(text).Value.ToTerms(Currency.Usd).ShouldBe(terms);
        }
    }

    [Fact]
    public void Complaints_are_those_of_the_API_with_their_paths()
    {
        Fields("""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadata.v","op":"gt","value":"1"}}]}""").ShouldBe(["outcome_bonuses[0].when.value"]);
        Fields("""{"base_fee":"-1"}""").ShouldBe(["name", "base_fee"], ignoreOrder: true);
        Fields("""{"name":"n","base_free":"1"}""").ShouldBe(["base_free"]);
        Fields("[]").ShouldBe(["body"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  \n")]
    [InlineData("{")]
    [InlineData("{\"name\":\"n\",}")]
    [InlineData("{\"name\":\"n\"} x")]
    [InlineData("{\"name\":\"a\\u0000\"}")]
    [InlineData("{\"name\":\"n\",\"outcome_bonuses\":[{\"name\":\"b\",\"amount\":\"1\",\"when\":{\"field\":\"model\",\"op\":\"eq\",\"value\":\"\\ud800\"}}]}")]
    public void What_is_no_document_is_refused_as_a_whole(string text) => Fields(text).ShouldBe([TierDocument.Field]);

    [Fact]
    public void Malformed_JSON_says_where()
    {
        TierDocument.Read("{\n  \"name\": \"n\"\n  \"base_fee\": 1\n}").Error!.Message.ShouldContain("line 3");
        TierDocument.Read(new string('[', 100)).IsSuccess.ShouldBeFalse();
        TierDocument.Read("{\"name\":\"" + new string('x', 1_100_000) + "\"}").Error!.Message.ShouldContain("1 MiB");
    }

    [Fact]
    public void A_draft_is_put_on_lines_and_stays_as_it_is_written()
    {
        TierDocument.Indented("""{"name":"ü","base_fee":0.50,"unknown":[1.0,1e3]}""").ShouldBe("""
            {
              "name": "ü",
              "base_fee": 0.50,
              "unknown": [
                1.0,
                1e3
              ]
            }
            """.ReplaceLineEndings("\n"));
        TierDocument.Indented("{ no JSON").ShouldBe("{ no JSON");
    }

    [Fact]
    public void An_example_is_read_or_names_its_field()
    {
        var tier = new TierSpec { Name = "n" };
        var call = (TierExample.Default with { TokensIn = "", Model = "small-1", Facts = """{"reply": true}""", Outcome = "pending" }).ToQuery(Given.Tenant, tier).Value;
        (call.TokensInput, call.TokensOutput, call.Model, call.Metadata!.Json, call.Outcome).ShouldBe((0L, 340L, "small-1", """{"reply":true}""", ReportedOutcome.Pending));
        (TierExample.Default with { Action = "" }).ToQuery(Given.Tenant, tier).Value.Action.ShouldBeNull();

        foreach (var (wrong, field) in new[]
        {
            (TierExample.Default with { TokensIn = "-1" }, TierExample.InKey), (TierExample.Default with { TokensOut = "1.5" }, TierExample.OutKey),
            (TierExample.Default with { Facts = "{" }, TierExample.FactsKey), (TierExample.Default with { Facts = "[1]" }, TierExample.FactsKey),
            (TierExample.Default with { Facts = "{},\"x\":{}" }, TierExample.FactsKey),
        })
            wrong.ToQuery(Given.Tenant, tier).Error!.Fields!.Keys.ShouldBe([field]);
    }

    private static IEnumerable<string> Fields(string text) => TierDocument.Read(text).Error!.Fields!.Keys;
}
