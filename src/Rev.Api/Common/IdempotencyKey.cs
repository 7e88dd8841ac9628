using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Api.Common;

/// <summary>The header Idempotency-Key.</summary>
internal static class IdempotencyKey
{
    private const string Field = "idempotency_key";

    /// <summary>The header's key, null without one.</summary>
    public static Result<string?> Header(HttpContext http)
    {
        if (!http.Request.Headers.TryGetValue("Idempotency-Key", out var values)) return (string?)null;
        if (values.Count != 1 || values[0] is not { } key) return Error.Invalid(Field, "is given twice");
        return Rules.IsLine(key, IdempotencyHash.MaxKeyLength)
            ? key
            : Error.Invalid(Field, $"must be 1 to {IdempotencyHash.MaxKeyLength} characters, none of them a control character");
    }

    /// <summary>The key of header and body, which must not differ.</summary>
    public static Result<string?> HeaderOr(HttpContext http, string? inBody)
    {
        var header = Header(http);
        if (!header.IsSuccess || header.Value is not { } key) return header.IsSuccess ? inBody : header;
        return inBody is null || inBody == key ? key : Error.Invalid(Field, "differs from the header Idempotency-Key");
    }
}
