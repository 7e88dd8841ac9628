using CsCheck;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.UnitTests.Billing;

public sealed class MeterItemTests
{
    private const string Cipher = "sealed";

    private static readonly DateTimeOffset Now = new(2026, 11, 26, 19, 42, 7, TimeSpan.Zero);
    private static readonly DateTimeOffset Hour = new(2026, 11, 26, 18, 0, 0, TimeSpan.Zero);
    private static readonly CustomerId Acme = new("acme");
    private static readonly StripeConnection Connection = Connected(7);

    [Theory]
    [InlineData(12_120_000, 0, 12_120, 0)]
    [InlineData(999, 0, 0, 999)]
    [InlineData(999, 1, 1, 0)]
    [InlineData(123_456_789, 900, 123_457, 689)]
    [InlineData(-1, 0, -1, 999)]
    [InlineData(-1_000, 0, -1, 0)]
    [InlineData(-1_001, 500, -1, 499)]
    [InlineData(0, -7_000_000, -7_000, 0)]
    [InlineData(0, 0, 0, 0)]
    public void Usage_is_rounded_down_to_millionths_and_the_rest_is_carried(long nanos, long carried, long micro, long remainder)
    {
        var share = MeterShare.Of(new(nanos), carried);

        share.RemainderNanos.ShouldBe(remainder);
        share.Values.Count.ShouldBe(micro == 0 ? 0 : 1);
        share.Values.Sum().ShouldBe(micro);
    }

    [Fact]
    public void What_is_beyond_15_digits_is_sent_in_parts()
    {
        MeterShare.Of(new((Int128)MeterShare.MaxValue * 1_000), 0).Values.AsEnumerable().ShouldBe([MeterShare.MaxValue]);
        MeterShare.Of(new(((Int128)MeterShare.MaxValue + 1) * 1_000), 0).Values.AsEnumerable().ShouldBe([MeterShare.MaxValue, 1L]);
        MeterShare.Of(new((((Int128)MeterShare.MaxValue * 2) + 5) * -1_000), 0).Values.AsEnumerable().ShouldBe([-MeterShare.MaxValue, -MeterShare.MaxValue, -5L]);
    }

    /// <summary>Whatever the hours are, all that was sent and what is left over are together what the ledger says.</summary>
    [Fact]
    public void Nothing_is_lost_and_nothing_is_added() =>
        Gen.Select(
            Gen.Long[-5_000, 5_000],
            Gen.Frequency((6, Gen.Long[0, 50_000_000_000]), (2, Gen.Long[-20_000_000_000, 0]), (2, Gen.Long[-2_000, 2_000]), (1, Gen.Long[0, long.MaxValue])).Array[0, 60])
            .Sample((carried, hours) =>
            {
                var (sent, rest) = ((Int128)0, carried);
                foreach (var hour in hours)
                {
                    var share = MeterShare.Of(new(hour), rest);
                    share.RemainderNanos.ShouldBeInRange(0, 999);
                    share.Values.ShouldAllBe(v => v != 0 && v >= -MeterShare.MaxValue && v <= MeterShare.MaxValue);
                    sent = share.Values.Aggregate(sent, (sum, v) => sum + v);
                    rest = share.RemainderNanos;
                }
                ((sent * MeterShare.NanosPerMicro) + rest).ShouldBe(hours.Aggregate((Int128)carried, (sum, h) => sum + h));
            });

    [Fact]
    public void The_same_usage_always_has_the_same_identifier()
    {
        var identifier = MeterItem.Identify(Connection.Id, Acme, "usd", Hour, 3);

        identifier.ShouldMatch("^rev:[0-9a-z]{26}:[0-9a-f]{16}:2026112618:3$");
        MeterItem.Identify(Connection.Id, Acme, "usd", Hour, 3).ShouldBe(identifier);
        new[]
        {
            identifier, MeterItem.Identify(Connection.Id, Acme, "usd", Hour, 4), MeterItem.Identify(Connection.Id, Acme, "usd", Hour.AddHours(1), 3),
            MeterItem.Identify(Connection.Id, Acme, "eur", Hour, 3), MeterItem.Identify(Connection.Id, new("acm"), "eusd", Hour, 3),
            MeterItem.Identify(Connected(8).Id, Acme, "usd", Hour, 3),
        }.ShouldBeUnique();
    }

    [Fact]
    public void An_identifier_is_never_longer_than_Stripe_takes() =>
        Gen.Select(Gen.String[Gen.Char['a', 'z'], 1, CallerKey.MaxLength], Gen.Int[0, int.MaxValue], Gen.ULong).Sample((customer, sequence, id) =>
            MeterItem.Identify(new((UInt128)id << 64 | ulong.MaxValue), new(customer), "usd", Hour, sequence).Length.ShouldBeLessThanOrEqualTo(MeterItem.MaxIdentifierLength));

    [Fact]
    public void It_was_in_the_last_second_of_its_hour_and_never_later_than_now()
    {
        var item = Item();
        item.Timestamp(Now).ShouldBe(new DateTimeOffset(2026, 11, 26, 18, 59, 59, TimeSpan.Zero));
        item.Timestamp(Hour.AddMinutes(5)).ShouldBe(Hour.AddMinutes(5));
    }

    [Fact]
    public void After_34_days_it_is_too_old()
    {
        var last = Hour.AddHours(1).AddSeconds(-1);
        Item().IsTooOld(last.AddDays(34)).ShouldBeFalse();
        Item().IsTooOld(last.AddDays(34).AddSeconds(1)).ShouldBeTrue();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_000_000_000_000)]
    [InlineData(-1_000_000_000_000_000)]
    [InlineData(long.MinValue)]
    public void A_value_has_1_to_15_digits(long micro) => Should.Throw<ArgumentOutOfRangeException>(() => Item(micro));

    [Fact]
    public void A_bucket_is_a_whole_hour() => Should.Throw<ArgumentOutOfRangeException>(() => MeterItem.Of(new(1), Connection, Acme, "usd", Now, 0, 1, 0, Now));

    [Fact]
    public void Sent_again_it_keeps_the_time_of_the_first()
    {
        var item = Item();
        item.Begin("acct_1", "cus_1", Now).ShouldBeTrue();
        item.Failed("network: broken", Now, null);
        item.Begin("acct_1", "cus_1", Now.AddHours(1)).ShouldBeFalse();
        item.Status.ShouldBe(MeterItemStatus.Sending);
        item.SentAt.ShouldBe(Now);

        item.NotSent();
        item.Begin("acct_1", "cus_2", Now.AddHours(30)).ShouldBeTrue();
        item.SentAt.ShouldBe(Now.AddHours(30));
        item.StripeCustomerId.ShouldBe("cus_2");
    }

    [Fact]
    public void What_does_not_show_counts_as_absent_only_when_the_sum_stays()
    {
        var item = Item();
        item.Begin("acct_1", "cus_1", Now);
        item.SawNothing(10, Now).ShouldBeFalse();
        item.SawNothing(10, Now.AddMinutes(9)).ShouldBeFalse();
        item.SawNothing(12, Now.AddMinutes(10)).ShouldBeFalse();
        item.SawNothing(12, Now.AddMinutes(19)).ShouldBeFalse();
        item.SawNothing(12, Now.AddMinutes(20)).ShouldBeTrue();
    }

    [Fact]
    public void What_is_refused_is_tried_again_daily_and_what_is_refused_later_never()
    {
        var item = Item();
        item.Begin("acct_1", "cus_1", Now);
        item.Reject("archived_meter", Now);
        item.Status.ShouldBe(MeterItemStatus.Rejected);
        item.DueAt.ShouldBe(Now.AddDays(1));
        item.StripeCustomerId.ShouldBeNull();
        item.Lease(Now.AddDays(1));
        item.Status.ShouldBe(MeterItemStatus.Pending);

        item.Begin("acct_1", "cus_1", Now.AddDays(1));
        item.Accept(Now.AddDays(1));
        item.RejectLate("meter_event_customer_not_found", Now.AddDays(2));
        item.Status.ShouldBe(MeterItemStatus.Rejected);
        item.DueAt.ShouldBeNull();
        item.AcceptedAt.ShouldBe(Now.AddDays(1));
    }

    [Fact]
    public void A_report_about_what_was_never_sent_changes_nothing()
    {
        var item = Item();
        item.RejectLate("no_meter", Now);
        item.Status.ShouldBe(MeterItemStatus.Pending);
        item.AcceptedAt.ShouldBeNull();
        item.Fence.ShouldBe(0);
    }

    [Fact]
    public void Every_change_raises_the_fence()
    {
        var item = Item();
        foreach (var change in new Action[]
        {
            () => item.Lease(Now), () => item.Begin("acct_1", "cus_1", Now), () => item.Failed("x", Now, null), () => item.SawNothing(1, Now), item.NotSent,
            () => item.Reject("x", Now), () => item.Lease(Now), () => item.Begin("acct_1", "cus_1", Now), () => item.Accept(Now), () => item.RejectLate("x", Now),
            () => item.Expire(Now), () => item.InvoicedOn(new(1)),
        })
        {
            var before = item.Fence;
            change();
            item.Fence.ShouldBeGreaterThan(before);
        }
    }

    [Fact]
    public void A_reading_that_differs_is_the_first_again()
    {
        var reading = MeterReading.First(Connection.Id, "cus_1", "usd", new(2026, 11, 25, 0, 0, 0, TimeSpan.Zero), 5, 9, Now);
        reading.Again(5, 9, Now.AddMinutes(9)).ShouldBeFalse();
        reading.Again(5, 9, Now.AddMinutes(10)).ShouldBeTrue();
        reading.Again(6, 9, Now.AddMinutes(11)).ShouldBeFalse();
        reading.Again(6, 9, Now.AddMinutes(20)).ShouldBeFalse();
        reading.Again(6, 9, Now.AddMinutes(21)).ShouldBeTrue();
        reading.Report(Now).ShouldBeTrue();
        reading.Report(Now).ShouldBeFalse();
    }

    private static MeterItem Item(long micro = 12_120) => MeterItem.Of(new(1), Connection, Acme, "usd", Hour, 0, micro, 0, Now);

    private static StripeConnection Connected(ulong id) => StripeConnection.Connect(
        new(id), new(new(1), Mode.Live), new("acct_1", Live: true, Cipher, "rk_live_…", IsRestricted: true, ConnectedAccount: false), new() { BillingMode = BillingMode.Meters }, Now).Value;
}
