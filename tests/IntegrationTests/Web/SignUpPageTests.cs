using System.Diagnostics;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

public sealed class SignUpPageTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task The_form_sends_the_mail_and_says_where_it_lies(Provider provider)
    {
        var app = await apps.On(provider);
        await app.SignUpAsync();
        var page = (await app.Browse("/signup")).Is(200);
        (page.Header("Cache-Control") ?? "").ShouldContain("no-store");
        var email = RevApp.NewAddress();

        var watch = Stopwatch.StartNew();
        var sent = (await Press(app, page, email)).Is(200);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(3));

        sent.Body.ShouldContain("Check your inbox");
        sent.Body.ShouldContain(email);
        sent.Text("code-key").ShouldContain(Path.Combine(app.DataDirectory, "mail"));
        sent.Text("code-first").ShouldContain("/v1/meter");
        sent.Body.ShouldNotContain("rg_live_A");
        var mail = await app.Mail.WaitFor(email);
        (await app.With(mail.LiveKey).Meter(Bodies.Call()))["price_charged"].ShouldBe("0.01212");
        (await app.Count("accounts")).ShouldBe(2);
    }

    [Theory, OneProvider]
    public async Task A_known_address_sees_the_same_page(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var page = (await app.Browse("/signup")).Is(200);

        var sent = (await Press(app, page, account.Email)).Is(200);

        sent.Body.ShouldContain("Check your inbox");
        (await app.Mail.WaitFor(account.Email, nth: 2)).HasKey.ShouldBeFalse();
        (await app.Count("accounts")).ShouldBe(1);
    }

    [Theory, OneProvider]
    public async Task An_address_that_is_none_is_refused_at_its_field(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/signup")).Is(200);
        foreach (var email in new[] { "", "   ", "nobody", "a@", "\"><script>alert(1)</script>@example.com", new string('a', 5_000) + "@example.com" })
        {
            var refused = (await Press(app, page, email)).Is(400);
            refused.ContentType.ShouldBe("text/html", email);
            refused.Body.ShouldContain("id=\"email-problem\"", Case.Sensitive, email);
            refused.Body.ShouldContain("aria-invalid=\"true\"", Case.Sensitive, email);
            refused.Body.ShouldNotContain("<script>alert", Case.Sensitive, email);
            refused.Header("Content-Security-Policy").ShouldNotBeNullOrEmpty(email);
        }
        (await app.Count("accounts")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task A_form_of_another_site_is_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/signup")).Is(200);
        var email = RevApp.NewAddress();

        (await Press(app, page, email, token: "forged")).Is(400);
        (await Press(app, page, email, cookies: "")).Is(400);

        (await app.Count("accounts")).ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task Page_and_API_share_their_limits(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["RateLimits:Enabled"] = "true" });
        var page = (await app.Browse("/signup")).Is(200);
        var email = RevApp.NewAddress();
        for (var i = 0; i < 3; i++) (await app.Anonymous.Post("/v1/signup", new { email })).Is(202);
        for (var i = 0; i < 2; i++) (await Press(app, page, email)).Is(200);

        var refused = (await Press(app, page, email)).Is(429);

        refused.ContentType.ShouldBe("text/html");
        refused.Body.ShouldContain("id=\"email-problem\"");
        (await app.Anonymous.Post("/v1/signup", new { email })).Refused(429);
        (await Press(app, page, RevApp.NewAddress())).Is(200);
    }

    [Theory, OneProvider]
    public async Task Outside_development_no_folder_is_told(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal), "Production");
        var page = (await app.Browse("/signup")).Is(200);

        var sent = (await Press(app, page, RevApp.NewAddress())).Is(200);

        sent.Body.ShouldContain("Check your inbox");
        sent.Body.ShouldNotContain(app.DataDirectory);
    }

    /// <summary>Sends the page's form as a browser does.</summary>
    private static Task<Answer> Press(RevApp app, Answer page, string email, string? token = null, string? cookies = null)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["_handler"] = page.Field("_handler") ?? throw new ShouldAssertException($"The form has no handler:\n{page.Body}"),
            ["__RequestVerificationToken"] = token ?? page.Field("__RequestVerificationToken") ?? throw new ShouldAssertException($"The form has no token:\n{page.Body}"),
            ["email"] = email,
        };
        return app.Anonymous.SendContent(HttpMethod.Post, "/signup", new FormUrlEncodedContent(fields), ("Accept", "text/html"), ("Cookie", cookies ?? page.Cookies()));
    }
}
