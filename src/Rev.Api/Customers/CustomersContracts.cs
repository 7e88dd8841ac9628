using System.Text.Json;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Domain.Common;

namespace Rev.Api.Customers;

/// <summary>What to set of an agent: absent stays, null clears.</summary>
/// <param name="Name">For people, 1 to 200 characters.</param>
/// <param name="Tier">The tier of its calls, unless the customer has one.</param>
/// <param name="CustomerId">Whom its calls are billed to when they name nobody.</param>
internal sealed record AgentRequest(string? Name, string? Tier, string? CustomerId)
{
    public static Func<Tenant, string, ConfigureAgent> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "name", "tier", "customer_id");
        var (name, tier, customer) = (fields.OptionalText("name"), fields.OptionalText("tier"), fields.OptionalText("customer_id"));
        return (tenant, id) => new(tenant, id, name, tier, customer);
    }
}

/// <summary>What to set of a customer: absent stays, null clears.</summary>
/// <param name="Name">For people, 1 to 200 characters.</param>
/// <param name="Email">Where invoices go.</param>
/// <param name="Tier">The tier of calls for it; goes before the agent's.</param>
/// <param name="StripeCustomerId">The customer at Stripe.</param>
/// <param name="Metadata">Your own notes: an object of at most 16 KiB, nested at most 8 levels deep.</param>
internal sealed record CustomerRequest(string? Name, string? Email, string? Tier, string? StripeCustomerId, Metadata? Metadata)
{
    public static Func<Tenant, string, ConfigureCustomer> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "name", "email", "tier", "stripe_customer_id", "metadata");
        var (name, email, tier, stripe) =
            (fields.OptionalText("name"), fields.OptionalText("email"), fields.OptionalText("tier"), fields.OptionalText("stripe_customer_id"));
        var metadata = new Optional<Metadata>(fields.Has("metadata"), fields.Metadata("metadata"));
        return (tenant, id) => new(tenant, id, name, email, tier, stripe, metadata);
    }
}

/// <summary>Members of a change.</summary>
internal static class OptionalFields
{
    /// <summary>A string, null, or nothing.</summary>
    public static Optional<string> OptionalText(this JsonFields fields, string name) => new(fields.Has(name), fields.Text(name));
}
