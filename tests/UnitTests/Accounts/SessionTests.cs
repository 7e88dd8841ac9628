using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Accounts;

public sealed class SessionTests
{
    [Fact]
    public void A_session_by_a_link_lasts_for_two_weeks()
    {
        var session = Session.ByLink(new(1), new(2), [1], Given.Noon);
        session.ExpiresAt.ShouldBe(Given.Noon.AddDays(14));
        session.IsOpen(null, Given.Noon).ShouldBeTrue();
        session.IsOpen(null, Given.Noon.AddDays(14).AddTicks(-1)).ShouldBeTrue();
        session.IsOpen(null, Given.Noon.AddDays(14)).ShouldBeFalse();
    }

    [Fact]
    public void A_session_ends_once_and_for_good()
    {
        var session = Session.ByLink(new(1), new(2), [1], Given.Noon);
        session.End(Given.Noon.AddHours(1));
        session.IsOpen(null, Given.Noon.AddHours(1)).ShouldBeFalse();
        session.End(Given.Noon.AddHours(2));
        session.EndedAt.ShouldBe(Given.Noon.AddHours(1));
    }

    [Fact]
    public void A_session_by_a_key_is_over_when_the_key_is_revoked()
    {
        var key = Key(3);
        var session = Session.ByKey(new(1), key, [1], Given.Noon);
        (session.AccountId, session.ApiKeyId).ShouldBe((key.AccountId, key.Id));
        session.IsOpen(key, Given.Noon).ShouldBeTrue();
        key.Revoke(Given.Noon.AddHours(1));
        session.IsOpen(key, Given.Noon.AddHours(1)).ShouldBeFalse();
    }

    [Fact]
    public void A_session_by_a_key_is_over_when_the_grace_of_its_rotation_is()
    {
        var key = Key(3);
        var session = Session.ByKey(new(1), key, [1], Given.Noon);
        key.Retire(TimeSpan.FromHours(1), Given.Noon).IsSuccess.ShouldBeTrue();
        session.IsOpen(key, Given.Noon.AddHours(1).AddTicks(-1)).ShouldBeTrue();
        session.IsOpen(key, Given.Noon.AddHours(1)).ShouldBeFalse();
    }

    [Fact]
    public void A_session_by_a_key_is_not_opened_without_it_or_by_another()
    {
        var session = Session.ByKey(new(1), Key(3), [1], Given.Noon);
        session.IsOpen(null, Given.Noon).ShouldBeFalse();
        session.IsOpen(Key(4), Given.Noon).ShouldBeFalse();
    }

    private static ApiKey Key(uint id) => ApiKey.Issue(new(id), new(2), Mode.Live, "key", Scopes.Read, [1], "rg_live_a", Given.Noon);
}
