using Rev.Domain.Pricing;
using Rev.UnitTests.Common;
using Rev.Web.Pricing;

namespace Rev.UnitTests.Web;

public sealed class TierTextTests
{
    [Theory]
    [InlineData(0, "no time")]
    [InlineData(1, "1 second")]
    [InlineData(90, "1 minute 30 seconds")]
    [InlineData(5_400, "1 hour 30 minutes")]
    [InlineData(7 * 86_400, "7 days")]
    [InlineData(365 * 86_400 + 1, "365 days 1 second")]
    public void A_duration_is_told_in_its_units(int seconds, string told) => TierText.Duration(TimeSpan.FromSeconds(seconds)).ShouldBe(told);

    [Theory]
    [InlineData("""{"field":"metadata.a","op":"eq","value":true}""", "is true")]
    [InlineData("""{"field":"metadata.a","op":"ne","value":"x"}""", "is not “x”")]
    [InlineData("""{"field":"metadata.a","op":"gte","value":1000.50}""", "is at least 1000.5")]
    [InlineData("""{"field":"metadata.a","op":"lt","value":-1}""", "is below -1")]
    [InlineData("""{"field":"metadata.a","op":"in","value":["x",1,null,false]}""", "is one of “x”, 1, null, false")]
    [InlineData("""{"field":"metadata.a","op":"not_exists"}""", "is not there")]
    [InlineData("""{"field":"metadata.a","op":"starts_with","value":"x"}""", "begins with “x”")]
    public void A_comparison_is_told_in_words(string json, string told)
    {
        var leaf = Given.Terms($$"""{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{{json}}}]}""").Bonuses[0].When.ShouldBeOfType<Condition.Leaf>();
        $"{TierText.Verb(leaf.Operator)} {TierText.Value(leaf.Value)}".Trim().ShouldBe(told);
    }

    [Fact]
    public void Every_operator_has_words() => Enum.GetValues<Operator>().Select(TierText.Verb).Distinct(StringComparer.Ordinal).Count().ShouldBe(Enum.GetValues<Operator>().Length);

    [Fact]
    public void Bonuses_are_listed_by_name_the_first_of_many()
    {
        TierText.Bonuses(Given.Terms("""{"name":"n"}""")).ShouldBe("none");
        TierText.Bonuses(Given.Terms("""{"name":"n","outcome_bonuses":[{"name":"a","amount":"2.5"},{"name":"b","percent":"5","of":"metadata.v"}]}""")).ShouldBe("a $2.50, b 5%");
        var many = string.Join(',', Enumerable.Range(1, 5).Select(i => $$"""{"name":"b{{i}}","amount":"0.0025"}"""));
        TierText.Bonuses(Given.Terms($$"""{"name":"n","outcome_bonuses":[{{many}}]}""")).ShouldBe("b1 $0.0025, b2 $0.0025 and 3 more");
    }
}
