namespace Rev.Domain.Outcomes;

/// <summary>Where an outcome stands. Stored as a number: never renumber.</summary>
public enum OutcomeStatus
{
    /// <summary>Nobody knows yet.</summary>
    Pending = 0,
    /// <summary>A success inside the tier's review window; its bonus is not charged yet.</summary>
    InReview = 1,
    /// <summary>A success; its bonus is charged.</summary>
    Succeeded = 2,
    /// <summary>A failure.</summary>
    Failed = 3,
    /// <summary>No result came in time.</summary>
    Expired = 4,
    /// <summary>A success (or an expiry that charged a bonus) that was taken back.</summary>
    Reversed = 5,
}

/// <summary>The result that decides an outcome. Stored as a number: never renumber.</summary>
public enum OutcomeResult
{
    /// <summary>It worked.</summary>
    Success = 1,
    /// <summary>It did not.</summary>
    Failure = 2,
}

/// <summary>One step of an outcome's life.</summary>
/// <param name="At">The stored clock of the step.</param>
/// <param name="From">Where it stood; null at the call.</param>
/// <param name="To">Where it stands.</param>
/// <param name="By">Who or what did it.</param>
/// <param name="Reason">Why.</param>
public sealed record OutcomeTransition(DateTimeOffset At, OutcomeStatus? From, OutcomeStatus To, string By, string Reason);
