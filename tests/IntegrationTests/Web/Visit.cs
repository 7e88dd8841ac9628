using System.Net;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web;

/// <summary>A browser with its cookies, at the level of HTTP: it sends the forms of pages, and follows no redirects.</summary>
public sealed partial class Visit(RevApp app)
{
    private const string Token = "__RequestVerificationToken";

    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);
    private readonly ConditionalWeakTable<Answer, string> _addresses = [];

    /// <summary>The host that it believes to speak with; null for the real one.</summary>
    public string? Host { get; init; }

    /// <summary>The token of its session; null when it has none. To set it is to bring it back, or to steal it.</summary>
    public string? Session
    {
        get => _cookies.GetValueOrDefault("rev-session");
        set => Keep("rev-session", value);
    }

    /// <summary>The same browser, led to another process.</summary>
    public Visit At(RevApp other)
    {
        var visit = new Visit(other) { Host = Host };
        foreach (var (name, value) in _cookies) visit._cookies[name] = value;
        return visit;
    }

    /// <summary>Opens a page.</summary>
    public Task<Answer> Get(string path, params (string Name, string Value)[] headers) => Send(HttpMethod.Get, path, null, headers);

    /// <summary>Sends a form that no page has.</summary>
    public Task<Answer> Post(string path, params (string Name, string Value)[] fields) => Send(HttpMethod.Post, path, Content(fields));

    /// <summary>Presses the button of a deed: its hidden fields and those given go to the page's own address. A deed that the page does not offer is sent all the same.</summary>
    public Task<Answer> Press(Answer page, string what, string? id = null, params (string Name, string Value)[] fields)
    {
        IReadOnlyList<(string Name, string Value)> sent = [(Token, TokenOf(page)), ("_handler", "act"), ("do", what), ("id", id ?? "")];
        foreach (var (_, hidden) in Forms(page))
        {
            if (!hidden.Contains(("do", what)) || (id is not null && !hidden.Contains(("id", id)))) continue;
            sent = hidden;
            break;
        }
        return Send(HttpMethod.Post, AddressOf(page), Content(Merged(sent, fields)));
    }

    /// <summary>Sends a form of a page, by the name of its handler, with its hidden fields and those given.</summary>
    public Task<Answer> Submit(Answer page, string name, params (string Name, string Value)[] fields)
    {
        foreach (var (action, hidden) in Forms(page))
        {
            if (!hidden.Contains(("_handler", name))) continue;
            var here = new Uri(new Uri("http://localhost"), AddressOf(page));
            return Send(HttpMethod.Post, new Uri(here, action ?? "").PathAndQuery, Content(Merged(hidden, fields)));
        }
        throw new ShouldAssertException($"No form '{name}' in\n{page.Body}");
    }

    /// <summary>The proof of where a form comes from, as the page has it.</summary>
    public static string TokenOf(Answer page) => page.Field(Token) ?? throw new ShouldAssertException($"The page has no form:\n{page.Body}");

    private async Task<Answer> Send(HttpMethod method, string path, HttpContent? content, params (string Name, string Value)[] headers)
    {
        List<(string Name, string Value)> all = [.. headers];
        if (!all.Exists(header => header.Name == "Accept")) all.Add(("Accept", "text/html,application/xhtml+xml"));
        if (_cookies.Count > 0) all.Add(("Cookie", string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}"))));
        if (Host is not null) all.Add(("Host", Host));
        var answer = await app.Anonymous.SendContent(method, path, content, [.. all]);
        Remember(answer);
        _addresses.Add(answer, path);
        return answer;
    }

    private string AddressOf(Answer page) =>
        _addresses.TryGetValue(page, out var address) ? address : throw new ShouldAssertException("The page was not opened by this visit.");

    private void Remember(Answer answer)
    {
        if (!answer.Headers.TryGetValues("Set-Cookie", out var set)) return;
        foreach (var cookie in set)
        {
            var parts = cookie.Split(';', StringSplitOptions.TrimEntries);
            var (name, value) = (parts[0][..parts[0].IndexOf('=', StringComparison.Ordinal)], parts[0][(parts[0].IndexOf('=', StringComparison.Ordinal) + 1)..]);
            Keep(name, parts.Any(part => part.StartsWith("expires=Thu, 01 Jan 1970", StringComparison.OrdinalIgnoreCase)) ? null : value);
        }
    }

    private void Keep(string name, string? value)
    {
        if (value is null) _cookies.Remove(name);
        else _cookies[name] = value;
    }

    private static FormUrlEncodedContent Content(IEnumerable<(string Name, string Value)> fields) =>
        new(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));

    /// <summary>What is given takes the place of what the page has.</summary>
    private static IEnumerable<(string Name, string Value)> Merged(IReadOnlyList<(string Name, string Value)> hidden, (string Name, string Value)[] given) =>
        hidden.Where(field => !Array.Exists(given, other => other.Name == field.Name)).Concat(given);

    /// <summary>The forms of a page that are posted.</summary>
    private static IEnumerable<(string? Action, IReadOnlyList<(string Name, string Value)> Hidden)> Forms(Answer page)
    {
        foreach (Match form in FormElement().Matches(page.Body))
        {
            var attributes = form.Groups["attributes"].Value;
            if (Attribute(attributes, "method") == "post") yield return (Attribute(attributes, "action"), Hidden(form.Groups["inner"].Value));
        }
    }

    private static List<(string Name, string Value)> Hidden(string form)
    {
        var hidden = new List<(string Name, string Value)>();
        foreach (Match input in InputElement().Matches(form))
            if (Attribute(input.Value, "type") == "hidden" && Attribute(input.Value, "name") is { } name) hidden.Add((name, Attribute(input.Value, "value") ?? ""));
        return hidden;
    }

    private static string? Attribute(string element, string name)
    {
        var match = Regex.Match(element, $"\\s{name}=\"(?<value>[^\"]*)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(2));
        return match.Success ? WebUtility.HtmlDecode(match.Groups["value"].Value) : null;
    }

    [GeneratedRegex("<form(?<attributes>[^>]*)>(?<inner>.*?)</form>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.Singleline, 2000)]
    private static partial Regex FormElement();

    [GeneratedRegex("<input[^>]*>", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 2000)]
    private static partial Regex InputElement();
}

/// <summary>Ways in.</summary>
public static class Visits
{
    /// <summary>A browser that is signed in by the key of a caller.</summary>
    public static async Task<Visit> SignIn(this RevApp app, Caller caller)
    {
        var visit = new Visit(app);
        var page = (await visit.Get("/signin")).Is(200);
        (await visit.Submit(page, "by-key", ("key", caller.Key))).Is(302);
        visit.Session.ShouldNotBeNullOrEmpty();
        return visit;
    }
}
