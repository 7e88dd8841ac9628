using System.Globalization;
using Rev.Application.Billing;

namespace Rev.UnitTests.Billing;

public sealed class StatementPeriodTests
{
    [Theory]
    [InlineData(null, null, "2026-11-01T00:00:00Z")]
    [InlineData(null, "2026-11-01T00:00:00Z", "2026-10-01T00:00:00Z")]
    [InlineData(null, "2026-11-01T00:00:01Z", "2026-11-01T00:00:00Z")]
    [InlineData("2026-05-05T05:05:05Z", null, "2026-05-05T05:05:05Z")]
    public void It_begins_with_the_month_unless_it_is_said(string? from, string? to, string begin)
    {
        var now = At("2026-11-23T12:00:00Z")!.Value;
        StatementPeriod.Of(new(At(from), At(to)), now).Value.ShouldBe((At(begin)!.Value, At(to) ?? now));
    }

    [Theory]
    [InlineData("2026-11-23T12:00:00Z", "2026-11-23T12:00:00Z")]
    [InlineData("2026-12-01T00:00:00Z", null)]
    [InlineData("2020-01-01T00:00:00Z", "2024-01-01T00:00:00Z")]
    public void What_is_empty_or_too_long_is_refused(string from, string? to) =>
        StatementPeriod.Of(new(At(from), At(to)), At("2026-11-23T12:00:00Z")!.Value).Error!.Fields!.Keys.ShouldBe(["from"]);

    private static DateTimeOffset? At(string? text) => text is null ? null : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
