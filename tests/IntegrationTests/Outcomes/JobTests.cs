using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Outcomes;

/// <summary>What happens by itself: the jobs run, and nobody calls a sweep.</summary>
public sealed class JobTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_pending_outcome_expires_and_a_success_settles_within_a_minute_by_themselves(Provider provider)
    {
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal) { ["Jobs:Enabled"] = "true" });
        var live = (await app.SignUpAsync()).Live;
        var late = (await live.Meter(Bodies.Call("pending").With("expires_at", app.Now.AddSeconds(2).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"))))["outcome_id"]!;
        var swept = (await live.Meter(Bodies.Call("pending").With("expires_at", app.Now.AddSeconds(2).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'"))))["outcome_id"]!;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("review_window", "PT2S"))).Is(200);
        var review = (await live.Meter(Bodies.Call("success")))["outcome_id"]!;

        await Task.Delay(TimeSpan.FromSeconds(2.5));
        (await live.Resolve(late, "success")).Refused(409, code: "outcome.expired");

        for (var i = 0; i < 240; i++)
        {
            if ((await live.Outcome(swept))["status"] == "expired" && (await live.Outcome(review))["status"] == "succeeded") break;
            await Task.Delay(250);
        }
        (await live.Outcome(swept)).Is(200)["status"].ShouldBe("expired");
        (await live.Outcome(review)).Is(200)["status"].ShouldBe("succeeded");
        (await live.Resolve(swept, "success")).Refused(409, code: "outcome.expired");
        await app.RollupsAddUp();
    }

    /// <summary>PostgreSQL alone: the others free a lock with the connection that had it, and SQLite's are in memory.</summary>
    [Fact]
    public async Task A_job_that_a_killed_process_left_locked_does_not_keep_Rev_from_starting()
    {
        var app = await apps.Own(Provider.PostgreSql, new Dictionary<string, string>(StringComparer.Ordinal));
        await app.Execute("INSERT INTO hangfire.lock (resource, updatecount, acquired) VALUES ('hangfire:lock:recurring-job:expire-outcomes', 0, now() - interval '20 seconds')");

        await using var next = RevApp.Start(
            app.Database, app.Clock, Repository.TemporaryFolder("next"), settings: new Dictionary<string, string>(StringComparer.Ordinal) { ["Jobs:Enabled"] = "true" });

        (await next.Anonymous.Get("/health/ready")).Is(200);
        (await app.Query("SELECT 1 AS one FROM hangfire.set WHERE key = 'recurring-jobs' AND value = 'expire-outcomes'")).ShouldBeEmpty();
        for (var i = 0; i < 300 && await Registered() < 18; i++) await Task.Delay(250);
        (await Registered()).ShouldBe(18);

        async Task<int> Registered() => (await app.Query("SELECT 1 AS one FROM hangfire.set WHERE key = 'recurring-jobs'")).Count;
    }
}
