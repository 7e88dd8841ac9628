using System.Net;
using System.Text.RegularExpressions;
using Rev.Api.Common;
using Rev.IntegrationTests.Common;
using Rev.Web.Docs;

namespace Rev.IntegrationTests.Web;

public sealed partial class DocsPageTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly string[] Paths = [DocCatalog.Root, .. DocCatalog.All.Select(e => e.Address)];

    [Theory, OneProvider]
    public async Task Every_page_is_there_under_the_policy(Provider provider)
    {
        var app = await apps.On(provider);
        var policy = (await app.Browse("/")).Is(200).Header("Content-Security-Policy");
        foreach (var path in Paths)
        {
            var page = (await app.Browse(path)).Is(200);

            page.ContentType.ShouldBe("text/html", path);
            page.Header("Content-Security-Policy").ShouldBe(policy, path);
            page.Header("Cache-Control").ShouldBe("no-cache, private", path);
            page.Headers.Contains("Set-Cookie").ShouldBeFalse(path);
            Regex.Count(page.Body, "<h1[ >]", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2)).ShouldBe(1, path);
            Forbidden().Matches(page.Body).Select(match => match.Value).ShouldBeEmpty(path);
            foreach (var load in page.Loads())
            {
                load.ShouldStartWith("/_content/Rev.Web/", Case.Sensitive, path);
                (await app.Anonymous.Get(load)).Is(200);
            }
            page.Loads().ShouldContain(load => load.Contains("docs", StringComparison.Ordinal) && load.EndsWith(".css", StringComparison.Ordinal), path);
            (await app.Anonymous.Send(HttpMethod.Head, path)).Is(200).Body.ShouldBeEmpty(path);
        }
        foreach (var entry in DocCatalog.All) (await app.Browse(entry.Address.ToUpperInvariant() + "/")).Is(200).Body.ShouldContain($"href=\"{entry.Address}\" aria-current=\"page\"");

        (await app.Browse("/docs/nothing")).Is(404).Body.ShouldContain("There is nothing at this address");
        (await app.Anonymous.Get("/docs/nothing")).Refused(404, "route.not_found");
    }

    [Theory, OneProvider]
    public async Task Every_link_and_anchor_leads_somewhere(Provider provider)
    {
        var app = await apps.On(provider);
        var pages = new Dictionary<string, Answer>(StringComparer.Ordinal);
        foreach (var path in Paths) pages[path] = (await app.Browse(path)).Is(200);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, page) in pages)
        {
            var ids = Ids(page);
            ids.Count.ShouldBe(ids.Distinct(StringComparer.Ordinal).Count(), $"{path} has an id twice");
            foreach (var lead in page.Leads())
            {
                if (DocLinks.IsElsewhere(lead))
                {
                    lead.ShouldStartWith("https://", Case.Sensitive, path);
                    continue;
                }
                var parts = lead.Split('#');
                if (parts[0].Length > 0 && seen.Add(parts[0]))
                {
                    parts[0].ShouldStartWith("/", Case.Sensitive, path);
                    // The dashboard of jobs asks who looks.
                    (await app.Browse(parts[0])).Status.ShouldBeOneOf([200, 301, 302, 307, 308, 401], $"{path} leads to {lead}");
                }
                var target = parts[0].Length == 0 ? page : pages.GetValueOrDefault(parts[0]);
                if (parts.Length > 1 && target is not null) Ids(target).ShouldContain(parts[1], $"{path} leads to {lead}");
            }
        }
        foreach (var entry in DocCatalog.All) seen.ShouldContain(entry.Address);
    }

    [Theory, OneProvider]
    public async Task A_problem_leads_to_its_code(Provider provider)
    {
        var app = await apps.On(provider);
        var page = (await app.Browse("/docs/errors")).Is(200);
        foreach (var entry in ErrorCatalog.All)
        {
            page.Body.ShouldContain($"<tr id=\"{entry.Code}\">", Case.Sensitive, entry.Code);
            page.Body.ShouldContain(WebUtility.HtmlEncode(entry.Meaning).Replace("&#39;", "'", StringComparison.Ordinal), Case.Sensitive, entry.Code);
        }
        (await app.Anonymous.Get("/v1/account")).Refused(401)["type"].ShouldBe("/docs/errors#auth.invalid_key");
    }

    [Theory, OneProvider]
    public async Task Code_can_be_copied_and_names_this_server(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["PublicUrl"] = "https://rev.example.com" });
        foreach (var path in Paths)
        {
            var page = (await app.Browse(path)).Is(200);
            var ids = Ids(page);
            foreach (var id in Copies().Matches(page.Body).Select(match => match.Groups["id"].Value)) ids.ShouldContain(id, path);
        }
        var quickstart = (await app.Browse("/docs/quickstart")).Is(200);
        quickstart.Text("code-2").ShouldBe("export REV=https://rev.example.com");
        (await app.Browse("/docs/webhooks")).Is(200).Text("code-1").ShouldStartWith("curl -s https://rev.example.com/v1/webhook_endpoints");
        (await app.Browse("/docs/outcomes")).Is(200).Body.ShouldContain("<svg class=\"life\"");
    }

    [Fact]
    public void Every_guide_of_the_repository_is_a_page() =>
        Directory.GetFiles(Path.Combine(Repository.Root, "docs", "guide")).Select(file => "docs/guide/" + Path.GetFileName(file)).Order(StringComparer.Ordinal)
            .ShouldBe(DocCatalog.All.Where(e => e.IsGuide).Select(e => e.File).Order(StringComparer.Ordinal));

    private static List<string> Ids(Answer page) => [.. Id().Matches(page.Body).Select(match => WebUtility.HtmlDecode(match.Groups["id"].Value))];

    // As on all pages; a link may lead to another host.
    [GeneratedRegex("""\sstyle\s*=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*"|javascript:|(?:src|action)="(?:https?:)?//|<base|<iframe|<img""", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Forbidden();

    [GeneratedRegex("\\sid=\"(?<id>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Id();

    [GeneratedRegex("data-copy=\"(?<id>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Copies();
}
