using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Web.Common;

namespace Rev.Web.Outcomes;

/// <summary>What the pages say of outcomes, and of what conditions found.</summary>
public static class OutcomeText
{
    /// <summary>What an amount in the ledger is for.</summary>
    public static string Of(LedgerComponent component) => component switch
    {
        LedgerComponent.Base => "Base fee",
        LedgerComponent.Tokens => "Tokens",
        LedgerComponent.Outcome => "Outcome bonus",
        LedgerComponent.Reversal => "Reversal",
        LedgerComponent.Adjustment => "Adjustment",
    };

    /// <summary>What the tape says of a call's outcome, and the class that colours it; <c>tape.js</c> says the same of those that come later.</summary>
    public static (string Kind, string Text) Told(EventSummary call) => call.OutcomeStatus is not { } status ? ("tag plain", "no outcome") : status switch
    {
        OutcomeStatus.Succeeded => call.Price.OutcomeBonus.IsZero ? ("tag plain", "succeeded, no bonus") : ("tag", "+" + Amount(call.Price.OutcomeBonus)),
        OutcomeStatus.Failed => ("tag bad", "failed, no bonus"),
        OutcomeStatus.Pending => ("tag warn", call.PotentialBonus is { } most ? "pending, up to +" + Amount(most) : "pending"),
        OutcomeStatus.InReview => ("tag warn", call.PotentialBonus is { } due ? "in review, +" + Amount(due) : "in review"),
        OutcomeStatus.Expired => ("tag plain", call.Price.OutcomeBonus.IsZero ? "expired, no bonus" : "expired, +" + Amount(call.Price.OutcomeBonus)),
        OutcomeStatus.Reversed => ("tag bad", "reversed"),
    };

    /// <summary>A value of a condition as JSON; what is not there is a dash.</summary>
    public static string Of(FactValue? value) =>
        value is not { Type: not FactType.Missing } known ? "–" : JsonInput.Compact(known.WriteTo);

    /// <summary>Metadata as people read it.</summary>
    public static string Of(Metadata metadata) => JsonInput.Pretty(metadata.Root);

    private static string Amount(Money amount) => Figures.Amount(amount.ToString(), 2, Money.Decimals, amount.Currency.Code);
}
