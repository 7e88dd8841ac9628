using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>What somebody tries who means harm.</summary>
public sealed class AttackTests(Apps apps) : IClassFixture<Apps>
{
    private const string Token = "__RequestVerificationToken";

    [Theory, OneProvider]
    public async Task The_form_of_another_account_or_of_nobody_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Live);
        // A host of the same domain can plant the cookie that tokens are held against; a token for it whoever planted it has from an account of its own.
        var theirs = await app.SignIn((await app.SignUpAsync()).Live);
        var planted = (await theirs.Get("/live/account")).Is(200);
        theirs.Session = visit.Session;
        var nobodys = new Visit(app);
        var bare = (await nobodys.Get("/signin")).Is(200);
        nobodys.Session = visit.Session;

        foreach (var (browser, token) in new[] { (theirs, Visit.TokenOf(planted)), (nobodys, Visit.TokenOf(bare)) })
        {
            (await browser.Post("/live/account", (Token, token), ("_handler", "account"), ("company", "Stolen"), ("currency", "eur"))).Is(400);
            (await browser.Post("/live/tiers/preview", (Token, token), ("json", """{"name":"n"}"""))).Is(400);
        }
        (await account.Live.Get("/v1/account")).Is(200)["company"].ShouldBe("Example Ltd");

        // Whoever signs in again goes on with what was typed before.
        var typed = (await visit.Get("/live/account")).Is(200);
        (await visit.Post("/signout", (Token, Visit.TokenOf(typed)))).Is(302);
        (await visit.Submit(await visit.Get("/signin"), "by-key", ("key", account.Live.Key))).Is(302);
        (await visit.Submit(typed, "account", ("company", "Ours"), ("currency", "usd"))).Is(302);
        (await account.Live.Get("/v1/account")).Is(200)["company"].ShouldBe("Ours");
    }

    [Theory, OneProvider]
    public async Task A_form_that_another_host_sends_is_refused_whatever_it_proves(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var page = (await app.Browse("/signin")).Is(200);
        var own = app.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);

        foreach (var (name, value) in new[]
        {
            ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Origin", "https://evil.example"), ("Origin", "http://localhost.evil.example"), ("Origin", "http://localhost:1"),
        })
        {
            var refused = (await Send(name, value)).Is(400);
            refused.ContentType.ShouldBe("text/html", value);
            refused.Header("Content-Security-Policy").ShouldNotBeNullOrEmpty(value);
        }
        (await app.Count("sessions")).ShouldBe(0);

        // What has no referrer has no origin either.
        foreach (var (name, value) in new[] { ("Sec-Fetch-Site", "same-origin"), ("Origin", own), ("Origin", "null") }) (await Send(name, value)).Is(302);

        Task<Answer> Send(string name, string value) => Post(app, "/signin", page.Cookies(), [(name, value)], (Token, Visit.TokenOf(page)), ("_handler", "by-key"), ("key", account.Live.Key));
    }

    [Theory, OneProvider]
    public async Task No_form_is_larger_than_one_has_to_be(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var page = (await app.Browse("/signin")).Is(200);
        (await Mail(1_000)).Is(200);
        (await Mail(64 * 1024)).Status.ShouldBeOneOf(400, 413);

        var cookies = $"rev-session={(await app.SignIn(account.Live)).Session}";
        var shown = (await app.Browse("/live/account", ("Cookie", cookies))).Is(200);
        cookies += "; " + shown.Cookies();
        (await Save("Small", 512 * 1024)).Is(302);
        (await Save("Large", 3 * 1024 * 1024)).Status.ShouldBeOneOf(400, 413);
        (await account.Live.Get("/v1/account")).Is(200)["company"].ShouldBe("Small");

        Task<Answer> Mail(int padding) => Padded("/signin", page.Cookies(), padding, (Token, Visit.TokenOf(page)), ("_handler", "by-mail"), ("email", account.Email));
        Task<Answer> Save(string company, int padding) =>
            Padded("/live/account", cookies, padding, (Token, Visit.TokenOf(shown)), ("_handler", "account"), ("company", company), ("currency", "usd"));
        // What is too large is refused before it is sent.
        Task<Answer> Padded(string path, string sent, int padding, params (string Name, string Value)[] fields) =>
            Post(app, path, sent, [("Expect", "100-continue")], [.. fields, ("padding", new string('a', padding))]);
    }

    [Theory, OneProvider]
    public async Task A_key_that_may_write_and_not_read_is_shown_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        await account.Live.Meter(Bodies.Call());
        var pricer = await app.SignIn(await Key("pricing:write"));

        foreach (var path in new[] { "/live/tiers/new", "/live/tiers/default/edit" }) (await pricer.Get(path)).Is(403).Body.ShouldContain("the scope read", Case.Sensitive, path);
        var tried = await pricer.Post(
            "/live/tiers/default/edit", (Token, Visit.TokenOf(await pricer.Get("/signin"))), ("_handler", "tier"), ("do", "try"), ("window", "30d"), ("version", "1"), ("json", """{"name":"n"}"""));
        tried.Is(403).Body.ShouldNotContain("outreach-agent-v2");

        var reader = await app.SignIn(await Key("read"));
        (await reader.Get("/live/tiers/default/edit")).Is(403).Body.ShouldContain("the scope pricing:write");
        var both = await app.SignIn(await Key("read", "pricing:write"));
        (await both.Get("/live/tiers/default/edit")).Is(200);

        async Task<Caller> Key(params string[] scopes) =>
            app.With((await account.Live.Post("/v1/api_keys", new { name = string.Join(' ', scopes), mode = "live", scopes })).Is(201)["secret"]!);
    }

    [Theory, OneProvider]
    public async Task Outside_this_machine_cookies_are_for_TLS_and_a_session_is_from_this_very_host(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = new Visit(app) { Host = "rev.example" };
        var page = (await visit.Get("/signin", ("X-Forwarded-Proto", "https"))).Is(200);
        page.Headers.GetValues("Set-Cookie").Single(cookie => cookie.StartsWith("rev-form=", StringComparison.Ordinal)).Split("; ").ShouldContain("secure");

        var answer = (await visit.Submit(page, "by-key", ("key", account.Live.Key))).Is(302);

        var session = answer.Headers.GetValues("Set-Cookie").Single(cookie => cookie.Contains("rev-session=", StringComparison.Ordinal)).Split("; ");
        session[0].ShouldStartWith("__Host-rev-session=");
        foreach (var attribute in new[] { "secure", "httponly", "path=/", "samesite=lax" }) session.ShouldContain(attribute);
        session.ShouldAllBe(attribute => !attribute.StartsWith("domain", StringComparison.OrdinalIgnoreCase));
        var token = session[0][(session[0].IndexOf('=', StringComparison.Ordinal) + 1)..];
        (await app.Browse("/live/account", ("Host", "rev.example"), ("Cookie", $"__Host-rev-session={token}"))).Is(200);
        // By this name another host of the domain could have planted it.
        (await app.Browse("/live/account", ("Host", "rev.example"), ("Cookie", $"rev-session={token}"))).Is(302);
    }

    /// <summary>Sends a form with headers of its own.</summary>
    private static async Task<Answer> Post(RevApp app, string path, string cookies, (string Name, string Value)[] headers, params (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.ToDictionary(field => field.Name, field => field.Value, StringComparer.Ordinal));
        return await app.Anonymous.SendContent(HttpMethod.Post, path, form, [("Accept", "text/html"), ("Cookie", cookies), .. headers]);
    }
}
