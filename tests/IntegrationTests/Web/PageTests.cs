using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

public sealed partial class PageTests(Apps apps) : IClassFixture<Apps>
{
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'self'; frame-ancestors 'none'; object-src 'none'";

    [Theory, OneProvider]
    public async Task Public_pages_are_shown_under_the_strict_policy(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var path in Page.Public)
        {
            var page = (await app.Browse(path)).Is(200);

            page.ContentType.ShouldBe("text/html", path);
            page.Header("Content-Security-Policy").ShouldBe(Policy, path);
            page.Header("X-Content-Type-Options").ShouldBe("nosniff", path);
            page.Header("Referrer-Policy").ShouldNotBeNullOrEmpty(path);
            page.Body.ShouldContain("<html lang=\"en\"", Case.Sensitive, path);
            page.Body.ShouldContain("<title>", Case.Sensitive, path);
            page.Body.ShouldContain("<h1>", Case.Sensitive, path);
        }
    }

    [Theory, OneProvider]
    public async Task Nothing_in_a_page_needs_more_than_the_policy_allows(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var path in (string[])[.. Page.Public, "/simulator?calls=nonsense", "/simulator/result", "/nothing/here"])
        {
            var page = await app.Browse(path);

            Forbidden().Matches(page.Body).Select(match => match.Value).ShouldBeEmpty(path);
            foreach (var load in page.Loads()) load.StartsWith("/_content/Rev.Web/", StringComparison.Ordinal).ShouldBeTrue($"{path} loads {load}");
            page.Body.ShouldNotContain("blazor.web.js");
            page.Body.ShouldNotContain("rg_live_A");
        }
    }

    [Theory, OneProvider]
    public async Task What_a_page_loads_and_leads_to_is_there(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var path in Page.Public)
        {
            var page = (await app.Browse(path)).Is(200);
            page.Loads().Count.ShouldBeGreaterThanOrEqualTo(5, path);
            foreach (var load in page.Loads()) (await app.Anonymous.Get(load)).Is(200);
            foreach (var lead in page.Leads())
            {
                if (lead.StartsWith('#'))
                {
                    page.Body.ShouldContain($"id=\"{lead[1..]}\"", Case.Sensitive, path);
                    continue;
                }
                lead.ShouldStartWith("/");
                // The dashboard of jobs asks who looks.
                (await app.Browse(lead.Split('#')[0])).Status.ShouldBeOneOf(200, 301, 302, 307, 308, 401);
            }
        }
    }

    [Theory, OneProvider]
    public async Task The_home_page_fits_into_its_budget_where_only_gzip_is_known(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/")).Is(200);
        var total = 0L;
        foreach (var path in page.Loads().Append("/").Distinct(StringComparer.Ordinal))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
            using var response = await app.Http.SendAsync(request);
            total += (await response.Content.ReadAsByteArrayAsync()).Length;
        }

        total.ShouldBeLessThanOrEqualTo(Weight.Budget);
        total.ShouldBeGreaterThan(Weight.Least, "Fonts and styles were counted.");
    }

    [Theory, OneProvider]
    public async Task Fonts_are_kept_for_ever_and_pages_are_asked_for_again(Provider provider)
    {
        var app = await apps.On(provider);
        var home = (await app.Browse("/")).Is(200);
        home.Header("Cache-Control").ShouldBe("no-cache, private");
        home.Headers.Contains("Set-Cookie").ShouldBeFalse();
        (await app.Browse("/simulator")).Is(200).Headers.Contains("Set-Cookie").ShouldBeFalse();

        var fonts = home.Loads().Where(load => load.EndsWith(".woff2", StringComparison.Ordinal)).ToList();
        fonts.Count.ShouldBe(2);
        foreach (var font in fonts) (await app.Anonymous.Get(font)).Is(200).Header("Cache-Control").ShouldBe("public, max-age=31536000, immutable");
        var styles = (await app.Anonymous.Get(home.Loads().Single(load => load.EndsWith(".css", StringComparison.Ordinal)))).Is(200);
        foreach (var font in fonts) styles.Body.ShouldContain(font[(font.LastIndexOf('/') + 1)..], Case.Sensitive, "The preloaded font is the one of the style sheet.");
    }

    [Theory, OneProvider]
    public async Task The_theme_of_the_cookie_is_rendered(Provider provider)
    {
        var app = await apps.On(provider);
        (await app.Browse("/")).Body.ShouldNotContain("data-theme=\"");
        (await app.Browse("/", ("Cookie", "theme=dark"))).Body.ShouldContain("<html lang=\"en\" data-theme=\"dark\"");
        (await app.Browse("/simulator", ("Cookie", "theme=light"))).Body.ShouldContain("data-theme=\"light\"");
        (await app.Browse("/", ("Cookie", "theme=\"><script>"))).Body.ShouldNotContain("data-theme=\"");
    }

    [Theory, OneProvider]
    public async Task The_samples_are_those_of_the_README(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/")).Is(200);
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "README.md"));
        var address = app.Http.BaseAddress!.GetLeftPart(UriPartial.Authority);
        // The program tells the address that it was told to listen on; the host may be written another way. Lines are shorter on the page.
        string Anywhere(string code) => Blanks().Replace(Host().Replace(code, "HOST"), "");

        foreach (var language in new[] { "js", "python" })
        {
            var sample = Regex.Match(readme, $"```{language}\n(?<code>.*?)\n```", RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2)).Groups["code"].Value;
            sample.ShouldNotBeEmpty();
            Anywhere(page.Text(language == "js" ? "code-node" : "code-python")).ShouldBe(Anywhere(sample), address);
        }
        var curl = page.Text("code-curl");
        Anywhere(readme).ShouldContain(Anywhere(curl));
        page.Text("code-csharp").ShouldContain("PostAsJsonAsync(\"/v1/meter\"");
        foreach (var id in new[] { "code-curl", "code-node", "code-python", "code-csharp" }) page.Body.ShouldContain($"data-copy=\"{id}\"");
    }

    [Theory, OneProvider]
    public async Task The_home_page_prices_as_metering_does(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/")).Is(200);
        var live = (await app.SignUpAsync()).Live;

        var answer = await live.Meter(Bodies.Call());
        page.Text("code-answer").ShouldContain($"\"price_charged\": \"{answer["price_charged"]}\"");
        page.Text("code-answer").ShouldContain($"\"token_charge\": \"{answer["price.token_charge"]}\"");

        (await live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"Email outreach","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15"},
             "outcome_bonuses":[{"name":"positive reply","action":"email.*","when":{"field":"metadata.reply_received","op":"eq","value":true},"amount":"2.50"}]}
            """))).Is(200);
        var pending = await live.Meter(Bodies.Call("pending").Without("metadata"));
        var resolved = (await live.Resolve(pending["outcome_id"]!, "success", new { reply_received = true })).Is(200);
        page.Figure("sent").ShouldBe(pending["price_charged"]);
        page.Figure("replied").ShouldBe(resolved["price_charged"]);
    }

    [Theory, OneProvider]
    public async Task The_live_demo_says_how_it_is_switched_on(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/")).Is(200);
        page.Body.ShouldContain("id=\"live\"");
        page.Text("code-demo").ShouldContain("Demo__Enabled=true");
    }

    [Theory, OneProvider]
    public async Task A_person_sees_a_page_where_nothing_is_and_a_program_a_problem(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/nothing/here")).Is(404);
        page.ContentType.ShouldBe("text/html");
        page.Header("Content-Security-Policy").ShouldBe(Policy);
        page.Body.ShouldContain("There is nothing at this address");

        (await app.Anonymous.Get("/nothing/here")).Refused(404, "route.not_found");
        (await app.Browse("/v1/nothing")).Refused(404, "route.not_found");
    }

    [Theory, OneProvider]
    public async Task Pages_answer_HEAD_without_a_body(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var path in Page.Public)
        {
            var answer = (await app.Anonymous.Send(HttpMethod.Head, path)).Is(200);
            answer.ContentType.ShouldBe("text/html", path);
            answer.Body.ShouldBeEmpty(path);
        }
    }

    [Theory, OneProvider]
    public async Task No_amount_has_an_exponent_or_a_hyphen_for_a_minus(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var path in (string[])[.. Page.Public, "/simulator?calls=1&in=0&out=0&base=0.000000001&bonus=0", "/simulator?calls=100&bonus=0"])
            Sloppy().Matches((await app.Browse(path)).Is(200).Body).Select(match => match.Value).ShouldBeEmpty(path);
    }

    // Inline styles, scripts and handlers, and whatever comes from another host.
    [GeneratedRegex("""\sstyle\s*=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*"|javascript:|(?:src|href|action)="(?:https?:)?//|<base|<iframe|<img[^>]*http""", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Forbidden();

    [GeneratedRegex(@"(?:127\.0\.0\.1|localhost|\[::1\]):[0-9]+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Host();

    // With the commas before what they end, and what carries a line of a shell on.
    [GeneratedRegex(@"\\\n|,(?=\s*[}\])])|\s", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Blanks();

    [GeneratedRegex(@">-?\$?[0-9.]+[eE][-+]?[0-9]+<|>-\$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Sloppy();
}
