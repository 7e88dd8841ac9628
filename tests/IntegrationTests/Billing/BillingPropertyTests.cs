using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Billing;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>
/// Random months: usage, outcomes, reversals, crashes, faults, webhooks in any order, and people at Stripe's dashboard. Whatever happens,
/// finalised − credited + carried + not yet invoiced = ledger for every customer and currency, and nothing is finalised twice.
/// REV_BILLING_SEEDS sets how many seeds are run on each database.
/// </summary>
public sealed class BillingPropertyTests
{
    private const int Steps = 60;

    private static readonly string[] Customers = ["acme", "globex"];

    public static TheoryData<Provider, int> Seeds()
    {
        var count = int.TryParse(Environment.GetEnvironmentVariable("REV_BILLING_SEEDS"), CultureInfo.InvariantCulture, out var wanted) ? wanted : 2;
        var data = new TheoryData<Provider, int>();
        foreach (var provider in new EachProviderAttribute().GetData(null!).Select(d => (Provider)d[0]))
            for (var seed = 1; seed <= count; seed++) data.Add(provider, seed);
        return data;
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Whatever_happens_the_books_add_up(Provider provider, int seed)
    {
        await using var billed = await Billed.Start(provider);
        await billed.Price(Billed.Tier(baseFee: "0.123456789", bonus: "1.37"));
        (await billed.Live.Put("/v1/tiers/yen", Billed.Tier("jpy", "17.3", "41.9"))).Is(201);
        (await billed.Live.Put("/v1/agents/yen-agent", new { tier = "yen" })).Is(201);
        var world = new World(billed, new Random(seed));

        for (var step = 0; step < Steps; step++) await world.Step();
        billed.Stripe.Faults.Clear();
        billed.NextMonth();
        await billed.Settle();
        await billed.CatchUp();
        await billed.Settle();

        await Adds_up(billed, $"seed {seed}");
    }

    private static async Task Adds_up(Billed billed, string what)
    {
        (await billed.Waiting()).ShouldBe(0, what);
        billed.Stripe.Finalisations(Billed.StripeAccount, live: true).ShouldAllBe(f => f.Value == 1, what);
        var invoices = await billed.Invoices();
        var stands = invoices.Where(i => i["status"] is "open" or "past_due" or "paid" or "uncollectible").ToList();
        var there = billed.Stripe.Finalised(Billed.StripeAccount, live: true).Where(i => i["status"]!.GetValue<string>() != "void").ToDictionary(i => i["id"]!.GetValue<string>(), StringComparer.Ordinal);
        stands.Select(i => i["stripe_invoice_id"]!).ShouldBe(there.Keys, ignoreOrder: true, what);
        foreach (var invoice in stands)
        {
            there[invoice["stripe_invoice_id"]!]["total"]!.GetValue<long>().ShouldBe(long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture), what);
            invoice.Array("lines").Sum(l => l!["amount_minor"]!.GetValue<long>()).ShouldBe(long.Parse(invoice["total_minor"]!, CultureInfo.InvariantCulture), what);
        }
        var credits = billed.Stripe.CreditNotes(Billed.StripeAccount, live: true).Where(n => there.ContainsKey(n["invoice"]!.GetValue<string>())).ToList();

        foreach (var row in await billed.App.Query("SELECT customer_id, currency, CAST(SUM(amount_nanos / 1000000000) AS bigint) AS units, CAST(SUM(amount_nanos % 1000000000) AS bigint) AS nanos FROM ledger GROUP BY customer_id, currency"))
        {
            var (customer, currency) = (row.Text("customer_id"), row.Text("currency"));
            var coin = currency == "jpy" ? 1_000_000_000L : 10_000_000L;
            var ledger = Nanos(row);
            var finalised = stands.Where(i => i["customer_id"] == customer && i["currency"] == currency).Aggregate(BigInteger.Zero, (sum, i) => sum + (BigInteger.Parse(i["total_minor"]!, CultureInfo.InvariantCulture) * coin));
            var of = stands.Where(i => i["customer_id"] == customer && i["currency"] == currency).Select(i => i["stripe_invoice_id"]!).ToHashSet(StringComparer.Ordinal);
            var credited = credits.Where(n => of.Contains(n["invoice"]!.GetValue<string>())).Aggregate(BigInteger.Zero, (sum, n) => sum + (n["amount"]!.GetValue<long>() * coin));
            var balance = await billed.App.Query($"SELECT carry_nanos, billed_until FROM customer_balances WHERE customer_id = '{customer}' AND currency = '{currency}'");
            var (carry, until) = balance.Count == 0 ? (0L, 0L) : (balance[0].Long("carry_nanos"), balance[0].Long("billed_until"));
            var unbilled = Nanos((await billed.App.Query($"""
                SELECT COALESCE(CAST(SUM(amount_nanos / 1000000000) AS bigint), 0) AS units, COALESCE(CAST(SUM(amount_nanos % 1000000000) AS bigint), 0) AS nanos FROM ledger
                WHERE customer_id = '{customer}' AND currency = '{currency}' AND effective_at >= {until}
                """))[0]);
            // Reversals that were given back already are in the credit notes or in the balance.
            var settled = Nanos((await billed.App.Query($"""
                SELECT COALESCE(CAST(SUM(e.amount_nanos / 1000000000) AS bigint), 0) AS units, COALESCE(CAST(SUM(e.amount_nanos % 1000000000) AS bigint), 0) AS nanos
                FROM ledger_entries e INNER JOIN credited_entries d ON d.account_id = e.account_id AND d.mode = e.mode AND d.entry_id = e.id
                WHERE e.customer_id = '{customer}' AND e.currency = '{currency}' AND e.effective_at >= {until}
                """))[0]);
            var free = Nanos((await billed.App.Query($"""
                SELECT COALESCE(CAST(SUM(c.exact_nanos / 1000000000) AS bigint), 0) AS units, COALESCE(CAST(SUM(c.exact_nanos % 1000000000) AS bigint), 0) AS nanos
                FROM invoice_charges c INNER JOIN invoices i ON i.id = c.invoice_id
                WHERE i.customer_id = '{customer}' AND i.currency = '{currency}' AND c.is_free = {(billed.App.Database.Provider == Provider.PostgreSql ? "true" : "1")} AND c.moved_to IS NULL
                """))[0]);
            (finalised - credited + carry + unbilled - settled + free).ShouldBe(ledger, $"{what}, {customer} in {currency}: finalised {finalised}, credited {credited}, carried {carry}, not invoiced {unbilled} less {settled} and {free}");
        }
    }

    private static BigInteger Nanos(Dictionary<string, object?> row) => (new BigInteger(row.Long("units")) * 1_000_000_000) + row.Long("nanos");

    private sealed class World(Billed billed, Random random)
    {
        private static readonly Fault[] Faults =
        [
            Fault.DropBefore, Fault.Unavailable, Fault.RateLimited, Fault.LockTimeout, Fault.Conflict, Fault.DropAfter, Fault.TruncateAfter, Fault.HtmlAfter, Fault.ErrorAfter,
        ];

        private readonly List<string> _pending = [];
        private readonly List<string> _decided = [];

        public Task Step() => random.Next(20) switch
        {
            < 7 => Meter(),
            < 9 => Resolve(),
            < 11 => Reverse(),
            < 13 => Month(),
            < 16 => Work(),
            < 17 => Deliver(),
            < 19 => ByHand(),
            _ => Wait(),
        };

        private async Task Meter()
        {
            for (var i = random.Next(1, 6); i > 0; i--)
            {
                var call = Bodies.Call(random.Next(4) switch { 0 => "failure", 1 => "pending", _ => "success" })
                    .With("customer_id", Customers[random.Next(Customers.Length)]).With("agent_id", random.Next(3) == 0 ? "yen-agent" : $"agent-{random.Next(3)}");
                var answer = await billed.Live.Meter(call);
                var outcome = call["outcome"]!.GetValue<string>();
                if (outcome == "pending") _pending.Add(answer["outcome_id"]!);
                if (outcome == "success") _decided.Add(answer["outcome_id"]!);
            }
        }

        private async Task Resolve()
        {
            if (_pending.Count == 0) return;
            var id = Take(_pending);
            (await billed.Live.Resolve(id, random.Next(4) == 0 ? "failure" : "success")).Is(200);
            _decided.Add(id);
        }

        private async Task Reverse()
        {
            if (_decided.Count == 0) return;
            // What failed, or charged nothing, is refused.
            (await billed.Live.Reverse(Take(_decided))).Status.ShouldBeOneOf([200, 409]);
        }

        private async Task Month()
        {
            billed.NextMonth();
            await billed.Close();
        }

        /// <summary>Work in the middle of faults, and now and then a crash between two requests.</summary>
        private async Task Work()
        {
            using var crash = new CancellationTokenSource();
            var until = random.Next(3) == 0 ? random.Next(1, 12) : int.MaxValue;
            var (asked, faulty) = (0, random.Next(3) == 0);
            billed.Stripe.Faults.Schedule = _ =>
            {
                if (++asked == until) crash.Cancel();
                return faulty && random.Next(4) == 0 ? Faults[random.Next(Faults.Length)] : null;
            };
            try
            {
                using var scope = billed.App.Services.CreateScope();
                var mediator = scope.ServiceProvider.GetRequiredService<IMediator>();
                (await mediator.Send(new CloseBillingPeriods(), crash.Token)).IsSuccess.ShouldBeTrue();
                (await mediator.Send(new SyncInvoices(), crash.Token)).IsSuccess.ShouldBeTrue();
                (await mediator.Send(new ProcessStripeEvents(), crash.Token)).IsSuccess.ShouldBeTrue();
            }
            catch (OperationCanceledException)
            {
                // The process died here; its leases run out.
                billed.Clock.Advance(TimeSpan.FromMinutes(random.Next(1, 10)));
            }
            billed.Stripe.Faults.Schedule = null;
        }

        private Task Deliver() =>
            billed.Stripe.DeliverAsync(new() { Copies = random.Next(1, 3), IsReversed = random.Next(2) == 0, Lose = random.Next(3) == 0 ? _ => random.Next(2) == 0 : null });

        private Task ByHand()
        {
            var all = billed.Stripe.Invoices(Billed.StripeAccount, live: true);
            if (all.Count == 0) return Task.CompletedTask;
            var invoice = all[random.Next(all.Count)];
            var (id, status) = (Text(invoice, "id"), Text(invoice, "status"));
            var lines = billed.Stripe.Lines(id);
            switch (status)
            {
                case "draft" when random.Next(3) == 0:
                    billed.Stripe.DeleteDraft(id);
                    break;
                case "draft" when lines.Count > 1 && random.Next(2) == 0:
                    billed.Stripe.RemoveLine(id, Text(lines[0], "id"));
                    if (random.Next(2) == 0) billed.Stripe.FinaliseByHand(id);
                    break;
                case "draft" when lines.Count > 0:
                    billed.Stripe.EditLine(id, Text(lines[0], "id"), lines[0]["amount"]!.GetValue<long>() + 1);
                    break;
                case "open" when random.Next(2) == 0:
                    billed.Stripe.SetCard(Text(invoice, "customer"));
                    billed.Stripe.PayByHand(id);
                    break;
                case "open" when random.Next(3) == 0 && !billed.Stripe.CreditNotes(Billed.StripeAccount, live: true).Any(n => Text(n, "invoice") == id):
                    billed.Stripe.Void(id);
                    break;
            }
            return Task.CompletedTask;
        }

        private Task Wait()
        {
            billed.Clock.Advance(TimeSpan.FromHours(random.Next(1, 40)));
            return Task.CompletedTask;
        }

        private string Take(List<string> from)
        {
            var at = random.Next(from.Count);
            var id = from[at];
            from.RemoveAt(at);
            return id;
        }

        private static string Text(JsonObject row, string name) => row[name]!.GetValue<string>();
    }
}
