using System.Globalization;
using Markdig.Renderers;
using Markdig.Renderers.Html;
using Markdig.Syntax;

namespace Rev.Web.Docs;

/// <summary>Code with its language and a button that copies it, as the component CodeBlock has it; or a figure.</summary>
/// <param name="url">The address of this Rev, which stands in samples in the place of the one on the reader's machine.</param>
internal sealed class DocCodeRenderer(string url) : HtmlObjectRenderer<CodeBlock>
{
    private const string Scheme = "http://";

    // Never in a file: what both replacements would find is set aside under it.
    private const string Aside = "\u0001";

    private static readonly string[] None = [];

    private static readonly string[] ShellWords = ["curl", "export"];

    private static readonly string[] NodeWords = ["async", "await", "const", "for", "function", "if", "new", "return", "throw", "import", "from"];

    private static readonly string[] PythonWords = ["def", "except", "from", "if", "import", "in", "not", "or", "print", "raise", "return", "try", "while", "with"];

    private int _count;

    protected override void Write(HtmlRenderer renderer, CodeBlock obj)
    {
        var (info, argument) = obj is FencedCodeBlock fence ? (fence.Info ?? "", fence.Arguments ?? "") : ("", "");
        renderer.EnsureLine();
        if (info == "figure")
        {
            renderer.WriteLine(DocFigures.Of(argument));
            return;
        }
        var (language, quotes, words) = Language(info);
        var label = info == "json" && Follows(obj, "bash") ? "What comes back" : argument.Length == 0 ? language : $"{language}: {argument.Replace('_', ' ')}";
        _count++;
        var id = string.Create(CultureInfo.InvariantCulture, $"code-{_count}");
        renderer.Write("<div class=\"code\"><div class=\"code-bar\"><span class=\"code-name\">").WriteEscape(label).Write("</span><button class=\"copy\" type=\"button\" data-copy=\"")
            .Write(id).Write("\"><span data-copy-label>Copy</span></button></div><pre tabindex=\"0\" role=\"region\" aria-label=\"")
            .WriteEscape(string.Create(CultureInfo.InvariantCulture, $"{label}, sample {_count}")).Write("\"><code id=\"").Write(id).Write("\">");
        foreach (var token in Common.CodeText.Tokens(Here(Text(obj)), quotes, words))
        {
            if (token.Kind is null) renderer.WriteEscape(token.Text);
            else renderer.Write("<span class=\"").Write(token.Kind).Write("\">").WriteEscape(token.Text).Write("</span>");
        }
        renderer.WriteLine("</code></pre></div>");
    }

    private static (string Label, string Quotes, string[] Words) Language(string info) => info switch
    {
        "bash" or "sh" => ("Shell", "\"", ShellWords),
        "js" => ("Node", "'`", NodeWords),
        "python" => ("Python", "\"", PythonWords),
        "json" => ("JSON", "\"", None),
        "text" => ("What it prints", "", None),
        _ => ("Text", "", None),
    };

    private static string Text(LeafBlock block)
    {
        var lines = block.Lines;
        return string.Join('\n', Enumerable.Range(0, lines.Count).Select(i => lines.Lines[i].Slice.ToString()));
    }

    private static bool Follows(Block block, string language)
    {
        if (block.Parent is not { } parent) return false;
        var at = parent.IndexOf(block);
        return at > 0 && parent[at - 1] is FencedCodeBlock { Info: { } before } && before == language;
    }

    /// <summary>The code for this Rev. curl needs no scheme where it is http.</summary>
    private string Here(string code) => code
        .Replace(DocLinks.Local, Aside, StringComparison.Ordinal)
        .Replace(DocLinks.Local[Scheme.Length..], url.StartsWith(Scheme, StringComparison.Ordinal) ? url[Scheme.Length..] : url, StringComparison.Ordinal)
        .Replace(Aside, url, StringComparison.Ordinal);
}
