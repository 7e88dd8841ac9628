using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.UnitTests.Billing;

public sealed class StripeConnectionTests
{
    private static readonly Tenant Tenant = new(new(7), Mode.Live);
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Later = Now.AddHours(1);
    private static readonly StripeCredentials Key = new("acct_1", Live: true, "sealed key", "rk_live_…AbCd", IsRestricted: true, ConnectedAccount: false);
    private static readonly StripeCredentials OtherKey = Key with { KeyCipher = "another sealed key", KeyHint = "sk_live_…9876", IsRestricted = false };
    private static readonly StripeCredentials OtherAccount = OtherKey with { StripeAccountId = "acct_2" };

    // What each verb answers in each state: the state afterwards, or the refusal.
    private const string Answers = """
        state        | replace key          | other account's key  | move         | reconfigure          | sign                 | pause                | resume               | disconnect
        -------------------------------------------
        connected    | connected            | stripe.other_account | connected    | connected            | connected            | paused               | connected            | disconnected
        paused       | connected            | stripe.other_account | connected    | paused               | paused               | paused               | connected            | disconnected
        disconnected | stripe.not_connected | stripe.not_connected | stripe.not_connected | stripe.not_connected | stripe.not_connected | stripe.not_connected | stripe.not_connected | disconnected
        """;

    private static readonly (string Verb, Func<StripeConnection, Result> Do)[] Verbs =
    [
        ("replace key", c => c.ReplaceKey(OtherKey, Later)), ("other account's key", c => c.ReplaceKey(OtherAccount, Later)), ("move", c => c.MoveTo(OtherAccount, Later)),
        ("reconfigure", c => c.Reconfigure(new() { DaysUntilDue = 14 }, Later)), ("sign", c => c.SignWith("sealed secret", Later)), ("pause", c => c.Pause("revoked", Later)),
        ("resume", c => c.Resume(Later)), ("disconnect", c => { c.Disconnect(Later); return Result.Done; }),
    ];

    public static TheoryData<string, string, string> Cases()
    {
        var rows = Answers.Split('\n').Select(line => line.Split('|', StringSplitOptions.TrimEntries)).ToArray();
        var data = new TheoryData<string, string, string>();
        foreach (var row in rows.Skip(2))
            for (var column = 1; column < row.Length; column++) data.Add(row[0], rows[0][column], row[column]);
        return data;
    }

    [Theory, MemberData(nameof(Cases))]
    public void Every_verb_has_an_answer_in_every_state(string state, string verb, string answer)
    {
        var connection = In(state);

        var result = Verbs.Single(v => v.Verb == verb).Do(connection);

        (result.IsSuccess ? StateOf(connection) : result.Error.Code).ShouldBe(answer);
        if (!result.IsSuccess) StateOf(connection).ShouldBe(state);
    }

    [Fact]
    public void The_table_names_every_verb() => Cases().ToList().Count.ShouldBe(3 * Verbs.Length);

    [Fact]
    public void What_nobody_says_is_as_by_default()
    {
        var connection = Connect();

        (connection.BillingMode, connection.CollectionMethod, connection.DaysUntilDue, connection.AutomaticTax, connection.MinimumMinor)
            .ShouldBe((BillingMode.Invoices, CollectionMethod.ChargeAutomatically, 30, false, null));
        connection.Cycle.ShouldBe(BillingCycle.CalendarMonth);
        connection.BillFrom.ShouldBe(new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero));
        (connection.Tenant, connection.StripeAccountId, connection.Live, connection.KeyCipher, connection.KeyHint, connection.IsRestricted)
            .ShouldBe((Tenant, "acct_1", true, "sealed key", "rk_live_…AbCd", true));
        (connection.CreatedAt, connection.UpdatedAt).ShouldBe((Now, Now));
    }

    [Fact]
    public void Billing_begins_with_the_period_of_its_own_cycle()
    {
        Connect(new() { Cycle = BillingCycle.Weekly(DayOfWeek.Monday, "UTC").Value }).BillFrom.ShouldBe(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero));
        Connect(new() { Cycle = BillingCycle.Monthly(27, "UTC").Value }).BillFrom.ShouldBe(new DateTimeOffset(2026, 10, 27, 0, 0, 0, TimeSpan.Zero));
        Connect(new() { BillFrom = Now.AddDays(-3) }).BillFrom.ShouldBe(Now.AddDays(-3));
    }

    [Fact]
    public void A_cycle_is_kept_as_it_was_given()
    {
        var connection = Connect();
        foreach (var cycle in new[] { BillingCycle.Weekly(DayOfWeek.Sunday, "Europe/Berlin"), BillingCycle.Monthly(15, "Asia/Tokyo"), BillingCycle.Monthly(1, "UTC") })
        {
            connection.Reconfigure(new() { Cycle = cycle.Value }, Later).IsSuccess.ShouldBeTrue();
            connection.Cycle.ShouldBe(cycle.Value);
        }
    }

    [Fact]
    public void What_is_not_named_stays()
    {
        var terms = new StripeTerms
        {
            BillingMode = BillingMode.Meters, Cycle = BillingCycle.Monthly(5, "UTC").Value, CollectionMethod = CollectionMethod.SendInvoice, DaysUntilDue = 7, AutomaticTax = true,
            MinimumMinor = 500, BillFrom = Now,
        };
        var connection = Connect(terms);

        connection.Reconfigure(new(), Later).IsSuccess.ShouldBeTrue();

        (connection.BillingMode, connection.Cycle, connection.CollectionMethod, connection.DaysUntilDue, connection.AutomaticTax, connection.MinimumMinor, connection.BillFrom)
            .ShouldBe((terms.BillingMode.Value, terms.Cycle, terms.CollectionMethod.Value, 7, true, (long?)500, Now));
        connection.Reconfigure(new() { MinimumMinor = 0 }, Later).IsSuccess.ShouldBeTrue();
        connection.MinimumMinor.ShouldBeNull();
        (connection.DaysUntilDue, connection.UpdatedAt).ShouldBe((7, Later));
    }

    [Fact]
    public void Terms_out_of_range_are_refused_whole()
    {
        var connection = Connect();
        foreach (var (terms, field) in new (StripeTerms, string)[]
        {
            (new() { DaysUntilDue = 0 }, "days_until_due"), (new() { DaysUntilDue = 366 }, "days_until_due"), (new() { MinimumMinor = -1 }, "minimum_minor"),
            (new() { MinimumMinor = 100_000_000 }, "minimum_minor"), (new() { BillFrom = Now.AddDays(400) }, "bill_from"),
        })
        {
            var both = terms with { AutomaticTax = true };
            connection.Reconfigure(both, Now).Error!.Fields!.Keys.ShouldBe([field]);
            StripeConnection.Connect(new(1), Tenant, Key, both, Now).Error!.Fields!.Keys.ShouldBe([field]);
        }
        connection.AutomaticTax.ShouldBeFalse();
    }

    [Theory]
    [InlineData(Mode.Live, false)]
    [InlineData(Mode.Test, true)]
    public void A_key_of_the_other_mode_is_refused(Mode mode, bool live)
    {
        var tenant = new Tenant(new(7), mode);
        StripeConnection.Connect(new(1), tenant, Key with { Live = live }, new(), Now).Error.ShouldBe(StripeErrors.WrongMode);
        var connection = StripeConnection.Connect(new(1), tenant, Key with { Live = !live }, new(), Now).Value;
        connection.ReplaceKey(Key with { Live = live }, Later).Error.ShouldBe(StripeErrors.WrongMode);
        connection.MoveTo(OtherAccount with { Live = live }, Later).Error.ShouldBe(StripeErrors.WrongMode);
        connection.Disconnect(Later);
        connection.Reconnect(Key with { Live = live }, new(), Later).Error.ShouldBe(StripeErrors.WrongMode);
        connection.IsConnected.ShouldBeFalse();
    }

    [Fact]
    public void A_new_key_ends_a_pause_and_leaves_the_secrets()
    {
        var connection = Connect();
        connection.SignWith("sealed secret", Now).IsSuccess.ShouldBeTrue();
        connection.Pause("revoked", Now).IsSuccess.ShouldBeTrue();

        connection.ReplaceKey(OtherKey, Later).IsSuccess.ShouldBeTrue();

        (connection.KeyCipher, connection.KeyHint, connection.IsRestricted, connection.WebhookSecretCipher).ShouldBe(("another sealed key", "sk_live_…9876", false, "sealed secret"));
        (connection.PausedAt, connection.PauseReason).ShouldBe((null, null));
    }

    [Fact]
    public void At_another_Stripe_account_the_secrets_of_the_first_are_worth_nothing()
    {
        var connection = Connect(new() { DaysUntilDue = 7 });
        connection.SignWith("first", Now).IsSuccess.ShouldBeTrue();
        connection.SignWith("second", Now).IsSuccess.ShouldBeTrue();
        connection.SignThinWith("thin", Now).IsSuccess.ShouldBeTrue();

        connection.MoveTo(OtherAccount, Later).IsSuccess.ShouldBeTrue();

        connection.SecretCiphers(Later).ShouldBeEmpty();
        (connection.StripeAccountId, connection.DaysUntilDue).ShouldBe(("acct_2", 7));
    }

    [Fact]
    public void The_secret_before_the_last_is_taken_for_three_days()
    {
        var connection = Connect();
        connection.SecretCiphers(Now).ShouldBeEmpty();
        connection.SignWith("first", Now).IsSuccess.ShouldBeTrue();
        connection.SecretCiphers(Now).ShouldBe(["first"]);
        connection.SignThinWith("thin", Now).IsSuccess.ShouldBeTrue();
        connection.SignWith("second", Now).IsSuccess.ShouldBeTrue();

        connection.SecretCiphers(Now).ShouldBe(["second", "first", "thin"]);
        connection.SecretCiphers(Now.AddDays(3).AddTicks(-1)).ShouldBe(["second", "first", "thin"]);
        connection.SecretCiphers(Now.AddDays(3)).ShouldBe(["second", "thin"]);
    }

    [Fact]
    public void A_pause_keeps_its_first_reason_and_is_not_longer_than_its_column()
    {
        var connection = Connect();
        connection.Pause(new string('x', 600), Now).IsSuccess.ShouldBeTrue();
        connection.Pause("again", Later).IsSuccess.ShouldBeTrue();
        (connection.PausedAt, connection.PauseReason!.Length).ShouldBe(((DateTimeOffset?)Now, StripeConnection.MaxReasonLength));
    }

    [Fact]
    public void The_end_leaves_no_key_and_no_secret()
    {
        var connection = Connect();
        connection.SignWith("first", Now).IsSuccess.ShouldBeTrue();
        connection.SignWith("second", Now).IsSuccess.ShouldBeTrue();
        connection.SignThinWith("thin", Now).IsSuccess.ShouldBeTrue();

        connection.Disconnect(Later);
        connection.Disconnect(Later.AddDays(1));

        new[] { connection.KeyCipher, connection.WebhookSecretCipher, connection.PreviousWebhookSecretCipher, connection.ThinWebhookSecretCipher }.ShouldAllBe(cipher => cipher == null);
        (connection.DisconnectedAt, connection.StripeAccountId, connection.KeyHint).ShouldBe(((DateTimeOffset?)Later, "acct_1", "rk_live_…AbCd"));
    }

    [Fact]
    public void Whoever_connects_again_begins_anew_under_the_same_id()
    {
        var connection = Connect(new() { DaysUntilDue = 7, AutomaticTax = true, MinimumMinor = 500, BillFrom = Now.AddDays(-90) });
        var id = connection.Id;
        connection.Disconnect(Now);

        var again = Now.AddMonths(2);
        connection.Reconnect(OtherAccount, new() { CollectionMethod = CollectionMethod.SendInvoice }, again).IsSuccess.ShouldBeTrue();

        (connection.Id, connection.IsConnected, connection.StripeAccountId, connection.CreatedAt).ShouldBe((id, true, "acct_2", Now));
        (connection.DaysUntilDue, connection.AutomaticTax, connection.MinimumMinor, connection.CollectionMethod).ShouldBe((30, false, null, CollectionMethod.SendInvoice));
        connection.BillFrom.ShouldBe(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero));
        Should.Throw<InvalidOperationException>(() => connection.Reconnect(Key, new(), again));
    }

    [Fact]
    public void Every_change_raises_the_version()
    {
        var connection = Connect();
        var version = connection.Version;
        foreach (var (verb, act) in Verbs.Where(v => v.Verb is not "other account's key" and not "disconnect"))
        {
            act(connection).IsSuccess.ShouldBeTrue(verb);
            if (verb != "resume") connection.Version.ShouldBeGreaterThan(version, verb);
            version = connection.Version;
        }
    }

    [Theory]
    [InlineData("rk_live_0123456789AbCd", true, true, "rk_live_…AbCd")]
    [InlineData("rk_test_0123456789AbCd", false, true, "rk_test_…AbCd")]
    [InlineData("sk_live_0123456789AbCd", true, false, "sk_live_…AbCd")]
    [InlineData("sk_test_0123456789AbCd", false, false, "sk_test_…AbCd")]
    public void A_key_says_what_it_is(string text, bool live, bool restricted, string hint)
    {
        StripeApiKey.TryParse(text, out var key).ShouldBeTrue();
        (key!.Value, key.Live, key.IsRestricted, key.Hint, key.ToString()).ShouldBe((text, live, restricted, hint, hint));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("rk_live_")]
    [InlineData("rk_live_short")]
    [InlineData("pk_live_0123456789AbCd")]
    [InlineData("rk_0123456789AbCdEfGh")]
    [InlineData("rk_live_0123456789 AbCd")]
    [InlineData(" rk_live_0123456789AbCd")]
    [InlineData("RK_LIVE_0123456789AbCd")]
    [InlineData("rk_live_0123456789äbcd")]
    public void What_has_not_the_form_of_a_key_is_none(string? text) => StripeApiKey.TryParse(text, out _).ShouldBeFalse();

    private static StripeConnection Connect(StripeTerms? terms = null) => StripeConnection.Connect(new(1), Tenant, Key, terms ?? new(), Now).Value;

    private static StripeConnection In(string state)
    {
        var connection = Connect();
        if (state == "paused") connection.Pause("expired", Now).IsSuccess.ShouldBeTrue();
        if (state == "disconnected") connection.Disconnect(Now);
        return connection;
    }

    private static string StateOf(StripeConnection connection) => !connection.IsConnected ? "disconnected" : connection.IsPaused ? "paused" : "connected";
}
