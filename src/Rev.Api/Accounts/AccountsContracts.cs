using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Api.Accounts;

/// <summary>Who signs up.</summary>
/// <param name="Email">Where the keys are mailed to.</param>
/// <param name="Company">The company's name, 1 to 200 characters.</param>
internal sealed record SignUpRequest([property: Required] string? Email, string? Company)
{
    public static SignUpRequest Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "email", "company");
        return new(fields.Text("email"), fields.Text("company"));
    }

    public SignUp ToCommand() => new(Email, Company);
}

/// <summary>What to change of the account; what is absent stays.</summary>
/// <param name="Company">The company's name, 1 to 200 characters.</param>
/// <param name="Currency">Lower-case ISO 4217 code of new tiers that name none; those there are keep theirs.</param>
internal sealed record ChangeAccountRequest(string? Company, string? Currency)
{
    public static ChangeAccountRequest Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "company", "currency");
        return new(fields.Text("company"), fields.Text("currency"));
    }

    public ChangeAccount ToCommand(Caller caller) => new(caller.Tenant.Account, Company, Currency);
}

/// <summary>The key to make.</summary>
/// <param name="Name">For people, 1 to 100 characters.</param>
/// <param name="Mode">live or test. A test key makes test keys only.</param>
/// <param name="Scopes">What the key may do: meter:write, outcomes:write, pricing:write, billing:write, read, admin. Absent is admin, which is all.</param>
internal sealed record IssueApiKeyRequest([property: Required] string? Name, [property: Required] string? Mode, IReadOnlyList<string>? Scopes)
{
    public static IssueApiKeyRequest Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "name", "mode", "scopes");
        var scopes = fields.List("scopes", ScopeNames.All.Count);
        foreach (var (element, path) in scopes ?? [])
            if (element.ValueKind != JsonValueKind.String) errors.Add(new(path, "must be a string"));
        return new(fields.Text("name"), fields.Text("mode"), scopes?.Select(s => s.Element.ValueKind == JsonValueKind.String ? s.Element.GetString()! : "").ToArray());
    }

    public IssueApiKey ToCommand(Caller caller, string? idempotencyKey) => new(caller, Name, Mode, Scopes, idempotencyKey);
}

/// <summary>How to rotate a key.</summary>
/// <param name="Grace">How long the old key works on, PT0S to P30D; absent is PT0S.</param>
internal sealed record RotateApiKeyRequest(TimeSpan? Grace)
{
    public static RotateApiKeyRequest Read(JsonElement body, List<FieldError> errors) =>
        new(JsonFields.Of(body, "", errors, "grace").Duration("grace"));

    public Result<RotateApiKey> ToCommand(Caller caller, string id) =>
        ApiKeyId.TryParse(id, out var key) ? new RotateApiKey(caller, key, Grace) : AccountErrors.KeyNotFound;
}
