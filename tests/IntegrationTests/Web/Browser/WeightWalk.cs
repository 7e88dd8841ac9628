using System.Collections.Concurrent;
using Microsoft.Playwright;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Web.Browser;

/// <summary>The weight of pages as the browser itself counts it.</summary>
[Collection(Walks.Name)]
public sealed class WeightWalk(Chromium chromium, Apps apps) : IClassFixture<Apps>
{
    [Theory, OneProvider]
    public async Task Home_and_a_dashboard_of_a_month_fit_into_their_budget(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await Weight.Month(app, live);
        var session = (await app.SignIn(live)).Session!;

        foreach (var path in new[] { "/", "/live/revenue" })
        {
            // Each in a browser that has nothing yet but the session.
            await using var tab = await Tab.Open(chromium, app);
            await tab.Page.Context.AddCookiesAsync([new() { Name = "rev-session", Value = session, Url = app.Http.BaseAddress!.GetLeftPart(UriPartial.Authority) }]);
            var finished = new ConcurrentQueue<IRequest>();
            tab.Page.RequestFinished += (_, request) => finished.Enqueue(request);
            await tab.Go(path);
            if (path != "/") await tab.IsLive();

            var weights = new List<KeyValuePair<string, long>>();
            foreach (var request in finished)
            {
                var sizes = await request.SizesAsync();
                weights.Add(new(request.Url, sizes.ResponseBodySize + sizes.ResponseHeadersSize));
            }

            weights.Sum(w => w.Value).ShouldBeLessThanOrEqualTo(Weight.Budget, Weight.Told(weights));
            weights.Sum(w => w.Value).ShouldBeGreaterThan(Weight.Least, Weight.Told(weights));
            tab.NoFaults();
        }
    }
}
