using FluentValidation;
using FluentValidation.Results;
using Rev.Application.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>Ranges and limits of a resolver, and the form of its secret.</summary>
public static class ResolverRules
{
    private const string Tokens = "!#$%&'*+-.^_`|~";

    /// <summary>A resolver and its secret.</summary>
    public static void ResolverIn<T>(this AbstractValidator<T> validator, Func<T, ResolverSpec> spec, Func<T, string?> secret) =>
        validator.RuleFor(x => x).Custom((request, context) =>
        {
            foreach (var (name, message) in Faults(spec(request), secret(request))) context.AddFailure(new ValidationFailure(name, message));
        });

    private static IEnumerable<(string Name, string Message)> Faults(ResolverSpec spec, string? secret)
    {
        if (spec.Name is null) yield return ("name", "is required");
        else if (!Rules.IsLine(spec.Name, ResolverTerms.MaxNameLength)) yield return ("name", $"must be 1 to {ResolverTerms.MaxNameLength} characters, none of them a control character");
        if (spec.Payload is null) yield return ("correlate.payload", "is required");
        else if (!PayloadPath.TryParse(spec.Payload, out _)) yield return ("correlate.payload", PayloadPath.Rule);
        if (spec.Event is null) yield return ("correlate.event", "is required");
        else if (!EventField.TryParse(spec.Event, out _)) yield return ("correlate.event", EventField.Rule);
        if (spec.SuccessWhen is null) yield return ("success_when", "is required");
        for (var i = 0; i < (spec.Metadata?.Count ?? 0); i++)
            if (!PayloadPath.TryParse(spec.Metadata![i], out _)) yield return ($"metadata[{i}]", PayloadPath.Rule);
        if (spec.KeepUnmatchedFor is { } keep && (keep < TimeSpan.Zero || keep > ResolverTerms.MaxKeepUnmatchedFor))
            yield return ("keep_unmatched_for", $"must be PT0S to PT{(int)ResolverTerms.MaxKeepUnmatchedFor.TotalHours}H");
        foreach (var fault in SignatureFaults(spec.Signature, secret)) yield return fault;
    }

    private static IEnumerable<(string Name, string Message)> SignatureFaults(SignatureSpec? signature, string? secret)
    {
        if (signature is null)
        {
            yield return ("signature", "is required");
            yield break;
        }
        if (!ResolverJson.IsScheme(signature.Scheme))
        {
            yield return ("signature.scheme", "must be hmac-sha256, standard-webhooks, stripe or none");
            yield break;
        }
        var scheme = ResolverJson.SchemeOf(signature.Scheme!);
        if (signature.Header is { } header)
        {
            if (scheme is SignatureScheme.StandardWebhooks or SignatureScheme.None) yield return ("signature.header", "goes with hmac-sha256 and stripe only");
            else if (header.Length is 0 or > SignatureRule.MaxHeaderLength || !header.All(c => char.IsAsciiLetterOrDigit(c) || Tokens.Contains(c, StringComparison.Ordinal)))
                yield return ("signature.header", "must be the name of a header");
        }
        if (signature.Encoding is { } encoding)
        {
            if (scheme != SignatureScheme.HmacSha256) yield return ("signature.encoding", "goes with hmac-sha256 only");
            else if (encoding is not ("hex" or "base64")) yield return ("signature.encoding", "must be hex or base64");
        }
        if (signature.Prefix is { } prefix)
        {
            if (scheme != SignatureScheme.HmacSha256) yield return ("signature.prefix", "goes with hmac-sha256 only");
            else if (prefix.Length > SignatureRule.MaxPrefixLength || !prefix.All(c => c is > ' ' and <= '~'))
                yield return ("signature.prefix", $"must be at most {SignatureRule.MaxPrefixLength} printable characters of ASCII without blanks");
        }
        if (signature.Tolerance is { } tolerance)
        {
            if (scheme is not (SignatureScheme.StandardWebhooks or SignatureScheme.Stripe)) yield return ("signature.tolerance", "goes with standard-webhooks and stripe only");
            else if (tolerance < TimeSpan.FromSeconds(1) || tolerance > SignatureRule.MaxTolerance) yield return ("signature.tolerance", "must be PT1S to PT1H");
        }
        if (secret is not null && HookSecret.Fault(scheme, secret) is { } fault) yield return ("signature.secret", fault);
    }
}
