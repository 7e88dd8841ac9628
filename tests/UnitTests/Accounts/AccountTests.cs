using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Accounts;

public sealed class AccountTests
{
    [Theory]
    [InlineData("ann@example.com")]
    [InlineData("  Ann@Example.com  ")]
    [InlineData("a.b+c@sub.example.co.uk")]
    [InlineData("o'brien@example.com")]
    [InlineData("root@localhost")]
    [InlineData("a@1.2")]
    public void An_address_is_read_and_trimmed(string text)
    {
        EmailAddress.TryParse(text, out var email).ShouldBeTrue();
        email.Value.ShouldBe(text.Trim());
        email.Normalized.ShouldBe(text.Trim().ToLowerInvariant());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("ann")]
    [InlineData("@example.com")]
    [InlineData("ann@")]
    [InlineData("ann@example")]
    [InlineData("ann@@example.com")]
    [InlineData("ann@b@example.com")]
    [InlineData(".ann@example.com")]
    [InlineData("ann.@example.com")]
    [InlineData("a..b@example.com")]
    [InlineData("a b@example.com")]
    [InlineData("ann@exa mple.com")]
    [InlineData("ann@-example.com")]
    [InlineData("ann@example-.com")]
    [InlineData("ann@.com")]
    [InlineData("ann@example..com")]
    [InlineData("ann@example.com\r\nBcc: all@example.com")]
    [InlineData("ann\n@example.com")]
    [InlineData("Ann <ann@example.com>")]
    [InlineData("ann@exämple.com")]
    [InlineData("\"ann\"@example.com")]
    public void Nothing_else_is_an_address(string? text) => EmailAddress.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void An_address_has_254_characters_at_most_and_64_before_the_at()
    {
        var domain = string.Join('.', Enumerable.Repeat(new string('a', 46), 4));
        EmailAddress.TryParse($"{new string('l', 64)}@{domain}.a", out _).ShouldBeTrue();
        EmailAddress.TryParse($"{new string('l', 65)}@example.com", out _).ShouldBeFalse();
        EmailAddress.TryParse($"{new string('l', 64)}@{domain}.aa", out _).ShouldBeFalse();
    }

    [Fact]
    public void A_key_opens_until_it_is_revoked()
    {
        var key = Key();
        key.IsValid(Given.Noon.AddYears(10)).ShouldBeTrue();
        key.Revoke(Given.Noon);
        key.IsValid(Given.Noon).ShouldBeFalse();
        key.Revoke(Given.Noon.AddDays(1));
        key.RevokedAt.ShouldBe(Given.Noon);
    }

    [Fact]
    public void A_retired_key_opens_for_its_grace()
    {
        var key = Key();
        key.Retire(TimeSpan.FromHours(1), Given.Noon).IsSuccess.ShouldBeTrue();
        key.IsValid(Given.Noon.AddHours(1).AddTicks(-1)).ShouldBeTrue();
        key.IsValid(Given.Noon.AddHours(1)).ShouldBeFalse();
        key.RevokedAt.ShouldBeNull();
    }

    [Fact]
    public void A_second_rotation_never_lengthens_the_grace()
    {
        var key = Key();
        key.Retire(TimeSpan.FromHours(1), Given.Noon).IsSuccess.ShouldBeTrue();
        key.Retire(TimeSpan.FromDays(1), Given.Noon).IsSuccess.ShouldBeTrue();
        key.ExpiresAt.ShouldBe(Given.Noon.AddHours(1));
        key.Retire(TimeSpan.FromMinutes(1), Given.Noon).IsSuccess.ShouldBeTrue();
        key.ExpiresAt.ShouldBe(Given.Noon.AddMinutes(1));
    }

    [Fact]
    public void Without_a_grace_a_key_ends_at_once_and_cannot_be_rotated_again()
    {
        var key = Key();
        key.Retire(TimeSpan.Zero, Given.Noon).IsSuccess.ShouldBeTrue();
        key.IsValid(Given.Noon).ShouldBeFalse();
        key.Retire(TimeSpan.FromHours(1), Given.Noon).Error!.Code.ShouldBe("api_key.revoked");
    }

    [Theory]
    [InlineData(Scopes.Read, Scopes.Read, true)]
    [InlineData(Scopes.Read, Scopes.MeterWrite, false)]
    [InlineData(Scopes.MeterWrite | Scopes.Read, Scopes.Read, true)]
    [InlineData(Scopes.Admin, Scopes.BillingWrite, true)]
    [InlineData(Scopes.Admin, Scopes.Admin, true)]
    [InlineData(Scopes.MeterWrite | Scopes.OutcomesWrite | Scopes.PricingWrite | Scopes.BillingWrite | Scopes.Read, Scopes.Admin, false)]
    [InlineData(Scopes.None, Scopes.Read, false)]
    public void Admin_grants_all_and_others_themselves(Scopes held, Scopes needed, bool grants) => held.Grants(needed).ShouldBe(grants);

    [Fact]
    public void Every_scope_has_a_name()
    {
        foreach (var scope in Enum.GetValues<Scopes>().Where(s => s != Scopes.None))
        {
            var name = ScopeNames.Of(scope).ShouldHaveSingleItem();
            ScopeNames.TryParse(name, out var read).ShouldBeTrue();
            read.ShouldBe(scope);
        }
        ScopeNames.TryParse("root", out _).ShouldBeFalse();
    }

    [Fact]
    public void A_link_works_once_within_an_hour()
    {
        var late = LinkToken.Issue(new(1), new(2), LinkPurpose.NewKey, [1], Given.Noon);
        late.Use(LinkPurpose.NewKey, Given.Noon.AddHours(1)).Error.ShouldBe(AccountErrors.LinkUsed);

        var link = LinkToken.Issue(new(1), new(2), LinkPurpose.NewKey, [1], Given.Noon);
        link.Use(LinkPurpose.NewKey, Given.Noon.AddHours(1).AddTicks(-1)).IsSuccess.ShouldBeTrue();
        link.Use(LinkPurpose.NewKey, Given.Noon.AddMinutes(1)).Error.ShouldBe(AccountErrors.LinkUsed);
    }

    [Theory]
    [InlineData(LinkPurpose.NewKey, LinkPurpose.SignIn)]
    [InlineData(LinkPurpose.SignIn, LinkPurpose.NewKey)]
    public void A_link_works_for_what_it_was_mailed_for_and_is_not_used_up_by_anything_else(LinkPurpose purpose, LinkPurpose other)
    {
        var link = LinkToken.Issue(new(1), new(2), purpose, [1], Given.Noon);
        link.Use(other, Given.Noon).Error.ShouldBe(AccountErrors.LinkUsed);
        link.UsedAt.ShouldBeNull();
        link.Use(purpose, Given.Noon).IsSuccess.ShouldBeTrue();
        link.UsedAt.ShouldBe(Given.Noon);
    }

    [Fact]
    public void What_is_stored_as_a_number_keeps_its_number()
    {
        ((int)LinkPurpose.NewKey, (int)LinkPurpose.SignIn).ShouldBe((0, 1));
        ((int)MailKind.FirstKeys, (int)MailKind.NewKeyLink, (int)MailKind.WebhookEndpointDisabled, (int)MailKind.SignInLink).ShouldBe((0, 1, 2, 3));
    }

    [Fact]
    public void A_mail_is_tried_again_later_each_time_for_three_days()
    {
        var mail = MailRequest.Owe(new(1), new(2), MailKind.FirstKeys, Given.Noon);
        mail.DueAt.ShouldBe(Given.Noon);
        var now = Given.Noon;
        var waits = new List<TimeSpan>();
        while (mail.DueAt is { } due)
        {
            now = due;
            mail.Take(now, TimeSpan.FromMinutes(2));
            mail.DueAt.ShouldBe(now.AddMinutes(2));
            mail.Failed(now);
            if (mail.DueAt is { } next) waits.Add(next - now);
        }
        waits[0].ShouldBe(TimeSpan.FromSeconds(10));
        waits.ShouldBe(waits.Order());
        waits[^1].ShouldBe(TimeSpan.FromHours(1));
        (now - Given.Noon).ShouldBeGreaterThan(TimeSpan.FromDays(3));
        mail.SentAt.ShouldBeNull();
    }

    [Fact]
    public void A_sent_mail_is_not_due_again()
    {
        var mail = MailRequest.Owe(new(1), new(2), MailKind.NewKeyLink, Given.Noon);
        mail.Take(Given.Noon, TimeSpan.FromMinutes(2));
        mail.Sent(Given.Noon);
        (mail.DueAt, mail.SentAt, mail.Attempts).ShouldBe((null, Given.Noon, 1));
    }

    private static ApiKey Key() => ApiKey.Issue(new(1), new(2), Mode.Live, "key", Scopes.Admin, [1], "rg_live_a", Given.Noon);
}
