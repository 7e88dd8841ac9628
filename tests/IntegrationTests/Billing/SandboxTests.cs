using System.Reflection;
using Rev.Application.Billing;
using Rev.Domain.Billing;
using Rev.Infrastructure.Billing;
using Xunit.Sdk;
using Sdk = Stripe;

namespace Rev.IntegrationTests.Billing;

/// <summary>
/// Runs a theory against the stand-in that all other tests use, and against a sandbox of Stripe's own where REV_STRIPE_TEST_KEY holds a key
/// of one. A live key is never taken.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EachStripeAttribute : DataAttribute
{
    public const string KeyVariable = "REV_STRIPE_TEST_KEY";
    public const string StandIn = "stand-in";
    public const string Sandbox = "sandbox";

    public static string? Key => Environment.GetEnvironmentVariable(KeyVariable) is { } key
        && (key.StartsWith("sk_test_", StringComparison.Ordinal) || key.StartsWith("rk_test_", StringComparison.Ordinal)) ? key : null;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        yield return [StandIn];
        if (Key is not null) yield return [Sandbox];
    }
}

/// <summary>
/// What Rev takes for granted of Stripe, asked of Stripe itself. It makes a customer, an invoice that nobody pays, a credit note and
/// an item of usage, and deletes the customer.
/// </summary>
public sealed class SandboxTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Theory, EachStripe]
    public async Task An_invoice_goes_from_draft_to_credit_note_and_nothing_is_done_twice(string which)
    {
        await using var place = await Place.Open(which);
        var (gateway, access, run) = (place.Gateway, place.Access, place.Run);
        Applied(await gateway.Account(access, None)).Live.ShouldBeFalse();

        // What is sent again under its key is remembered; under its key with other words it is refused for good.
        var party = new StripeCustomerAsk($"smoke-{run}", "Rev's smoke test", $"{run}@example.com");
        var customer = Applied(await gateway.CreateCustomer(access, party, $"rev:smoke:{run}:cus", None));
        Applied(await gateway.CreateCustomer(access, party, $"rev:smoke:{run}:cus", None)).Id.ShouldBe(customer.Id);
        (await gateway.CreateCustomer(access, party with { Name = "Somebody else" }, $"rev:smoke:{run}:cus", None)).Verdict.ShouldBe(StripeVerdict.Poisoned);
        Applied(await gateway.CustomersSince(access, place.Started, None)).ShouldContain(c => c.Id == customer.Id && c.CustomerId == party.CustomerId);

        var ask = new StripeInvoiceAsk($"inv_smoke_{run}", customer.Id, "usd", DaysUntilDue: 30, AutomaticTax: false, "Rev's smoke test: nobody is to pay this", "2.02");
        var draft = Applied(await gateway.CreateInvoice(access, ask, $"rev:smoke:{run}:draft", None));
        (draft.IsDraft, draft.Live, draft.Currency, draft.InvoiceId).ShouldBe((true, false, "usd", ask.InvoiceId));
        var surplus = Applied(await gateway.CreateInvoice(access, ask, $"rev:smoke:{run}:surplus", None));
        Applied(await gateway.InvoicesSince(access, customer.Id, place.Started, None)).Select(i => i.Id).ShouldBe([draft.Id, surplus.Id], ignoreOrder: true);
        Applied(await gateway.DeleteDraft(access, surplus.Id, None)).ShouldBeTrue();
        (await gateway.GetInvoice(access, surplus.Id, None)).Verdict.ShouldBe(StripeVerdict.Gone);

        // Lines are added, set right and removed by their keys.
        Applied(await gateway.AddLines(access, draft.Id, [place.Line("a", 200), place.Line("b", 5), place.Line("c", -1)], $"rev:smoke:{run}:add", None));
        var lines = Applied(await gateway.Lines(access, draft.Id, None)).ToDictionary(l => l.LineKey!, StringComparer.Ordinal);
        lines.Values.Select(l => (l.LineKey!, l.Amount)).ShouldBe([("a", 200L), ("b", 5L), ("c", -1L)], ignoreOrder: true);
        Applied(await gateway.UpdateLines(access, draft.Id, [(lines["b"].Id, place.Line("b", 2))], $"rev:smoke:{run}:update", None));
        Applied(await gateway.RemoveLines(access, draft.Id, [lines["c"].Id], $"rev:smoke:{run}:remove", None));
        Applied(await gateway.Lines(access, draft.Id, None)).Select(l => (l.LineKey!, l.Amount, l.Currency)).ShouldBe([("a", 200L, "usd"), ("b", 2L, "usd")], ignoreOrder: true);

        // Finalised once: another key is refused.
        var finalised = Applied(await gateway.Finalize(access, draft.Id, $"rev:smoke:{run}:finalize", None));
        (finalised.Status, finalised.Subtotal, finalised.Remaining).ShouldBe(("open", 202L, 202L));
        finalised.Number.ShouldNotBeNull();
        (await gateway.Finalize(access, draft.Id, $"rev:smoke:{run}:again", None)).Verdict.ShouldBe(StripeVerdict.Rejected);
        (await gateway.AddLines(access, draft.Id, [place.Line("d", 1)], $"rev:smoke:{run}:late", None)).Verdict.ShouldBe(StripeVerdict.Rejected);

        // A credit note lowers what is left to pay, and is found by its mark.
        var line = Applied(await gateway.Lines(access, draft.Id, None)).Single(l => l.LineKey == "a");
        var back = new StripeCreditAsk($"crn_smoke_{run}", draft.Id, line.Id, 100, AfterPayment: 0, "Rev's smoke test");
        Applied(await gateway.CreditAfterPayment(access, back, None)).ShouldBe(0);
        var credit = Applied(await gateway.CreateCreditNote(access, back, $"rev:smoke:{run}:credit", None));
        Applied(await gateway.CreateCreditNote(access, back, $"rev:smoke:{run}:credit", None)).Id.ShouldBe(credit.Id);
        Applied(await gateway.CreditNotes(access, draft.Id, None)).ShouldHaveSingleItem().CreditId.ShouldBe(back.CreditId);
        (await gateway.CreateCreditNote(access, back with { CreditId = $"crn_more_{run}", Amount = 101 }, $"rev:smoke:{run}:more", None)).Verdict.ShouldBe(StripeVerdict.Rejected);
        var owed = Applied(await gateway.GetInvoice(access, draft.Id, None));
        (owed.Status, owed.Subtotal, owed.Remaining).ShouldBe(("open", 202L, 102L));
    }

    [Theory, EachStripe]
    public async Task A_meter_takes_an_identifier_once(string which)
    {
        await using var place = await Place.Open(which);
        var (gateway, access, run) = (new StripeMeterGateway(place.Gateway), place.Access, place.Run);
        var customer = Applied(await place.Gateway.CreateCustomer(access, new($"smoke-{run}", "Rev's smoke test", null), $"rev:smoke:{run}:cus", None));
        const string Name = "rev_smoke_test";
        var meter = Applied(await gateway.Meters(access, None)).FirstOrDefault(m => m.EventName == Name && m.IsActive)
            ?? Applied(await gateway.CreateMeter(access, Name, "Rev's smoke test", $"rev:smoke:{run}:meter", None));
        meter.IsOurs.ShouldBeTrue();

        var usage = new StripeUsageAsk(Name, $"rev:smoke:{run}", customer.Id, 5, TimeProvider.System.GetUtcNow());
        Applied(await gateway.Send(access, usage, None)).ShouldBeTrue();
        var again = await gateway.Send(access, usage, None);

        again.Verdict.ShouldBeOneOf(StripeVerdict.Rejected, StripeVerdict.Poisoned);
        again.Message.ShouldNotBeNull().ShouldContain("already exists with identifier");
        again.Message.ShouldContain(usage.Identifier);
        // Sums lag behind: that they can be asked for is all that is sure by now.
        var hour = new DateTimeOffset(usage.Timestamp.UtcTicks / TimeSpan.TicksPerHour * TimeSpan.TicksPerHour, TimeSpan.Zero);
        Applied(await gateway.Sums(access, meter.Id, customer.Id, hour, hour.AddHours(1), byDay: false, None)).Sum(s => s.Value).ShouldBeOneOf(0, 5);
    }

    private static T Applied<T>(StripeAnswer<T> answer)
    {
        answer.Verdict.ShouldBe(StripeVerdict.Applied, $"{answer.Code}: {answer.Message} ({answer.RequestId})");
        return answer.Value!;
    }

    /// <summary>Stripe, or what stands in for it.</summary>
    private sealed class Place : IAsyncDisposable
    {
        private readonly FakeStripe? _fake;
        private readonly BillingPeriod _service;

        private Place(FakeStripe? fake, string key)
        {
            _fake = fake;
            Access = new(key, null);
            Gateway = new(fake?.ApiBase, TimeProvider.System);
            var now = TimeProvider.System.GetUtcNow();
            Started = now.AddMinutes(-5);
            _service = new(now.AddDays(-30), now);
        }

        public StripeGateway Gateway { get; }

        public StripeAccess Access { get; }

        /// <summary>Names what this run makes.</summary>
        public string Run { get; } = Guid.NewGuid().ToString("N")[..16];

        public DateTimeOffset Started { get; }

        public static async Task<Place> Open(string which)
        {
            if (which == EachStripeAttribute.Sandbox) return new(null, EachStripeAttribute.Key!);
            const string Key = "rk_test_51SmokeOfTheTests";
            var fake = await FakeStripe.StartAsync(TimeProvider.System);
            fake.AddAccount("acct_1Smoke", testSecret: Key);
            return new(fake, Key);
        }

        public StripeLineAsk Line(string key, long amount) => new(key, amount, $"Line {key}", _service, new Dictionary<string, string>(StringComparer.Ordinal));

        /// <summary>Deletes the customer, whatever came of the test.</summary>
        public async ValueTask DisposeAsync()
        {
            var client = new Sdk.StripeClient(Access.ApiKey, apiBase: _fake?.ApiBase);
            var made = await Gateway.CustomersSince(Access, Started, None);
            foreach (var customer in (made.Value ?? []).Where(c => c.CustomerId == $"smoke-{Run}")) await client.V1.Customers.DeleteAsync(customer.Id);
            Gateway.Dispose();
            if (_fake is null) return;
            _fake.Bugs.ShouldBeEmpty();
            await _fake.DisposeAsync();
        }
    }
}
