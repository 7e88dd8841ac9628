using System.Globalization;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

public sealed class RateLimitTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly Dictionary<string, string> On = new(StringComparer.Ordinal) { ["RateLimits:Enabled"] = "true" };

    [Theory, EachProvider]
    public async Task An_address_signs_up_five_times_an_hour(Provider provider)
    {
        var app = await apps.Own(provider, On);
        var email = RevApp.NewAddress();
        for (var i = 0; i < 5; i++) (await app.Anonymous.Post("/v1/signup", new { email = i % 2 == 0 ? email : email.ToUpperInvariant() })).Is(202);

        var refused = (await app.Anonymous.Post("/v1/signup", new { email })).Refused(429);

        int.Parse(refused.Header("Retry-After")!, CultureInfo.InvariantCulture).ShouldBeInRange(1, 3600);
        (await app.Anonymous.Post("/v1/signup", new { email = RevApp.NewAddress() })).Is(202);
    }

    [Theory, EachProvider]
    public async Task One_host_signs_up_thirty_addresses_an_hour(Provider provider)
    {
        var app = await apps.Own(provider, On);
        var statuses = new List<int>();
        for (var i = 0; i < 31; i++) statuses.Add((await app.Anonymous.Post("/v1/signup", new { email = RevApp.NewAddress() })).Status);

        statuses.Take(30).ShouldAllBe(status => status == 202);
        statuses[30].ShouldBe(429);
    }

    [Theory, EachProvider]
    public async Task Anonymous_calls_are_limited_and_those_with_a_key_told_their_limit(Provider provider)
    {
        var app = await apps.Own(provider, On);
        var account = await app.SignUpAsync();
        var body = new { tier = new { name = "n" }, calls_per_month = 1 };

        var answers = await Task.WhenAll(Enumerable.Range(0, 120).Select(_ => app.Anonymous.Post("/v1/simulations", body)));

        answers.Count(answer => answer.Status == 200).ShouldBeInRange(40, 110);
        foreach (var refused in answers.Where(answer => answer.Status != 200)) refused.Refused(429).Header("Retry-After").ShouldNotBeNullOrEmpty();

        var metered = await account.Live.Meter(Bodies.Call());
        foreach (var name in new[] { "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset" })
            long.Parse(metered.Header(name)!, CultureInfo.InvariantCulture).ShouldBeGreaterThanOrEqualTo(0);
        (await app.Anonymous.Get("/health/live")).Is(200);
    }

    [Theory, EachProvider]
    public async Task A_key_that_is_not_known_is_limited_as_anonymous(Provider provider)
    {
        var app = await apps.Own(provider, On);

        var answers = await Task.WhenAll(Enumerable.Range(0, 120).Select(i => app.With($"rg_live_guess{i}").Get("/v1/account")));

        answers.ShouldAllBe(answer => answer.Status == 401 || answer.Status == 429);
        answers.Count(answer => answer.Status == 429).ShouldBeGreaterThan(0);
    }

    [Theory, EachProvider]
    public async Task Guesses_at_an_operators_password_are_limited(Provider provider)
    {
        var app = await apps.Own(provider, On);
        var guess = ("Authorization", "Basic " + Convert.ToBase64String("operator:guess"u8));
        var statuses = new List<int>();
        for (var i = 0; i < 15; i++) statuses.Add((await app.Anonymous.Get("/hangfire", guess)).Status);

        statuses.Take(10).ShouldAllBe(status => status == 401);
        statuses[^1].ShouldBe(429);
    }

    [Theory, EachProvider]
    public async Task A_test_key_that_may_only_price_copies_nothing_to_live(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var made = (await account.Test.Post("/v1/api_keys", new { name = "pricing", mode = "test", scopes = new[] { "pricing:write" } })).Is(201);
        (await account.Test.Put("/v1/tiers/x", Bodies.Tier())).Is(201);

        (await app.With(made["secret"]!).Post("/v1/tiers/x/copy", new { mode = "live" })).Refused(403, code: "auth.missing_scope");

        (await account.Live.Get("/v1/tiers/x")).Refused(404);
    }
}
