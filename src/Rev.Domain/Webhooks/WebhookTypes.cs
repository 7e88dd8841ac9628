using System.Diagnostics.CodeAnalysis;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;

namespace Rev.Domain.Webhooks;

/// <summary>What endpoints are told of, by its name on the wire.</summary>
public static class WebhookTypes
{
    /// <summary>Longest name, in characters.</summary>
    public const int MaxLength = 40;

    /// <summary>An outcome succeeded, and its bonus is charged.</summary>
    public const string OutcomeSucceeded = "outcome.succeeded";

    /// <summary>An outcome failed.</summary>
    public const string OutcomeFailed = "outcome.failed";

    /// <summary>No result of an outcome came in time.</summary>
    public const string OutcomeExpired = "outcome.expired";

    /// <summary>An outcome succeeded, and its bonus waits for the review window.</summary>
    public const string OutcomeInReview = "outcome.in_review";

    /// <summary>A success was taken back.</summary>
    public const string OutcomeReversed = "outcome.reversed";

    /// <summary>An invoice was finalised at Stripe.</summary>
    public const string InvoiceFinalized = "invoice.finalized";

    /// <summary>An invoice was paid.</summary>
    public const string InvoicePaid = "invoice.paid";

    /// <summary>A payment of an invoice was tried and failed.</summary>
    public const string InvoicePaymentFailed = "invoice.payment_failed";

    /// <summary>Something cannot be brought to Stripe until somebody looks.</summary>
    public const string StripeSyncFailed = "stripe.sync_failed";

    /// <summary>A test send: to its endpoint alone, whatever that asks for.</summary>
    public const string Test = "webhook.test";

    /// <summary>All that an endpoint can ask for.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        OutcomeSucceeded, OutcomeFailed, OutcomeExpired, OutcomeInReview, OutcomeReversed, InvoiceFinalized, InvoicePaid, InvoicePaymentFailed, StripeSyncFailed,
    ];

    /// <summary>What an outcome that came to a status is told as; null where nothing is told.</summary>
    public static string? Of(OutcomeStatus status) => status switch
    {
        OutcomeStatus.Pending => null,
        OutcomeStatus.InReview => OutcomeInReview,
        OutcomeStatus.Succeeded => OutcomeSucceeded,
        OutcomeStatus.Failed => OutcomeFailed,
        OutcomeStatus.Expired => OutcomeExpired,
        OutcomeStatus.Reversed => OutcomeReversed,
    };
}

/// <summary>What an endpoint asks for: <c>*</c>, all of a kind such as <c>outcome.*</c>, or one type by its name.</summary>
public sealed record EventPatterns
{
    /// <summary>Most patterns of one endpoint.</summary>
    public const int Max = 20;

    /// <summary>Longest text of the patterns in a row, in characters.</summary>
    public const int MaxLength = Max * (WebhookTypes.MaxLength + 1);

    private const string Everything = "*";
    private const string AllOfKind = ".*";

    private EventPatterns(ValueList<string> names) => Names = names;

    /// <summary>The patterns, as they were given; none comes twice.</summary>
    public ValueList<string> Names { get; }

    /// <summary>What <see cref="TryParse"/> holds patterns to.</summary>
    public static string Rule { get; } =
        $"must be 1 to {Max} different ones of {string.Join(", ", Kinds().Prepend(Everything).Concat(WebhookTypes.All))}";

    /// <summary>Reads patterns.</summary>
    public static bool TryParse(IReadOnlyList<string?>? names, [NotNullWhen(true)] out EventPatterns? patterns)
    {
        patterns = null;
        if (names is null || names.Count is 0 or > Max) return false;
        if (!names.All(IsPattern) || names.Distinct(StringComparer.Ordinal).Count() != names.Count) return false;
        patterns = new(names.OfType<string>().ToValueList());
        return true;
    }

    /// <summary>Stored patterns, as <see cref="ToString"/> wrote them.</summary>
    public static EventPatterns Stored(string text) => new(text.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToValueList());

    /// <summary>Whether a type is among what is asked for.</summary>
    public bool Match(string type) => Names.Any(n =>
        n == Everything || n == type || (n.EndsWith(AllOfKind, StringComparison.Ordinal) && type.StartsWith(n[..^1], StringComparison.Ordinal)));

    /// <summary>The patterns in a row.</summary>
    public override string ToString() => string.Join(' ', Names);

    private static bool IsPattern(string? name) =>
        name is not null && (name == Everything || WebhookTypes.All.Contains(name, StringComparer.Ordinal) || Kinds().Contains(name, StringComparer.Ordinal));

    private static IEnumerable<string> Kinds() =>
        WebhookTypes.All.Select(t => t[..t.IndexOf('.', StringComparison.Ordinal)] + AllOfKind).Distinct(StringComparer.Ordinal);
}
