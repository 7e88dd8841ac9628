using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Accounts;

public sealed partial class SignUpTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_mail_with_both_keys_comes_within_a_second(Provider provider)
    {
        var app = await apps.On(provider);
        await app.SignUpAsync();
        var email = RevApp.NewAddress();

        var answer = (await app.Anonymous.Post("/v1/signup", new { email, company = "Müller & Söhne" })).Is(202);
        var watch = Stopwatch.StartNew();
        var mail = await app.Mail.WaitFor(email);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(3));

        answer["message"].ShouldNotBeNullOrEmpty();
        answer.Body.ShouldNotContain("rg_");
        var live = (await app.With(mail.LiveKey).Get("/v1/account")).Is(200);
        live["id"]!.ShouldStartWith("acc_");
        live["email"].ShouldBe(email);
        live["company"].ShouldBe("Müller & Söhne");
        live["currency"].ShouldBe("usd");
        live["default_tier"].ShouldNotBeNull();
        live["created_at"].ShouldNotBeNull();
        (await app.With(mail.TestKey).Get("/v1/account")).Is(200)["id"].ShouldBe(live["id"]);
    }

    [Theory, EachProvider]
    public async Task The_mail_is_plain_ASCII_with_each_key_alone_on_its_line(Provider provider)
    {
        var app = await apps.On(provider);
        var email = RevApp.NewAddress();
        (await app.Anonymous.Post("/v1/signup", new { email })).Is(202);

        var mail = await app.Mail.WaitFor(email);

        mail.Bytes.ShouldAllBe(value => value < 128);
        mail.Raw.ShouldNotContain("base64");
        mail.Raw.ShouldContain("text/plain");
        mail.RawLines.Count(line => line == mail.LiveKey).ShouldBe(1);
        mail.RawLines.Count(line => line == mail.TestKey).ShouldBe(1);
        // The one-liner of the README.
        ReadmeKey().Matches(mail.Raw).Select(match => match.Value).Distinct(StringComparer.Ordinal).ShouldBe([mail.LiveKey]);
        Directory.GetFiles(Path.Combine(app.DataDirectory, "mail"), "*.tmp").ShouldBeEmpty();
    }

    [Theory, EachProvider]
    public async Task No_secret_lies_in_the_database(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        foreach (var table in new[] { "api_keys", "mail_requests", "accounts", "link_tokens", "sessions", "idempotency_keys", "request_replays" })
        {
            foreach (var row in await app.Query($"SELECT * FROM {table}"))
            {
                foreach (var value in row.Values)
                {
                    var text = value is byte[] bytes ? Encoding.Latin1.GetString(bytes) : Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture);
                    text!.ShouldNotContain(account.Live.Key);
                    text!.ShouldNotContain(account.Test.Key);
                    text!.ShouldNotContain(account.Live.Key["rg_live_".Length..]);
                }
            }
        }
    }

    [Theory, EachProvider]
    public async Task A_known_address_gets_the_same_answer_and_a_link_instead_of_an_account(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var first = (await app.Anonymous.Post("/v1/signup", new { email = RevApp.NewAddress() })).Is(202);
        var accounts = await app.Count("accounts");

        var again = (await app.Anonymous.Post("/v1/signup", new { email = $"  {account.Email.ToUpperInvariant()} " })).Is(202);

        again.Body.ShouldBe(first.Body);
        var mail = await app.Mail.WaitFor(account.Email, nth: 2);
        mail.HasKey.ShouldBeFalse();
        (await app.Count("accounts")).ShouldBe(accounts);
        mail.Link.ShouldStartWith("/");
        (await account.Live.Get("/v1/account")).Is(200);
    }

    [Theory, EachProvider]
    public async Task The_links_page_shows_a_key_once_and_only_on_its_button(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await app.Anonymous.Post("/v1/signup", new { email = account.Email })).Is(202);
        var link = (await app.Mail.WaitFor(account.Email, nth: 2)).Link;
        var keys = await app.Count("api_keys");

        // Mail scanners follow links: looking changes nothing, as often as they look.
        Answer page = null!;
        for (var i = 0; i < 3; i++)
        {
            page = (await app.Anonymous.Get(link)).Is(200);
            page.ContentType.ShouldBe("text/html");
            page.Body.ShouldNotContain("rg_live_");
        }
        await app.Anonymous.Send(HttpMethod.Head, link);
        (await app.Count("api_keys")).ShouldBe(keys);

        var shown = (await Press(app, link, page)).Is(200);
        var key = ReadmeKey().Matches(shown.Body).Select(match => match.Value).Distinct(StringComparer.Ordinal).ShouldHaveSingleItem();
        (await app.With(key).Get("/v1/account")).Is(200)["email"].ShouldBe(account.Email);
        (shown.Header("Cache-Control") ?? "").ShouldContain("no-store");

        var second = await Press(app, link, page);
        second.Status.ShouldBeInRange(400, 499);
        second.Body.ShouldNotContain("rg_live_");
        (await account.Live.Get("/v1/account")).Is(200);
    }

    [Theory, EachProvider]
    public async Task A_link_is_good_for_an_hour_and_only_as_written(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        (await app.Anonymous.Post("/v1/signup", new { email = account.Email })).Is(202);
        var link = (await app.Mail.WaitFor(account.Email, nth: 2)).Link;
        var page = (await app.Anonymous.Get(link)).Is(200);
        var keys = await app.Count("api_keys");

        var forged = await app.Anonymous.Send(HttpMethod.Post, link[..^3] + "AAA", new FormUrlEncodedContent([]));
        forged.Status.ShouldBeInRange(400, 499);
        app.Clock.Advance(TimeSpan.FromMinutes(61));
        var late = await Press(app, link, page);

        late.Status.ShouldBeInRange(400, 499);
        late.Body.ShouldNotContain("rg_live_");
        (await app.Count("api_keys")).ShouldBe(keys);
    }

    [Theory, EachProvider]
    public async Task Concurrent_sign_ups_of_one_address_make_one_account(Provider provider)
    {
        var app = await apps.On(provider);
        var email = RevApp.NewAddress();

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            app.Anonymous.Post("/v1/signup", new { email = i % 2 == 0 ? email : email.ToUpperInvariant() })));

        foreach (var answer in answers) answer.Is(202).Body.ShouldBe(answers[0].Body);
        (await app.Count("accounts")).ShouldBe(1);
    }

    [Theory, EachProvider]
    public async Task Bad_sign_ups_are_refused_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var before = await app.Counts();

        (await app.Anonymous.Post("/v1/signup", new { })).Refused(400, field: "email");
        foreach (var email in new[] { "", " ", "nobody", "a@", "@b.example", "a b@c.example", "a@b.example\r\nBcc: x@y.example", new string('a', 400) + "@b.example" })
            (await app.Anonymous.Post("/v1/signup", new { email })).Refused(400, field: "email");
        (await app.Anonymous.Post("/v1/signup", new { email = 7 })).Refused(400, field: "email");
        (await app.Anonymous.Post("/v1/signup", new { email = RevApp.NewAddress(), company = new string('c', 5000) })).Refused(400, field: "company");

        (await app.Counts()).ShouldBe(before);
    }

    [Theory, EachProvider]
    public async Task An_account_is_changed_by_PATCH(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();

        (await account.Live.Patch("/v1/account", new { company = "New Ltd" })).Is(200)["company"].ShouldBe("New Ltd");
        var read = (await account.Live.Get("/v1/account")).Is(200);
        read["company"].ShouldBe("New Ltd");
        read["currency"].ShouldBe("usd");
        (await account.Live.Patch("/v1/account", new { currency = "zzz" })).Refused(400, field: "currency");
        (await account.Live.Patch("/v1/account", new { email = "x@example.com" })).Refused(400, field: "email");
    }

    /// <summary>Sends the page's one form as a browser would.</summary>
    private static Task<Answer> Press(RevApp app, string link, Answer page)
    {
        var form = Form().Match(page.Body);
        form.Success.ShouldBeTrue($"The page has a form with method post:\n{page.Body}");
        var action = Action().Match(form.Value) is { Success: true } match ? System.Net.WebUtility.HtmlDecode(match.Groups["to"].Value) : link;
        var fields = Input().Matches(page.Body).Select(input => input.Value)
            .Select(input => (Name: Attribute(input, "name"), Value: Attribute(input, "value")))
            .Where(field => field.Name is not null)
            .Select(field => KeyValuePair.Create(field.Name!, field.Value ?? ""));
        var target = new Uri(new Uri(new Uri("http://localhost"), link), action).PathAndQuery;
        return app.Anonymous.Send(HttpMethod.Post, target, new FormUrlEncodedContent(fields));
    }

    private static string? Attribute(string element, string name)
    {
        var match = Regex.Match(element, $"{name}\\s*=\\s*\"(?<value>[^\"]*)\"", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        return match.Success ? System.Net.WebUtility.HtmlDecode(match.Groups["value"].Value) : null;
    }

    [GeneratedRegex("rg_live_[A-Za-z0-9_-]*", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ReadmeKey();

    [GeneratedRegex("<form[^>]*method\\s*=\\s*\"?post[^>]*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Form();

    [GeneratedRegex("action\\s*=\\s*\"(?<to>[^\"]+)\"", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Action();

    [GeneratedRegex("<input[^>]*>", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Input();

    [Theory, EachProvider]
    public async Task A_body_that_is_not_the_pages_form_uses_no_link(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var (type, body) in new[]
        {
            ("multipart/form-data", "x"), ("multipart/form-data; boundary=a", "--a\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nhalf"),
            ("application/x-www-form-urlencoded; charset=utf-7", "token=a"), ("application/x-www-form-urlencoded", "token=%00"),
            ("application/x-www-form-urlencoded", string.Join('&', Enumerable.Range(0, 500).Select(i => $"a{i}=1"))),
            ("application/x-www-form-urlencoded", "token=" + new string('a', 100_000)),
        })
        {
            using var content = new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(body));
            content.Headers.TryAddWithoutValidation("Content-Type", type);
            (await app.Anonymous.SendContent(HttpMethod.Post, "/signup/key", content)).Status.ShouldBe(404, type);
        }
    }
}
