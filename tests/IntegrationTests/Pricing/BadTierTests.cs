using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Pricing;

public sealed class BadTierTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_bad_tier_is_refused_by_name_and_stores_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (string Field, string Body)[] bodies =
        [
            ("name", """{}"""),
            ("name", """{"name":""}"""),
            ("name", """{"name":7}"""),
            ("currency", """{"name":"n","currency":"zzz"}"""),
            ("currency", """{"name":"n","currency":"xau"}"""),
            ("currency", """{"name":"n","currency":"us"}"""),
            ("base_fee", """{"name":"n","base_fee":"0.0000000001"}"""),
            ("base_fee", """{"name":"n","base_fee":0.0000000001}"""),
            ("base_fee", """{"name":"n","base_fee":"1e-3"}"""),
            ("base_fee", """{"name":"n","base_fee":1e-3}"""),
            ("base_fee", """{"name":"n","base_fee":1E2}"""),
            ("base_fee", """{"name":"n","base_fee":"-1"}"""),
            ("base_fee", """{"name":"n","base_fee":-1}"""),
            ("base_fee", """{"name":"n","base_fee":"1000000.000000001"}"""),
            ("base_fee", """{"name":"n","base_fee":"abc"}"""),
            ("base_fee", """{"name":"n","base_fee":""}"""),
            ("base_fee", """{"name":"n","base_fee":"1,5"}"""),
            ("base_fee", """{"name":"n","base_fee":true}"""),
            ("input_per_million", """{"name":"n","token_rates":{"input_per_million":"-1","output_per_million":"1"}}"""),
            ("output_per_million", """{"name":"n","token_rates":{"input_per_million":"1","output_per_million":"0.0000001"}}"""),
            ("output_per_million", """{"name":"n","token_rates":{"input_per_million":"1","output_per_million":"1000001"}}"""),
            ("output_per_million", """{"name":"n","token_rates":{"models":{"m":{"input_per_million":"1"}}}}"""),
            ("input_per_million", """{"name":"n","token_rates":{"models":{"m":{"output_per_million":"1"}}}}"""),
            ("op", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadata.x","op":"equals","value":1}}]}"""),
            ("op", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadata.x","value":1}}]}"""),
            ("field", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadat.x","op":"eq","value":1}}]}"""),
            ("when", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"op":"eq","value":1}}]}"""),
            ("value", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadata.x","op":"in","value":1}}]}"""),
            ("value", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"field":"metadata.x","op":"gt","value":"1"}}]}"""),
            ("amount", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"-1"}]}"""),
            ("amount", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1000001"}]}"""),
            ("amount", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"0.1234567891"}]}"""),
            ("percent", """{"name":"n","outcome_bonuses":[{"name":"b","percent":"100.1","of":"metadata.v"}]}"""),
            ("percent", """{"name":"n","outcome_bonuses":[{"name":"b","percent":"-1","of":"metadata.v"}]}"""),
            ("percent", """{"name":"n","outcome_bonuses":[{"name":"b","percent":"1.12345","of":"metadata.v"}]}"""),
            ("of", """{"name":"n","outcome_bonuses":[{"name":"b","percent":"5"}]}"""),
            ("max_amount", """{"name":"n","outcome_bonuses":[{"name":"b","percent":"5","of":"metadata.v","max_amount":"-1"}]}"""),
            ("name", """{"name":"n","outcome_bonuses":[{"amount":"1"}]}"""),
            ("expires_after", """{"name":"n","pending":{"expires_after":"P1M"}}"""),
            ("expires_after", """{"name":"n","pending":{"expires_after":"PT0S"}}"""),
            ("expires_after", """{"name":"n","pending":{"expires_after":"P366D"}}"""),
            ("expires_after", """{"name":"n","pending":{"expires_after":"7 days"}}"""),
            ("bonus", """{"name":"n","pending":{"on_expiry":{"bonus":"maybe"}}}"""),
            ("amount", """{"name":"n","pending":{"on_expiry":{"bonus":"fixed"}}}"""),
            ("review_window", """{"name":"n","review_window":"P366D"}"""),
            ("review_window", """{"name":"n","review_window":"-PT1S"}"""),
            ("reversal_window", """{"name":"n","reversal_window":"P3651D"}"""),
            ("reversal_window", """{"name":"n","reversal_window":"P1Y"}"""),
            ("one_bonus_per", """{"name":"n","one_bonus_per":"ticket"}"""),
            ("scope", """{"name":"n","one_bonus_per":{"field":"metadata.ticket_id","scope":"world"}}"""),
            ("outcome_bonuses", $$"""{"name":"n","outcome_bonuses":[{{Repeated(33, i => $$"""{"name":"b{{i}}","amount":"1"}""")}}]}"""),
            ("models", "{\"name\":\"n\",\"token_rates\":{\"models\":{" + Repeated(65, i => $$"""  "m{{i}}":{"input_per_million":"1","output_per_million":"1"} """) + "}}}"),
            ("when", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":""" + Nested(9) + "}]}"),
            ("when", """{"name":"n","outcome_bonuses":[{"name":"b","amount":"1","when":{"any":[""" + Repeated(65, _ => """{"field":"action","op":"exists"}""") + "]}}]}"),
        ];
        var before = await app.Counts();
        var wrong = new List<string>();

        foreach (var (field, body) in bodies)
        {
            var answer = await account.Live.Put("/v1/tiers/bad", body);
            if (answer.Status != 400) wrong.Add($"{Short(body)} → {answer.Status} {Short(answer.Body)}");
            else if (!Names(answer, field)) wrong.Add($"{Short(body)} → {field} is not named: {answer.Body}");
            else answer.Refused(400);
        }

        wrong.ShouldBeEmpty();
        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_malformed_tier_key_is_404(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var before = await app.Counts();

        (await account.Live.Put($"/v1/tiers/{new string('k', 129)}", Bodies.Tier())).Refused(404);
        (await account.Live.Put("/v1/tiers/a%20b", Bodies.Tier())).Refused(404);

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task A_tier_that_does_not_exist_cannot_be_assigned(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await account.Test.Put("/v1/tiers/test-only", Bodies.Tier())).Is(201);
        var before = await app.Counts();

        foreach (var tier in new[] { "nowhere", "test-only" })
        {
            (await account.Live.Put("/v1/agents/a", new { tier })).Refused(400, "tier.unknown", "tier");
            (await account.Live.Put("/v1/customers/c", new { tier })).Refused(400, "tier.unknown", "tier");
            (await account.Live.Post("/v1/simulations", new { tier, calls_per_month = 1 })).Refused(400, "tier.unknown", "tier");
        }

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task Limits_themselves_are_allowed(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        (await account.Live.Put("/v1/tiers/edge", Bodies.Parse($$"""
            {"name":"n","currency":"jpy","base_fee":1000000,
             "token_rates":{"input_per_million":"0.000001","output_per_million":1000000},
             "outcome_bonuses":[{"name":"b","percent":"100.0","of":"metadata.v","max_amount":"1000000.00","when":{{Nested(8)}} },
                                {"name":"c","amount":"0.000000001"}],
             "pending":{"expires_after":"P365D","on_expiry":{"bonus":"fixed","amount":"1000000"} },
             "review_window":"P365D","reversal_window":"P3650D","one_bonus_per":{"field":"metadata.ticket_id","scope":"account"} }
            """))).Is(201);
        (await account.Live.Put("/v1/tiers/weeks", Bodies.Parse("""{"name":"n","pending":{"expires_after":"P2W"},"review_window":"PT48H30M5S"}"""))).Is(201);
    }

    private static string Nested(int depth) =>
        depth == 1 ? """{"field":"action","op":"exists"}""" : """{"not":""" + Nested(depth - 1) + "}";

    private static string Repeated(int times, Func<int, string> item) => string.Join(',', Enumerable.Range(0, times).Select(item));

    private static bool Names(Answer answer, string field) =>
        answer.Has("errors") && answer.Node("errors") is JsonObject errors && errors.Any(error => error.Key.Contains(field, StringComparison.Ordinal));

    private static string Short(string text) => text.Length > 300 ? text[..300] : text;
}
