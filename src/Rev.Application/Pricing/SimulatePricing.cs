using FluentValidation;
using FluentValidation.Results;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>What a month of calls is expected to cost under a tier: one given inline, or one of the account's by its key.</summary>
public sealed record SimulatePricing(
    Tenant? Tenant, TierSpec? Tier, string? TierKey, decimal? CallsPerMonth, long TokensInput, long TokensOutput, string? Model,
    decimal? SuccessRate, decimal? PendingRate, decimal? ExpiryRate, IReadOnlyList<SimulatedBonus>? Bonuses, SimulatedCompare? Compare)
    : IRequest<Result<Simulation>>
{
    /// <summary>Most calls of a month.</summary>
    public const decimal MaxCalls = 1_000_000_000m;

    /// <summary>Decimals that a rate or a share can have.</summary>
    public const int RateDecimals = 6;
}

/// <summary>How often a success earns a bonus of the tier.</summary>
/// <param name="Name">The bonus, by its name in the tier.</param>
/// <param name="Share">The part of the successes that it pays.</param>
/// <param name="Value">The mean of what a percentage is taken of.</param>
public sealed record SimulatedBonus(string? Name, decimal? Share, decimal? Value);

/// <summary>Other ways to charge: a flat price per call, or seats per month.</summary>
public sealed record SimulatedCompare(decimal? FlatPerCall, decimal? SeatPrice, long? Seats);

/// <summary>A simulated month. Amounts in major units, expectations rounded once, half to even, to the nano; counts exact.</summary>
public sealed record Simulation(
    string Currency, long CallsPerMonth, string BaseFees, string TokenCharges, string OutcomeBonuses, string Total, string PerCall, string? PerSuccess,
    string Successes, string Expired, ComparedPrices? Compare, Sensitivity Sensitivity);

/// <summary>What other ways to charge would bring; those that were asked for.</summary>
public sealed record ComparedPrices(ComparedPrice? FlatPerCall, ComparedPrice? Seats);

/// <summary>What another way would bring, and how much more Rev's tier brings.</summary>
public sealed record ComparedPrice(string Total, string Difference);

/// <summary>The total over success rates and volumes.</summary>
public sealed record Sensitivity(IReadOnlyList<SuccessRatePoint> SuccessRates, IReadOnlyList<VolumePoint> Volumes);

/// <summary>The total at a success rate.</summary>
public sealed record SuccessRatePoint(string SuccessRate, string Total);

/// <summary>The total at a volume.</summary>
public sealed record VolumePoint(string Multiplier, string Calls, string Total);

/// <summary>Ways to say rules of what is priced.</summary>
internal static class PricingRules
{
    /// <summary>A count of tokens of one call.</summary>
    public static IRuleBuilderOptions<T, long> Tokens<T>(this IRuleBuilder<T, long> rule, string name) =>
        rule.InclusiveBetween(0, CallFacts.MaxTokens).OverridePropertyName(name).WithMessage($"must be 0 to {CallFacts.MaxTokens}");
}

/// <summary>Shape of <see cref="SimulatePricing"/>.</summary>
public sealed class SimulatePricingValidator : AbstractValidator<SimulatePricing>
{
    /// <summary>The rules.</summary>
    public SimulatePricingValidator()
    {
        RuleFor(x => x.Tier).Must((x, _) => x.Tier is not null || x.TierKey is not null).OverridePropertyName("tier").WithMessage("is required");
        RuleFor(x => x.TierKey).OptionalKey("tier");
        RuleFor(x => x.Tier!).SetValidator(new TierSpecValidator("tier")).OverridePropertyName("").When(x => x.Tier is not null);
        RuleFor(x => x.CallsPerMonth).NotNull().OverridePropertyName("calls_per_month").WithMessage("is required");
        RuleFor(x => x.CallsPerMonth).Must(c => c is null || (c >= 0 && c <= SimulatePricing.MaxCalls && decimal.IsInteger(c.Value)))
            .OverridePropertyName("calls_per_month").WithMessage($"must be a whole number of 0 to {SimulatePricing.MaxCalls:0}");
        RuleFor(x => x.TokensInput).Tokens("tokens_input");
        RuleFor(x => x.TokensOutput).Tokens("tokens_output");
        RuleFor(x => x.Model).Line("model", ModelRate.MaxLength);
        RuleFor(x => x.SuccessRate).Must(IsRate).OverridePropertyName("success_rate").WithMessage(RateRule);
        RuleFor(x => x.PendingRate).Must(IsRate).OverridePropertyName("pending_rate").WithMessage(RateRule);
        RuleFor(x => x.ExpiryRate).Must(IsRate).OverridePropertyName("expiry_rate").WithMessage(RateRule);
        RuleFor(x => x).Custom((x, context) =>
        {
            CheckBonuses(x.Bonuses ?? [], context);
            CheckCompare(x.Compare, context);
        });
    }

    private static readonly string RateRule = $"must be 0 to 1 with at most {SimulatePricing.RateDecimals} decimals";

    private static void CheckBonuses(IReadOnlyList<SimulatedBonus> bonuses, ValidationContext<SimulatePricing> context)
    {
        if (bonuses.Count > TierTerms.MaxBonuses) context.AddFailure(new ValidationFailure("bonuses", $"must be at most {TierTerms.MaxBonuses}"));
        for (var i = 0; i < bonuses.Count; i++)
        {
            if (bonuses[i].Name is null) context.AddFailure(new ValidationFailure($"bonuses[{i}].name", "is required"));
            if (bonuses[i].Share is null) context.AddFailure(new ValidationFailure($"bonuses[{i}].share", "is required"));
            else if (!IsRate(bonuses[i].Share)) context.AddFailure(new ValidationFailure($"bonuses[{i}].share", RateRule));
        }
        if (bonuses.All(b => IsRate(b.Share)) && bonuses.Sum(b => b.Share ?? 0) > 1)
            context.AddFailure(new ValidationFailure("bonuses", "must have shares that add up to at most 1"));
    }

    private static void CheckCompare(SimulatedCompare? compare, ValidationContext<SimulatePricing> context)
    {
        if (compare is null) return;
        if (compare.FlatPerCall < 0) context.AddFailure(new ValidationFailure("compare.flat_per_call", AmountRule));
        if (compare.SeatPrice < 0) context.AddFailure(new ValidationFailure("compare.seat_price", AmountRule));
        if (compare.Seats < 0) context.AddFailure(new ValidationFailure("compare.seats", AmountRule));
        if (compare.SeatPrice is null && compare.Seats is not null) context.AddFailure(new ValidationFailure("compare.seat_price", "is required with seats"));
        if (compare.SeatPrice is not null && compare.Seats is null) context.AddFailure(new ValidationFailure("compare.seats", "is required with seat_price"));
    }

    private const string AmountRule = "must be at least 0";

    private static bool IsRate(decimal? rate) => rate is null or (>= 0 and <= 1) && decimal.IsInteger((rate ?? 0) * 1_000_000m);
}

/// <summary>The tier of a simulation: one given inline, or one of the account's by its key.</summary>
public sealed class SimulatedTiers(IPriceBook prices, IAccountSettings accounts)
{
    /// <summary>The key of a tier that was given inline.</summary>
    public static readonly TierKey Inline = new("simulation");

    /// <summary>The version to simulate; who has no key can give it inline only.</summary>
    public async Task<Result<TierVersion>> Find(Tenant? tenant, TierSpec? inline, string? key, CancellationToken cancellationToken)
    {
        if (inline is not null)
        {
            var currency = tenant is { } owner && inline.Currency is null
                ? await accounts.DefaultCurrency(owner.Account, cancellationToken)
                : Currency.Usd;
            return new TierVersion(Inline, 1, inline.ToTerms(currency));
        }
        if (tenant is not { } named) return AccountErrors.NoKey;
        return await prices.Current(named, new(key!), cancellationToken) is { } current ? current : PricingErrors.TierUnknown(key!);
    }
}

/// <summary>Handles <see cref="SimulatePricing"/>.</summary>
public sealed class SimulatePricingHandler(SimulatedTiers tiers) : IRequestHandler<SimulatePricing, Result<Simulation>>
{
    private static readonly decimal[] Multipliers = [0.1m, 0.2m, 0.5m, 1m, 2m, 5m, 10m];

    /// <inheritdoc/>
    public async Task<Result<Simulation>> Handle(SimulatePricing request, CancellationToken cancellationToken)
    {
        var found = await tiers.Find(request.Tenant, request.Tier, request.TierKey, cancellationToken);
        if (!found.IsSuccess) return found.Error;
        var expected = ExpectedCall.Of(found.Value, request);
        if (!expected.IsSuccess) return expected.Error;
        var (call, calls) = (expected.Value, Exact.Of(request.CallsPerMonth!.Value));
        var rate = request.SuccessRate ?? 1;
        var total = call.Total(rate, calls);
        var successes = calls * call.Successes(rate);
        return new Simulation(
            found.Value.Currency.Code, (long)request.CallsPerMonth.Value,
            Text(calls * call.BaseFee), Text(calls * call.TokenCharge), Text(calls * call.Bonus(rate)), Text(total), Text(call.Each(rate)),
            successes.IsZero ? null : Text(call.Each(rate) / call.Successes(rate)),
            Count(successes), Count(calls * call.Expired), Compared(request, total),
            new(
                Enumerable.Range(0, 21).Select(i => i * 0.05m).Select(r => new SuccessRatePoint(Count(Exact.Of(r)), Text(call.Total(r, calls)))).ToArray(),
                Multipliers.Select(m => new VolumePoint(Count(Exact.Of(m)), Count(calls * Exact.Of(m)), Text(call.Total(rate, calls * Exact.Of(m))))).ToArray()));
    }

    private static ComparedPrices? Compared(SimulatePricing request, Exact total)
    {
        if (request.Compare is not { } compare) return null;
        return new(
            compare.FlatPerCall is { } flat ? Difference(total, Exact.Of(request.CallsPerMonth!.Value) * Exact.Of(flat)) : null,
            compare is { SeatPrice: { } price, Seats: { } seats } ? Difference(total, Exact.Whole(seats) * Exact.Of(price)) : null);
    }

    private static ComparedPrice Difference(Exact total, Exact other) => new(Text(other), Text(total - other));

    private static string Text(Exact amount) => amount.ToText(Money.Decimals);

    // Three rates of six decimals and a multiplier of one: no count has more decimals.
    private static string Count(Exact count) => count.ToText((3 * SimulatePricing.RateDecimals) + 1);
}

/// <summary>What one call is expected to cost, in major units, exact; by the same pricing as a metered call.</summary>
internal sealed record ExpectedCall(Exact BaseFee, Exact TokenCharge, Exact SuccessBonus, Exact ExpiryBonus, Exact Expired)
{
    private static readonly Exact One = Exact.Whole(1);

    /// <summary>The expectation under a tier, or what of the request the tier does not know.</summary>
    public static Result<ExpectedCall> Of(TierVersion tier, SimulatePricing request)
    {
        var facts = new CallFacts(
            new("simulation"), "simulation", CustomerId.Default, request.Model, request.TokensInput, request.TokensOutput, Metadata.Empty);
        var price = tier.Price(facts);
        var unconditional = tier.Terms.Bonuses.FirstOrDefault(rule => rule.When is null);
        var plain = unconditional is null ? Exact.Whole(0) : Pays(unconditional, facts, null);
        var success = plain;
        if (request.Bonuses is { } bonuses)
        {
            var shared = Shared(tier, bonuses, facts);
            if (!shared.IsSuccess) return shared.Error;
            success = shared.Value;
        }
        var expiry = tier.Terms.OnExpiry == Domain.Pricing.ExpiryBonus.AsSuccess ? plain : Units(tier.ExpiryBonus(facts).Amount);
        return new ExpectedCall(Units(price.BaseFee), Units(price.TokenCharge), success, expiry, Exact.Of(request.PendingRate ?? 0) * Exact.Of(request.ExpiryRate ?? 0));
    }

    /// <summary>How likely it succeeds: whatever does not expire does so at the success rate.</summary>
    public Exact Successes(decimal successRate) => (One - Expired) * Exact.Of(successRate);

    /// <summary>Its bonus.</summary>
    public Exact Bonus(decimal successRate) => (Successes(successRate) * SuccessBonus) + (Expired * ExpiryBonus);

    /// <summary>Its price.</summary>
    public Exact Each(decimal successRate) => BaseFee + TokenCharge + Bonus(successRate);

    /// <summary>The price of so many of them.</summary>
    public Exact Total(decimal successRate, Exact calls) => calls * Each(successRate);

    private static Result<Exact> Shared(TierVersion tier, IReadOnlyList<SimulatedBonus> bonuses, CallFacts facts)
    {
        var errors = new List<FieldError>();
        var sum = Exact.Whole(0);
        for (var i = 0; i < bonuses.Count; i++)
        {
            var rule = tier.Terms.Bonuses.FirstOrDefault(r => string.Equals(r.Name, bonuses[i].Name, StringComparison.Ordinal));
            if (rule is null) errors.Add(new($"bonuses[{i}].name", "is no bonus of the tier"));
            else if (rule.Amount is BonusAmount.Share && bonuses[i].Value is null) errors.Add(new($"bonuses[{i}].value", "is required for a percentage"));
            else sum += Exact.Of(bonuses[i].Share!.Value) * Pays(rule, facts, bonuses[i].Value);
        }
        if (errors.Count > 0) return Error.Invalid(errors);
        return sum;
    }

    private static Exact Pays(BonusRule rule, CallFacts facts, decimal? value) => rule.Amount switch
    {
        BonusAmount.Fixed paid => Units(paid.Amount),
        BonusAmount.Share share => Units(share.Compute(value is { } mean ? FactValue.Of(mean) : facts[share.Of]).Amount),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static Exact Units(Money amount) => Exact.Whole(amount.Nanos) / Exact.Whole(Money.NanosPerUnit);
}
