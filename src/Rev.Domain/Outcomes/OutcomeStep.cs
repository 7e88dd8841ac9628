using Rev.Domain.Common;

namespace Rev.Domain.Outcomes;

/// <summary>
/// What a verb on an outcome came to: a change to write (or none), and a refusal (or none). A refusal may come with a
/// change: a result that came too late expires the outcome.
/// </summary>
public sealed record OutcomeStep
{
    private OutcomeStep() { }

    /// <summary>The outcome as it was loaded; null when nothing changes.</summary>
    public Outcome? Before { get; private init; }

    /// <summary>The outcome as it will be; null when nothing changes.</summary>
    public Outcome? After { get; private init; }

    /// <summary>The statuses that it passed, the last one <see cref="After"/>'s: a settlement and a reversal may be one step.</summary>
    public IReadOnlyList<OutcomeStatus> Passed { get; private init; } = [];

    /// <summary>Amounts to enter with it.</summary>
    public IReadOnlyList<LedgerMovement> Movements { get; private init; } = [];

    /// <summary>The claim that must be taken with it.</summary>
    public Pricing.BonusClaim? Takes { get; init; }

    /// <summary>What happens instead when the claim is taken already.</summary>
    public OutcomeStep? WhenTaken { get; init; }

    /// <summary>The claim that is freed with it.</summary>
    public Pricing.BonusClaim? Frees { get; init; }

    /// <summary>What the caller is told.</summary>
    public Error? Refusal { get; private init; }

    /// <summary>Nothing to do: the answer is as before.</summary>
    public static OutcomeStep Nothing { get; } = new();

    /// <summary>A refusal without a change.</summary>
    public static OutcomeStep Refused(Error error) => new() { Refusal = error };

    /// <summary>A change.</summary>
    public static OutcomeStep To(Outcome before, Outcome after, IReadOnlyList<LedgerMovement> movements) =>
        new() { Before = before, After = after, Passed = [after.Status], Movements = movements };

    /// <summary>The same change, told as a refusal.</summary>
    public OutcomeStep Refusing(Error error) => this with { Refusal = error, WhenTaken = WhenTaken?.Refusing(error) };

    /// <summary>This change and the next, as one. A refused second leaves the first standing, with the refusal.</summary>
    public OutcomeStep Then(Func<Outcome, OutcomeStep> next) => Joined(next) with { Takes = Takes, WhenTaken = WhenTaken?.Then(next) };

    private OutcomeStep Joined(Func<Outcome, OutcomeStep> next)
    {
        var second = next(After!);
        return second.After is null
            ? this with { Refusal = second.Refusal }
            : new()
            {
                Before = Before, After = second.After, Passed = [.. Passed, .. second.Passed],
                Movements = [.. Movements, .. second.Movements], Frees = second.Frees, Refusal = second.Refusal,
            };
    }
}
