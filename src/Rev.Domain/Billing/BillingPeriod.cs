namespace Rev.Domain.Billing;

/// <summary>A time that is billed as one; <paramref name="End"/> is not in it. Both in UTC.</summary>
public readonly record struct BillingPeriod(DateTimeOffset Start, DateTimeOffset End)
{
    /// <summary>Whether an instant lies in it.</summary>
    public bool Contains(DateTimeOffset at) => at >= Start && at < End;
}
