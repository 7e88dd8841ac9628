using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Rev.Infrastructure.Common;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Analytics;

/// <summary>Figures over time, held against a sum of everything that happened, one by one.</summary>
public sealed class RevenueTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly (string Field, string What)[] Counts =
    [
        ("calls", "calls"), ("tokens_input", "tokens_input"), ("tokens_output", "tokens_output"),
        ("successes", "successes"), ("failures", "failures"), ("pending", "pending"), ("expired", "expired"),
    ];

    private static readonly (string Field, string What)[] Amounts =
        [("base_fees", "base"), ("token_charges", "tokens"), ("outcome_bonuses", "outcome"), ("reversals", "reversal")];

    [Theory, EachProvider]
    public async Task Every_interval_and_group_says_what_happened_before_and_after_days_are_folded(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var begin = app.Now;
        var mix = await new Mix(app, live, seed: 11).Begin();
        await mix.Run(60, TimeSpan.FromHours(4));
        await app.Sweep();
        await Compare(app, live, begin);

        (await app.FoldDays()).ShouldBeGreaterThan(2);
        (await app.FoldDays()).ShouldBe(0);
        (await app.Count("day_rollups")).ShouldBeGreaterThan(10);
        await Compare(app, live, begin);

        // What comes late counts when it comes, and leaves folded days alone.
        var days = await app.Query("SELECT * FROM day_rollups");
        app.Clock.Advance(TimeSpan.FromDays(2));
        await mix.Run(15, TimeSpan.FromHours(3));
        await app.Sweep();
        (await app.Query("SELECT * FROM day_rollups")).Count.ShouldBe(days.Count);
        await Compare(app, live, begin);
        await app.RollupsAddUp();
        (await app.FoldDays()).ShouldBeGreaterThan(1);
        await Compare(app, live, begin);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Failed_pending_and_reviewed_is_no_revenue_and_a_reversal_counts_on_its_day(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("base_fee", "0").With("review_window", "PT1H"))).Is(200);
        await ToNoon(app);
        var first = app.Now;
        await live.Meter(Bodies.Call("failure"));
        var pending = await live.Meter(Bodies.Call("pending"));
        var reviewed = await live.Meter(Bodies.Call());
        (await live.Get("/v1/analytics/revenue")).Is(200)["totals.revenue"].ShouldBe("0");

        app.Clock.Advance(TimeSpan.FromHours(2));
        (await app.Sweep()).ShouldBe(1);
        (await live.Get("/v1/analytics/revenue")).Is(200)["totals.revenue"].ShouldBe("1");

        app.Clock.Advance(TimeSpan.FromDays(1));
        (await live.Resolve(pending["outcome_id"]!, "failure")).Is(200);
        (await live.Reverse(reviewed["outcome_id"]!)).Is(200);
        var days = (await live.Get($"/v1/analytics/revenue?from={Bodies.Instant(first)}")).Is(200);

        days.Array("data").Count.ShouldBe(2);
        (days["data.0.start"], days["data.0.revenue"], days["data.0.reversals"], days["data.0.pending"]).ShouldBe((Start(first), "1", "0", "1"));
        (days["data.1.start"], days["data.1.revenue"], days["data.1.reversals"], days["data.1.failures"]).ShouldBe((Start(app.Now), "-1", "-1", "1"));
        (days["totals.revenue"], days["totals.failures"], days["totals.successes"]).ShouldBe(("0", "2", "1"));
        await app.RollupsAddUp();

        static string Start(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'00:00:00'Z'", CultureInfo.InvariantCulture);
    }

    [Theory, EachProvider]
    public async Task Folding_on_several_servers_at_once_folds_each_day_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await app.FoldDays()).ShouldBe(0);
        for (var day = 0; day < 6; day++)
        {
            await live.Meter(Bodies.Call());
            app.Clock.Advance(TimeSpan.FromDays(1));
        }
        app.Clock.Advance(TimeSpan.FromHours(1));
        var folders = provider == Provider.Sqlite ? [app, app, app] : new[] { app, apps.Second(app), app, apps.Second(app) };

        var folded = await Task.WhenAll(folders.Select(folder => folder.FoldDays()));

        folded.Sum().ShouldBe((int)(await app.Count("day_rollups")));
        folded.Sum().ShouldBeInRange(5, 6);
        await app.RollupsAddUp();
        (await live.Get("/v1/analytics/revenue")).Is(200)["totals.calls"].ShouldBe("6");
    }

    [Theory, EachProvider]
    public async Task A_day_is_folded_an_hour_after_its_end_and_not_before(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await ToNoon(app);
        await live.Meter(Bodies.Call());

        app.Clock.Advance(TimeSpan.FromHours(12.9));
        (await app.FoldDays()).ShouldBe(0);
        app.Clock.Advance(TimeSpan.FromHours(0.2));
        (await app.FoldDays()).ShouldBe(1);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Verify_finds_a_wrong_day_and_a_rebuild_mends_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        app.Clock.Advance(TimeSpan.FromDays(2));
        (await app.FoldDays()).ShouldBeGreaterThan(0);
        var store = app.Services.GetRequiredService<StoreAdmin>();
        (await store.Verify(CancellationToken.None)).ShouldBeEmpty();

        await app.Execute("UPDATE day_rollups SET calls = calls + 1");
        (await store.Verify(CancellationToken.None)).ShouldHaveSingleItem().ShouldContain("day_rollups");
        await app.Execute("DELETE FROM day_rollups");
        (await store.Verify(CancellationToken.None)).ShouldNotBeEmpty();

        await store.RebuildRollups(CancellationToken.None);
        (await store.Verify(CancellationToken.None)).ShouldBeEmpty();
        (await live.Get("/v1/analytics/revenue")).Is(200)["totals.revenue"].ShouldBe("0.01212");
        (await app.FoldDays()).ShouldBeGreaterThan(0);
        (await app.Count("day_rollups")).ShouldBe(1);
        (await live.Get("/v1/analytics/revenue")).Is(200)["totals.revenue"].ShouldBe("0.01212");
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Totals_go_beyond_64_bits_and_days_that_would_not_fit_are_read_by_hours(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var other = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("base_fee", "0.000000001").With("token_rates", JsonNode.Parse("""{"input_per_million":"1000000","output_per_million":"0"}""")))).Is(200);
        await ToNoon(app);
        var dear = Bodies.Call("failure").With("tokens_input", 1_000_000_000).With("customer_id", "rich");
        for (var hour = 0; hour < 3; hour++)
        {
            for (var i = 0; i < 9; i++) await live.Meter(dear);
            (await live.TryMeter(dear)).Refused(409, "amount.too_large");
            app.Clock.Advance(TimeSpan.FromHours(1));
        }
        await other.Meter(Bodies.Call());

        await Check();
        app.Clock.Advance(TimeSpan.FromHours(30));
        (await app.FoldDays()).ShouldBe(1);
        (await app.Count("day_rollups")).ShouldBe(1, "The other tenant's day.");
        await live.Meter(dear.With("tokens_input", 0));
        app.Clock.Advance(TimeSpan.FromHours(30));
        (await app.FoldDays()).ShouldBeGreaterThan(0);
        await Check(calls: "28", revenue: "27000000000.000000028");
        (await other.Get("/v1/analytics/revenue")).Is(200)["totals.revenue"].ShouldBe("0.01212");
        await app.RollupsAddUp();

        async Task Check(string calls = "27", string revenue = "27000000000.000000027")
        {
            foreach (var interval in new[] { "hour", "day", "month" })
            {
                var series = (await live.Get($"/v1/analytics/revenue?interval={interval}")).Is(200);
                (series["totals.calls"], series["totals.revenue"]).ShouldBe((calls, revenue), interval);
            }
            var from = Bodies.Instant(app.Now.AddDays(-20));
            (await live.Get($"/v1/customers/rich/statement?from={from}")).Is(200)["currencies.0.total"].ShouldBe(revenue);
        }
    }

    [Theory, EachProvider]
    public async Task More_rows_than_fifty_thousand_are_refused_with_what_to_do(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var events = new JsonArray();
        for (var i = 0; i < 600; i++) events.Add(Bodies.Call().With("agent_id", $"agent-{i}"));
        (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = events })).Is(200);
        var columns = (await app.Query("SELECT * FROM rollups"))[0].Keys.ToArray();
        for (var hours = 1; hours < 90; hours++)
            await app.Execute(string.Create(CultureInfo.InvariantCulture,
                $"INSERT INTO rollups ({string.Join(", ", columns)}) SELECT {string.Join(", ", columns.Select(c => c == "hour" ? $"hour - {hours} * 3600000000" : c))} FROM rollups WHERE hour = (SELECT MAX(hour) FROM rollups)"));

        var refused = (await live.Get("/v1/analytics/revenue?interval=hour&group_by=agent")).Refused(400, "request.invalid", "group_by");
        refused.ErrorsOf("group_by").ShouldContain("50000");
        (await live.Get("/v1/analytics/revenue?interval=hour&group_by=agent&agent_id=agent-7")).Is(200).Array("data").Count.ShouldBe(90);
        (await live.Get("/v1/analytics/revenue?interval=hour&group_by=action")).Is(200)["totals.calls"].ShouldBe("54000");
        (await live.Get("/v1/analytics/revenue?interval=month&group_by=agent")).Is(200)["totals.calls"].ShouldBe("54000");
    }

    [Theory, EachProvider]
    public async Task Bad_input_is_refused_by_name(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var (query, field) in new[]
        {
            ("from=yesterday", "from"), ("to=2026-13-01T00:00:00Z", "to"), ("from=1969-12-31T23:59:59Z", "from"), ("to=9999-01-01T00:00:00Z", "to"),
            ("from=2026-11-02T00:00:00Z&to=2026-11-01T00:00:00Z", "from"), ("from=2026-11-02T00:00:00Z&to=2026-11-02T00:00:00Z", "from"), ("from=8000-01-01T00:00:00Z", "from"),
            ("interval=week", "interval"), ("interval=Day", "interval"), ("interval=", "interval"), ("group_by=tier", "group_by"), ("currency=USD", "currency"), ("currency=xyz", "currency"),
            ("agent_id=a%20b", "agent_id"), ("customer_id=", "customer_id"), ("action=..", "action"), ("groupby=agent", "groupby"), ("limit=5", "limit"),
            ("interval=day&interval=hour", "interval"),
            ("interval=hour&from=2026-01-01T00:00:00Z&to=2026-04-05T00:00:00Z", "from"), ("interval=day&from=2020-01-01T00:00:00Z&to=2024-01-01T00:00:00Z", "from"),
            ("interval=month&from=2000-01-01T00:00:00Z&to=2011-01-01T00:00:00Z", "from"),
        })
            (await live.Get($"/v1/analytics/revenue?{query}")).Refused(400, "request.invalid", field);
        foreach (var (query, field) in new[] { ("currency=usdollar", "currency"), ("from=2026-01-01T00:00:00Z", "from") })
            (await live.Get($"/v1/analytics/summary?{query}")).Refused(400, "request.invalid", field);

        foreach (var query in new[]
        {
            "interval=hour&from=2026-01-01T00:00:00Z&to=2026-04-03T00:00:00Z", "interval=day&from=2020-01-01T00:30:00Z&to=2023-01-05T00:00:00Z",
            "interval=month&from=2000-01-01T00:00:00Z&to=2010-01-01T00:00:00Z", "to=1970-01-02T00:00:00Z", "from=8990-01-01T00:00:00Z&to=8990-01-02T00:00:00Z",
        })
        {
            var empty = (await live.Get($"/v1/analytics/revenue?{query}")).Is(200);
            empty.Array("data").ShouldBeEmpty();
            (empty["totals.calls"], empty["totals.revenue"], empty["currency"]).ShouldBe(("0", "0", "usd"));
        }
    }

    [Theory, EachProvider]
    public async Task The_summary_says_what_happened_and_what_is_open(Provider provider)
    {
        var app = await apps.On(provider);
        var account = await app.SignUpAsync();
        var live = account.Live;
        var mix = await new Mix(app, live, seed: 5).Begin();
        await mix.Run(40, TimeSpan.FromHours(30));
        (await app.FoldDays()).ShouldBeGreaterThan(5);
        await mix.Run(20, TimeSpan.FromHours(2));
        (await live.Put("/v1/tiers/share", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""[{"name":"share","percent":"5","of":"metadata.value"}]""")))).Is(201);
        (await live.Put("/v1/customers/share", new { tier = "share" })).Is(201);
        await live.Meter(Bodies.Call("pending").With("customer_id", "share"));

        var truth = await Truth.Of(app);
        foreach (var currency in new[] { "usd", "eur" })
        {
            var summary = (await live.Get($"/v1/analytics/summary{(currency == "usd" ? "" : "?currency=eur")}")).Is(200);
            summary["currency"].ShouldBe(currency);
            summary.Array("other_currencies").Select(c => c!.GetValue<string>()).ShouldBe([currency == "usd" ? "eur" : "usd"]);
            var now = At(summary["as_of"]!);
            now.ShouldBe(app.Now, TimeSpan.FromMinutes(1));
            var (hour, day) = (new DateTimeOffset(now.Year, now.Month, now.Day, now.Hour, 0, 0, TimeSpan.Zero), new DateTimeOffset(now.Year, now.Month, now.Day, 0, 0, 0, TimeSpan.Zero));
            var month = day.AddDays(1 - day.Day);
            foreach (var (name, from, to) in new[]
            {
                ("today", day, hour.AddHours(1)), ("last_24_hours", hour.AddHours(-23), hour.AddHours(1)), ("month_to_date", month, hour.AddHours(1)), ("previous_month", month.AddMonths(-1), month),
            })
            {
                (At(summary[$"{name}.from"]!), At(summary[$"{name}.to"]!)).ShouldBe((from, to), name);
                Same(summary.Node(name)!.AsObject(), [.. truth.Facts.Where(f => f.Currency == currency && f.At >= from && f.At < to)], name);
            }
            var toDate = truth.Facts.Where(f => f.Currency == currency && f.At >= month).ToArray();
            var (won, lost) = ((decimal)Truth.Sum(toDate, "successes"), (decimal)(Truth.Sum(toDate, "failures") + Truth.Sum(toDate, "expired")));
            if (won + lost == 0) summary["success_rate"].ShouldBeNull();
            else decimal.Parse(summary["success_rate"]!, CultureInfo.InvariantCulture).ShouldBe(won / (won + lost), 0.00005m);

            foreach (var status in new[] { "pending", "in_review" })
            {
                var open = (await live.All($"/v1/outcomes?status={status}")).Where(o => o["currency"]!.GetValue<string>() == currency).ToList();
                summary[$"{status}.outcomes"].ShouldBe(open.Count.ToString(CultureInfo.InvariantCulture), status);
                var bounded = open.Select(o => o["potential_bonus"]?.GetValue<string>()).OfType<string>().ToList();
                Rows.Nanos(summary[$"{status}.potential_bonus"]).ShouldBe(bounded.Sum(Rows.Nanos), status);
                summary[$"{status}.unbounded"].ShouldBe((open.Count - bounded.Count).ToString(CultureInfo.InvariantCulture), status);
            }
        }
        (await live.Get("/v1/analytics/summary")).Is(200)["pending.unbounded"].ShouldBe("1");
        (await account.Test.Get("/v1/analytics/summary")).Is(200)["month_to_date.calls"].ShouldBe("0");
        (await account.Test.Get("/v1/analytics/revenue")).Is(200).Array("data").ShouldBeEmpty();
        await app.RollupsAddUp();
    }

    private static async Task Compare(RevApp app, Caller live, DateTimeOffset begin)
    {
        var truth = await Truth.Of(app);
        foreach (var interval in new[] { "hour", "day", "month" })
            foreach (var group in new[] { null, "agent", "customer", "action", "component" })
                foreach (var currency in new[] { "usd", "eur" })
                    await Compare(live, truth, interval, group, currency, begin, app.Now, "");
        foreach (var (filter, of) in new (string, Func<Truth.Fact, bool>)[]
        {
            ("&agent_id=outreach", f => f.Agent == "outreach"), ("&customer_id=plain", f => f.Customer == "plain"), ("&action=email.sent", f => f.Action == "email.sent"),
            ("&agent_id=Zed&customer_id=reviewed&action=%40deal", f => f is { Agent: "Zed", Customer: "reviewed", Action: "@deal" }),
        })
            foreach (var interval in new[] { "hour", "day", "month" })
                await Compare(live, truth, interval, "customer", "usd", begin, app.Now, filter, of);
        // A part of the time, which is widened.
        await Compare(live, truth, "day", "agent", "usd", begin.AddHours(29), begin.AddHours(55), "");
        await Compare(live, truth, "hour", null, "eur", begin.AddMinutes(333), begin.AddMinutes(2222), "");
    }

    private static async Task Compare(
        Caller live, Truth truth, string interval, string? group, string currency, DateTimeOffset from, DateTimeOffset to, string filter, Func<Truth.Fact, bool>? of = null)
    {
        var what = $"{interval} {group} {currency} {filter}";
        var series = (await live.Get($"/v1/analytics/revenue?from={Bodies.Instant(from)}&to={Bodies.Instant(to)}&interval={interval}&currency={currency}{(group is null ? "" : $"&group_by={group}")}{filter}")).Is(200);
        var (start, end) = (Start(interval, from), Start(interval, to.AddTicks(-10)));
        end = interval switch { "hour" => end.AddHours(1), "day" => end.AddDays(1), _ => end.AddMonths(1) };
        (At(series["from"]!), At(series["to"]!), series["currency"]).ShouldBe((start, end, currency), what);
        series.Array("other_currencies").Select(c => c!.GetValue<string>()).ShouldBe([currency == "usd" ? "eur" : "usd"], what);

        var facts = truth.Facts.Where(f => f.Currency == currency && f.At >= start && f.At < end && (of is null || of(f))).ToArray();
        Same(series.Node("totals")!.AsObject(), facts, what);
        var expected = facts.GroupBy(f => (Start: Start(interval, f.At), Group: Group(f, group))).Where(g => g.Any(f => f.What is not ("bonuses" or "reversed")))
            .OrderBy(g => g.Key.Start).ThenBy(g => g.Key.Group, StringComparer.Ordinal).ToArray();
        var data = series.Array("data").Select(d => d!.AsObject()).ToArray();
        data.Select(d => (At(d["start"]!.GetValue<string>()), d["group"]?.GetValue<string>())).ShouldBe(expected.Select(g => g.Key), what);
        for (var i = 0; i < data.Length; i++) Same(data[i], [.. expected[i]], $"{what} {data[i]["start"]} {data[i]["group"]}");
    }

    private static void Same(JsonObject figures, IReadOnlyList<Truth.Fact> facts, string what)
    {
        foreach (var (field, sort) in Counts) figures[field]!.GetValue<long>().ShouldBe((long)Truth.Sum(facts, sort), $"{what} {field}");
        foreach (var (field, sort) in Amounts) figures[field]!.GetValue<string>().ShouldBe(Truth.Amount(Truth.Sum(facts, sort)), $"{what} {field}");
        figures["revenue"]!.GetValue<string>().ShouldBe(Truth.Amount(facts.Where(f => Truth.IsAmount(f.What)).Aggregate(System.Numerics.BigInteger.Zero, (sum, f) => sum + f.Value)), what);
    }

    private static string? Group(Truth.Fact f, string? by) => by switch
    {
        "agent" => f.Agent,
        "customer" => f.Customer,
        "action" => f.Action,
        "component" => f.What switch { "calls" or "base" => "base", "tokens_input" or "tokens_output" or "tokens" => "tokens", "reversal" or "reversed" => "reversal", _ => "outcome" },
        _ => null,
    };

    private static DateTimeOffset Start(string interval, DateTimeOffset at) =>
        new(at.Year, at.Month, interval == "month" ? 1 : at.Day, interval == "hour" ? at.Hour : 0, 0, 0, TimeSpan.Zero);

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    private static Task ToNoon(RevApp app)
    {
        var now = app.Now;
        app.Clock.Advance(new DateTimeOffset(now.Year, now.Month, now.Day, 12, 0, 0, TimeSpan.Zero).AddDays(1) - now);
        return Task.CompletedTask;
    }
}
