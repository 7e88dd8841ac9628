using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Rev.Application.Billing;
using Sdk = Stripe;

namespace Rev.Infrastructure.Billing;

/// <summary>
/// What a failure of a request to Stripe means, and what of it may be told.
/// Source: https://docs.stripe.com/error-low-level and https://docs.stripe.com/api/idempotent_requests.
/// </summary>
public static partial class StripeFaults
{
    private const int LongestMessage = 500;

    /// <summary>Whether key and account are of characters that can be sent at all.</summary>
    public static bool IsSendable(StripeAccess access) => IsToken(access.ApiKey) && (access.ConnectedAccount is not { } account || IsToken(account));

    /// <summary>The answer to what cannot be sent.</summary>
    public static StripeAnswer<T> Unsendable<T>() =>
        new(StripeVerdict.AccessDenied, Code: "malformed_key", Message: "The key or the account is empty, or has characters that Stripe's never have.");

    /// <summary>The answer that an exception stands for.</summary>
    public static StripeAnswer<T> Of<T>(Exception exception, StripeAccess access, DateTimeOffset now) => exception switch
    {
        Sdk.StripeException answered when (int)answered.HttpStatusCode > 0 => Answered<T>(answered, access, now),
        HttpRequestException broken => new(StripeVerdict.Unknown, Code: "network", Message: Clean(broken.Message, access)),
        OperationCanceledException => new(StripeVerdict.Unknown, Code: "timeout", Message: "Stripe did not answer in time."),
        // Stripe's SDK throws many types over what it cannot read: the request may have been done all the same.
        _ => new(StripeVerdict.Unknown, Code: "unreadable_answer", Message: $"Stripe's answer was not understood ({exception.GetType().Name})."),
    };

    /// <summary>A message without what looks like a key or a secret: Stripe repeats parts of them.</summary>
    public static string Clean(string message, StripeAccess access)
    {
        var clean = access.ApiKey.Length > 0 ? message.Replace(access.ApiKey, "[key]", StringComparison.Ordinal) : message;
        if (clean.Length > LongestMessage) clean = clean[..LongestMessage];
        return KeyLike().Replace(ProvidedKey().Replace(clean, "${said}[key]"), "[key]");
    }

    private static StripeAnswer<T> Answered<T>(Sdk.StripeException exception, StripeAccess access, DateTimeOffset now)
    {
        var status = (int)exception.HttpStatusCode;
        var error = exception.StripeError;
        var response = exception.StripeResponse;
        return new(
            Verdict(status, error, IsReplayed(response?.Headers)),
            Code: error?.Code ?? error?.Type ?? $"http_{status}",
            Message: error?.Message is { Length: > 0 } message ? Clean(message, access) : $"Stripe answered with status {status} and nothing that was understood.",
            RetryAfter: RetryAfter(response?.Headers, now),
            RequestId: response?.RequestId);
    }

    private static StripeVerdict Verdict(int status, Sdk.StripeError? error, bool replayed) => status switch
    {
        >= 400 when replayed => StripeVerdict.Poisoned,
        401 or 403 => StripeVerdict.AccessDenied,
        409 or 429 => StripeVerdict.TryAgain,
        404 when error?.Code == "resource_missing" => StripeVerdict.Gone,
        // The key was used for another content before: that was begun, and this never will be.
        400 when error?.Type == "idempotency_error" => StripeVerdict.Poisoned,
        408 => StripeVerdict.Unknown,
        // Without an error of Stripe's it was somebody between who refused.
        >= 400 and < 500 when error is not null => StripeVerdict.Rejected,
        _ => StripeVerdict.Unknown,
    };

    private static bool IsReplayed(HttpResponseHeaders? headers) =>
        headers is not null && headers.TryGetValues("Idempotent-Replayed", out var values) && values.Contains("true", StringComparer.OrdinalIgnoreCase);

    private static TimeSpan? RetryAfter(HttpResponseHeaders? headers, DateTimeOffset now) => headers?.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > now ? date - now : TimeSpan.Zero,
        _ => null,
    };

    private static bool IsToken(string text) => text.Length > 0 && text.All(c => c is > ' ' and <= '~');

    [GeneratedRegex(@"(?<said>API key provided:\s*)\S+", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ProvidedKey();

    [GeneratedRegex(@"\b((sk|rk|pk|ek|whsec)|[a-z]+_[A-Za-z0-9]+_secret)_[A-Za-z0-9_*.\u2026\u2022-]+", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000)]
    private static partial Regex KeyLike();
}
