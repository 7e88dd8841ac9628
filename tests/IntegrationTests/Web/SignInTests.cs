using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using MediatR;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Rev.Infrastructure.Accounts;
using Rev.IntegrationTests.Common;
using Rev.Web.Accounts;

namespace Rev.IntegrationTests.Web;

public sealed class SignInTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_mailed_link_signs_in_once_and_only_on_its_button(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = new Visit(app);

        var sent = (await visit.Submit(await visit.Get("/signin"), "by-mail", ("email", account.Email.ToUpperInvariant()))).Is(200);
        sent.Body.ShouldContain("Check your inbox");
        sent.Text("code-link").ShouldContain(Path.Combine(app.DataDirectory, "mail"));
        var mail = await app.Mail.WaitFor(account.Email, nth: 2);
        mail.HasKey.ShouldBeFalse();
        mail.Bytes.ShouldAllBe(value => value < 128);
        mail.Link.ShouldStartWith("/signin/link?token=");

        // Mail scanners follow links: looking changes nothing, as often as they look.
        var page = (await visit.Get(mail.Link)).Is(200);
        (await visit.Get(mail.Link)).Is(200).Header("Referrer-Policy").ShouldBe("no-referrer");
        await app.Anonymous.Send(HttpMethod.Head, mail.Link);
        visit.Session.ShouldBeNull();
        (await app.Count("sessions")).ShouldBe(0);

        (await visit.Submit(page, "use-link")).Is(302).Header("Location").ShouldBe("/live/revenue");
        foreach (var path in new[] { "/live/account", "/test/account" })
        {
            var shown = (await visit.Get(path)).Is(200);
            shown.Body.ShouldContain(account.Email, Case.Sensitive, path);
            shown.Body.ShouldContain("a mailed link", Case.Sensitive, path);
            shown.Header("Cache-Control")!.ShouldContain("no-store", Case.Sensitive, path);
        }

        var late = new Visit(app);
        (await late.Submit(await late.Get(mail.Link), "use-link")).Is(404).Body.ShouldContain("This link no longer works");
        late.Session.ShouldBeNull();
        (await late.Get("/live/account")).Is(302);
        (await app.Count("sessions")).ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task A_link_works_for_an_hour_and_only_for_what_it_was_mailed_for(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = new Visit(app);
        (await app.Anonymous.Post("/v1/signup", new { email = account.Email })).Is(202);
        var key = Token((await app.Mail.WaitFor(account.Email, nth: 2)).Link);
        (await visit.Submit(await visit.Get("/signin"), "by-mail", ("email", account.Email))).Is(200);
        var signIn = Token((await app.Mail.WaitFor(account.Email, nth: 3)).Link);

        (await Use(key)).Is(404);
        (await visit.Post("/signup/key", ("token", signIn))).Is(404).Body.ShouldNotContain("rg_live_");
        foreach (var forged in new[] { "", signIn[..^3] + "AAA", new string('a', 5_000) }) (await Use(forged)).Is(404);
        (await app.Count("sessions")).ShouldBe(0);

        // Neither was used up by that.
        (await visit.Post("/signup/key", ("token", key))).Is(200).Body.ShouldContain("rg_live_");
        app.Clock.Advance(TimeSpan.FromMinutes(61));
        (await Use(signIn)).Is(404);
        (await app.Count("sessions")).ShouldBe(0);

        async Task<Answer> Use(string token) => await visit.Submit(await visit.Get("/signin/link"), "use-link", ("token", token));
        static string Token(string link) => link[(link.IndexOf('=', StringComparison.Ordinal) + 1)..];
    }

    [Theory, EachProvider]
    public async Task An_unknown_address_is_answered_as_a_known_one_and_gets_no_mail(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var unknown = RevApp.NewAddress();
        var mails = await app.Count("mail_requests");

        var (known, knownTook) = await Ask(account.Email);
        var (other, otherTook) = await Ask(unknown);

        other.Replace(unknown, "", StringComparison.Ordinal).ShouldBe(known.Replace(account.Email, "", StringComparison.Ordinal));
        foreach (var took in new[] { knownTook, otherTook }) took.ShouldBeGreaterThan(TimeSpan.FromMilliseconds(180));
        await app.Mail.WaitFor(account.Email, nth: 2);
        (await app.Count("mail_requests")).ShouldBe(mails + 1);
        app.Mail.To(unknown).ShouldBeEmpty();
        (await app.Count("accounts")).ShouldBe(1);

        async Task<(string Body, TimeSpan Took)> Ask(string email)
        {
            var visit = new Visit(app);
            var page = (await visit.Get("/signin")).Is(200);
            var watch = Stopwatch.StartNew();
            var answer = (await visit.Submit(page, "by-mail", ("email", email))).Is(200);
            return (answer.Body, watch.Elapsed);
        }
    }

    [Theory, OneProvider]
    public async Task An_address_is_mailed_five_links_an_hour(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = new Visit(app);
        for (var i = 0; i < 7; i++) (await visit.Submit(await visit.Get("/signin"), "by-mail", ("email", account.Email))).Is(200);
        (await app.Count("mail_requests")).ShouldBe(1 + 5);
        app.Clock.Advance(TimeSpan.FromMinutes(61));
        (await visit.Submit(await visit.Get("/signin"), "by-mail", ("email", account.Email))).Is(200);
        (await app.Count("mail_requests")).ShouldBe(1 + 6);
    }

    [Theory, EachProvider]
    public async Task A_key_signs_in_and_its_mode_and_scopes_hold(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        var live = await app.SignIn(account.Live);
        (await live.Get("/live/account")).Is(200).Body.ShouldContain("rg_live_");
        (await live.Get("/test/account")).Is(200).Body.ShouldContain("Test data: nothing here is billed.");

        var test = await app.SignIn(account.Test);
        var shown = (await test.Get("/test/account")).Is(200);
        shown.Leads().ShouldAllBe(lead => !lead.StartsWith("/live", StringComparison.Ordinal));
        var refused = (await test.Get("/live/account")).Is(403);
        refused.ContentType.ShouldBe("text/html");
        refused.Body.ShouldContain("test data only");
        refused.Leads().ShouldContain("/test/account");

        var reader = await app.SignIn(await Key(account, "read"));
        (await reader.Get("/live/account")).Is(200);
        var keys = (await reader.Get("/live/keys")).Is(403);
        keys.Body.ShouldContain("the scope admin");
        keys.Body.ShouldContain("auth.missing_scope");
        var meter = await app.SignIn(await Key(account, "meter:write"));
        (await meter.Get("/live/account")).Is(403).Body.ShouldContain("the scope read");
    }

    [Theory, OneProvider]
    public async Task What_is_no_working_key_is_refused_at_its_field(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var revoked = await Key(account, "read");
        await Revoke(account, revoked);
        var visit = new Visit(app);
        var page = (await visit.Get("/signin")).Is(200);
        foreach (var (key, status) in new[]
        {
            ("", 400), ("   ", 400), (new string('a', 5_000), 400), ("nonsense", 401), ("rg_live_" + new string('A', 43), 401), (account.Live.Key[..^1], 401),
            (account.Live.Key.Replace("live", "test", StringComparison.Ordinal), 401), (revoked.Key, 401),
        })
        {
            var refused = (await visit.Submit(page, "by-key", ("key", key))).Is(status);
            refused.ContentType.ShouldBe("text/html", key);
            refused.Body.ShouldContain("id=\"key-problem\"", Case.Sensitive, key);
            if (key.Trim().Length > 0) refused.Body.ShouldNotContain(key);
        }
        visit.Session.ShouldBeNull();
        (await visit.Submit(page, "by-key", ("key", $"  {account.Live.Key}\r\n"))).Is(302);
    }

    [Theory, EachProvider]
    public async Task A_session_is_over_with_its_key(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var (revoked, rotated) = (await Key(account, "read"), await Key(account, "read"));
        var (first, second) = (await app.SignIn(revoked), await app.SignIn(rotated));

        await Revoke(account, revoked);
        (await first.Get("/live/account")).Is(302);
        first.Session.ShouldBeNull("The cookie is taken back.");
        (await second.Get("/live/account")).Is(200);

        (await account.Live.Post($"/v1/api_keys/{await IdOf(account, rotated)}/rotate", new { grace = "PT1H" })).Is(201);
        (await second.Get("/live/account")).Is(200);
        app.Clock.Advance(TimeSpan.FromMinutes(61));
        (await second.Get("/live/account")).Is(302);
    }

    [Theory, EachProvider]
    public async Task Signing_out_ends_the_session_and_not_the_cookie_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var (visit, other) = (await app.SignIn(account.Live), await app.SignIn(account.Live));
        var token = visit.Session;
        var page = (await visit.Get("/live/account")).Is(200);

        (await visit.Post("/signout", ("__RequestVerificationToken", Visit.TokenOf(page)))).Is(302).Header("Location").ShouldBe("/");

        visit.Session.ShouldBeNull();
        visit.Session = token;
        (await visit.Get("/live/account")).Is(302);
        (await other.Get("/live/account")).Is(200);
    }

    [Theory, EachProvider]
    public async Task Signing_out_everywhere_ends_every_session_of_the_account(Provider provider)
    {
        var app = await apps.On(provider);
        var (account, stranger) = (await app.SignUpAsync(), await app.SignUpAsync());
        var (visit, other, theirs) = (await app.SignIn(account.Live), await app.SignIn(account.Test), await app.SignIn(stranger.Live));
        var reader = await app.SignIn(await Key(account, "read"));

        (await other.Press(await other.Get("/test/account"), "end-all")).Is(403);
        (await reader.Press(await reader.Get("/live/account"), "end-all")).Is(403);
        (await visit.Press(await visit.Get("/live/account"), "end-all")).Is(302).Header("Location").ShouldBe("/");

        foreach (var ended in new[] { visit, other, reader }) (await ended.Get("/test/account")).Is(302);
        (await theirs.Get("/live/account")).Is(200);
        (await account.Live.Get("/v1/account")).Is(200);
    }

    [Theory, OneProvider]
    public async Task A_session_lasts_two_weeks_and_is_then_removed(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Live);
        app.Clock.Advance(TimeSpan.FromDays(13.9));
        (await visit.Get("/live/account")).Is(200);
        (await Purge()).ShouldBe(0);
        app.Clock.Advance(TimeSpan.FromHours(3));
        (await visit.Get("/live/account")).Is(302);
        (await Purge()).ShouldBe(1);
        (await app.Count("sessions")).ShouldBe(0);

        async Task<int> Purge()
        {
            using var scope = app.Services.CreateScope();
            var purged = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new Rev.Application.Accounts.PurgeSessions());
            purged.IsSuccess.ShouldBeTrue();
            return purged.Value;
        }
    }

    [Theory, OneProvider]
    public async Task The_cookie_is_for_this_server_alone_and_outside_this_machine_for_TLS_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var local = (await Cookie(new Visit(app))).Split("; ");
        local[0].ShouldStartWith("rev-session=");
        local.ShouldContain("httponly");
        local.ShouldContain("path=/");
        local.ShouldContain("samesite=lax");
        local.ShouldContain("max-age=1209600");
        local.ShouldNotContain("secure");
        foreach (var host in new[] { "localhost:5080", "[::1]:5080" }) (await Cookie(new Visit(app) { Host = host })).ShouldNotContain("secure", Case.Sensitive, host);
        foreach (var host in new[] { "rev.example", "localhost.rev.example", "10.0.0.1:5080" }) (await Cookie(new Visit(app) { Host = host })).ShouldContain("secure", Case.Sensitive, host);

        async Task<string> Cookie(Visit visit)
        {
            var answer = (await visit.Submit(await visit.Get("/signin"), "by-key", ("key", account.Live.Key))).Is(302);
            answer.Header("Location").ShouldBe("/live/revenue");
            return answer.Headers.GetValues("Set-Cookie").Single(cookie => cookie.Contains("rev-session=", StringComparison.Ordinal));
        }
    }

    [Theory, OneProvider]
    public async Task A_sign_in_leads_back_and_never_away(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await Led("/live/account?done=saved", account.Live)).ShouldBe("/live/account?done=saved");
        (await Led("/test/account", account.Live)).ShouldBe("/test/account");
        (await Led("/test/account", account.Test)).ShouldBe("/test/account");
        (await Led("/live/account", account.Test)).ShouldBe("/test/revenue");
        foreach (var away in new[]
        {
            "", "//evil.example", "///evil.example", "https://evil.example/", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example",
            "javascript:alert(1)", "evil.example", "/live account", "/" + new string('a', 3_000), "/..//evil.example", "/.//evil.example", "/live/../..//evil.example", "/%2e%2e//evil.example",
        })
        {
            (await Led(away, account.Live)).ShouldBe("/live/revenue", away);
            (await Led(away, account.Test)).ShouldBe("/test/revenue", away);
        }

        async Task<string?> Led(string to, Caller caller)
        {
            var visit = new Visit(app);
            var page = (await visit.Get("/signin?return=" + Uri.EscapeDataString(to))).Is(200);
            var led = (await visit.Submit(page, "by-key", ("key", caller.Key))).Is(302).Header("Location");
            // The field is no more to be trusted than the address.
            (await visit.Submit(page, "by-key", ("key", caller.Key), ("return", to))).Is(302).Header("Location").ShouldBe(led);
            return led;
        }
    }

    [Theory, OneProvider]
    public async Task A_form_of_another_site_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = new Visit(app);
        var page = (await visit.Get("/signin")).Is(200);
        const string token = "__RequestVerificationToken";
        foreach (var forged in new[] { "", "forged", Convert.ToBase64String(RandomNumberGenerator.GetBytes(120)) })
        {
            (await visit.Submit(page, "by-key", ("key", account.Live.Key), (token, forged))).Is(400);
            (await visit.Submit(page, "by-mail", ("email", account.Email), (token, forged))).Is(400);
        }
        // The token of one browser is of no use to another.
        (await new Visit(app).Post("/signin", (token, Visit.TokenOf(page)), ("_handler", "by-key"), ("key", account.Live.Key))).Is(400);
        visit.Session.ShouldBeNull();
        (await app.Count("sessions")).ShouldBe(0);
        (await app.Count("mail_requests")).ShouldBe(1);

        var signedIn = await app.SignIn(account.Live);
        (await signedIn.Post("/signout")).Is(400);
        (await signedIn.Post("/signout", (token, "forged"))).Is(400);
        (await signedIn.Post("/live/account", (token, "forged"), ("_handler", "act"), ("do", "end-all"))).Is(400);
        (await signedIn.Get("/live/account")).Is(200);
    }

    [Theory, EachProvider(ServersOnly = true)]
    public async Task A_form_and_a_session_of_one_process_are_taken_by_another(Provider provider)
    {
        var app = await apps.On(provider);
        var second = apps.Second(app);
        var account = await app.SignUpAsync();
        var visit = new Visit(app);
        var page = (await visit.Get("/signin")).Is(200);

        var there = visit.At(second);
        (await there.Post("/signin", ("__RequestVerificationToken", Visit.TokenOf(page)), ("_handler", "by-key"), ("key", account.Live.Key))).Is(302);

        var back = there.At(app);
        var shown = (await back.Get("/live/account")).Is(200);
        (await there.Post("/signout", ("__RequestVerificationToken", Visit.TokenOf(shown)))).Is(302);
        (await back.Get("/live/account")).Is(302);
    }

    [Theory, OneProvider]
    public async Task What_pages_seal_is_opened_for_its_purpose_and_as_it_was_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var forms = app.Services.GetRequiredService<IDataProtectionProvider>().ShouldBeOfType<FormProtection>();
        var clear = Encoding.UTF8.GetBytes("a token");
        var box = forms.CreateProtector("a").CreateProtector("bc").Protect(clear);

        forms.CreateProtector("a").CreateProtector("bc").Unprotect(box).ShouldBe(clear);
        forms.CreateProtector("a").CreateProtector("bc").Protect(clear).ShouldNotBe(box);
        foreach (var other in new[] { forms.CreateProtector("a"), forms.CreateProtector("ab").CreateProtector("c"), forms.CreateProtector("abc"), forms.CreateProtector("a").CreateProtector("bc").CreateProtector("") })
            Should.Throw<CryptographicException>(() => other.Unprotect(box));
        foreach (var at in new[] { 0, 15, 16, 27, 28, 43, 44, box.Length - 1 })
        {
            var changed = box.ToArray();
            changed[at] ^= 1;
            Should.Throw<CryptographicException>(() => forms.CreateProtector("a").CreateProtector("bc").Unprotect(changed));
        }
        foreach (var length in new[] { 0, 10, 43, 44 }) Should.Throw<CryptographicException>(() => forms.CreateProtector("a").CreateProtector("bc").Unprotect(box[..length]));
    }

    [Theory, OneProvider]
    public async Task Nobody_is_led_to_the_sign_in_and_a_script_is_told(Provider provider)
    {
        var app = await apps.On(provider);
        await app.SignUpAsync();
        var visit = new Visit(app);
        (await visit.Get("/live/account?done=saved")).Is(302).Header("Location").ShouldBe("/signin?return=%2Flive%2Faccount%3Fdone%3Dsaved");
        (await visit.Get("/live/account", ("Sec-Fetch-Dest", "document"))).Is(302);
        (await app.Anonymous.Send(HttpMethod.Head, "/live/account", null, ("Accept", "text/html"))).Is(302);
        (await visit.Get("/live/account", ("Accept", "*/*"))).Is(401).ContentType.ShouldBe("text/plain");
        (await visit.Get("/live/account", ("Accept", "text/html"), ("Sec-Fetch-Dest", "empty"))).Is(401).ContentType.ShouldBe("text/plain");
        (await app.Anonymous.Get("/live/stream", ("Accept", "text/event-stream"))).Is(401);
        var sent = (await visit.Post("/live/account", ("do", "end-all"))).Is(401);
        sent.Body.ShouldContain("nothing was changed");
        sent.Leads().ShouldContain("/signin?return=%2Flive%2Faccount");
        foreach (var token in new[] { "x", new string('A', 43), new string('A', 5_000) })
        {
            visit.Session = token;
            (await visit.Get("/live/account")).Is(302);
        }
    }

    [Theory, OneProvider]
    public async Task Whatever_lies_below_a_mode_asks_for_a_session(Provider provider)
    {
        var app = await apps.On(provider);
        var endpoints = app.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.RoutePattern.RawText!.TrimStart('/').Split('/')[0].ToUpperInvariant() is "LIVE" or "TEST").ToList();

        endpoints.Count.ShouldBeGreaterThan(10);
        endpoints.Where(endpoint => endpoint.Metadata.GetMetadata<SignedInAttribute>() is null).Select(endpoint => endpoint.RoutePattern.RawText).ShouldBeEmpty();
    }

    [Theory, OneProvider]
    public async Task The_head_of_public_pages_tells_by_the_cookie_whether_somebody_is_signed_in(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        foreach (var path in Page.Public)
        {
            var page = (await app.Browse(path)).Is(200);
            page.Leads().ShouldContain("/signin", path);
            page.Leads().ShouldNotContain("/live/revenue", path);
        }
        var visit = await app.SignIn(account.Live);
        var home = (await visit.Get("/")).Is(200);
        home.Leads().ShouldContain("/live/revenue");
        home.Leads().ShouldNotContain("/signin");
    }

    [Theory, OneProvider]
    public async Task The_account_page_changes_the_account(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Live);
        var page = (await visit.Get("/test/account")).Is(200);
        page.Field("company").ShouldBe("Example Ltd");

        var refused = (await visit.Submit(page, "account", ("company", "New & Ltd"), ("currency", "zzz"))).Is(400);
        refused.Body.ShouldContain("id=\"f-currency-problem\"");
        (await visit.Submit(page, "account", ("company", "New & Ltd"), ("currency", "eur"))).Is(302).Header("Location").ShouldBe("/test/account?done=saved");
        (await visit.Get("/test/account?done=saved")).Is(200).Body.ShouldContain("The account is saved.");
        var read = (await account.Live.Get("/v1/account")).Is(200);
        (read["company"], read["currency"]).ShouldBe(("New & Ltd", "eur"));

        var reader = await app.SignIn(await Key(account, "read"));
        var shown = (await reader.Get("/live/account")).Is(200);
        shown.Body.ShouldContain("New &amp; Ltd");
        shown.Field("company").ShouldBeNull();
        (await account.Live.Get("/v1/account")).Is(200)["company"].ShouldBe("New & Ltd");
    }

    [Theory, EachProvider]
    public async Task No_token_lies_in_the_database(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Live);
        var rows = await app.Query("SELECT * FROM sessions");
        rows.Count.ShouldBe(1);
        foreach (var value in rows[0].Values)
        {
            var text = value is byte[] bytes ? Encoding.Latin1.GetString(bytes) : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
            text!.ShouldNotContain(visit.Session!);
        }
    }

    [Theory, OneProvider]
    public async Task Tries_and_pages_are_limited(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["RateLimits:Enabled"] = "true", ["RateLimits:Session:PerSecond"] = "1", ["RateLimits:Session:Burst"] = "3", ["RateLimits:SignIn:PerAddressPerMinute"] = "4",
            ["RateLimits:Anonymous:Burst"] = "1000",
        });
        var account = await app.SignUpAsync();
        var visit = await app.SignIn(account.Live);
        var pages = new List<Answer>();
        while (pages.Count < 60 && pages.TrueForAll(page => page.Status == 200)) pages.Add(await visit.Get("/live/account"));
        pages.Count.ShouldBeGreaterThan(3);
        var refused = pages[^1].Is(429);
        refused.Header("Retry-After").ShouldNotBeNullOrEmpty();
        refused.ContentType.ShouldBe("text/html");

        var guesser = new Visit(app);
        var form = (await guesser.Get("/signin")).Is(200);
        var statuses = new List<int>();
        for (var i = 0; i < 4; i++) statuses.Add((await guesser.Submit(form, "by-key", ("key", "rg_live_" + new string((char)('A' + i), 43)))).Status);
        statuses.Take(3).ShouldAllBe(status => status == 401);
        statuses[3].ShouldBe(429);

        // The address has asked once before, when it signed up.
        for (var i = 0; i < 4; i++) (await guesser.Submit(form, "by-mail", ("email", account.Email))).Is(200);
        (await guesser.Submit(form, "by-mail", ("email", account.Email))).Is(429).Body.ShouldContain("id=\"email-problem\"");
    }

    /// <summary>A live key with one scope.</summary>
    private static async Task<Caller> Key(SignedUp account, string scope) =>
        account.Live.App.With((await account.Live.Post("/v1/api_keys", new { name = $"only {Guid.NewGuid():N}", mode = "live", scopes = new[] { scope } })).Is(201)["secret"]!);

    private static async Task<string> IdOf(SignedUp account, Caller key) =>
        (await account.Live.All("/v1/api_keys")).Single(item => item["hint"]!.GetValue<string>() == key.Key[..12])["id"]!.GetValue<string>();

    private static async Task Revoke(SignedUp account, Caller key) =>
        (await account.Live.Delete($"/v1/api_keys/{await IdOf(account, key)}")).Status.ShouldBeOneOf(200, 204);
}
