using CsCheck;
using Rev.Domain.Billing;

namespace Rev.UnitTests.Billing;

public sealed class BillingCycleTests
{
    private static readonly string[] Zones =
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kathmandu", "America/Sao_Paulo", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "Africa/Cairo"];

    private static readonly Gen<BillingCycle> Cycles =
        from zone in Gen.OneOf(Zones)
        from month in Gen.Bool
        from day in Gen.Int[1, BillingCycle.MaxDayOfMonth]
        select month ? BillingCycle.Monthly(day, zone).Value : BillingCycle.Weekly((DayOfWeek)(day % 7), zone).Value;

    private static readonly Gen<DateTimeOffset> Instants =
        Gen.Long[new DateTime(2000, 1, 1).Ticks, new DateTime(2035, 1, 1).Ticks].Select(ticks => new DateTimeOffset(ticks, TimeSpan.Zero));

    [Theory]
    [InlineData(1, "UTC", "2026-11-26T12:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")]
    [InlineData(1, "UTC", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z")]
    [InlineData(15, "UTC", "2027-01-14T23:59:59Z", "2026-12-15T00:00:00Z", "2027-01-15T00:00:00Z")]
    [InlineData(28, "UTC", "2027-02-28T00:00:00Z", "2027-02-28T00:00:00Z", "2027-03-28T00:00:00Z")]
    [InlineData(1, "Europe/Berlin", "2026-10-31T23:30:00Z", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z")]
    [InlineData(1, "Europe/Berlin", "2026-03-15T12:00:00Z", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z")]
    [InlineData(1, "America/New_York", "2026-11-01T03:59:00Z", "2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z")]
    [InlineData(21, "America/Sao_Paulo", "2017-11-01T12:00:00Z", "2017-10-21T02:00:00Z", "2017-11-21T02:00:00Z")]
    // Clocks were put forward at midnight: the day began at one o'clock.
    [InlineData(15, "America/Sao_Paulo", "2017-10-20T12:00:00Z", "2017-10-15T03:00:00Z", "2017-11-15T02:00:00Z")]
    // Clocks were put back to midnight: the day began the first time.
    [InlineData(1, "America/Havana", "2026-11-15T12:00:00Z", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z")]
    public void A_month_begins_at_midnight_of_its_day(int day, string zone, string at, string start, string end) =>
        BillingCycle.Monthly(day, zone).Value.PeriodOf(At(at)).ShouldBe(new(At(start), At(end)));

    [Theory]
    [InlineData(DayOfWeek.Monday, "2026-11-26T12:00:00Z", "2026-11-23T00:00:00Z")]
    [InlineData(DayOfWeek.Thursday, "2026-11-26T12:00:00Z", "2026-11-26T00:00:00Z")]
    [InlineData(DayOfWeek.Friday, "2026-11-26T12:00:00Z", "2026-11-20T00:00:00Z")]
    [InlineData(DayOfWeek.Sunday, "2026-11-28T23:59:59Z", "2026-11-22T00:00:00Z")]
    public void A_week_begins_at_midnight_of_its_day(DayOfWeek day, string at, string start) =>
        BillingCycle.Weekly(day, "UTC").Value.PeriodOf(At(at)).ShouldBe(new(At(start), At(start).AddDays(7)));

    [Fact]
    public void Periods_tile_the_time_in_every_zone() => Gen.Select(Cycles, Instants).Sample((cycle, at) =>
    {
        var period = cycle.PeriodOf(at);
        period.Contains(at).ShouldBeTrue();
        cycle.PeriodOf(period.Start).ShouldBe(period);
        cycle.PeriodOf(period.End.AddTicks(-1)).ShouldBe(period);
        cycle.After(period).Start.ShouldBe(period.End);
        cycle.Before(period).End.ShouldBe(period.Start);
        period.Start.Offset.ShouldBe(TimeSpan.Zero);
    });

    [Theory]
    [InlineData(0)]
    [InlineData(29)]
    [InlineData(-1)]
    public void A_day_that_not_every_month_has_is_refused(int day) =>
        BillingCycle.Monthly(day, "UTC").Error!.Fields!.Keys.ShouldHaveSingleItem().ShouldBe("billing_day");

    [Theory]
    [InlineData("")]
    [InlineData("Mars/Olympus")]
    [InlineData("CET")]
    [InlineData("../../etc/passwd")]
    [InlineData("Europe/Berlin ")]
    public void A_time_zone_is_one_of_the_IANA_database(string zone)
    {
        BillingCycle.Monthly(1, zone).Error!.Fields!.Keys.ShouldHaveSingleItem().ShouldBe("time_zone");
        BillingCycle.Weekly(DayOfWeek.Monday, zone).Error!.Fields!.Keys.ShouldHaveSingleItem().ShouldBe("time_zone");
    }

    [Fact]
    public void Cycles_are_equal_by_what_they_say()
    {
        BillingCycle.Monthly(1, "UTC").Value.ShouldBe(BillingCycle.CalendarMonth);
        BillingCycle.Monthly(2, "UTC").Value.ShouldNotBe(BillingCycle.CalendarMonth);
        BillingCycle.Monthly(1, "Europe/Berlin").Value.ShouldNotBe(BillingCycle.CalendarMonth);
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
