using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Rev.UnitTests.Common;
using Rev.Web.Metering;
using Rev.Web.Revenue;

namespace Rev.UnitTests.Web;

public sealed class RevenueFormTests
{
    [Theory]
    [InlineData("", "30d", "day", "2026-10-25T00:00:00Z", null)]
    [InlineData("range=24h", "24h", "hour", "2026-11-22T13:00:00Z", null)]
    [InlineData("range=7d", "7d", "day", "2026-11-17T00:00:00Z", null)]
    [InlineData("range=12m", "12m", "month", "2025-12-01T00:00:00Z", null)]
    [InlineData("range=nonsense", "30d", "day", "2026-10-25T00:00:00Z", null)]
    [InlineData("from=2026-11-01&to=2026-11-02", "custom", "hour", "2026-11-01T00:00:00Z", "2026-11-03T00:00:00Z")]
    [InlineData("range=custom&from=2026-08-24&to=2026-11-23", "custom", "day", "2026-08-24T00:00:00Z", "2026-11-24T00:00:00Z")]
    [InlineData("range=custom&from=2026-08-23&to=2026-11-23", "custom", "month", "2026-08-23T00:00:00Z", "2026-11-24T00:00:00Z")]
    [InlineData("range=custom", "custom", "day", "2026-10-25T00:00:00Z", "2026-11-24T00:00:00Z")]
    public void An_address_is_a_time_and_how_it_is_divided(string query, string range, string interval, string from, string? to)
    {
        var form = Read(query);
        (form.Range, form.Interval, form.Problem).ShouldBe((range, interval, null));
        DateTimeOffset? end = to is null ? null : At(to);
        (form.Period.From, form.Period.To).ShouldBe((At(from), end));
    }

    [Theory]
    [InlineData("from=yesterday", "from")]
    [InlineData("to=2026-02-30", "to")]
    [InlineData("from=1969-12-31", "from")]
    [InlineData("to=9999-12-31", "to")]
    [InlineData("from=2026-11-02&to=2026-11-01", "from")]
    public void Days_that_are_none_are_refused_by_name(string query, string field) => Read(query).Problem!.Fields!.Keys.ShouldBe([field]);

    [Fact]
    public void A_link_changes_one_thing_and_keeps_the_rest()
    {
        Read("").Link("/live/revenue").ShouldBe("/live/revenue");
        var form = Read("range=7d&group_by=customer&currency=eur");
        form.Link("/a").ShouldBe("/a?range=7d&group_by=customer&currency=eur");
        form.Link("/a", range: "30d").ShouldBe("/a?group_by=customer&currency=eur");
        form.Link("/a", groupBy: "agent", currency: "usd").ShouldBe("/a?range=7d&currency=usd");
        form.Link("/a", range: RevenueForm.Custom).ShouldBe("/a?range=custom&from=2026-11-17&to=2026-11-23&group_by=customer&currency=eur");
        Read("from=\"><script>").Link("/a").ShouldNotContain("<");
    }

    [Fact]
    public void Calls_are_asked_for_by_days_or_by_instants()
    {
        var days = Calls("agent=a&customer_id=c&from=2026-11-01&to=2026-11-02").ToQuery(Given.Tenant).Value;
        (days.AgentId, days.CustomerId, days.From, days.To).ShouldBe(("a", "c", At("2026-11-01T00:00:00Z"), At("2026-11-03T00:00:00Z")));
        var hour = Calls("from=2026-11-01T10:00:00Z&to=2026-11-01T11:00:00Z").ToQuery(Given.Tenant).Value;
        (hour.From, hour.To).ShouldBe((At("2026-11-01T10:00:00Z"), At("2026-11-01T11:00:00Z")));
        Calls("from=soon&to=9999-12-31").ToQuery(Given.Tenant).Error!.Fields!.Keys.ShouldBe(["from", "to"]);
        Calls("").IsFiltered.ShouldBeFalse();
        Calls("action=email.sent").IsFiltered.ShouldBeTrue();
    }

    private static RevenueForm Read(string query) => RevenueForm.Read(Query(query), Given.Noon);

    private static CallsForm Calls(string query) => CallsForm.Read(Query(query));

    private static QueryCollection Query(string query) => new(QueryHelpers.ParseQuery(query));

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
