using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>What a caller is told of an answer of Stripe's that is none.</summary>
public static class StripeRefusals
{
    /// <summary>The refusal of an answer that was not applied, where somebody waits for it.</summary>
    public static Error Refusal<T>(this StripeAnswer<T> answer) => answer.Verdict switch
    {
        StripeVerdict.TryAgain or StripeVerdict.Unknown or StripeVerdict.Poisoned => StripeErrors.Unavailable(answer.RetryAfter),
        StripeVerdict.AccessDenied => StripeErrors.AccessDenied,
        StripeVerdict.Gone => StripeErrors.CustomerGone,
        StripeVerdict.Rejected => StripeErrors.Rejected(answer.Message),
        StripeVerdict.Applied => throw new ArgumentException("It was done.", nameof(answer)),
    };
}
