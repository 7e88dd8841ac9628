using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Customers;

/// <summary>What the forms of customers and agents say: all of their fields, where an empty one clears.</summary>
internal static class CustomerForm
{
    private const string Notes = "metadata";

    /// <summary>The change of a customer that a form asks for.</summary>
    public static Result<ConfigureCustomer> Customer(Tenant tenant, string id, IFormCollection form)
    {
        var errors = new List<FieldError>();
        var metadata = ReadNotes(form.Lines(Notes).Trim(), errors);
        if (errors.Count > 0) return Error.Invalid(errors);
        return new ConfigureCustomer(
            tenant, id, Optional<string>.Of(form.LineOrNull("name")), Optional<string>.Of(form.LineOrNull("email")), Optional<string>.Of(form.LineOrNull("tier")),
            Optional<string>.Of(form.LineOrNull("stripe_customer_id")), Optional<Metadata>.Of(metadata));
    }

    /// <summary>The change of an agent that a form asks for.</summary>
    public static ConfigureAgent Agent(Tenant tenant, string id, IFormCollection form) => new(
        tenant, id, Optional<string>.Of(form.LineOrNull("name")), Optional<string>.Of(form.LineOrNull("tier")), Optional<string>.Of(form.LineOrNull("customer_id")));

    /// <summary>What a field of the form of a customer shows: what was sent, else what is kept.</summary>
    public static string? Shown(string field, IFormCollection? sent, CustomerDetails? kept) => sent is not null ? sent[field].ToString() : field switch
    {
        "name" => kept?.Name,
        "email" => kept?.Email,
        "tier" => kept?.Tier,
        "stripe_customer_id" => kept?.StripeCustomerId,
        Notes => kept?.Metadata is { } notes ? JsonInput.Pretty(notes.Root) : null,
        _ => null,
    };

    /// <summary>What a field of the form of an agent shows: what was sent, else what is kept.</summary>
    public static string? Shown(string field, IFormCollection? sent, AgentDetails? kept) => sent is not null ? sent[field].ToString() : field switch
    {
        "name" => kept?.Name,
        "tier" => kept?.Tier,
        "customer_id" => kept?.CustomerId,
        _ => null,
    };

    /// <summary>Notes, as the API reads them; null when there are none, or they cannot be read, which is a complaint.</summary>
    private static Metadata? ReadNotes(string text, List<FieldError> errors)
    {
        if (text.Length == 0 || JsonInput.Object(text, Notes, errors) is null) return null;
        using var body = JsonDocument.Parse("{\"" + Notes + "\":" + text + "}", new JsonDocumentOptions { MaxDepth = JsonInput.MaxDepth + 1 });
        var faults = new List<FieldError>();
        var metadata = JsonFields.Of(body.RootElement, "", faults, Notes).Metadata(Notes);
        // The form has one field for all of it.
        foreach (var (field, message) in faults)
            errors.Add(new(Notes, field.StartsWith(Notes + ".", StringComparison.Ordinal) ? $"has {field[(Notes.Length + 1)..]}, which {message}" : message));
        return metadata;
    }
}
