using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.UnitTests.Common;

public sealed class JsonFieldsTests
{
    [Fact]
    public void An_unknown_field_is_refused_with_the_nearest_name()
    {
        Complaints("""{"token_input":1}""", _ => { }, "tokens_input", "agent_id").ShouldBe(["token_input: is not a field of this request; did you mean tokens_input?"]);
        Complaints("""{"zzzzzzzz":1}""", _ => { }, "tokens_input", "agent_id").ShouldBe(["zzzzzzzz: is not a field of this request"]);
        Complaints("""{"Agent_Id":1}""", _ => { }, "tokens_input", "agent_id").ShouldBe(["Agent_Id: is not a field of this request; did you mean agent_id?"]);
    }

    [Theory]
    [InlineData("""{"a":"b c","d":[1,{"e":1.50}]}""", """{"a":"b c","d":[1,{"e":1.50}]}""")]
    [InlineData("""{ "a" : "b c", "d" : [1, {"e": 1.50}] }""", """{"a":"b c","d":[1,{"e":1.50}]}""")]
    [InlineData("""{"a\u0062":"\u00e9\/\t"}""", """{"ab":"é/\t"}""")]
    [InlineData("""{"é":"<&'+>"}""", """{"é":"<&'+>"}""")]
    [InlineData("""{"a":"\" x"}""", """{"a":"\" x"}""")]
    [InlineData("{}", "{}")]
    public void Metadata_is_kept_compact(string sent, string kept)
    {
        Metadata? read = null;
        Complaints($$"""{"a":{{sent}}}""", f => read = f.Metadata("a"), "a").ShouldBeEmpty();
        read!.Json.ShouldBe(kept);
    }

    [Theory]
    [InlineData("""{"a":1,"b":2,"a":3}""")]
    [InlineData("""{"a":1,"\u0061":3}""")]
    [InlineData("""{"\u0061":1,"a":3}""")]
    [InlineData("""{"1":1,"2":1,"3":1,"4":1,"5":1,"6":1,"7":1,"8":1,"9":1,"a":1,"\u0061":3}""")]
    public void A_member_of_metadata_given_twice_is_refused(string sent) =>
        Complaints($$"""{"m":{{sent}}}""", f => f.Metadata("m").ShouldBeNull(), "m").ShouldBe(["m.a: is given twice"]);

    [Fact]
    public void A_field_given_twice_is_refused() =>
        Complaints("""{"a":1,"a":1}""", _ => { }, "a").ShouldBe(["a: is given twice"]);

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("1")]
    public void A_body_is_an_object(string json) => Complaints(json, _ => { }, "a").ShouldBe(["body: must be a JSON object"]);

    [Theory]
    [InlineData("1", 1L)]
    [InlineData("-5", -5L)]
    [InlineData("9223372036854775807", long.MaxValue)]
    [InlineData("null", null)]
    public void An_integer_literal_is_an_integer(string json, long? value)
    {
        long? read = null;
        Complaints($$"""{"a":{{json}}}""", f => read = f.Integer("a"), "a").ShouldBeEmpty();
        read.ShouldBe(value);
    }

    [Theory]
    [InlineData("\"12\"")]
    [InlineData("12.0")]
    [InlineData("1e3")]
    [InlineData("9223372036854775808")]
    [InlineData("true")]
    [InlineData("[1]")]
    public void Nothing_else_is_an_integer(string json) => Complaints($$"""{"a":{{json}}}""", f => f.Integer("a").ShouldBeNull(), "a").Count.ShouldBe(1);

    [Theory]
    [InlineData("0.005", "0.005")]
    [InlineData("\"0.005\"", "0.005")]
    [InlineData("\"2.50\"", "2.5")]
    [InlineData("-1", "-1")]
    [InlineData("0", "0")]
    public void A_decimal_is_a_string_or_a_number(string json, string value)
    {
        decimal? read = null;
        Complaints($$"""{"a":{{json}}}""", f => read = f.Decimal("a", 9), "a").ShouldBeEmpty();
        read.ShouldBe(Given.Number(value));
    }

    [Theory]
    [InlineData("1e3")]
    [InlineData("\"1e3\"")]
    [InlineData("\"\"")]
    [InlineData("\" 1\"")]
    [InlineData("\"1 \"")]
    [InlineData("\"+1\"")]
    [InlineData("\".5\"")]
    [InlineData("\"5.\"")]
    [InlineData("\"01\"")]
    [InlineData("\"1,5\"")]
    [InlineData("\"1\\n\"")]
    [InlineData("\"٣\"")]
    [InlineData("\"NaN\"")]
    [InlineData("true")]
    [InlineData("{}")]
    [InlineData("0.0000000001")]
    [InlineData("99999999999999999999999999999999")]
    public void Nothing_else_is_a_decimal(string json) => Complaints($$"""{"a":{{json}}}""", f => f.Decimal("a", 9).ShouldBeNull(), "a").Count.ShouldBe(1);

    [Theory]
    [InlineData("2026-11-23T12:00:00Z", "2026-11-23T12:00:00.0000000+00:00")]
    [InlineData("2026-11-23T12:00:00.1234567Z", "2026-11-23T12:00:00.1234560+00:00")]
    [InlineData("2026-11-23T12:00:00.999999999999Z", "2026-11-23T12:00:00.9999990+00:00")]
    [InlineData("2026-11-23T14:00:00+02:00", "2026-11-23T12:00:00.0000000+00:00")]
    [InlineData("2026-11-23T12:00:00.5-05:30", "2026-11-23T17:30:00.5000000+00:00")]
    public void An_instant_is_kept_to_the_microsecond(string text, string value)
    {
        DateTimeOffset? read = null;
        Complaints($$"""{"a":"{{text}}"}""", f => read = f.Instant("a"), "a").ShouldBeEmpty();
        read!.Value.ToString("O").ShouldBe(value);
        read.Value.Offset.ShouldBe(TimeSpan.Zero);
    }

    [Theory]
    [InlineData("\"2026-11-23\"")]
    [InlineData("\"2026-11-23T12:00:00\"")]
    [InlineData("\"2026-11-23 12:00:00Z\"")]
    [InlineData("\"2026-02-30T12:00:00Z\"")]
    [InlineData("\"2026-11-23T25:00:00Z\"")]
    [InlineData("\"2026-11-23T12:00:00Z\\n\"")]
    [InlineData("\"yesterday\"")]
    [InlineData("1700000000")]
    public void Nothing_else_is_an_instant(string json) => Complaints($$"""{"a":{{json}}}""", f => f.Instant("a").ShouldBeNull(), "a").Count.ShouldBe(1);

    [Theory]
    [InlineData("P7D", 7 * 86400L)]
    [InlineData("PT48H", 48 * 3600L)]
    [InlineData("P1W", 7 * 86400L)]
    [InlineData("P1DT2H3M4S", 86400L + 7200 + 180 + 4)]
    [InlineData("PT0S", 0L)]
    [InlineData("P365D", 365 * 86400L)]
    public void A_duration_is_weeks_to_seconds(string text, long seconds)
    {
        TimeSpan? read = null;
        Complaints($$"""{"a":"{{text}}"}""", f => read = f.Duration("a"), "a").ShouldBeEmpty();
        read.ShouldBe(TimeSpan.FromSeconds(seconds));
        Iso8601.TryParse(Iso8601.Format(read!.Value), out var again).ShouldBeTrue();
        again.ShouldBe(read.Value);
    }

    [Theory]
    [InlineData("\"P\"")]
    [InlineData("\"PT\"")]
    [InlineData("\"P1DT\"")]
    [InlineData("\"P1Y\"")]
    [InlineData("\"P1M\"")]
    [InlineData("\"-P1D\"")]
    [InlineData("\"P-1D\"")]
    [InlineData("\"PT1.5S\"")]
    [InlineData("\"P1H\"")]
    [InlineData("\"7D\"")]
    [InlineData("\"P999999999W\"")]
    [InlineData("604800")]
    public void Nothing_else_is_a_duration(string json) => Complaints($$"""{"a":{{json}}}""", f => f.Duration("a").ShouldBeNull(), "a").Count.ShouldBe(1);

    [Fact]
    public void An_explicit_null_is_as_if_absent() =>
        Complaints("""{"a":null}""", f =>
        {
            f.Has("a").ShouldBeTrue();
            f.IsSet("a").ShouldBeFalse();
            f.Text("a").ShouldBeNull();
            f.Integer("a").ShouldBeNull();
            f.Decimal("a", 9).ShouldBeNull();
            f.Instant("a").ShouldBeNull();
            f.Duration("a").ShouldBeNull();
            f.Metadata("a").ShouldBeNull();
            f.List("a", 10).ShouldBeNull();
            f.Object("a", "b").ShouldBeNull();
        }, "a").ShouldBeEmpty();

    [Fact]
    public void Complaints_name_a_field_by_its_path() =>
        Complaints("""{"a":{"b":[{"c":1}]}}""", f =>
        {
            foreach (var (element, path) in f.Object("a", "b")!.List("b", 10)!) JsonFields.Of(element, path, f.Errors, "c").Text("c");
        }, "a").ShouldBe(["a.b[0].c: must be a string"]);

    [Fact]
    public void Metadata_is_kept_compact_and_as_it_was_sent()
    {
        Metadata? read = null;
        Complaints("""{"m": { "n" : 1.0, "é" : "ü", "list": [1, {"a": null}] } }""", f => read = f.Metadata("m"), "m").ShouldBeEmpty();
        read!.Json.ShouldBe("""{"n":1.0,"é":"ü","list":[1,{"a":null}]}""");
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("1")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":{"b":1,"b":2}}""")]
    [InlineData("""{"a":[{"b":1,"b":2}]}""")]
    public void Metadata_is_an_object_without_repeated_names(string json) =>
        Complaints($$"""{"m":{{json}}}""", f => f.Metadata("m").ShouldBeNull(), "m").Count.ShouldBe(1);

    [Fact]
    public void Metadata_is_at_most_eight_levels_deep()
    {
        Complaints($$"""{"m":{{Nested(8)}} }""", f => f.Metadata("m").ShouldNotBeNull(), "m").ShouldBeEmpty();
        Complaints($$"""{"m":{{Nested(9)}} }""", f => f.Metadata("m").ShouldBeNull(), "m").Count.ShouldBe(1);
        Complaints($$"""{"m":{"a":{{new string('[', 7)}}{{new string(']', 7)}} } }""", f => f.Metadata("m").ShouldNotBeNull(), "m").ShouldBeEmpty();
        Complaints($$"""{"m":{"a":{{new string('[', 8)}}{{new string(']', 8)}} } }""", f => f.Metadata("m").ShouldBeNull(), "m").Count.ShouldBe(1);
    }

    [Fact]
    public void Metadata_is_at_most_16_KiB()
    {
        var room = Metadata.MaxBytes - """{"a":""}""".Length;
        Complaints($$"""{"m":{"a":"{{new string('x', room)}}"} }""", f => f.Metadata("m").ShouldNotBeNull(), "m").ShouldBeEmpty();
        Complaints($$"""{"m":{"a":"{{new string('x', room + 1)}}"} }""", f => f.Metadata("m").ShouldBeNull(), "m").Count.ShouldBe(1);
        Complaints($$"""{"m":{"a":"{{new string('é', (room / 2) + 1)}}"} }""", f => f.Metadata("m").ShouldBeNull(), "m").Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("""{"a":"\ud800"}""", "a")]
    [InlineData("""{"a":"\udc00\ud800"}""", "a")]
    [InlineData("""{"a":"\ud83d\ud83d"}""", "a")]
    [InlineData("""{"a":"\ud83dx"}""", "a")]
    [InlineData("""{"\ud800":1}""", "body")]
    [InlineData("""{"m":{"a":"\ud800"}}""", "m")]
    [InlineData("""{"m":{"a":["\\\ud800"]}}""", "m")]
    [InlineData("""{"m":{"\ud800":1}}""", "m")]
    [InlineData("""{"m":{"b":{"\ud800":1}}}""", "m")]
    public void Half_a_character_is_refused(string json, string field) =>
        Complaints(json, Read, "a", "m").ShouldBe([$"{field}: must be Unicode: a surrogate stands without its other half"]);

    [Theory]
    [InlineData("""{"a":"\ud83d\ude00"}""")]
    [InlineData("""{"a":"\\ud800"}""")]
    [InlineData("""{"a":"\u0041\n\"\\"}""")]
    [InlineData("""{"m":{"\ud83d\ude00":["\u00e9\\ud800","\ud83d\ude00"]}}""")]
    public void Whole_characters_are_taken(string json) => Complaints(json, Read, "a", "m").ShouldBeEmpty();

    [Fact]
    public void Objects_of_a_list_are_judged_alone() =>
        Complaints("""{"a":[{"b":"\ud800"},{"b":"x"}]}""", f =>
        {
            foreach (var (element, path) in f.List("a", 10)!) _ = JsonFields.Of(element, path, f.Errors, "b").Text("b");
        }, "a").ShouldBe(["a[0].b: must be Unicode: a surrogate stands without its other half"]);

    [Fact]
    public void Later_metadata_goes_over_earlier_at_the_top_level_only()
    {
        var call = Given.Metadata("""{"a":{"x":1,"y":2},"b":1}""");
        call.MergedWith(Given.Metadata("""{"a":{"x":9},"c":null}""")).Json.ShouldBe("""{"b":1,"a":{"x":9},"c":null}""");
        call.MergedWith(null).ShouldBe(call);
        call.MergedWith(Metadata.Empty).ShouldBe(call);
        Metadata.Empty.MergedWith(call).ShouldBe(call);
    }

    private static void Read(JsonFields fields)
    {
        _ = fields.Text("a");
        _ = fields.Metadata("m");
    }

    private static List<string> Complaints(string json, Action<JsonFields> read, params string[] known)
    {
        var errors = new List<FieldError>();
        read(JsonFields.Of(Given.Json(json), "", errors, known));
        return errors.Select(e => $"{e.Field}: {e.Message}").ToList();
    }

    private static string Nested(int levels) => levels == 1 ? "{}" : $$"""{"a":{{Nested(levels - 1)}} }""";

    [Fact]
    public void A_million_mistakes_are_not_sent_back()
    {
        var errors = new List<FieldError>();
        var names = string.Join(",", Enumerable.Range(0, 5000).Select(i => $"\"x{i}\":1"));
        using var document = System.Text.Json.JsonDocument.Parse($"{{{names}}}");
        JsonFields.Of(document.RootElement, "", errors, "known");
        errors.Count.ShouldBe(JsonFields.MaxErrors);
    }

    [Fact]
    public void A_list_beyond_its_limit_is_refused_before_it_is_read()
    {
        var errors = new List<FieldError>();
        using var document = System.Text.Json.JsonDocument.Parse("""{"items":[1,2,3]}""");
        JsonFields.Of(document.RootElement, "", errors, "items").List("items", 2).ShouldBeNull();
        errors.ShouldBe([new FieldError("items", "must be a list of at most 2")]);
    }
}
