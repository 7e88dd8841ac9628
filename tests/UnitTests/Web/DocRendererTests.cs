using Rev.Application.Accounts;
using Rev.Web.Docs;

namespace Rev.UnitTests.Web;

/// <summary>Pages of the documentation, from Markdown to HTML.</summary>
public sealed class DocRendererTests
{
    private static readonly DocEntry Sample = new("sample", "docs/guide/sample.md", "Sample", "A sample.", IsGuide: true);

    [Fact]
    public void An_aligned_table_needs_no_style()
    {
        var html = Html("| name | price | |\n|:---|---:|:---:|\n| one | `1.5` | a |\n");

        html.ShouldNotContain("style");
        html.ShouldContain("""<div class="table-wrap" tabindex="0" role="region" aria-label="Table 1: name, price">""");
        html.ShouldContain("""<th scope="col">name</th><th scope="col" class="num">price</th>""");
        html.ShouldContain("""<th scope="row">one</th><td class="num"><code>1.5</code></td><td>a</td>""");
        html.ShouldNotContain("""<th scope="col"></th>""");
    }

    [Fact]
    public void HTML_in_Markdown_is_text()
    {
        var html = Html("A <b onclick=\"x()\">b</b> & more.\n\n<script>alert(1)</script>\n\n<p style=\"color:red\">red</p>\n");

        html.ShouldNotContain("<b ");
        html.ShouldNotContain("<script");
        html.ShouldNotContain("<p style");
        html.ShouldContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    }

    [Fact]
    public void A_heading_leads_to_itself_and_is_in_the_contents()
    {
        var doc = Render("## What `it` does\n\nText.\n\n### Deeper\n\n## What `it` does\n");

        doc.Title.ShouldBe("Title");
        doc.Html.ShouldNotContain("<h1");
        doc.Sections.Select(s => s.Text).ShouldBe(["What it does", "What it does"]);
        doc.Sections.Select(s => s.Id).Distinct(StringComparer.Ordinal).Count().ShouldBe(2);
        foreach (var section in doc.Sections)
            doc.Html.ShouldContain($"""<h2 id="{section.Id}"><a class="doc-anchor" href="#{section.Id}">What <code>it</code> does</a></h2>""");
        doc.Html.ShouldContain("<h3 id=\"deeper\">");
    }

    [Fact]
    public void Code_has_its_language_and_a_button_that_copies_it()
    {
        var html = Html("```bash\ncurl -s $REV -d '{\"a\":\"<b>\"}'\n```\n\n```json\n{ \"a\": 1 }\n```\n\n```json no_match\n[]\n```\n");

        html.ShouldContain("""<span class="code-name">Shell</span><button class="copy" type="button" data-copy="code-1">""");
        html.ShouldContain("""<code id="code-1"><span class="k">curl</span> -s $REV -d '{&quot;a&quot;:<span class="s">&quot;&lt;b&gt;&quot;</span>}'</code></pre>""");
        html.ShouldContain("""<span class="code-name">What comes back</span>""");
        html.ShouldContain("""<span class="code-name">JSON: no match</span>""");
        html.ShouldContain("aria-label=\"Shell, sample 1\"");
    }

    [Fact]
    public void A_long_line_of_code_is_an_element_and_copied_as_it_is()
    {
        var line = "  \"members\": " + new string('1', 40) + ",";
        var html = Html($"```json\n{{\n{line}\n\"b\":1}}\n```\n");

        html.ShouldContain("<span class=\"line in1\">  &quot;members&quot;: " + new string('1', 40) + ",<wbr>\n</span>");
        html.ShouldContain("<code id=\"code-1\">{\n<span class=\"line in1\">");
        html.ShouldContain("</span>&quot;b&quot;:1}</code>");
    }

    [Theory]
    [InlineData("http://localhost:5080", "REV=http://localhost:5080\ncurl localhost:5080/v1")]
    [InlineData("http://127.0.0.1:6000", "REV=http://127.0.0.1:6000\ncurl 127.0.0.1:6000/v1")]
    [InlineData("https://rev.example.com", "REV=https://rev.example.com\ncurl https://rev.example.com/v1")]
    [InlineData("https://localhost:5080", "REV=https://localhost:5080\ncurl https://localhost:5080/v1")]
    public void Samples_name_the_server_that_shows_them(string url, string code) =>
        Html("```text\nREV=http://localhost:5080\ncurl localhost:5080/v1\n```\n", url).ShouldContain($">{code}</code>");

    [Theory]
    [InlineData("docs/guide/a.md", "#there", "#there")]
    [InlineData("docs/guide/a.md", "concepts.md", "/docs/concepts")]
    [InlineData("docs/guide/a.md", "./concepts.md#money-and-rounding", "/docs/concepts#money-and-rounding")]
    [InlineData("docs/guide/a.md", "../errors.md", "/docs/errors")]
    [InlineData("docs/guide/a.md", "../api/openapi.json", "/docs/api")]
    [InlineData("docs/guide/a.md", "../operations.md", null)]
    [InlineData("docs/guide/a.md", "../../../../README.md", null)]
    [InlineData("docs/stripe.md", "resolvers.md#conditions", "/docs/resolvers#conditions")]
    [InlineData("docs/stripe.md", "adr/0004-money-is-nanos.md", null)]
    [InlineData("docs/stripe.md", "http://localhost:5080/signup", "/signup")]
    [InlineData("docs/stripe.md", "http://localhost:5080", "/")]
    [InlineData("docs/stripe.md", "https://www.standardwebhooks.com", "https://www.standardwebhooks.com")]
    public void Links_of_the_repository_become_links_of_pages(string file, string target, string? expected) => DocLinks.Of(file, target).ShouldBe(expected);

    [Fact]
    public void A_link_to_a_file_that_is_not_shown_is_text()
    {
        var html = Html("See [the settings](../operations.md#settings) and [Pricing](pricing.md) and [elsewhere](https://example.com/?a=1&b=2).");

        html.ShouldContain("""<span class="doc-file" title="docs/operations.md#settings">the settings</span>""");
        html.ShouldContain("""<a href="/docs/pricing">Pricing</a>""");
        html.ShouldContain("""<a href="https://example.com/?a=1&amp;b=2" rel="noreferrer">elsewhere</a>""");
    }

    [Fact]
    public void An_error_is_found_by_its_code()
    {
        var doc = DocRenderer.Render(DocCatalog.Find("errors")!, "# Errors\n\n| code | status |\n|---|---|\n| `a.not_found` | 404 |\n", "http://localhost:5080");
        doc.Html.ShouldContain("""<tr id="a.not_found"><th scope="row"><a class="doc-anchor" href="#a.not_found"><code>a.not_found</code></a></th><td>404</td></tr>""");
    }

    [Fact]
    public void The_program_carries_every_page_and_the_guide_takes_ten_minutes()
    {
        var library = new DocLibrary(new Here());
        foreach (var entry in DocCatalog.All)
        {
            var doc = library[entry];
            doc.Title.ShouldNotBeEmpty(entry.Name);
            doc.Words.ShouldBeGreaterThan(100, entry.Name);
            doc.Html.ShouldNotContain("style=", Case.Insensitive, entry.Name);
            library[entry].ShouldBeSameAs(doc, entry.Name);
        }
        library.GuideMinutes.ShouldBeLessThanOrEqualTo(10);
        library[DocCatalog.Find("outcomes")!].Html.ShouldContain("<svg class=\"life\"");
    }

    [Fact]
    public void Pages_are_turned_from_the_first_to_the_last()
    {
        var (first, last) = (DocCatalog.All[0], DocCatalog.All[^1]);
        DocCatalog.After(first, -1).ShouldBeNull();
        DocCatalog.After(last, 1).ShouldBeNull();
        DocCatalog.After(first, 1).ShouldBe(DocCatalog.All[1]);
        DocCatalog.After(last, -1).ShouldBe(DocCatalog.All[^2]);
        DocCatalog.Find("Quickstart").ShouldBe(first);
        DocCatalog.Find("nothing").ShouldBeNull();
    }

    private static Doc Render(string markdown, string url = "http://localhost:5080") => DocRenderer.Render(Sample, "# Title\n\n" + markdown, url);

    private static string Html(string markdown, string url = "http://localhost:5080") => Render(markdown, url).Html;

    private sealed class Here : IPublicUrl
    {
        public string Base => "http://localhost:5080";
    }
}
