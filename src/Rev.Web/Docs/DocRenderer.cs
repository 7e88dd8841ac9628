using System.Globalization;
using System.Text;
using Markdig;
using Markdig.Extensions.AutoIdentifiers;
using Markdig.Extensions.Tables;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Renderers.Html.Inlines;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Rev.Web.Docs;

/// <summary>
/// Makes the HTML of a page from its Markdown. Headings, tables, code and links are written here, so that a page has the look of all
/// pages and needs no more than their policy allows: Markdig itself aligns tables by styles. HTML in Markdown is text.
/// </summary>
public static class DocRenderer
{
    private const string Fence = "```";

    private static readonly MarkdownPipeline Pipeline =
        new MarkdownPipelineBuilder().UsePipeTables().UseAutoIdentifiers(AutoIdentifierOptions.GitHub).DisableHtml().Build();

    /// <summary>Renders a page.</summary>
    /// <param name="entry">Which one.</param>
    /// <param name="markdown">Its text, which begins with its title.</param>
    /// <param name="url">The address of this Rev, for samples.</param>
    public static Doc Render(DocEntry entry, string markdown, string url)
    {
        var document = Markdown.Parse(markdown, Pipeline);
        var title = document.OfType<HeadingBlock>().First(h => h.Level == 1);
        document.Remove(title);
        var sections = document.OfType<HeadingBlock>().Where(h => h.Level == 2).Select(h => new DocSection(h.GetAttributes().Id ?? "", DocText.Of(h.Inline))).ToArray();

        using var writer = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var html = new HtmlRenderer(writer);
        Pipeline.Setup(html);
        html.ObjectRenderers.ReplaceOrAdd<HeadingRenderer>(new DocHeadingRenderer());
        html.ObjectRenderers.ReplaceOrAdd<HtmlTableRenderer>(new DocTableRenderer(rowsAreAnchors: entry.IsCatalog));
        html.ObjectRenderers.ReplaceOrAdd<CodeBlockRenderer>(new DocCodeRenderer(url));
        html.ObjectRenderers.ReplaceOrAdd<LinkInlineRenderer>(new DocLinkRenderer(entry.File));
        html.Render(document);
        return new(entry, DocText.Of(title.Inline), writer.ToString(), sections, Words(markdown));
    }

    private static int Words(string markdown)
    {
        var (words, inCode) = (0, false);
        foreach (var line in markdown.Split('\n'))
        {
            if (line.StartsWith(Fence, StringComparison.Ordinal)) inCode = !inCode;
            else if (!inCode) words += line.Split(' ').Count(word => word.Any(char.IsLetterOrDigit));
        }
        return words;
    }
}

/// <summary>The text of parts of a document, without its markup.</summary>
internal static class DocText
{
    /// <summary>The text of inlines.</summary>
    public static string Of(ContainerInline? inlines)
    {
        var text = new StringBuilder();
        if (inlines is not null) Append(text, inlines);
        return text.ToString().Trim();
    }

    /// <summary>The text of blocks.</summary>
    public static string Of(ContainerBlock blocks) => string.Join(' ', blocks.OfType<LeafBlock>().Select(block => Of(block.Inline)));

    private static void Append(StringBuilder text, Inline inline)
    {
        switch (inline)
        {
            case LiteralInline literal:
                text.Append(literal.Content.ToString());
                break;
            case CodeInline code:
                text.Append(code.Content);
                break;
            case LineBreakInline:
                text.Append(' ');
                break;
            case ContainerInline container:
                foreach (var part in container) Append(text, part);
                break;
        }
    }
}

/// <summary>A heading, which is a link to itself.</summary>
internal sealed class DocHeadingRenderer : HtmlObjectRenderer<HeadingBlock>
{
    protected override void Write(HtmlRenderer renderer, HeadingBlock obj)
    {
        var tag = obj.Level <= 2 ? "h2" : "h3";
        var id = obj.GetAttributes().Id ?? "";
        renderer.EnsureLine();
        renderer.Write("<").Write(tag).Write(" id=\"").WriteEscape(id).Write("\"><a class=\"doc-anchor\" href=\"#").WriteEscape(id).Write("\">");
        renderer.WriteLeafInline(obj);
        renderer.Write("</a></").Write(tag).WriteLine(">");
    }
}

/// <summary>A table, which may be wider than the page; what is aligned to the right is a class.</summary>
/// <param name="rowsAreAnchors">Whether a row is found by the text of its first cell.</param>
internal sealed class DocTableRenderer(bool rowsAreAnchors) : HtmlObjectRenderer<Table>
{
    private int _count;

    protected override void Write(HtmlRenderer renderer, Table obj)
    {
        var rows = obj.OfType<TableRow>().ToArray();
        var heads = rows.Where(r => r.IsHeader).ToArray();
        var names = heads.SelectMany(r => r.OfType<TableCell>()).Select(cell => DocText.Of(cell)).Where(name => name.Length > 0);
        _count++;
        renderer.EnsureLine();
        renderer.Write("<div class=\"table-wrap\" tabindex=\"0\" role=\"region\" aria-label=\"")
            .WriteEscape(string.Create(CultureInfo.InvariantCulture, $"Table {_count}: {string.Join(", ", names)}")).Write("\"><table>");
        if (heads.Length > 0)
        {
            renderer.Write("<thead>");
            foreach (var row in heads) WriteRow(renderer, obj, row);
            renderer.Write("</thead>");
        }
        renderer.Write("<tbody>");
        foreach (var row in rows.Where(r => !r.IsHeader)) WriteRow(renderer, obj, row);
        renderer.WriteLine("</tbody></table></div>");
    }

    private void WriteRow(HtmlRenderer renderer, Table table, TableRow row)
    {
        var cells = row.OfType<TableCell>().ToArray();
        var id = rowsAreAnchors && !row.IsHeader && cells.Length > 0 ? DocText.Of(cells[0]) : null;
        renderer.Write("<tr");
        if (id is not null) renderer.Write(" id=\"").WriteEscape(id).Write("\"");
        renderer.Write(">");
        for (var i = 0; i < cells.Length; i++)
        {
            // A column without a name has no header.
            var scope = !row.IsHeader ? (i == 0 ? "row" : null) : DocText.Of(cells[i]).Length > 0 ? "col" : null;
            if (scope is null) renderer.Write("<td");
            else renderer.Write("<th scope=\"").Write(scope).Write("\"");
            if (i < table.ColumnDefinitions.Count && table.ColumnDefinitions[i].Alignment == TableColumnAlign.Right) renderer.Write(" class=\"num\"");
            renderer.Write(">");
            if (id is not null && i == 0) renderer.Write("<a class=\"doc-anchor\" href=\"#").WriteEscape(id).Write("\">");
            WriteCell(renderer, cells[i]);
            if (id is not null && i == 0) renderer.Write("</a>");
            renderer.Write(scope is null ? "</td>" : "</th>");
        }
        renderer.WriteLine("</tr>");
    }

    private static void WriteCell(HtmlRenderer renderer, TableCell cell)
    {
        var before = renderer.ImplicitParagraph;
        renderer.ImplicitParagraph = true;
        renderer.WriteChildren(cell);
        renderer.ImplicitParagraph = before;
    }
}

/// <summary>A link; what leads to a file that is not shown is text.</summary>
/// <param name="file">The file that it stands in.</param>
internal sealed class DocLinkRenderer(string file) : HtmlObjectRenderer<LinkInline>
{
    protected override void Write(HtmlRenderer renderer, LinkInline obj)
    {
        var target = obj.Url ?? "";
        if (obj.IsImage || DocLinks.Of(file, target) is not { } address)
        {
            renderer.Write("<span class=\"doc-file\" title=\"").WriteEscape(DocLinks.Resolve(file, target)).Write("\">");
            renderer.WriteChildren(obj);
            renderer.Write("</span>");
            return;
        }
        renderer.Write("<a href=\"").WriteEscape(address).Write(DocLinks.IsElsewhere(address) ? "\" rel=\"noreferrer\">" : "\">");
        renderer.WriteChildren(obj);
        renderer.Write("</a>");
    }
}
