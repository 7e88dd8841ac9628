using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;

namespace Rev.Web.Pricing;

/// <summary>The example call beside the editor, as it is typed.</summary>
/// <param name="TokensIn">Tokens read.</param>
/// <param name="TokensOut">Tokens written.</param>
/// <param name="Outcome">success, failure, pending, or empty where none is tracked.</param>
/// <param name="Action">What was done.</param>
/// <param name="Model">By which model.</param>
/// <param name="Facts">Its metadata, as JSON.</param>
public sealed record TierExample(string TokensIn, string TokensOut, string Outcome, string Action, string Model, string Facts)
{
    /// <summary>The name of <see cref="TokensIn"/> in the form.</summary>
    public const string InKey = "example_in";

    /// <summary>The name of <see cref="TokensOut"/> in the form.</summary>
    public const string OutKey = "example_out";

    /// <summary>The name of <see cref="Outcome"/> in the form.</summary>
    public const string OutcomeKey = "example_outcome";

    /// <summary>The name of <see cref="Action"/> in the form.</summary>
    public const string ActionKey = "example_action";

    /// <summary>The name of <see cref="Model"/> in the form.</summary>
    public const string ModelKey = "example_model";

    /// <summary>The name of <see cref="Facts"/> in the form.</summary>
    public const string FactsKey = "example_metadata";

    /// <summary>The call of the guide.</summary>
    public static TierExample Default { get; } = new("1200", "340", "success", "email.sent", "", "");

    /// <summary>Outcomes to choose from.</summary>
    public static IReadOnlyList<(string Value, string Text)> Outcomes { get; } =
        [("success", "Success"), ("failure", "Failure"), ("pending", "Pending"), ("", "None is tracked")];

    /// <summary>Reads a form; what it does not say has its default.</summary>
    public static TierExample Read(IFormCollection form)
    {
        string Text(string key, string otherwise) => form.TryGetValue(key, out var sent) ? sent.ToString().Trim() : otherwise;
        return new(
            Text(InKey, Default.TokensIn), Text(OutKey, Default.TokensOut), Text(OutcomeKey, Default.Outcome), Text(ActionKey, Default.Action),
            Text(ModelKey, Default.Model), Text(FactsKey, Default.Facts));
    }

    /// <summary>The question what it costs under a tier; a refusal names the fields of the form.</summary>
    public Result<PreviewCall> ToQuery(Tenant tenant, TierSpec tier)
    {
        var errors = new List<FieldError>();
        var (input, output) = (Tokens(InKey, TokensIn, errors), Tokens(OutKey, TokensOut, errors));
        var metadata = Metadata(errors);
        if (errors.Count > 0) return Error.Invalid(errors);
        return new PreviewCall(tenant, tier, Optional(Action), Optional(Model), input, output, Reported(Outcome), metadata);
    }

    private static string? Optional(string text) => text.Length == 0 ? null : text;

    private static ReportedOutcome Reported(string outcome) => outcome switch
    {
        "success" => ReportedOutcome.Success,
        "failure" => ReportedOutcome.Failure,
        "pending" => ReportedOutcome.Pending,
        _ => ReportedOutcome.None,
    };

    private static long Tokens(string key, string text, List<FieldError> errors)
    {
        if (text.Length == 0) return 0;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var tokens)) return tokens;
        errors.Add(new(key, "must be a whole number, such as 1200"));
        return 0;
    }

    private Metadata? Metadata(List<FieldError> errors)
    {
        if (Facts.Length == 0) return null;
        try
        {
            // By itself first: nothing but one value may take its place in the object.
            using var alone = JsonDocument.Parse(Facts);
            using var whole = JsonDocument.Parse($"{{\"{FactsKey}\":{alone.RootElement.GetRawText()}}}");
            return JsonFields.Of(whole.RootElement, "", errors, FactsKey).Metadata(FactsKey);
        }
        catch (JsonException)
        {
            errors.Add(new(FactsKey, "must be a JSON object, such as {\"reply_received\": true}"));
            return null;
        }
    }
}
