using System.Text;
using System.Text.Json;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Webhooks;

public sealed class PayloadTests
{
    [Theory]
    [InlineData("id")]
    [InlineData("data.message_id")]
    [InlineData("event-data.message.headers.message-id")]
    public void A_dotted_path_is_one(string text)
    {
        PayloadPath.TryParse(text, out var path).ShouldBeTrue();
        path!.Name.ShouldBe(text);
        path.Parts.ShouldBe(text.Split('.'));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("a.")]
    [InlineData("a..b")]
    [InlineData("a\n.b")]
    public void Anything_else_is_no_path(string? text) => PayloadPath.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void A_path_is_at_most_two_hundred_characters()
    {
        PayloadPath.TryParse(new string('a', 200), out _).ShouldBeTrue();
        PayloadPath.TryParse(new string('a', 201), out _).ShouldBeFalse();
    }

    // A payload, a path, and the values that it tells apart: - is none.
    [Theory]
    [InlineData("""{"data":{"id":"m1"}}""", "data.id", "m1")]
    [InlineData("""{"data":{"id":7}}""", "data.id", "7")]
    [InlineData("""{"data":{}}""", "data.id", "-")]
    [InlineData("""{"data":"m1"}""", "data.id", "-")]
    [InlineData("""{"data":{"id":null}}""", "data.id", "-")]
    [InlineData("""{"data":{"id":true}}""", "data.id", "-")]
    [InlineData("""{"data":{"id":{"x":1}}}""", "data.id", "-")]
    [InlineData("""{"data":{"id":""}}""", "data.id", "-")]
    [InlineData("""{"data":[{"id":"a"},{"id":"b"},{}]}""", "data.id", "a b -")]
    [InlineData("""{"data":{"ids":["a","b"]}}""", "data.ids", "a b")]
    [InlineData("""[{"id":"a"},{"id":"b"}]""", "id", "a b")]
    [InlineData("""[[{"id":"a"}],[{"id":"b"},{"id":"c"}]]""", "id", "a b c")]
    [InlineData("""{"batches":[{"events":[{"id":"a"},{"id":"b"}]},{"events":[]},{"events":[{"id":"c"}]}]}""", "batches.events.id", "a b c")]
    [InlineData("""{"data":[]}""", "data.id", "")]
    [InlineData("[]", "id", "")]
    [InlineData("""["a",1]""", "id", "- -")]
    public void A_path_tells_the_elements_of_lists_apart(string payload, string path, string values) =>
        string.Join(' ', Items(payload, path).Select(item => EventField.TextOf(item.Value) ?? "-")).ShouldBe(values);

    [Fact]
    public void More_elements_than_wanted_are_not_looked_at()
    {
        var payload = $"[{string.Join(',', Enumerable.Repeat("""{"id":1}""", 5_000))}]";
        Path("id").Items(Given.Json(payload), 1_000).Count.ShouldBe(1_001);
        Path("id").Items(Given.Json(payload), 5_000).Count.ShouldBe(5_000);
    }

    [Fact]
    public void An_element_stands_for_its_list_in_conditions_and_in_what_is_kept()
    {
        var items = Items("""{"account":"x","batches":[{"at":1,"events":[{"id":"a","type":"reply"},{"id":"b","type":"open"}]}],"other":[1,2]}""", "batches.events.id");

        items.Count.ShouldBe(2);
        items.Select(item => Text(item, "batches.events.type")).ShouldBe(["reply", "open"]);
        items.Select(item => Text(item, "batches.at")).ShouldBe(["1", "1"]);
        items.Select(item => Text(item, "account")).ShouldBe(["x", "x"]);
        items.ShouldAllBe(item => Text(item, "batches.missing") == "-" && Text(item, "other.x") == "-" && Text(item, "batches.events.id.x") == "-");
        items[0].At(["other"]).ValueKind.ShouldBe(JsonValueKind.Array);
        Written(items[1]).ShouldBe("""{"account":"x","batches":{"at":1,"events":{"id":"b","type":"open"}},"other":[1,2]}""");

        var root = Items("""[{"id":"a","n":1},{"id":"b","n":2}]""", "id");
        Written(root[1]).ShouldBe("""{"id":"b","n":2}""");
        Text(root[1], "n").ShouldBe("2");
    }

    [Fact]
    public void Chosen_fields_stand_at_their_places()
    {
        var item = Items("""{"type":"reply","data":{"subject":"Hi","n":1e400,"deep":{"a":[1,{"b":2}]}},"list":[1]}""", "type")[0];

        Only(item, "data.subject", "data.n", "list", "missing", "type.x").ShouldBe("""{"list":[1],"data":{"subject":"Hi","n":1e400}}""");
        Only(item, "data.deep.a", "data").ShouldBe("""{"data":{"subject":"Hi","n":1e400,"deep":{"a":[1,{"b":2}]}}}""");
        Only(item).ShouldBe("{}");
        Only(Items("""[{"id":"a","n":1},{"id":"b","n":2}]""", "id")[1], "n").ShouldBe("""{"n":2}""");
    }

    [Fact]
    public void Conditions_of_a_resolver_look_at_the_payload_and_at_the_call()
    {
        var condition = Condition("""{"all":[{"field":"payload.data.amount","op":"gte","value":1000},{"field":"agent_id","op":"eq","value":"outreach-agent-v2"},{"field":"metadata.campaign","op":"eq","value":"q4"}]}""");
        var payload = Items("""{"data":{"amount":1000}}""", "data.amount")[0];

        condition.Holds(new PayloadFacts(Given.Facts("""{"campaign":"q4"}"""), payload)).ShouldBeTrue();
        condition.Holds(new PayloadFacts(Given.Facts("""{"campaign":"q3"}"""), payload)).ShouldBeFalse();
        condition.Holds(new PayloadFacts(Given.Facts("""{"campaign":"q4"}"""), Items("""{"data":{"amount":999}}""", "data.amount")[0])).ShouldBeFalse();
        condition.Holds(new PayloadFacts(null, payload)).ShouldBeFalse();
        var trace = new List<LeafTrace>();
        Condition("""{"field":"payload.gone","op":"eq","value":1}""").Holds(new PayloadFacts(null, payload), trace).ShouldBeFalse();
        trace.ShouldHaveSingleItem().Note.ShouldBe("the payload has no such field");
    }

    [Fact]
    public void A_list_or_a_number_that_is_too_long_is_there_and_compares_with_nothing()
    {
        bool Holds(string value, string op) =>
            Condition($$"""{"field":"payload.x",{{op}}}""").Holds(new PayloadFacts(null, Items($$"""{"x":{{value}}}""", "x.id")[0]));
        var (fits, exceeds) = ($"[7{string.Concat(Enumerable.Repeat(",1", 8_000))}]", $"[7{string.Concat(Enumerable.Repeat(",1", 9_000))}]");

        bool Contains(string list) => Condition("""{"field":"payload.list","op":"contains","value":7}""").Holds(new PayloadFacts(null, Items($$"""{"list":{{list}}}""", "id")[0]));
        Contains(fits).ShouldBeTrue();
        Contains(exceeds).ShouldBeFalse();
        Holds("1." + new string('0', 400), "\"op\":\"gte\",\"value\":0").ShouldBeFalse();
        Holds("1." + new string('0', 100_000), "\"op\":\"gte\",\"value\":0").ShouldBeFalse();
        Holds("1." + new string('0', 100_000), "\"op\":\"exists\"").ShouldBeTrue();
        Holds("1.0", "\"op\":\"gte\",\"value\":0").ShouldBeTrue();
        EventField.TextOf(Items($$"""{"id":{{new string('7', 600)}}}""", "id")[0].Value).ShouldBeNull();
        EventField.TextOf(Items($$"""{"id":"{{new string('7', 100_000)}}"}""", "id")[0].Value)!.Length.ShouldBe(100_000);
        var trace = new List<LeafTrace>();
        Condition("""{"field":"payload.list","op":"contains","value":7}""").Holds(new PayloadFacts(null, Items($$"""{"list":{{exceeds}}}""", "id")[0]), trace).ShouldBeFalse();
        trace.ShouldHaveSingleItem().Note.ShouldBe("not a value that conditions compare");
    }

    [Fact]
    public void A_call_has_no_payload_and_a_tier_may_not_name_one()
    {
        FactField.TryParse("payload.a", withPayload: true, out var field).ShouldBeTrue();
        field!.IsPayload.ShouldBeTrue();
        field.IsMetadata.ShouldBeFalse();
        Given.Facts("""{"a":1}""")[field].Type.ShouldBe(FactType.Missing);
        FactField.TryParse("payload.a", out _).ShouldBeFalse();
        FactField.TryParse("payload", withPayload: true, out _).ShouldBeFalse();
        FactField.TryParse("payload..a", withPayload: true, out _).ShouldBeFalse();
        FactField.TryParse("metadata.payload.a", withPayload: true, out var metadata).ShouldBeTrue();
        metadata!.IsPayload.ShouldBeFalse();

        var errors = new List<FieldError>();
        ConditionJson.Read(Given.Json("""{"all":[{"field":"payload.a","op":"exists"}]}"""), "when", errors).ShouldBeNull();
        errors.ShouldHaveSingleItem().Field.ShouldBe("when.all[0].field");
    }

    [Theory]
    [InlineData("event_id", EventKey.EventId, false)]
    [InlineData("outcome_id", EventKey.OutcomeId, false)]
    [InlineData("idempotency_key", EventKey.IdempotencyKey, true)]
    [InlineData("metadata.ticket.id", EventKey.Metadata, true)]
    public void A_call_is_named_by_its_ids_its_key_or_its_metadata(string name, EventKey key, bool early)
    {
        EventField.TryParse(name, out var field).ShouldBeTrue();
        (field!.Key, field.CanComeEarly, field.Name).ShouldBe((key, early, name));
    }

    [Theory]
    [InlineData("agent_id")]
    [InlineData("metadata")]
    [InlineData("metadata.")]
    [InlineData("payload.id")]
    [InlineData("Event_id")]
    [InlineData("metadata.a\tb")]
    [InlineData("metadata.a\nb")]
    [InlineData(null)]
    public void Nothing_else_names_a_call(string? name) => EventField.TryParse(name, out _).ShouldBeFalse();

    [Fact]
    public void A_value_of_a_call_is_equal_to_a_payloads_as_text()
    {
        EventField.TryParse("metadata.id", out var field).ShouldBeTrue();
        UInt128? Of(string metadata) => field!.ValueOf(Given.Facts(metadata));

        Of("""{"id":7}""").ShouldBe(EventField.Hashed("7"));
        Of("""{"id":7.0}""").ShouldBe(Of("""{"id":"7"}"""));
        Of("""{"id":"7.0"}""").ShouldNotBe(Of("""{"id":"7"}"""));
        Of("""{"id":"a"}""").ShouldNotBe(Of("""{"id":"A"}"""));
        foreach (var none in (string[])["{}", """{"id":null}""", """{"id":""}""", """{"id":["a"]}""", """{"id":{"a":1}}""", """{"id":1e400}"""]) Of(none).ShouldBeNull(none);
    }

    private static PayloadPath Path(string text)
    {
        PayloadPath.TryParse(text, out var path).ShouldBeTrue(text);
        return path!;
    }

    private static IReadOnlyList<PayloadItem> Items(string payload, string path) => Path(path).Items(Given.Json(payload), 1_000);

    private static string Text(PayloadItem item, string path) => EventField.TextOf(FactValue.Of(item.At(Path(path).Parts))) ?? "-";

    private static string Written(PayloadItem item)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) item.WriteTo(writer);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static string Only(PayloadItem item, params string[] paths) => item.Only(paths.Select(path => (IReadOnlyList<string>)Path(path).Parts)).ToJsonString();

    private static Condition Condition(string json)
    {
        var errors = new List<FieldError>();
        var condition = ConditionJson.Read(Given.Json(json), "", errors, withPayload: true);
        errors.ShouldBeEmpty();
        return condition!;
    }
}
