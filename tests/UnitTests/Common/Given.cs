using System.Globalization;
using System.Text.Json;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;

namespace Rev.UnitTests.Common;

/// <summary>Short ways to the values that tests begin with.</summary>
internal static class Given
{
    public static readonly Tenant Tenant = new(new(1), Mode.Live);

    public static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public static JsonElement Json(string text) => JsonDocument.Parse(text).RootElement;

    public static Metadata Metadata(string json)
    {
        var errors = new List<FieldError>();
        var metadata = JsonFields.Of(Json($$"""{"metadata":{{json}}}"""), "", errors, "metadata").Metadata("metadata");
        errors.ShouldBeEmpty();
        return metadata!;
    }

    public static CallFacts Facts(
        string metadata = "{}", string action = "email.sent", string? model = null, long input = 1200, long output = 340,
        string agent = "outreach-agent-v2", string customer = "default") =>
        new(new(agent), action, new(customer), model, input, output, Metadata(metadata));

    /// <summary>A tier as a caller writes it, held to its validator.</summary>
    public static TierVersion Tier(string json, int version = 1) => new(new("tier"), version, Terms(json));

    public static TierTerms Terms(string json)
    {
        var errors = new List<FieldError>();
        var spec = TierJson.Read(Json(json), "", errors);
        errors.ShouldBeEmpty();
        new TierSpecValidator().Refusal(spec).ShouldBeNull();
        return spec.ToTerms(Currency.Usd);
    }

    /// <summary>A call under a tier.</summary>
    public static MeteredCall Call(TierVersion tier, ReportedOutcome outcome, CallFacts? facts = null, DateTimeOffset? now = null) =>
        MeteredCall.Record(Tenant, new(7), new(facts ?? Facts(), outcome, HasMetadata: true, null, null), tier, now ?? Noon).Value;

    /// <summary>The outcome of a call under a tier.</summary>
    public static Outcome Outcome(TierVersion tier, ReportedOutcome outcome, CallFacts? facts = null) => Call(tier, outcome, facts).ToOutcome()!;

    public static decimal Number(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>The rows of a table drawn with bars; blank lines and lines of dashes do not count.</summary>
    public static IReadOnlyList<string[]> Table(string text) => text.Split('\n')
        .Where(line => line.Trim().Length > 0 && !line.TrimStart().StartsWith("---", StringComparison.Ordinal))
        .Select(line => line.Split('|').Select(cell => cell.Trim()).ToArray()).ToArray();
}
