using System.Collections.Immutable;
using MediatR;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Rev.Application.Accounts;
using Rev.Application.Analytics;
using Rev.Application.Customers;
using Rev.Application.Outcomes;
using Rev.Application.Webhooks;

namespace Rev.IntegrationTests.Common;

/// <summary>The product on a real port, with a clock that tests may put forward and no job running by itself.</summary>
public sealed class RevApp : WebApplicationFactory<Program>
{
    public const string Operator = "operator";
    public const string OperatorPassword = "correct horse battery staple";

    // Else every start in Development would make up a password, and hash it 210,000 times: this one is hashed once.
    private static readonly KeyValuePair<string, string>[] KnownOperator =
    [
        new("Operators:0:Name", Operator),
        new("Operators:0:PasswordHash", "pbkdf2$1$c2FsdCBvZiB0aGUgdGVzdA==$CYTpHszvX2rY6zStGKts8qKwsUJKKDDFBKfLI0kIYxU="),
    ];

    private readonly string _environment;
    private readonly ImmutableDictionary<string, string> _settings;
    private HttpClient? _http;

    private RevApp(TestDatabase database, OffsetClock clock, string dataDirectory, string environment, IReadOnlyDictionary<string, string>? settings)
    {
        Database = database;
        Clock = clock;
        DataDirectory = dataDirectory;
        _environment = environment;
        _settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
        {
            ["Database:Provider"] = database.Provider.ToString(),
            ["ConnectionStrings:Rev"] = database.ConnectionString,
            ["DataDirectory"] = dataDirectory,
            ["Security:Secret"] = "a secret for tests, long enough to be taken: 0123456789abcdef",
            ["RateLimits:Enabled"] = "false",
            ["Jobs:Enabled"] = "false",
            ["Demo:Enabled"] = "false",
            ["Logging:LogLevel:Default"] = "Warning",
        }.ToImmutableDictionary(StringComparer.OrdinalIgnoreCase)
            .SetItems(environment == "Development" ? KnownOperator : [])
            .SetItems(settings ?? ImmutableDictionary<string, string>.Empty);
        UseKestrel(0);
    }

    public TestDatabase Database { get; }

    public OffsetClock Clock { get; }

    public string DataDirectory { get; }

    public DateTimeOffset Now => Clock.Now;

    public Mailbox Mail => new(Path.Combine(DataDirectory, "mail"));

    public HttpClient Http => _http ?? throw new InvalidOperationException("Not started.");

    /// <summary>A caller without a key.</summary>
    public Caller Anonymous => new(this, key: null);

    public static RevApp Start(
        TestDatabase database,
        OffsetClock? clock = null,
        string? dataDirectory = null,
        string environment = "Development",
        IReadOnlyDictionary<string, string>? settings = null)
    {
        var app = new RevApp(database, clock ?? new OffsetClock(), dataDirectory ?? database.DataDirectory, environment, settings);
        app.StartServer();
        app._http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxConnectionsPerServer = 256 })
        {
            BaseAddress = app.ClientOptions.BaseAddress,
            Timeout = TimeSpan.FromSeconds(60),
        };
        return app;
    }

    public Caller With(string key) => new(this, key);

    /// <summary>A new account, its two keys taken from the mail.</summary>
    public async Task<SignedUp> SignUpAsync(string? email = null)
    {
        email ??= NewAddress();
        (await Anonymous.Post("/v1/signup", new { email, company = "Example Ltd" })).Is(202);
        var mail = await Mail.WaitFor(email);
        return new(email, With(mail.LiveKey), With(mail.TestKey));
    }

    public static string NewAddress() => $"{Guid.NewGuid():N}@example.com";

    /// <summary>Runs the expiry and settlement sweeps until nothing is due. How many outcomes they moved.</summary>
    public async Task<int> Sweep()
    {
        var total = 0;
        while (true)
        {
            var moved = await Swept(new ExpireDueOutcomes()) + await Swept(new SettleDueOutcomes());
            if (moved == 0) return total;
            total += moved;
        }
    }

    public Task<int> SweepExpired() => Swept(new ExpireDueOutcomes());

    public Task<int> SweepSettled() => Swept(new SettleDueOutcomes());

    public Task<int> FoldDays() => Swept(new FoldDays());

    public Task<int> FinishErasures() => Swept(new FinishErasures());

    public Task<int> SendDueMails() => Swept(new SendDueMails());

    public Task<int> ProcessHooks() => Swept(new ProcessHooks());

    public Task<int> TidyHooks() => Swept(new TidyHooks());

    protected override void ConfigureWebHost(IWebHostBuilder builder)
    {
        builder.UseEnvironment(_environment);
        foreach (var (key, value) in _settings) builder.UseSetting(key, value);
        builder.ConfigureTestServices(services =>
        {
            services.RemoveAll<TimeProvider>();
            services.AddSingleton<TimeProvider>(Clock);
        });
    }

    public override async ValueTask DisposeAsync()
    {
        _http?.Dispose();
        await base.DisposeAsync();
    }

    private async Task<int> Swept(IRequest<Rev.Domain.Common.Result<int>> sweep)
    {
        using var scope = Services.CreateScope();
        var result = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(sweep);
        result.IsSuccess.ShouldBeTrue();
        return result.Value;
    }
}

/// <summary>An account with its first keys.</summary>
public sealed record SignedUp(string Email, Caller Live, Caller Test);
