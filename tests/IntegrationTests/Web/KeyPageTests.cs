using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>The page of API keys: each is shown once, and never again.</summary>
public sealed class KeyPageTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task A_key_is_made_once_and_shown_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/keys")).Is(200);
        page.Body.ShouldNotContain(live.Key);
        (string, string)[] fields = [("name", "ci"), ("mode", "live"), ("scopes", "read"), ("scopes", "meter:write")];

        var made = (await visit.Submit(page, "issue", fields)).Is(200);

        var secret = made.Text("new-key");
        secret.ShouldStartWith("rg_live_");
        (made.Header("Cache-Control") ?? "").ShouldContain("no-store");
        await app.With(secret).Meter(Bodies.Call());
        var key = (await Keys(live, "ci")).ShouldHaveSingleItem();
        key["scopes"]!.AsArray().Select(scope => scope!.GetValue<string>()).Order(StringComparer.Ordinal).ShouldBe(["meter:write", "read"]);
        // A reload sends the same form once more.
        var again = (await visit.Submit(page, "issue", fields)).Is(200);
        again.Body.ShouldNotContain("id=\"new-key\"");
        again.Body.ShouldContain("done before");
        (await Keys(live, "ci")).Count.ShouldBe(1);
        var list = (await visit.Get("/live/keys")).Is(200);
        list.Body.ShouldNotContain(secret);
        list.Body.ShouldContain(secret[..12]);
    }

    [Theory, OneProvider]
    public async Task A_key_is_rotated_with_a_grace_and_revoked(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var old = (await live.Post("/v1/api_keys", new { name = "ci", mode = "live", scopes = new[] { "read" } })).Is(201);
        var page = (await visit.Get("/live/keys")).Is(200);

        var rotated = (await visit.Press(page, "rotate", old["id"]!, ("grace", "PT1H"))).Is(200);

        var fresh = app.With(rotated.Text("new-key"));
        (await fresh.Get("/v1/account")).Is(200);
        (await fresh.TryMeter(Bodies.Call())).Refused(403);
        (await app.With(old["secret"]!).Get("/v1/account")).Is(200);
        rotated.Body.ShouldContain("expiring");
        // A reload sends the same form once more.
        (await visit.Press(page, "rotate", old["id"]!, ("grace", "PT1H"))).Is(200).Body.ShouldNotContain("id=\"new-key\"");
        var keys = await Keys(live, "ci");
        keys.Count.ShouldBe(2);
        (await visit.Press(page, "rotate", old["id"]!, ("grace", "for ever"))).Is(400);

        var id = keys.Select(key => key["id"]!.GetValue<string>()).Single(key => key != old["id"]);
        var list = (await visit.Get("/live/keys")).Is(200);
        list.Body.ShouldNotContain(fresh.Key);
        (await visit.Press(list, "revoke", id)).Is(302);
        (await Keys(live, "ci")).Single(key => key["id"]!.GetValue<string>() == id)["revoked_at"].ShouldNotBeNull();
        (await visit.Get("/live/keys?done=revoked")).Is(200).Body.ShouldContain("The key is revoked");
    }

    [Theory, OneProvider]
    public async Task What_is_wrong_with_a_key_stands_at_its_field(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var visit = await app.SignIn(live);
        var page = (await visit.Get("/live/keys")).Is(200);
        var before = (await live.All("/v1/api_keys")).Count;

        (await visit.Submit(page, "issue", ("name", " "), ("mode", "live"), ("scopes", "read"))).Is(400).Body.ShouldContain("id=\"f-name-problem\"");
        (await visit.Submit(page, "issue", ("name", "ci"), ("mode", "moon"), ("scopes", "read"))).Is(400).Body.ShouldContain("id=\"f-mode-problem\"");
        var none = (await visit.Submit(page, "issue", ("name", "ci"), ("mode", "live"))).Is(400);
        none.Body.ShouldContain("id=\"scopes-problem\"");
        none.Field("name").ShouldBe("ci");

        (await live.All("/v1/api_keys")).Count.ShouldBe(before);
    }

    [Theory, OneProvider]
    public async Task A_test_keys_session_sees_and_makes_test_keys_only(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Test);
        (await visit.Get("/live/keys")).Is(403);
        var page = (await visit.Get("/test/keys")).Is(200);
        foreach (var key in await account.Live.All("/v1/api_keys"))
        {
            var isTest = key["mode"]!.GetValue<string>() == "test";
            page.Body.Contains(key["id"]!.GetValue<string>(), StringComparison.Ordinal).ShouldBe(isTest);
        }

        (await visit.Submit(page, "issue", ("name", "ci"), ("mode", "live"), ("scopes", "read"))).Is(403).Body.ShouldContain("api_key.wrong_mode");
        (await Keys(account.Live, "ci")).ShouldBeEmpty();
        (await visit.Submit(page, "issue", ("name", "ci"), ("mode", "test"), ("scopes", "read"))).Is(200).Text("new-key").ShouldStartWith("rg_test_");
    }

    [Theory, OneProvider]
    public async Task Only_an_admin_sees_the_page_and_nobody_anothers_keys(Provider provider)
    {
        var app = await apps.On(provider);
        var (owner, stranger) = (await app.SignUpAsync(), await app.SignUpAsync());
        var reader = app.With((await owner.Live.Post("/v1/api_keys", new { name = "reader", mode = "live", scopes = new[] { "read" } })).Is(201)["secret"]!);
        var visit = await app.SignIn(reader);
        foreach (var path in new[] { "/live/keys", "/live/webhooks", "/live/resolvers" }) (await visit.Get(path)).Is(403);

        var other = await app.SignIn(stranger.Live);
        var page = (await other.Get("/live/keys")).Is(200);
        foreach (var key in await owner.Live.All("/v1/api_keys"))
        {
            var id = key["id"]!.GetValue<string>();
            page.Body.ShouldNotContain(id);
            (await other.Press(page, "revoke", id)).Is(404);
            (await other.Press(page, "rotate", id, ("grace", "PT0S"))).Is(404);
        }
        (await owner.Live.All("/v1/api_keys")).ShouldAllBe(key => key["revoked_at"] == null && key["expires_at"] == null);
    }

    private static async Task<List<JsonObject>> Keys(Caller caller, string name) =>
        [.. (await caller.All("/v1/api_keys")).Where(key => key["name"]!.GetValue<string>() == name)];
}
