namespace Rev.IntegrationTests.Common;

/// <summary>The running product for the tests of one class: one on each database, which is emptied before each test. Its clock goes on from where it was.</summary>
public sealed class Apps : IAsyncLifetime
{
    private readonly Dictionary<Provider, RevApp> _shared = [];
    private readonly List<RevApp> _own = [];
    private readonly List<RevApp> _seconds = [];

    public async Task<RevApp> On(Provider provider)
    {
        await DisposeOwnAsync();
        if (!_shared.TryGetValue(provider, out var app)) return _shared[provider] = RevApp.Start(await TestDatabase.CreateAsync(provider));
        await app.Database.ResetAsync();
        app.Mail.Clear();
        return app;
    }

    /// <summary>An application with other settings, on a database of its own.</summary>
    public async Task<RevApp> Own(Provider provider, IReadOnlyDictionary<string, string> settings, string environment = "Development")
    {
        await DisposeOwnAsync();
        var app = RevApp.Start(await TestDatabase.CreateAsync(provider), environment: environment, settings: settings);
        _own.Add(app);
        return app;
    }

    /// <summary>A second process, as it were, on the same database and clock.</summary>
    public RevApp Second(RevApp first)
    {
        var second = RevApp.Start(first.Database, first.Clock, Repository.TemporaryFolder("second"));
        _seconds.Add(second);
        return second;
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await DisposeOwnAsync();
        foreach (var app in _shared.Values)
        {
            await app.DisposeAsync();
            await app.Database.DisposeAsync();
        }
        _shared.Clear();
    }

    private async Task DisposeOwnAsync()
    {
        foreach (var app in _seconds) await app.DisposeAsync();
        _seconds.Clear();
        foreach (var app in _own)
        {
            await app.DisposeAsync();
            await app.Database.DisposeAsync();
        }
        _own.Clear();
    }
}
