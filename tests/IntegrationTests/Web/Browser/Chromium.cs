using Microsoft.Playwright;

namespace Rev.IntegrationTests.Web.Browser;

/// <summary>The browser of all walks: the system's Chromium, driven by Playwright. Every tab is a context of its own.</summary>
public sealed class Chromium : IAsyncLifetime
{
    /// <summary>How long something may take on a machine that does other things too, in milliseconds.</summary>
    public const float Patience = 30_000;

    // Nothing is downloaded, and nothing is asked of other hosts.
    private static readonly string[] Flags =
    [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
        "--disable-sync",
    ];

    private IPlaywright? _driver;
    private IBrowser? _browser;

    public IBrowser Browser => _browser ?? throw new InvalidOperationException("Chromium does not run.");

    public async Task InitializeAsync()
    {
        Assertions.SetDefaultExpectTimeout(Patience);
        var program = Find();
        _driver = await Playwright.CreateAsync();
        _browser = await _driver.Chromium.LaunchAsync(new() { ExecutablePath = program, Headless = true, Args = Flags, Timeout = 60_000 });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null) await _browser.DisposeAsync();
        _driver?.Dispose();
    }

    private static string Find()
    {
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            var program = Path.Combine(folder, "chromium");
            if (File.Exists(program)) return program;
        }
        throw new InvalidOperationException("No chromium is in the PATH: scripts/test.sh installs one, or apt-get install chromium.");
    }
}

/// <summary>The walks go one after the other through one browser: it would take all processors otherwise.</summary>
[CollectionDefinition(Name)]
public sealed class Walks : ICollectionFixture<Chromium>
{
    public const string Name = "walks";
}
