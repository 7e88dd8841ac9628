using FluentValidation;
using FluentValidation.Results;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>Ranges and limits of a tier.</summary>
public sealed class TierSpecValidator : AbstractValidator<TierSpec>
{
    private const string AmountRule = "must be 0 to 1000000";
    private const string RateRule = "must be 0 to 1000000 per million";

    /// <summary>The rules; complaints begin with <paramref name="path"/>.</summary>
    public TierSpecValidator(string path = "")
    {
        var at = path.Length == 0 ? "" : path + ".";
        RuleFor(x => x.Name).NotNull().OverridePropertyName(at + "name").WithMessage("is required");
        RuleFor(x => x.Name).Line(at + "name", TierTerms.MaxNameLength);
        RuleFor(x => x.Currency).Must(c => c is null || Currency.TryParse(c, out _)).OverridePropertyName(at + "currency").WithMessage(Currency.Rule);
        RuleFor(x => x.BaseFee).Must(IsAmount).OverridePropertyName(at + "base_fee").WithMessage(AmountRule);
        RuleFor(x => x.ReviewWindow).Must(d => d is null || (d >= TimeSpan.Zero && d <= TierTerms.MaxExpiresAfter))
            .OverridePropertyName(at + "review_window").WithMessage("must be PT0S to P365D");
        RuleFor(x => x.ReversalWindow).Must(d => d is null || (d >= TimeSpan.Zero && d <= TierTerms.MaxReversalWindow))
            .OverridePropertyName(at + "reversal_window").WithMessage("must be PT0S to P3650D");
        RuleFor(x => x).Custom((tier, context) =>
        {
            CheckRates(tier.TokenRates, at + "token_rates", context);
            CheckBonuses(tier.OutcomeBonuses ?? [], at + "outcome_bonuses", context);
            CheckPending(tier.Pending, at + "pending", context);
            if (tier.OneBonusPer is { } per)
            {
                if (!FactField.TryParse(per.Field, out _)) context.AddFailure(new ValidationFailure(at + "one_bonus_per", $"field {FactField.Rule}"));
                if (per.Scope is not ("agent" or "account")) context.AddFailure(new ValidationFailure(at + "one_bonus_per.scope", "must be agent or account"));
            }
        });
    }

    private static void CheckRates(TokenRatesSpec? rates, string path, ValidationContext<TierSpec> context)
    {
        if (rates is null) return;
        if (!IsRate(rates.InputPerMillion)) context.AddFailure(new ValidationFailure($"{path}.input_per_million", RateRule));
        if (!IsRate(rates.OutputPerMillion)) context.AddFailure(new ValidationFailure($"{path}.output_per_million", RateRule));
        var models = rates.Models ?? [];
        if (models.Count > TokenRates.MaxModels) context.AddFailure(new ValidationFailure($"{path}.models", $"must be at most {TokenRates.MaxModels}"));
        foreach (var model in models)
        {
            var at = $"{path}.models.{model.Model}";
            if (!Rules.IsLine(model.Model, ModelRate.MaxLength) || model.Model.TrimEnd('*').Contains('*', StringComparison.Ordinal) || model.Model.EndsWith("**", StringComparison.Ordinal))
                context.AddFailure(new ValidationFailure(at, "must be a model name of 1 to 128 characters, with a star only at its end"));
            if (model.InputPerMillion is null) context.AddFailure(new ValidationFailure($"{at}.input_per_million", "is required"));
            else if (!IsRate(model.InputPerMillion)) context.AddFailure(new ValidationFailure($"{at}.input_per_million", RateRule));
            if (model.OutputPerMillion is null) context.AddFailure(new ValidationFailure($"{at}.output_per_million", "is required"));
            else if (!IsRate(model.OutputPerMillion)) context.AddFailure(new ValidationFailure($"{at}.output_per_million", RateRule));
        }
    }

    private static void CheckBonuses(IReadOnlyList<BonusSpec> bonuses, string path, ValidationContext<TierSpec> context)
    {
        if (bonuses.Count > TierTerms.MaxBonuses) context.AddFailure(new ValidationFailure(path, $"must be at most {TierTerms.MaxBonuses}"));
        for (var i = 0; i < bonuses.Count; i++)
        {
            var (bonus, at) = (bonuses[i], $"{path}[{i}]");
            if (bonus.Name is null) context.AddFailure(new ValidationFailure($"{at}.name", "is required"));
            else if (!Rules.IsLine(bonus.Name, BonusRule.MaxNameLength)) context.AddFailure(new ValidationFailure($"{at}.name", $"must be 1 to {BonusRule.MaxNameLength} characters"));
            if (bonus.Action is { } action && !CallerKey.IsValid(action.Replace('*', 'x')))
                context.AddFailure(new ValidationFailure($"{at}.action", "must be 1 to 128 of A-Z a-z 0-9 . _ : @ + - and *"));
            CheckPays(bonus, at, context);
        }
    }

    private static void CheckPays(BonusSpec bonus, string at, ValidationContext<TierSpec> context)
    {
        if (bonus.Amount is null == bonus.Percent is null)
        {
            context.AddFailure(new ValidationFailure(bonus.Amount is null ? $"{at}.amount" : $"{at}.percent", "give either amount, or percent with of"));
            return;
        }
        if (bonus.Amount is not null)
        {
            if (!IsAmount(bonus.Amount)) context.AddFailure(new ValidationFailure($"{at}.amount", AmountRule));
            if (bonus.Of is not null) context.AddFailure(new ValidationFailure($"{at}.of", "goes with percent only"));
            if (bonus.MaxAmount is not null) context.AddFailure(new ValidationFailure($"{at}.max_amount", "goes with percent only"));
            return;
        }
        if (bonus.Percent is < 0 or > Percentage.Max) context.AddFailure(new ValidationFailure($"{at}.percent", "must be 0 to 100"));
        if (bonus.Of is null) context.AddFailure(new ValidationFailure($"{at}.of", "is required with percent"));
        else if (!FactField.TryParse(bonus.Of, out _)) context.AddFailure(new ValidationFailure($"{at}.of", FactField.Rule));
        if (!IsAmount(bonus.MaxAmount)) context.AddFailure(new ValidationFailure($"{at}.max_amount", AmountRule));
    }

    private static void CheckPending(PendingSpec? pending, string path, ValidationContext<TierSpec> context)
    {
        if (pending?.ExpiresAfter is { } after && (after < TierTerms.MinExpiresAfter || after > TierTerms.MaxExpiresAfter))
            context.AddFailure(new ValidationFailure($"{path}.expires_after", "must be PT1S to P365D"));
        if (pending?.OnExpiry is not { } expiry) return;
        if (expiry.Bonus is not (null or "none" or "as_success" or "fixed"))
            context.AddFailure(new ValidationFailure($"{path}.on_expiry.bonus", "must be none, as_success or fixed"));
        if (expiry.Bonus == "fixed" && expiry.Amount is null) context.AddFailure(new ValidationFailure($"{path}.on_expiry.amount", "is required with fixed"));
        if (expiry.Bonus != "fixed" && expiry.Amount is not null) context.AddFailure(new ValidationFailure($"{path}.on_expiry.amount", "goes with fixed only"));
        if (!IsAmount(expiry.Amount)) context.AddFailure(new ValidationFailure($"{path}.on_expiry.amount", AmountRule));
    }

    private static bool IsAmount(decimal? amount) => amount is null or (>= 0 and <= Money.MaxListed);

    private static bool IsRate(decimal? rate) => rate is null or (>= 0 and <= Rate.Max);
}
