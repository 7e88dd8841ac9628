using Microsoft.AspNetCore.Http;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Domain.Webhooks;
using Rev.Web.Common;

namespace Rev.Web.Webhooks;

/// <summary>What pages say of deliveries to resolvers, and read of samples.</summary>
internal static class HookText
{
    /// <summary>The results that a list may be asked for.</summary>
    public static readonly IReadOnlyList<(string Value, string Text)> Results = [("", "any"), .. ListHookDeliveries.Results.Select(result => (result, result.Replace('_', ' ')))];

    /// <summary>What a result means, in a sentence.</summary>
    public static string Told(HookResult result) => result switch
    {
        HookResult.Received => "It is stored and being worked on.",
        HookResult.Resolved => "It decided an outcome.",
        HookResult.NoMatch => "No call has the value that it names.",
        HookResult.AlreadyResolved => "The outcome was decided before.",
        HookResult.Expired => "It came after the outcome's expires_at.",
        HookResult.NoConditionMet => "Neither condition holds, so nothing happened.",
        HookResult.BadSignature => "It is not signed as the resolver says, so it was not taken.",
        HookResult.InvalidPayload => "It cannot be read, so it was not taken.",
        HookResult.Failed => "It was given up.",
    };

    /// <summary>The same of a sample, of which nothing is stored or decided.</summary>
    public static string Foretold(HookResult result) => result switch
    {
        HookResult.Received => "It would be worked on.",
        HookResult.Resolved => "It would decide an outcome.",
        HookResult.NoMatch => "No call has the value that it names.",
        HookResult.AlreadyResolved => "The outcome was decided before.",
        HookResult.Expired => "It would come after the outcome's expires_at.",
        HookResult.NoConditionMet => "Neither condition holds, so nothing would happen.",
        HookResult.BadSignature => "It would not be taken: it is not signed as the resolver says.",
        HookResult.InvalidPayload => "It would not be taken: it cannot be read.",
        HookResult.Failed => "It would be given up.",
    };

    /// <summary>What of a payload becomes metadata.</summary>
    public static string Kept(KeptPayload kept) => kept switch
    {
        KeptPayload.None => "nothing",
        KeptPayload.Whole => "all of it",
        KeptPayload.Chosen => "the chosen fields",
        KeptPayload.Read => "only what the conditions read: the rest is too much",
    };

    /// <summary>A value of a condition, as JSON.</summary>
    public static string Value(FactValue? value) => value is { } known ? JsonInput.Compact(known.WriteTo) : "missing";

    /// <summary>Headers, one on each line; null when there are none, which leaves the signature aside.</summary>
    public static IReadOnlyDictionary<string, string>? Headers(IFormCollection form, string field, List<FieldError> errors)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in form.Lines(field).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0)
            {
                headers[line[..colon].Trim()] = line[(colon + 1)..].Trim();
                continue;
            }
            errors.Add(new(field, "must have a name, a colon and a value on each line"));
            return null;
        }
        return headers.Count == 0 ? null : headers;
    }
}
