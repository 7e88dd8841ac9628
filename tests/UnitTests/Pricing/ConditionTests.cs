using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Pricing;

public sealed class ConditionTests
{
    // Down: what the call has in metadata.v. Across: what the rule asks. y: it holds.
    private const string Truth = """
        metadata.v                        | eq 1000 | ne 1000 | gt 999 | gte 1000 | lt 1001 | lte 1000 | in [1000,"x"] | not_in [1,"x"] | exists | not_exists | contains "b" | starts_with "a" | ends_with "c" | eq null | ne null | eq true | ne false | eq "1000" | in [null,true] | not_in [null] | contains 1000
        absent                            |         |         |        |          |         |          |               |                |        | y          |              |                 |              |         |         |         |          |           |                |               |
        null                              |         |         |        |          |         |          |               |                | y      |            |              |                 |              | y       |         |         |          |           | y              |               |
        true                              |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         | y       | y        |           | y              |               |
        false                             |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1000                              | y       |         | y      | y        | y       | y        | y             | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1000.0                            | y       |         | y      | y        | y       | y        | y             | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1e3                               | y       |         | y      | y        | y       | y        | y             | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        999.9999999999                    |         | y       | y      |          | y       | y        |               | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1000.0000000001                   |         | y       | y      | y        | y       |          |               | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1                                 |         | y       |        |          | y       | y        |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        -1000                             |         | y       |        |          | y       | y        |               | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1e400                             |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1.5e-2147483648                   |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1.5e-9223372036854775808                    |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        79228162514264337593543950336     |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        1000.0000000000000000000000000001 |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        "1000"                            |         |         |        |          |         |          |               | y              | y      |            |              |                 |              |         |         |         |          | y         |                |               |
        "abc"                             |         |         |        |          |         |          |               | y              | y      |            | y            | y               | y            |         |         |         |          |           |                |               |
        "ABC"                             |         |         |        |          |         |          |               | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        "x"                               |         |         |        |          |         |          | y             |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        ""                                |         |         |        |          |         |          |               | y              | y      |            |              |                 |              |         |         |         |          |           |                |               |
        []                                |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        ["b"]                             |         |         |        |          |         |          |               |                | y      |            | y            |                 |              |         |         |         |          |           |                |               |
        ["abc",1000.0]                    |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               | y
        [["b"]]                           |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        {"b":1000}                        |         |         |        |          |         |          |               |                | y      |            |              |                 |              |         |         |         |          |           |                |               |
        """;

    public static TheoryData<string, string, bool> Leaves()
    {
        var data = new TheoryData<string, string, bool>();
        var table = Given.Table(Truth);
        foreach (var row in table.Skip(1))
            for (var i = 1; i < row.Length; i++) data.Add(row[0], table[0][i], row[i] == "y");
        return data;
    }

    [Theory, MemberData(nameof(Leaves))]
    public void A_leaf_holds_only_where_the_table_says(string actual, string leaf, bool holds)
    {
        var condition = Leaf("metadata.v", leaf);
        var facts = Given.Facts(actual == "absent" ? "{}" : $$"""{"v":{{actual}}}""");
        var trace = new List<LeafTrace>();
        condition.Holds(facts, trace).ShouldBe(holds);
        condition.Holds(facts).ShouldBe(holds);
        var found = trace.ShouldHaveSingleItem();
        found.Passed.ShouldBe(holds);
        if (holds) found.Note.ShouldBeNull();
        new Condition.Not(condition).Holds(facts).ShouldBe(!holds);
        condition.HoldsWithoutMetadata(facts).ShouldBeNull();
    }

    [Fact]
    public void The_table_has_every_operator() =>
        Given.Table(Truth)[0].Skip(1).Select(leaf => leaf.Split(' ')[0]).Distinct().Order(StringComparer.Ordinal)
            .ShouldBe(Enum.GetValues<Operator>().Select(ConditionJson.Name).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("action", "eq \"email.sent\"", true)]
    [InlineData("action", "starts_with \"email.\"", true)]
    [InlineData("agent_id", "eq \"outreach-agent-v2\"", true)]
    [InlineData("customer_id", "ne \"other\"", true)]
    [InlineData("model", "exists", false)]
    [InlineData("model", "not_exists", true)]
    [InlineData("tokens_input", "eq 1200", true)]
    [InlineData("tokens_output", "lt 340", false)]
    [InlineData("metadata.deal.value", "gte 5", true)]
    [InlineData("metadata.deal", "exists", true)]
    [InlineData("metadata.deal.value.more", "not_exists", true)]
    [InlineData("metadata.list.0", "not_exists", true)]
    public void A_field_is_of_the_call_or_a_path_into_its_metadata(string field, string leaf, bool holds)
    {
        var facts = Given.Facts("""{"deal":{"value":5},"list":[1]}""");
        var condition = Leaf(field, leaf);
        condition.Holds(facts).ShouldBe(holds);
        condition.HoldsWithoutMetadata(facts).ShouldBe(field.StartsWith("metadata", StringComparison.Ordinal) ? null : holds);
    }

    [Theory]
    [InlineData("metadata")]
    [InlineData("metadata.")]
    [InlineData("metadata..a")]
    [InlineData("metadata.a.")]
    [InlineData("Action")]
    [InlineData("tokens")]
    [InlineData("")]
    [InlineData(null)]
    public void Nothing_else_is_a_field(string? name) => FactField.TryParse(name, out _).ShouldBeFalse();

    [Theory]
    [InlineData("""{"all":[{"field":"metadata.a","op":"eq","value":1},{"field":"metadata.b","op":"eq","value":2}]}""", false)]
    [InlineData("""{"any":[{"field":"metadata.a","op":"eq","value":1},{"field":"metadata.b","op":"eq","value":2}]}""", true)]
    [InlineData("""{"not":{"field":"metadata.b","op":"eq","value":2}}""", true)]
    [InlineData("""{"all":[{"not":{"field":"metadata.b","op":"exists"}},{"any":[{"field":"action","op":"eq","value":"x"},{"field":"metadata.a","op":"gt","value":0}]}]}""", true)]
    public void Conditions_combine(string json, bool holds) => Condition(json).Holds(Given.Facts("""{"a":1}""")).ShouldBe(holds);

    [Fact]
    public void A_trace_shows_every_leaf_even_those_that_no_longer_matter()
    {
        var condition = Condition("""{"all":[{"field":"metadata.a","op":"eq","value":1},{"field":"metadata.b","op":"eq","value":2},{"field":"metadata.c","op":"exists"}]}""");
        var trace = new List<LeafTrace>();
        condition.Holds(Given.Facts("""{"a":"1"}"""), trace).ShouldBeFalse();
        trace.Select(l => (l.Field.Name, l.Passed, l.Note)).ShouldBe(
        [
            ("metadata.a", false, "a string does not compare with a number"),
            ("metadata.b", false, "the call has no such field"),
            ("metadata.c", false, "the call has no such field"),
        ]);
    }

    [Theory]
    [InlineData("all", true, null, null)]
    [InlineData("all", false, null, false)]
    [InlineData("any", true, null, true)]
    [InlineData("any", false, null, null)]
    [InlineData("all", true, true, true)]
    [InlineData("any", false, false, false)]
    public void What_only_the_metadata_can_tell_is_open(string kind, bool first, bool? second, bool? holds)
    {
        var one = Leaf("action", first ? "eq \"email.sent\"" : "eq \"other\"");
        var two = second is { } known ? Leaf("action", known ? "eq \"email.sent\"" : "eq \"other\"") : Leaf("metadata.a", "exists");
        Condition both = kind == "all" ? new Condition.All([one, two]) : new Condition.Any([one, two]);
        both.HoldsWithoutMetadata(Given.Facts()).ShouldBe(holds);
        new Condition.Not(both).HoldsWithoutMetadata(Given.Facts()).ShouldBe(!holds);
    }

    [Theory]
    [InlineData("""{}""", "when")]
    [InlineData("""[]""", "when")]
    [InlineData("""{"all":[]}""", "when.all")]
    [InlineData("""{"all":[],"any":[]}""", "when")]
    [InlineData("""{"all":[{"field":"action","op":"exists"}],"op":"eq"}""", "when")]
    [InlineData("""{"field":"action","op":"equals","value":1}""", "when.op")]
    [InlineData("""{"field":"action","value":1}""", "when.op")]
    [InlineData("""{"field":"acton","op":"exists"}""", "when.field")]
    [InlineData("""{"field":"action","op":"eq"}""", "when.value")]
    [InlineData("""{"field":"action","op":"eq","value":[1]}""", "when.value")]
    [InlineData("""{"field":"action","op":"eq","value":{}}""", "when.value")]
    [InlineData("""{"field":"action","op":"gt","value":"1"}""", "when.value")]
    [InlineData("""{"field":"action","op":"gt","value":1e400}""", "when.value")]
    [InlineData("""{"field":"action","op":"starts_with","value":1}""", "when.value")]
    [InlineData("""{"field":"action","op":"in","value":"a"}""", "when.value")]
    [InlineData("""{"field":"action","op":"in","value":[]}""", "when.value")]
    [InlineData("""{"field":"action","op":"not_in","value":[[1]]}""", "when.value")]
    [InlineData("""{"field":"action","op":"exists","value":1}""", "when.value")]
    [InlineData("""{"not":{"not":{"feild":"action","op":"exists"}}}""", "when.not.not.feild")]
    [InlineData("""{"any":[{"field":"action","op":"exists"},{"field":"nope","op":"exists"}]}""", "when.any[1].field")]
    public void A_condition_that_says_nothing_clear_is_refused(string json, string field)
    {
        var errors = new List<FieldError>();
        ConditionJson.Read(Given.Json(json), "when", errors).ShouldBeNull();
        errors.ShouldContain(e => e.Field == field);
    }

    [Fact]
    public void A_condition_has_eight_levels_and_64_leaves_at_most()
    {
        const string leaf = """{"field":"action","op":"exists"}""";
        Condition(Nested(leaf, 7)).Depth.ShouldBe(8);
        Complaints(Nested(leaf, 8)).ShouldNotBeEmpty();
        Condition(List(leaf, 64)).Leaves.ShouldBe(64);
        Complaints(List(leaf, 65)).ShouldNotBeEmpty();

        static string Nested(string inner, int levels) => levels == 0 ? inner : $$"""{"not":{{Nested(inner, levels - 1)}}}""";
        static string List(string inner, int count) => $$"""{"any":[{{string.Join(',', Enumerable.Repeat(inner, count))}}]}""";
    }

    [Theory]
    [InlineData("email.*", "email.sent", true)]
    [InlineData("email.*", "email.", true)]
    [InlineData("email.*", "email", false)]
    [InlineData("email.*", "xemail.sent", false)]
    [InlineData("*", "", true)]
    [InlineData("*", "anything", true)]
    [InlineData("*.sent", "email.sent", true)]
    [InlineData("*.sent", "email.sent.twice", false)]
    [InlineData("a*c", "abbbc", true)]
    [InlineData("a*c", "ac", true)]
    [InlineData("a*c", "acb", false)]
    [InlineData("a*b*c", "a-b-b-c", true)]
    [InlineData("a*b*c", "a-c-b", false)]
    [InlineData("**a**", "bab", true)]
    [InlineData("email.sent", "email.sent", true)]
    [InlineData("email.sent", "Email.sent", false)]
    [InlineData("email.sent", "email_sent", false)]
    public void A_star_stands_for_any_run_of_characters(string pattern, string text, bool fits) => new Glob(pattern).Matches(text).ShouldBe(fits);

    [Fact]
    public void A_pattern_of_many_stars_answers_at_once() =>
        new Glob(string.Concat(Enumerable.Repeat("a*", 60)) + "b").Matches(new('a', 4000)).ShouldBeFalse();

    private static Condition Leaf(string field, string leaf)
    {
        var parts = leaf.Split(' ', 2);
        return Condition($$"""{"field":"{{field}}","op":"{{parts[0]}}"{{(parts.Length == 2 ? $",\"value\":{parts[1]}" : "")}}}""");
    }

    private static Condition Condition(string json)
    {
        var errors = new List<FieldError>();
        var condition = ConditionJson.Read(Given.Json(json), "when", errors);
        errors.ShouldBeEmpty();
        return condition!;
    }

    private static List<FieldError> Complaints(string json)
    {
        var errors = new List<FieldError>();
        ConditionJson.Read(Given.Json(json), "when", errors).ShouldBeNull();
        return errors;
    }
}
