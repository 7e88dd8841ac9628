using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>Refusals of statements.</summary>
public static class BillingErrors
{
    /// <summary>Single calls are asked for that only an archive holds.</summary>
    public static Error Archived(IEnumerable<DateTimeOffset> months) => new("statement.archived", ErrorKind.Conflict,
        $"Single calls of the archived month {string.Join(", ", months.Select(m => m.ToString("yyyy-MM")))} are needed. Ask for JSON over whole hours, or have the month restored.");
}
