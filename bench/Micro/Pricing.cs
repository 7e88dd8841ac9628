using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;

namespace Rev.Bench.Micro;

/// <summary>What the benchmarks price.</summary>
internal static class Given
{
    public const string Payload = """{"recipient":"prospect@company.com","campaign":"q2","reply_received":true,"sentiment":"positive","deal":{"value":1250.5}}""";

    public static CallFacts Facts() => new(new("agent-7"), "email.sent", new("customer-7"), null, 1_200, 340, Metadata.FromChecked(Payload));

    /// <summary>A tier as a caller writes it.</summary>
    public static TierVersion Tier(string json)
    {
        using var document = JsonDocument.Parse(json);
        var errors = new List<FieldError>();
        var spec = TierJson.Read(document.RootElement, "", errors);
        if (errors.Count > 0) throw new InvalidOperationException($"{errors[0].Field} {errors[0].Message}");
        return new(new("tier"), 1, spec.ToTerms(Currency.Usd));
    }
}

/// <summary>Recording a call: price, rules, bonus. The rules that do not match come first; the last one matches.</summary>
public class Pricing
{
    private static readonly Tenant Tenant = new(new(1), Mode.Live);
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private TierVersion _tier = null!;
    private CallReport _report = null!;

    /// <summary>Rules of the tier.</summary>
    [Params(0, 4, 32)]
    public int Rules { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var rules = Enumerable.Range(1, Rules).Select(i => i == Rules
            ? """{"name":"reply","action":"email.*","when":{"field":"metadata.reply_received","op":"eq","value":true},"amount":"2.50"}"""
            : $$"""{"name":"no {{i}}","action":"email.*","when":{"field":"metadata.deal.value","op":"gt","value":{{100_000 + i}}},"amount":"1"}""");
        _tier = Given.Tier($$"""
            {"name":"Email","currency":"usd","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"15"},"outcome_bonuses":[{{string.Join(',', rules)}}]}
            """);
        _report = new(Given.Facts(), ReportedOutcome.Success, HasMetadata: true, null, null);
    }

    [Benchmark]
    public object Record() => MeteredCall.Record(Tenant, new(7), _report, _tier, Noon);
}

/// <summary>Evaluating a condition of five leaves, three levels deep.</summary>
public class Conditions
{
    private readonly CallFacts _facts = Given.Facts();
    private Condition _condition = null!;

    [GlobalSetup]
    public void Setup()
    {
        var tier = Given.Tier("""
            {"name":"Email","currency":"usd","outcome_bonuses":[{"name":"a","amount":"1","when":
              {"all":[{"field":"metadata.reply_received","op":"eq","value":true},{"not":{"field":"metadata.sentiment","op":"eq","value":"negative"}},
                {"any":[{"field":"metadata.deal.value","op":"gte","value":5000},{"field":"tokens_input","op":"lt","value":2000}]},
                {"field":"metadata.recipient","op":"ends_with","value":"@company.com"}]}}]}
            """);
        _condition = tier.Terms.Bonuses[0].When!;
        if (!_condition.Holds(_facts)) throw new InvalidOperationException("The condition should hold.");
    }

    [Benchmark]
    public bool Holds() => _condition.Holds(_facts);
}
