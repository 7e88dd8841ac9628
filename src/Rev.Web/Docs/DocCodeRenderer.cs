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

    // Characters that fit beside each other on a phone.
    private const int Narrow = 40;

    private static readonly string[] Indents = ["", " in1", " in2", " in3", " in4"];

    private static readonly string[] None = [];

    private static readonly string[] ShellWords = ["curl", "export"];

    private static readonly string[] NodeWords = ["async", "await", "const", "for", "function", "if", "new", "return", "throw", "import", "from"];

    private static readonly string[] PythonWords = ["def", "except", "from", "if", "import", "in", "not", "or", "print", "raise", "return", "try", "while", "with"];

    private static readonly string[] CSharpWords = ["await", "for", "foreach", "new", "return", "using", "var"];

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
        var lines = Here(Text(obj)).Split('\n');
        for (var i = 0; i < lines.Length; i++) WriteLine(renderer, i < lines.Length - 1 ? lines[i] + "\n" : lines[i], quotes, words);
        renderer.WriteLine("</code></pre></div>");
    }

    /// <summary>A line. One that may be wider than a page is an element of its own, so that it goes on below and deeper than it began.</summary>
    private static void WriteLine(HtmlRenderer renderer, string line, string quotes, string[] words)
    {
        var isLong = line.Length > Narrow;
        if (isLong) renderer.Write("<span class=\"line").Write(Indents[Math.Min((line.Length - line.TrimStart(' ').Length) / 2, Indents.Length - 1)]).Write("\">");
        foreach (var token in Common.CodeText.Tokens(line, quotes, words))
        {
            if (token.Kind is not null) renderer.Write("<span class=\"").Write(token.Kind).Write("\">").WriteEscape(token.Text).Write("</span>");
            else if (isLong) WriteBreakable(renderer, token.Text);
            else renderer.WriteEscape(token.Text);
        }
        if (isLong) renderer.Write("</span>");
    }

    /// <summary>Text that may go on below after each comma, also where no blank follows.</summary>
    private static void WriteBreakable(HtmlRenderer renderer, string text)
    {
        var parts = text.Split(',');
        for (var i = 0; i < parts.Length; i++)
        {
            renderer.WriteEscape(parts[i]);
            if (i < parts.Length - 1) renderer.Write(",<wbr>");
        }
    }

    private static (string Label, string Quotes, string[] Words) Language(string info) => info switch
    {
        "bash" or "sh" => ("Shell", "\"", ShellWords),
        "js" => ("Node", "'`", NodeWords),
        "python" => ("Python", "\"", PythonWords),
        "csharp" => ("C#", "\"", CSharpWords),
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
