using Rev.Domain.Common;

namespace Rev.Domain.Outcomes;

/// <summary>Refusals of Outcomes.</summary>
public static class OutcomeErrors
{
    /// <summary>No outcome of that id, event or idempotency key.</summary>
    public static readonly Error NotFound = new("outcome.not_found", ErrorKind.NotFound, "There is no such outcome.");

    /// <summary>Decided the other way before.</summary>
    public static Error AlreadyResolved(OutcomeStatus status) => new("outcome.already_resolved", ErrorKind.Conflict,
        $"The outcome was already resolved the other way; it is {Name(status)}. A success is taken back with reverse.");

    /// <summary>The result came after expires_at.</summary>
    public static readonly Error Expired = new("outcome.expired", ErrorKind.Conflict, "The outcome expired before a result came.");

    /// <summary>Nothing is decided yet.</summary>
    public static readonly Error StillPending = new("outcome.still_pending", ErrorKind.Conflict, "The outcome is still pending; resolve it instead.");

    /// <summary>No success and no charge to take back.</summary>
    public static readonly Error NothingToReverse =
        new("outcome.nothing_to_reverse", ErrorKind.Conflict, "The outcome is no success and charged no bonus; there is nothing to take back.");

    /// <summary>Too late to take it back.</summary>
    public static readonly Error ReversalWindowClosed =
        new("outcome.reversal_window_closed", ErrorKind.Conflict, "The tier's reversal_window since the charge has passed.");

    private static string Name(OutcomeStatus status) => status switch
    {
        OutcomeStatus.Pending => "pending",
        OutcomeStatus.InReview => "in_review",
        OutcomeStatus.Succeeded => "succeeded",
        OutcomeStatus.Failed => "failed",
        OutcomeStatus.Expired => "expired",
        OutcomeStatus.Reversed => "reversed",
    };
}
