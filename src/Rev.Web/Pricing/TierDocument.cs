using System.Text;
using System.Text.Json;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>A tier as it is edited: the very body of <c>PUT /v1/tiers/{key}</c>, read and judged as there.</summary>
public static class TierDocument
{
    /// <summary>The field of the document as a whole in refusals.</summary>
    public const string Field = "json";

    private const int MaxBytes = 1024 * 1024;
    private const int MaxDepth = JsonInput.MaxDepth;

    /// <summary>Reads a document; a refusal names each member by its path.</summary>
    public static Result<TierSpec> Read(string text)
    {
        if (string.IsNullOrWhiteSpace(text)) return Error.Invalid(Field, "is empty; a tier is a JSON object with a name");
        if (Encoding.UTF8.GetByteCount(text) > MaxBytes) return Error.Invalid(Field, "is larger than 1 MiB");
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth });
            if (TextFault(text) is { } fault) return Error.Invalid(Field, fault);
            var errors = new List<FieldError>();
            var tier = TierJson.Read(document.RootElement, "", errors);
            if (errors.Count > 0) return Error.Invalid(errors);
            return new TierSpecValidator().Refusal(tier) is { } refusal ? refusal : tier;
        }
        catch (JsonException exception)
        {
            return Error.Invalid(Field, $"is not valid JSON, or is nested too deep, at line {(exception.LineNumber ?? 0) + 1}, byte {(exception.BytePositionInLine ?? 0) + 1} of it");
        }
    }

    /// <summary>The document of terms, every member filled.</summary>
    public static string Write(TierTerms terms) => JsonInput.Pretty(writer =>
    {
        writer.WriteStartObject();
        TierJson.WriteMembers(writer, terms);
        writer.WriteEndObject();
    });

    /// <summary>A JSON text over several lines; another text as it is.</summary>
    public static string Indented(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return TextFault(text) is null ? JsonInput.Pretty(document.RootElement) : text;
        }
        catch (JsonException)
        {
            return text;
        }
    }

    /// <summary>What no string of a tier may hold: half of a surrogate pair, or the character NUL.</summary>
    private static string? TextFault(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal)) return null;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { MaxDepth = MaxDepth });
        try
        {
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped
                    && reader.GetString()!.Contains('\0', StringComparison.Ordinal)) return "contains the character NUL (\\u0000)";
        }
        catch (InvalidOperationException)
        {
            return "escapes half of a surrogate pair, which is no character";
        }
        return null;
    }
}
