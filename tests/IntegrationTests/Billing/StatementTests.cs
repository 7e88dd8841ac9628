using System.Globalization;
using System.Net.Http.Headers;
using System.Numerics;
using System.Text.Json.Nodes;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Billing;
using Rev.Domain.Common;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>Statements, held against the ledger as it is stored.</summary>
public sealed class StatementTests(Apps apps) : IClassFixture<Apps>
{
    private const string Header = "service_at,effective_at,event_id,outcome_id,agent_id,action,component,quantity,amount,currency";

    private static readonly (string Component, string[] Quantities)[] Components =
        [("base", ["calls"]), ("tokens", ["tokens_input", "tokens_output"]), ("outcome", ["bonuses"]), ("reversal", ["reversed"])];

    [Theory, EachProvider]
    public async Task A_statement_is_the_sum_of_the_ledger_over_any_time(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var begin = app.Now;
        var mix = await new Mix(app, live, seed: 23).Begin();
        await mix.Run(40, TimeSpan.FromHours(3));
        // Many within few hours, so that the ends of times cut hours through.
        await mix.Run(40, TimeSpan.FromMinutes(9));
        await app.Sweep();
        await Compare(app, live, begin, seed: 1);

        app.Clock.Advance(TimeSpan.FromHours(26));
        (await app.FoldDays()).ShouldBeGreaterThan(1);
        await Compare(app, live, begin, seed: 2);
        await mix.Run(10, TimeSpan.FromMinutes(20));
        await Compare(app, live, begin, seed: 3);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task The_default_is_the_month_up_to_now(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        await live.Meter(Bodies.Call("failure").With("tokens_input", 0).With("tokens_output", 0));

        var statement = (await live.Get("/v1/customers/default/statement")).Is(200);

        statement["customer_id"].ShouldBe("default");
        At(statement["to"]!).ShouldBe(app.Now, TimeSpan.FromMinutes(1));
        var to = At(statement["to"]!);
        At(statement["from"]!).ShouldBe(new(to.Year, to.Month, 1, 0, 0, 0, TimeSpan.Zero));
        statement.Array("currencies").Count.ShouldBe(1);
        (statement["currencies.0.currency"], statement["currencies.0.total"]).ShouldBe(("usd", "0.01712"));
        statement.Array("currencies.0.lines").Select(l => l!.ToJsonString()).ShouldBe(
        [
            """{"agent_id":"outreach-agent-v2","action":"email.sent","component":"base","quantity":2,"amount":"0.01"}""",
            """{"agent_id":"outreach-agent-v2","action":"email.sent","component":"tokens","quantity":1540,"amount":"0.00462"}""",
            """{"agent_id":"outreach-agent-v2","action":"email.sent","component":"outcome","quantity":1,"amount":"0.0025"}""",
        ]);
        var soon = (await live.Get($"/v1/customers/default/statement?to={Bodies.Instant(app.Now.AddDays(2))}&from={Bodies.Instant(app.Now.AddDays(-2))}")).Is(200);
        soon["currencies.0.total"].ShouldBe("0.01712");
        var earlier = (await live.Get("/v1/customers/default/statement?to=2026-03-01T00:00:00Z")).Is(200);
        At(earlier["from"]!).ShouldBe(new(2026, 2, 1, 0, 0, 0, TimeSpan.Zero));
        earlier.Array("currencies").ShouldBeEmpty();
    }

    [Theory, EachProvider]
    public async Task A_row_is_the_call_and_what_came_of_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var call = await live.Meter(Bodies.Call("pending").With("agent_id", "+1").With("action", "-2+3").With("occurred_at", Bodies.Instant(app.Now.AddDays(-3))));
        var bare = await live.Meter(Bodies.Call().Without("outcome").With("agent_id", "@SUM").With("action", "plain"));
        (await live.Resolve(call["outcome_id"]!, "success")).Is(200);
        (await live.Reverse(call["outcome_id"]!)).Is(200);

        using var response = await Csv(live, "/v1/customers/default/statement?format=csv");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/csv");
        response.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        response.Content.Headers.ContentDisposition.FileName!.ShouldMatch("^\"?statement-default-[0-9]{8}T000000Z-[0-9]{8}T[0-9]{6}Z\\.csv\"?$");
        var text = await response.Content.ReadAsStringAsync();
        text.ShouldEndWith("\r\n");
        var lines = text.Split("\r\n")[..^1];
        lines[0].ShouldBe(Header);
        // Every text column that a spreadsheet would run is quoted behind an apostrophe; amounts stay numbers.
        string Row(Answer of, string agent, string action, string rest) => $"{of["event_id"]},{of["outcome_id"]},{agent},{action},{rest}";
        lines[1..].Select(line => string.Join(',', line.Split(',')[2..])).ShouldBe(
        [
            Row(call, "\"'+1\"", "\"'-2+3\"", "base,1,0.005,usd"), Row(call, "\"'+1\"", "\"'-2+3\"", "tokens,1540,0.00462,usd"),
            Row(bare, "\"'@SUM\"", "plain", "base,1,0.005,usd"), Row(bare, "\"'@SUM\"", "plain", "tokens,1540,0.00462,usd"),
            Row(call, "\"'+1\"", "\"'-2+3\"", "outcome,1,0.0025,usd"), Row(call, "\"'+1\"", "\"'-2+3\"", "reversal,1,-0.0025,usd"),
        ]);
        foreach (var line in lines[1..])
        {
            var fields = line.Split(',');
            At(fields[0]).ShouldBe(At(fields[2] == call["event_id"] ? call["occurred_at"]! : bare["occurred_at"]!));
            At(fields[1]).ShouldBe(app.Now, TimeSpan.FromMinutes(1));
        }
    }

    [Theory, EachProvider]
    public async Task Accept_chooses_and_format_overrules_it(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var (format, accept, csv) in new[]
        {
            ("", "text/csv", true), ("", "text/csv, */*;q=0.1", true), ("", "application/json, text/csv;q=0.5", false), ("", "*/*", false), ("", "application/json", false),
            ("?format=csv", "application/json", true), ("?format=json", "text/csv", false),
        })
        {
            var answer = (await live.Get($"/v1/customers/default/statement{format}", ("Accept", accept))).Is(200);
            answer.ContentType.ShouldBe(csv ? "text/csv" : "application/json", $"{format} {accept}");
            if (csv) answer.Body.ShouldBe(Header + "\r\n");
        }
    }

    [Theory, EachProvider]
    public async Task Bad_input_and_unknown_customers_are_refused(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var format in new[] { "json", "csv" })
        {
            foreach (var (query, field) in new[]
            {
                ("from=x", "from"), ("to=2026-01-32T00:00:00Z", "to"), ("from=1960-01-01T00:00:00Z", "from"), ("to=9000-01-01T00:00:00Z", "to"),
                ("from=2026-11-02T00:00:00Z&to=2026-11-02T00:00:00Z", "from"), ("from=2020-01-01T00:00:00Z&to=2024-01-01T00:00:00Z", "from"),
                ("cursor=x", "cursor"), ("currency=usd", "currency"), ("form=2026-01-01T00:00:00Z", "form"),
            })
                (await live.Get($"/v1/customers/default/statement?format={format}&{query}")).Refused(400, "request.invalid", field);
            (await live.Get($"/v1/customers/nobody/statement?format={format}")).Refused(404, "customer.not_found");
            (await live.Get($"/v1/customers/a%20b/statement?format={format}")).Refused(404, "customer.not_found");
        }
        (await live.Get("/v1/customers/default/statement?format=pdf")).Refused(400, "request.invalid", "format");
    }

    [Theory, EachProvider]
    public async Task What_needs_calls_of_an_archived_month_is_refused_and_whole_hours_are_not(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/customers/other", new { name = "Other" })).Is(201);
        await live.Meter(Bodies.Call());
        var at = app.Now;
        var hour = new DateTimeOffset(at.Year, at.Month, at.Day, at.Hour, 0, 0, TimeSpan.Zero);
        await Remove(app, at);
        string Range(DateTimeOffset from, DateTimeOffset to) => $"from={Bodies.Instant(from)}&to={Bodies.Instant(to)}";

        (await live.Get($"/v1/customers/default/statement?{Range(hour, hour.AddHours(1))}")).Is(200)["currencies.0.total"].ShouldBe("0.01212");
        foreach (var query in new[] { Range(hour.AddMinutes(20), hour.AddHours(3)), Range(hour.AddHours(-3), hour.AddMinutes(20)), $"format=csv&{Range(hour, hour.AddHours(1))}" })
            (await live.Get($"/v1/customers/default/statement?{query}")).Refused(409, "statement.archived").Body.ShouldContain(at.ToString("yyyy-MM", CultureInfo.InvariantCulture));
        (await live.Get($"/v1/customers/default/statement?{Range(hour.AddHours(-5.5), hour.AddHours(1))}")).Is(200)["currencies.0.total"].ShouldBe("0.01212");
        foreach (var query in new[] { Range(hour.AddHours(-3), hour.AddMinutes(-20)), $"format=csv&{Range(hour.AddHours(1), hour.AddHours(2))}" })
            (await live.Get($"/v1/customers/default/statement?{query}")).Is(200);
        (await live.Get($"/v1/customers/other/statement?format=csv&{Range(hour, hour.AddHours(1))}")).Is(200);
    }

    [Theory, EachProvider]
    public async Task A_list_whose_calls_are_archived_meanwhile_breaks_off(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        var row = (await app.Query("SELECT account_id FROM calls"))[0];
        var tenant = new Tenant(new(UlidText.FromBytes((byte[])row["account_id"]!)), Mode.Live);
        using var scope = app.Services.CreateScope();
        var statement = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new GetStatementEntries(tenant, "default", new(app.Now.AddHours(-1), app.Now.AddHours(1))));
        (await Count()).ShouldBe(3);

        await Remove(app, app.Now);

        await Should.ThrowAsync<InvalidOperationException>(Count);

        async Task<int> Count()
        {
            var rows = 0;
            await foreach (var _ in statement.Value.Entries) rows++;
            return rows;
        }
    }

    /// <summary>As it is once the month's calls were moved to files.</summary>
    private static async Task Remove(RevApp app, DateTimeOffset at)
    {
        var month = new DateTimeOffset(at.Year, at.Month, 1, 0, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1000;
        var columns = (await app.Query("SELECT * FROM rollups"))[0].Keys.ToArray();
        await app.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO archived_rollups (month, {string.Join(", ", columns)}) SELECT {month}, {string.Join(", ", columns)} FROM rollups"));
        await app.Execute(string.Create(CultureInfo.InvariantCulture, $"INSERT INTO archives (month, archived_at, removed_at, calls, outcomes, entries, checksum) VALUES ({month}, {month}, {month}, 1, 0, 0, '{new string('0', 64)}')"));
        await app.Execute("DELETE FROM calls");
    }

    private static async Task Compare(RevApp app, Caller live, DateTimeOffset begin, int seed)
    {
        var truth = await Truth.Of(app);
        var random = new Random(seed);
        var instants = truth.Facts.Select(f => f.At).Distinct().ToArray();
        for (var i = 0; i < 25; i++)
        {
            var customer = Mix.AllCustomers[i % Mix.AllCustomers.Count];
            var ends = new[] { End(), End() };
            var (from, to) = (ends.Min(), ends.Max());
            if (i == 0) (from, to) = (begin.AddHours(-1), app.Now.AddHours(1));
            if (i == 1) (from, to) = (instants.Max().AddMinutes(-3), app.Now);
            if (from < to) await Compare(live, truth, customer, Cut(from), Cut(to));
        }

        static DateTimeOffset Cut(DateTimeOffset at) => at.AddTicks(-(at.Ticks % TimeSpan.TicksPerMicrosecond));

        DateTimeOffset End()
        {
            var at = instants[random.Next(instants.Length)];
            var hour = new DateTimeOffset(at.Year, at.Month, at.Day, at.Hour, 0, 0, TimeSpan.Zero);
            return random.Next(5) switch
            {
                0 => hour,
                1 => new(at.Year, at.Month, at.Day, 0, 0, 0, TimeSpan.Zero),
                // The very instant of a charge, or the one after it.
                2 => at,
                3 => at.AddMicroseconds(1),
                _ => at.AddMinutes(random.Next(-90, 90)),
            };
        }
    }

    private static async Task Compare(Caller live, Truth truth, string customer, DateTimeOffset from, DateTimeOffset to)
    {
        var path = $"/v1/customers/{customer}/statement?from={Bodies.Instant(from)}&to={Bodies.Instant(to)}";
        var facts = truth.Facts.Where(f => f.Customer == customer && f.At >= from && f.At < to).ToArray();
        var expected =
            from f in facts
            group f by (f.Currency, f.Agent, f.Action) into g
            from c in Components
            let quantity = c.Quantities.Aggregate(BigInteger.Zero, (sum, q) => sum + Truth.Sum(g, q))
            let amount = Truth.Sum(g, c.Component)
            where !quantity.IsZero || !amount.IsZero
            select (g.Key.Currency, g.Key.Agent, g.Key.Action, c.Component, Quantity: (long)quantity, Amount: amount);
        var lines = expected.OrderBy(l => l.Currency, StringComparer.Ordinal).ThenBy(l => l.Agent, StringComparer.Ordinal).ThenBy(l => l.Action, StringComparer.Ordinal).ToArray();

        var statement = (await live.Get(path)).Is(200);
        (At(statement["from"]!), At(statement["to"]!)).ShouldBe((from, to));
        var said = statement.Array("currencies").SelectMany(c => c!["lines"]!.AsArray().Select(l => Line(c["currency"]!, l!))).ToArray();
        said.ShouldBe(lines.Select(l => (l.Currency, l.Agent, l.Action, l.Component, l.Quantity, Truth.Amount(l.Amount))), path);
        foreach (var currency in statement.Array("currencies"))
            currency!["total"]!.GetValue<string>().ShouldBe(Truth.Amount(facts.Where(f => f.Currency == currency["currency"]!.GetValue<string>() && Truth.IsAmount(f.What))
                .Aggregate(BigInteger.Zero, (sum, f) => sum + f.Value)), path);

        var csv = (await live.Get(path + "&format=csv")).Is(200).Body.Split("\r\n")[1..^1].Select(row => row.Replace("\"'", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal).Split(',')).ToArray();
        var folded = csv.GroupBy(r => (Currency: r[9], Agent: r[4], Action: r[5], Component: r[6]))
            .Select(g => (g.Key.Currency, g.Key.Agent, g.Key.Action, g.Key.Component, g.Sum(r => long.Parse(r[7], CultureInfo.InvariantCulture)), Truth.Amount(g.Sum(r => Rows.Nanos(r[8])))))
            .Where(l => l.Item5 != 0 || l.Item6 != "0");
        folded.ShouldBe(said, ignoreOrder: true, path);
        csv.ShouldAllBe(r => At(r[1]) >= from && At(r[1]) < to);
    }

    private static (string, string, string, string, long, string) Line(JsonNode currency, JsonNode line) => (
        currency.GetValue<string>(), line["agent_id"]!.GetValue<string>(), line["action"]!.GetValue<string>(), line["component"]!.GetValue<string>(),
        line["quantity"]!.GetValue<long>(), line["amount"]!.GetValue<string>());

    private static async Task<HttpResponseMessage> Csv(Caller live, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", live.Key);
        var response = await live.App.Http.SendAsync(request);
        response.IsSuccessStatusCode.ShouldBeTrue();
        return response;
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
