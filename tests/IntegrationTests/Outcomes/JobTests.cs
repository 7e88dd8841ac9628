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
}
