using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web.Browser;

/// <summary>A tab with cookies of its own at a running product. It notes whatever goes wrong in it.</summary>
public sealed class Tab : IAsyncDisposable
{
    // Rules of WCAG 2.0 and 2.1, levels A and AA.
    private static readonly string[] Rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];

    private readonly IBrowserContext _context;
    private readonly Lock _lock = new();
    private readonly List<string> _faults = [];

    private Tab(RevApp app, IBrowserContext context, IPage page)
    {
        App = app;
        _context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type == "error") Note($"console: {message.Text} ({message.Location})");
        };
        page.PageError += (_, error) => Note($"script: {error}");
        page.Response += (_, response) =>
        {
            if (response.Status >= 400) Note($"answer: {response.Status} of {response.Request.Method} {response.Url}");
        };
        page.RequestFailed += (_, request) =>
        {
            // What a page still waits for is given up when it is left: that is its own doing.
            if (request.Failure != "net::ERR_ABORTED") Note($"request: {request.Failure} of {request.Method} {request.Url}");
        };
    }

    public RevApp App { get; }

    public IPage Page { get; }

    /// <summary>Where pictures of the walks are kept: the folder that REV_SCREENSHOTS names, else TestResults/pages; null in CI, where nobody looks at them.</summary>
    private static string? Folder { get; } =
        Environment.GetEnvironmentVariable("REV_SCREENSHOTS") is { Length: > 0 } folder ? folder
        : Environment.GetEnvironmentVariable("CI") == "true" ? null
        : Path.Combine(Repository.Root, "TestResults", "pages");

    /// <summary>A tab of 1280 × 900 in light colours, with motion unless it shall stand still.</summary>
    public static async Task<Tab> Open(Chromium chromium, RevApp app, bool still = false)
    {
        var context = await chromium.Browser.NewContextAsync(new()
        {
            BaseURL = app.Http.BaseAddress!.GetLeftPart(UriPartial.Authority),
            ViewportSize = new() { Width = 1280, Height = 900 },
            ColorScheme = ColorScheme.Light,
            ReducedMotion = still ? ReducedMotion.Reduce : ReducedMotion.NoPreference,
            Locale = "en-GB",
            TimezoneId = "Europe/Berlin",
        });
        context.SetDefaultTimeout(Chromium.Patience);
        context.SetDefaultNavigationTimeout(Chromium.Patience);
        // Chromium tells of them on the console too; this names the line.
        await context.AddInitScriptAsync("""
            addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} forbids ${e.blockedURI} at ${e.sourceFile}:${e.lineNumber}`));
            """);
        return new(app, context, await context.NewPageAsync());
    }

    /// <summary>Opens a page of the product, which must answer with this status.</summary>
    public async Task Go(string path, int status = 200)
    {
        var answer = await Page.GotoAsync(path) ?? throw new ShouldAssertException($"{path} is not loaded.");
        answer.Status.ShouldBe(status, path);
    }

    /// <summary>Signs in by the page for it, and ends at the dashboard of the key's mode.</summary>
    public async Task SignIn(Caller caller)
    {
        await Go("/signin");
        await Main.GetByLabel("A live or test key").FillAsync(caller.Key);
        await Button("Sign in", exact: true).ClickAsync();
        await At($"/{(caller.Key.StartsWith("rg_test_", StringComparison.Ordinal) ? "test" : "live")}/revenue");
    }

    /// <summary>
    /// Waits until the address has this path. Not by WaitForURL: that waits for an event of the new document, and now and then for one
    /// that came just before. Whatever is asked of the page next waits by itself until it is there.
    /// </summary>
    public Task At(string path) => Assertions.Expect(Page).ToHaveURLAsync(new Regex($"^https?://[^/?#]+{Regex.Escape(path)}([?#]|$)", RegexOptions.None, TimeSpan.FromSeconds(1)), new() { Timeout = 30_000 });

    /// <summary>The part of the page that is not its head or foot.</summary>
    public ILocator Main => Page.GetByRole(AriaRole.Main);

    /// <summary>A button of the content.</summary>
    public ILocator Button(string name, bool exact = false) => Main.GetByRole(AriaRole.Button, new() { Name = name, Exact = exact });

    /// <summary>A heading of the content.</summary>
    public ILocator Heading(string name) => Main.GetByRole(AriaRole.Heading, new() { Name = name });

    /// <summary>A link of the content.</summary>
    public ILocator Link(string name, bool exact = false) => Main.GetByRole(AriaRole.Link, new() { Name = name, Exact = exact });

    /// <summary>An amount of the content by what it is.</summary>
    public ILocator Figure(string name) => Main.Locator($"data[data-figure='{name}']").First;

    /// <summary>Waits until what is told as it happens is heard: a part of the page that stays true, and with it the tape.</summary>
    public Task IsLive() => Assertions.Expect(Main.Locator("rev-refresh[data-state='live']")).ToHaveCountAsync(1);

    /// <summary>The exact value that stands in an amount.</summary>
    public static async Task<string> Exact(ILocator amount) =>
        await amount.GetAttributeAsync("value") ?? throw new ShouldAssertException("The amount has no exact value.");

    public Task Phone() => Page.SetViewportSizeAsync(390, 844);

    public Task Desktop() => Page.SetViewportSizeAsync(1280, 900);

    public Task Dark() => Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Dark });

    public Task Light() => Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });

    /// <summary>Keeps a picture of the whole page, where pictures are kept.</summary>
    public async Task Screenshot(string name)
    {
        if (Folder is null) return;
        Directory.CreateDirectory(Folder);
        // The caret stays: to hide it a style would be set.
        await Page.ScreenshotAsync(new()
        {
            Path = Path.Combine(Folder, name + ".png"),
            FullPage = true,
            Animations = ScreenshotAnimations.Disabled,
            Caret = ScreenshotCaret.Initial,
        });
    }

    /// <summary>Nothing went wrong so far: no error on the console or in a script, no refused or failed request, nothing that the policy forbids.</summary>
    /// <param name="but">Faults that were to be expected have one of these in them.</param>
    public void NoFaults(params string[] but)
    {
        lock (_lock) _faults.Where(fault => !Array.Exists(but, part => fault.Contains(part, StringComparison.Ordinal))).ShouldBeEmpty(Page.Url);
    }

    /// <summary>What went wrong so far was to be expected.</summary>
    public void Forget()
    {
        lock (_lock) _faults.Clear();
    }

    /// <summary>The page can be used by everybody, as far as a program can tell.</summary>
    public async Task Axe()
    {
        // The other way opens a tab of its own each time, for the sake of frames; there are none.
#pragma warning disable CS0618
        var result = await Page.Locator("html").RunAxeLegacy(new AxeRunOptions { RunOnly = RunOnlyOptions.Tags(Rules), ResultTypes = [ResultType.Violations] });
#pragma warning restore CS0618
        if (result.Violations.Length == 0) return;
        var text = new StringBuilder($"{Page.Url} is not accessible:");
        foreach (var rule in result.Violations)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{rule.Id} ({rule.Impact}): {rule.Help}");
            foreach (var node in rule.Nodes)
            {
                text.Append(CultureInfo.InvariantCulture, $"\n    {node.Target}  {Short(node.Html)}");
                foreach (var check in node.Any ?? []) text.Append(CultureInfo.InvariantCulture, $"\n        {check.Message}");
            }
        }
        throw new ShouldAssertException(text.ToString());
    }

    /// <summary>The page is not wider than its window; what sticks out is named.</summary>
    public async Task NoSidewaysScroll()
    {
        var wide = await Page.EvaluateAsync<string[]>("""
            () => {
              const width = document.documentElement.scrollWidth;
              if (width <= innerWidth) return [];
              const out = [...document.querySelectorAll('body *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.parentElement.closest('.table-wrap, pre'));
              return [`${width} > ${innerWidth}`, ...out.slice(0, 12).map((e) => e.outerHTML.slice(0, 160))];
            }
            """);
        wide.ShouldBeEmpty(Page.Url);
    }

    public async ValueTask DisposeAsync() => await _context.CloseAsync();

    private static string Short(string html) => html.Length <= 200 ? html : html[..200] + "…";

    private void Note(string fault)
    {
        lock (_lock) _faults.Add(fault);
    }
}
