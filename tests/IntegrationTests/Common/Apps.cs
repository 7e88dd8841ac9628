namespace Rev.IntegrationTests.Common;

/// <summary>
/// The running product for the tests of one class: on SQLite a new one on a new file for each test,
/// on a server one for all, its database emptied before each test.
/// </summary>
public sealed class Apps : IAsyncLifetime
{
    private readonly Dictionary<Provider, RevApp> _shared = [];
    private readonly List<RevApp> _own = [];
    private readonly List<RevApp> _seconds = [];

    public async Task<RevApp> On(Provider provider)
    {
        await DisposeOwnAsync();
        if (_shared.Remove(provider, out var app))
        {
            if (provider == Provider.Sqlite)
            {
                await app.DisposeAsync();
                await app.Database.DisposeAsync();
            }
            else
            {
                await app.Database.ResetAsync();
                return _shared[provider] = app;
            }
        }
        return _shared[provider] = RevApp.Start(await TestDatabase.CreateAsync(provider));
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
