using MediatR;
using Microsoft.AspNetCore.Http;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>The simulator's form as an address has it.</summary>
public sealed class SimulatorForm
{
    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, decimal?> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _problems = new(StringComparer.Ordinal);

    private SimulatorForm(string onExpiry) => OnExpiry = onExpiry;

    /// <summary>The name of <see cref="OnExpiry"/> in the address.</summary>
    public const string OnExpiryKey = "on_expiry";

    /// <summary>What an expiry charges: none, as_success or fixed.</summary>
    public string OnExpiry { get; }

    /// <summary>What is wrong, by the field's key.</summary>
    public IReadOnlyDictionary<string, string> Problems => _problems;

    /// <summary>Reads an address; what it does not say has its default.</summary>
    public static SimulatorForm Read(IQueryCollection query)
    {
        var expiry = query[OnExpiryKey].ToString();
        var form = new SimulatorForm(expiry is "as_success" or "fixed" ? expiry : "none");
        foreach (var field in SimulatorField.All)
        {
            var given = query.TryGetValue(field.Key, out var sent) ? sent.ToString().Trim() : field.Default;
            var (value, problem) = field.Read(given);
            form._values[field.Key] = value;
            form._texts[field.Key] = value is { } number ? field.Write(number) : given;
            if (problem is not null) form._problems[field.Key] = problem;
        }
        return form;
    }

    /// <summary>What stands in a field.</summary>
    public string Text(SimulatorField field) => _texts[field.Key];

    /// <summary>The number in a field; 0 when there is none.</summary>
    public decimal Value(SimulatorField field) => _values[field.Key] ?? 0;

    /// <summary>The question; only of a form without problems.</summary>
    public SimulatePricing ToQuery() => new(
        Tenant: null, Tier: Tier(), TierKey: null,
        CallsPerMonth: Value(SimulatorField.Calls), TokensInput: (long)Value(SimulatorField.TokensIn), TokensOutput: (long)Value(SimulatorField.TokensOut), Model: null,
        SuccessRate: Rate(SimulatorField.Success), PendingRate: Rate(SimulatorField.Pending), ExpiryRate: Rate(SimulatorField.Expiry), Bonuses: null, Compare: Compare());

    /// <summary>The command that gives an account these prices.</summary>
    public string Command(string url)
    {
        string Exactly(SimulatorField field) => Figures.Text(Value(field));
        var bonuses = Value(SimulatorField.Bonus) > 0 ? $$"""[{ "name": "success", "amount": "{{Exactly(SimulatorField.Bonus)}}" }]""" : "[]";
        var amount = OnExpiry == "fixed" ? $", \"amount\": \"{Exactly(SimulatorField.ExpiryAmount)}\"" : "";
        return $$"""
            curl -s -X PUT {{url}}/v1/tiers/default \
              -H "Authorization: Bearer $KEY" \
              -H 'Content-Type: application/json' -d '{
                "name": "Default",
                "base_fee": "{{Exactly(SimulatorField.BaseFee)}}",
                "token_rates": {
                  "input_per_million": "{{Exactly(SimulatorField.RateIn)}}",
                  "output_per_million": "{{Exactly(SimulatorField.RateOut)}}"
                },
                "outcome_bonuses": {{bonuses}},
                "pending": { "on_expiry": { "bonus": "{{OnExpiry}}"{{amount}} } }
              }'
            """;
    }

    /// <summary>Where these prices are a draft of the tier default; only of a form without problems. Following it saves nothing.</summary>
    public string DraftAddress => AppPath.With("/live/tiers/default/edit", ("draft", TierJson.ToText(Tier().ToTerms(Currency.Usd))));

    private TierSpec Tier() => new()
    {
        Name = "Default",
        Currency = "usd",
        BaseFee = Value(SimulatorField.BaseFee),
        TokenRates = new TokenRatesSpec { InputPerMillion = Value(SimulatorField.RateIn), OutputPerMillion = Value(SimulatorField.RateOut) },
        OutcomeBonuses = Value(SimulatorField.Bonus) > 0 ? [new BonusSpec { Name = "success", Amount = Value(SimulatorField.Bonus) }] : [],
        Pending = new PendingSpec { OnExpiry = new OnExpirySpec { Bonus = OnExpiry, Amount = OnExpiry == "fixed" ? Value(SimulatorField.ExpiryAmount) : null } },
    };

    private SimulatedCompare Compare()
    {
        var hasSeats = _values[SimulatorField.Seat.Key] is not null && _values[SimulatorField.Seats.Key] is not null;
        return new(
            _values[SimulatorField.Flat.Key],
            hasSeats ? Value(SimulatorField.Seat) : null,
            hasSeats ? (long)Value(SimulatorField.Seats) : null);
    }

    private decimal Rate(SimulatorField field) => Value(field) / 100;
}

/// <summary>What the use case says of a form.</summary>
/// <param name="Form">What was asked.</param>
/// <param name="Month">The month; null when something is wrong.</param>
/// <param name="Problems">What is wrong, by the field's key.</param>
/// <param name="Refusal">What is wrong with it as a whole.</param>
public sealed record SimulatorAnswer(SimulatorForm Form, Simulation? Month, IReadOnlyDictionary<string, string> Problems, string? Refusal)
{
    /// <summary>Asks.</summary>
    public static async Task<SimulatorAnswer> Ask(IQueryCollection query, IMediator mediator, CancellationToken token)
    {
        var form = SimulatorForm.Read(query);
        if (form.Problems.Count > 0) return new(form, null, form.Problems, null);
        var result = await mediator.Send(form.ToQuery(), token);
        if (result.IsSuccess) return new(form, result.Value, form.Problems, null);
        var problems = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (wire, messages) in result.Error.Fields ?? new Dictionary<string, string[]>(StringComparer.Ordinal))
            if (SimulatorField.All.FirstOrDefault(field => field.Wire == wire) is { } at) problems[at.Key] = messages[0];
        return new(form, null, problems, result.Error.Message);
    }
}
