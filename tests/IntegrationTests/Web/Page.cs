using System.Net;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>A page as a browser gets it, taken apart by hand.</summary>
public static partial class Page
{
    /// <summary>The pages that anybody may see.</summary>
    public static readonly string[] Public = ["/", "/simulator", "/signup", "/docs"];

    /// <summary>Asks as a browser does.</summary>
    public static Task<Answer> Browse(this RevApp app, string path, params (string Name, string Value)[] headers) =>
        app.Anonymous.Get(path, [("Accept", "text/html,application/xhtml+xml"), .. headers]);

    /// <summary>Whatever a page loads: the values of src, and of href of its link elements.</summary>
    public static IReadOnlyList<string> Loads(this Answer page) =>
    [
        .. Source().Matches(page.Body).Select(match => WebUtility.HtmlDecode(match.Groups["to"].Value)),
        .. Link().Matches(page.Body).Select(match => WebUtility.HtmlDecode(match.Groups["to"].Value)),
    ];

    /// <summary>Whatever a page leads to within itself or elsewhere.</summary>
    public static IReadOnlyList<string> Leads(this Answer page) =>
        [.. Anchor().Matches(page.Body).Select(match => WebUtility.HtmlDecode(match.Groups["to"].Value)).Distinct(StringComparer.Ordinal)];

    /// <summary>The exact value of a figure.</summary>
    public static string Figure(this Answer page, string name)
    {
        var match = Data().Matches(page.Body).FirstOrDefault(data => data.Groups["name"].Value == name);
        return match is null ? throw new ShouldAssertException($"No figure '{name}' in\n{page.Body}") : WebUtility.HtmlDecode(match.Groups["value"].Value);
    }

    /// <summary>The text of the element with an id, without its markup.</summary>
    public static string Text(this Answer page, string id)
    {
        var match = Regex.Match(page.Body, $"<(?<tag>[a-z]+)[^>]* id=\"{Regex.Escape(id)}\"[^>]*>(?<inner>.*?)</\\k<tag>>", RegexOptions.Singleline | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(2));
        return match.Success
            ? WebUtility.HtmlDecode(Markup().Replace(match.Groups["inner"].Value, ""))
            : throw new ShouldAssertException($"No element '{id}' in\n{page.Body}");
    }

    /// <summary>The value of an input.</summary>
    public static string? Field(this Answer page, string name)
    {
        var input = Input().Matches(page.Body).Select(match => match.Value).FirstOrDefault(element => element.Contains($"name=\"{name}\"", StringComparison.Ordinal));
        if (input is null) return null;
        var value = Value().Match(input);
        return value.Success ? WebUtility.HtmlDecode(value.Groups["value"].Value) : "";
    }

    /// <summary>The cookies that an answer sets, as a browser sends them back.</summary>
    public static string Cookies(this Answer page) =>
        page.Headers.TryGetValues("Set-Cookie", out var set) ? string.Join("; ", set.Select(cookie => cookie.Split(';')[0])) : "";

    [GeneratedRegex("\\ssrc=\"(?<to>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Source();

    [GeneratedRegex("<link[^>]*\\shref=\"(?<to>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Link();

    [GeneratedRegex("<a[^>]*\\shref=\"(?<to>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Anchor();

    [GeneratedRegex("<data class=\"money\" value=\"(?<value>[^\"]*)\" data-figure=\"(?<name>[^\"]*)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Data();

    [GeneratedRegex("<input[^>]*>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Input();

    [GeneratedRegex("\\svalue=\"(?<value>[^\"]*)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Value();

    [GeneratedRegex("<[^>]+>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex Markup();
}
