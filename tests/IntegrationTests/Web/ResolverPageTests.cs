using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;
using Rev.IntegrationTests.Webhooks;

namespace Rev.IntegrationTests.Web;

/// <summary>The pages of resolvers, held against the API and against somebody who sends.</summary>
public sealed partial class ResolverPageTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task The_examples_to_start_from_are_those_of_the_documentation(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var text = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "resolvers.md"));
        var documented = Fence().Matches(text).Select(m => JsonNode.Parse(m.Groups["json"].Value)!.AsObject()).ToList();
        var page = (await visit.Get("/live/resolvers")).Is(200);
        var examples = page.Leads().Where(lead => lead.Contains("preset=", StringComparison.Ordinal)).ToList();

        examples.Count.ShouldBe(documented.Count);
        foreach (var (example, resolver) in examples.Zip(documented))
        {
            var shown = (await visit.Get(example.Split('#')[0])).Is(200);
            var (name, scheme, mapping) = (shown.Field("name")!, resolver["signature"]!["scheme"]!.GetValue<string>(), shown.Text("f-mapping"));
            shown.Body.ShouldContain($"<option value=\"{scheme}\" selected", Case.Sensitive, example);
            var whole = JsonNode.Parse(mapping)!.AsObject();
            whole["name"] = name;
            var signature = whole["signature"]?.DeepClone().AsObject() ?? new JsonObject();
            signature["scheme"] = scheme;
            whole["signature"] = signature;
            JsonNode.DeepEquals(whole, resolver).ShouldBeTrue(example);

            var made = (await visit.Submit(shown, "make", ("name", name), ("scheme", scheme), ("secret", ""), ("mapping", mapping))).Is(200);
            made.Body.Contains("id=\"new-secret\"", StringComparison.Ordinal).ShouldBe(scheme != "none", example);
        }
        (await live.All("/v1/resolvers")).Count.ShouldBe(documented.Count);
    }

    [Theory, OneProvider]
    public async Task A_resolver_is_made_once_its_secret_shown_once_and_what_it_is_sent_is_shown(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/resolvers")).Is(200);
        (string, string)[] fields = [("name", "Replies"), ("scheme", "standard-webhooks"), ("secret", ""), ("mapping", Mapping())];

        var secret = (await visit.Submit(page, "make", fields)).Is(200).Text("new-secret");

        secret.ShouldStartWith("whsec_");
        var again = (await visit.Submit(page, "make", fields)).Is(200);
        again.Body.ShouldNotContain("whsec_");
        again.Body.ShouldContain("was made before");
        var resolver = (await live.All("/v1/resolvers")).ShouldHaveSingleItem();
        var sender = new HookSender(live, resolver, secret);
        var call = await live.Meter(HookSender.Call("m-1"));
        var sent = (await sender.Send(HookSender.Payload("m-1"))).Is(200);
        sent["result"].ShouldBe("resolved");
        (await sender.Post(Encoding.UTF8.GetBytes("<i>forged</i>"), [])).Is(401);

        var own = (await visit.Get($"/live/resolvers/{sender.Id}")).Is(200);
        own.Text("hook-url").ShouldBe(resolver["url"]!.GetValue<string>());
        own.Body.ShouldNotContain("whsec_");
        own.Leads().ShouldContain($"/live/resolvers/{sender.Id}/deliveries/{sent["delivery_id"]}");
        own.Body.ShouldContain("of the last 24 hours were not taken");
        var delivery = (await visit.Get($"/live/resolvers/{sender.Id}/deliveries/{sent["delivery_id"]}")).Is(200);
        delivery.Text("payload").ShouldBe(HookSender.Payload("m-1").ToJsonString());
        delivery.Leads().ShouldContain($"/live/outcomes/{call["outcome_id"]}");
        var forged = (await sender.Deliveries("bad_signature")).ShouldHaveSingleItem()["id"]!.GetValue<string>();
        var refused = (await visit.Get($"/live/resolvers/{sender.Id}/deliveries/{forged}")).Is(200);
        refused.Text("payload").ShouldBe("<i>forged</i>");
        refused.Body.ShouldNotContain("<i>forged</i>");
        (await visit.Get($"/live/resolvers/{sender.Id}?result=resolved")).Is(200).Body.ShouldNotContain(forged);
        (await visit.Get($"/live/resolvers/{sender.Id}?result=odd")).Is(400).Body.ShouldContain("id=\"f-result-problem\"");
    }

    [Theory, OneProvider]
    public async Task A_payload_is_tried_as_by_the_API_and_nothing_changes(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var sender = await HookSender.Make(live);
        var call = await live.Meter(HookSender.Call("m-1"));
        var page = (await visit.Get($"/live/resolvers/{sender.Id}")).Is(200);
        var payload = HookSender.Payload("m-1").ToJsonString();
        Task<Answer> Try(string body, string headers = "") => visit.Submit(page, "try", ("payload", body), ("headers", headers));
        var before = await app.Counts();

        var said = (await live.Post($"/v1/resolvers/{sender.Id}/test", new JsonObject { ["payload"] = HookSender.Payload("m-1") })).Is(200);
        var tried = (await Try(payload)).Is(200);
        tried.Text("trial").ShouldContain("resolved");
        tried.Figure("outcome_bonus").ShouldBe(said["items.0.outcome_bonus"]);
        tried.Leads().ShouldContain($"/live/outcomes/{call["outcome_id"]}");
        tried.Body.ShouldContain("success_when");
        (await Try(HookSender.Payload("m-1", "open").ToJsonString())).Is(200).Text("trial").ShouldContain("no condition met");
        (await Try("no JSON")).Is(200).Text("trial").ShouldContain("invalid payload");
        // A browser sends another end of line than was pasted: it is signed over what was pasted.
        var lines = payload.Replace(",", ",\n", StringComparison.Ordinal);
        var headers = string.Join("\r\n", sender.Signed(Encoding.UTF8.GetBytes(lines), "msg_1", app.Now, sender.Secret).Select(header => $"{header.Name}: {header.Value}"));
        (await Try(lines.Replace("\n", "\r\n", StringComparison.Ordinal), headers)).Is(200).Text("trial").ShouldContain("It is signed as the resolver says.");
        (await Try(payload, headers)).Is(200).Text("trial").ShouldContain("bad signature");
        (await Try("")).Is(400).Body.ShouldContain("id=\"f-payload-problem\"");
        (await Try(payload, "no colon")).Is(400).Body.ShouldContain("id=\"f-headers-problem\"");

        (await app.Counts()).ShouldBe(before);
        (await live.Outcome(call["outcome_id"]!)).Is(200)["status"].ShouldBe("pending");
    }

    [Theory, OneProvider]
    public async Task A_resolver_is_changed_and_deleted(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var sender = await HookSender.Make(live, HookSender.Resolver().With("metadata", new JsonArray("data.from")).With("keep_unmatched_for", "PT90M"));
        var before = (await live.Get($"/v1/resolvers/{sender.Id}")).Is(200);
        var page = (await visit.Get($"/live/resolvers/{sender.Id}")).Is(200);

        // What is shown and sent back says the same.
        (await visit.Submit(page, "resolver", ("name", "Answers"), ("scheme", "standard-webhooks"), ("secret", ""), ("mapping", page.Text("f-mapping")))).Is(302);
        var after = (await live.Get($"/v1/resolvers/{sender.Id}")).Is(200);
        after["name"].ShouldBe("Answers");
        foreach (var part in new[] { "correlate", "success_when", "failure_when", "signature", "metadata", "keep_unmatched_for" }) JsonNode.DeepEquals(after.Node(part), before.Node(part)).ShouldBeTrue(part);
        (await sender.Send(HookSender.Payload("m-1"))).Is(200);

        // Signed another way, it has a secret made.
        var secret = (await visit.Submit(page, "resolver", ("name", "Answers"), ("scheme", "hmac-sha256"), ("secret", ""), ("mapping", Mapping()))).Is(200).Text("new-secret");
        var hmac = (await live.Get($"/v1/resolvers/{sender.Id}")).Is(200);
        (await new HookSender(live, hmac.Json!, secret).Send(HookSender.Payload("m-1"))).Is(200);
        (await visit.Get($"/live/resolvers/{sender.Id}")).Is(200).Body.ShouldNotContain(secret);

        (await visit.Press(page, "delete", sender.Id)).Is(302);
        (await live.Get($"/v1/resolvers/{sender.Id}")).Is(404);
        (await visit.Get($"/live/resolvers/{sender.Id}")).Is(404);
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_with_a_resolver_stands_at_its_field_and_no_secret_comes_back(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/resolvers")).Is(200);
        foreach (var (name, scheme, secret, mapping, at) in new[]
        {
            ("", "hmac-sha256", "", Mapping(), "id=\"f-name-problem\""), ("n", "rsa", "", Mapping(), "id=\"f-scheme-problem\""), ("n", "none", "a-secret-of-mine", Mapping(), "id=\"f-secret-problem\""),
            ("n", "hmac-sha256", "a-secret-of-mine", "{", "is no JSON"), ("n", "hmac-sha256", "a-secret-of-mine", "[]", "must be a JSON object"),
            ("n", "hmac-sha256", "", Mapping("\"event\":\"metadata.id\"", "\"event\":\"agent_id\""), "<code>correlate.event</code>"),
            ("n", "hmac-sha256", "", Mapping("\"success_when\"", "\"succes_when\""), "did you mean success_when?"),
            ("n", "hmac-sha256", "", Mapping("{\"correlate\"", "{\"name\":\"m\",\"correlate\""), "id=\"f-name-problem\""),
            ("n", "hmac-sha256", "", Mapping("{\"correlate\"", "{\"signature\":{\"tolerance\":\"PT5M\"},\"correlate\""), "<code>signature.tolerance</code>"),
            ("n", "hmac-sha256", "", Mapping("\"value\":\"reply\"", "\"value\":\"\\u0000\""), "NUL"),
        })
        {
            var refused = (await visit.Submit(page, "make", ("name", name), ("scheme", scheme), ("secret", secret), ("mapping", mapping))).Is(400);
            refused.Body.ShouldContain(at, Case.Sensitive, $"{name} {scheme} {mapping}");
            refused.Text("f-mapping").ShouldBe(mapping);
            refused.Body.ShouldNotContain("a-secret-of-mine");
        }
        (await live.All("/v1/resolvers")).ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task What_is_anothers_or_of_the_other_mode_is_not_there(Provider provider)
    {
        var app = await apps.On(provider);
        var (owner, stranger) = (await app.SignUpAsync(), await app.SignUpAsync());
        var sender = await HookSender.Make(owner.Live, HookSender.Resolver("none"));
        var delivery = (await sender.Send(HookSender.Payload("m-1"))).Is(200)["delivery_id"];
        var own = await app.SignIn(owner.Live);
        (await own.Get($"/live/resolvers/{sender.Id}/deliveries/{delivery}")).Is(200);
        // The address of one that is not signed is its secret: the list does not show it.
        (await own.Get("/live/resolvers")).Is(200).Body.ShouldNotContain(sender.Path);
        foreach (var (visit, root) in new[] { (own, "/test"), (await app.SignIn(stranger.Live), "/live") })
        {
            (await visit.Get($"{root}/resolvers")).Is(200).Body.ShouldNotContain(sender.Id);
            foreach (var path in new[] { $"/resolvers/{sender.Id}", $"/resolvers/{sender.Id}/deliveries/{delivery}", "/resolvers/nonsense", $"/resolvers/{sender.Id}/deliveries/nonsense" })
                (await visit.Get(root + path)).Is(404);
        }
    }

    /// <summary>The sender's resolver without what has a field of its own, perhaps with a part of it replaced.</summary>
    private static string Mapping(string part = "", string by = "")
    {
        var text = HookSender.Resolver().Without("name").Without("signature").ToJsonString();
        if (part.Length == 0) return text;
        text.ShouldContain(part);
        return text.Replace(part, by, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^```json resolver\n(?<json>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Fence();
}
