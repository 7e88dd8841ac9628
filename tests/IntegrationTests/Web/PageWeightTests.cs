using System.Text;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>Pages are light, and are sent compressed where that gives nothing away.</summary>
public sealed class PageWeightTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task Home_and_a_dashboard_of_a_month_fit_into_their_budget(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await Weight.Month(app, live);
        var session = (await app.SignIn(live)).Session;

        foreach (var (path, of) in new[] { ("/", null), ("/live/revenue", session) })
        {
            var weights = await Weight.Of(app, path, of);
            weights.Values.Sum().ShouldBeLessThanOrEqualTo(Weight.Budget, Weight.Told(weights));
            weights.Values.Sum().ShouldBeGreaterThan(Weight.Least, Weight.Told(weights));
            weights.Keys.Count(key => key.EndsWith(".js", StringComparison.Ordinal)).ShouldBeGreaterThan(path == "/" ? 0 : 4, Weight.Told(weights));
        }
    }

    [Theory, OneProvider]
    public async Task What_everybody_sees_alike_is_compressed_for_whoever_asks(Provider provider)
    {
        var app = await apps.On(provider);
        foreach (var path in new[] { "/", "/docs", "/docs/quickstart", "/simulator", "/simulator/result", "/simulator?calls=9" })
        {
            foreach (var (encodings, sent) in new[] { (Weight.Encodings, "br"), ("gzip", "gzip") })
            {
                using var response = await Weight.Ask(app, path, null, "document", "cross-site", encodings);
                string.Join(", ", response.Content.Headers.ContentEncoding).ShouldBe(sent, path);
                string.Join(", ", response.Headers.Vary).ShouldBe("Accept-Encoding, Cookie", path);
                Encoding.UTF8.GetString(await Weight.Clear(response, await response.Content.ReadAsByteArrayAsync())).ShouldContain("<", Case.Sensitive, path);
            }
            using var plain = await Weight.Ask(app, path, null, "document", null, "identity");
            plain.Content.Headers.ContentEncoding.ShouldBeEmpty(path);
            string.Join(", ", plain.Headers.Vary).ShouldBe("Cookie", path);
        }
    }

    [Theory, OneProvider]
    public async Task What_only_some_see_is_compressed_only_where_no_other_site_has_it_opened(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        var session = (await app.SignIn(live)).Session;

        foreach (var path in new[] { "/live/revenue", "/live/calls?agent_id=a", "/signup", "/signin" })
        {
            foreach (var site in new[] { "same-origin", "none" }) (await Sent(path, "document", site)).ShouldBe("br", $"{path} {site}");
            foreach (var site in new[] { "cross-site", "same-site", "", null }) (await Sent(path, "document", site)).ShouldBeNull($"{path} {site}");
            foreach (var kind in new[] { "empty", "iframe", "image" }) (await Sent(path, kind, "same-origin")).ShouldBeNull($"{path} {kind}");
        }
        // A page that another site opened has its script fetch the part by the same words.
        (await Sent("/live/revenue/figures?agent_id=a", "empty", "same-origin")).ShouldBeNull();
        // Unless there are no words, only choices.
        (await Sent("/live/revenue/figures?range=7d&group_by=component", "empty", "same-origin")).ShouldBe("br");
        (await Sent("/live/revenue/figures?range=custom&from=2026-01-01", "empty", "same-origin")).ShouldBeNull();
        (await Sent("/live/revenue/figures?range=outreach-agent", "empty", "same-origin")).ShouldBeNull();
        (await Sent("/live/revenue/figures?range=7d", "empty", "cross-site")).ShouldBeNull();
        // Files are not pages.
        (await Sent("/live/revenue.csv", "document", "same-origin")).ShouldBeNull();

        async Task<string?> Sent(string path, string kind, string? site)
        {
            using var response = await Weight.Ask(app, path, session, kind, site);
            ((int)response.StatusCode).ShouldBe(200, path);
            return response.Content.Headers.ContentEncoding.SingleOrDefault();
        }
    }
}
