using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Billing;
using Rev.Domain.Common;
using Rev.Domain.Customers;

namespace Rev.Application.Billing;

/// <summary>Finds, links or makes the customer at Stripe that stands for one of Rev's.</summary>
public sealed class StripeCustomers(IStripe stripe, IStripeLinks links)
{
    /// <summary>A customer may have been made by a server whose clock was behind.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromHours(1);

    /// <summary>Keys that are tried, one after the other, when Stripe remembers an error under the one before.</summary>
    private const int MaxKeys = 3;

    /// <summary>
    /// The customer's id at Stripe. One that is linked is looked up; for one that is not, a customer that was made before a crash
    /// is looked for, then one is made, and the link is committed.
    /// </summary>
    /// <returns>What Stripe says of it; <see cref="StripeVerdict.Gone"/> when the linked one was deleted, <see cref="StripeVerdict.Rejected"/> when it is of the other mode.</returns>
    public async Task<StripeAnswer<StripeCustomerFacts>> Ensure(StripeAccess access, StripeConnection connection, Customer customer, CancellationToken cancellationToken)
    {
        if (customer.StripeCustomerId is { } linked) return await Verify(access, connection, linked, cancellationToken);
        var made = await FindOrMake(access, connection, customer, cancellationToken);
        if (!made.IsApplied) return made;
        var kept = await links.Link(connection.Tenant, customer.CustomerId, made.Value!.Id, cancellationToken);
        if (kept is null) return new(StripeVerdict.Gone, Code: "customer_missing", Message: "The customer is not there any more.");
        // Somebody linked another one meanwhile: theirs counts.
        return kept == made.Value.Id ? made : await Verify(access, connection, kept, cancellationToken);
    }

    private async Task<StripeAnswer<StripeCustomerFacts>> Verify(StripeAccess access, StripeConnection connection, string id, CancellationToken cancellationToken)
    {
        var found = await stripe.GetCustomer(access, id, cancellationToken);
        if (!found.IsApplied) return found;
        if (found.Value!.Deleted) return new(StripeVerdict.Gone, Code: "customer_deleted", Message: $"The customer {id} was deleted at Stripe.");
        if (found.Value.Live != connection.Live)
            return new(StripeVerdict.Rejected, Code: "customer_of_other_mode", Message: $"The customer {id} is of Stripe's other mode.");
        return found;
    }

    private async Task<StripeAnswer<StripeCustomerFacts>> FindOrMake(StripeAccess access, StripeConnection connection, Customer customer, CancellationToken cancellationToken)
    {
        StripeAnswer<StripeCustomerFacts> made;
        var round = 0;
        do
        {
            // Nothing is made before reading showed that it is not there: a key that Stripe forgot would make a second one.
            var since = (customer.CreatedAt > connection.CreatedAt ? customer.CreatedAt : connection.CreatedAt) - Skew;
            var there = await stripe.CustomersSince(access, since, cancellationToken);
            if (!there.IsApplied) return there.As<StripeCustomerFacts>();
            if (there.Value!.FirstOrDefault(c => c.CustomerId == customer.CustomerId.Value && !c.Deleted && c.Live == connection.Live) is { } found)
                return new(StripeVerdict.Applied, found);
            made = await stripe.CreateCustomer(access, new(customer.CustomerId.Value, customer.Name, customer.Email), KeyOf(connection, customer, round), cancellationToken);
            // A remembered answer may tell of a customer that was deleted since.
            if (made.IsApplied) made = await stripe.GetCustomer(access, made.Value!.Id, cancellationToken);
            round++;
        }
        while ((made.Verdict is StripeVerdict.Poisoned or StripeVerdict.Gone || made is { IsApplied: true, Value.Deleted: true }) && round < MaxKeys);
        if (made is { IsApplied: true, Value.Deleted: true }) return new(StripeVerdict.Unknown, Code: "customer_deleted", Message: "Stripe remembers a customer that was deleted.");
        return made;
    }

    private static string KeyOf(StripeConnection connection, Customer customer, int round)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(customer.CustomerId.Value)))[..16];
        return string.Create(CultureInfo.InvariantCulture, $"rev:{connection.Id}:cus:{hash}{(round == 0 ? "" : $":e{round}")}");
    }
}
