using Rev.Application.Accounts;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Customers;

namespace Rev.Application.Customers;

/// <summary>Every account starts with a customer default, in each mode: whom a call is billed to when it names nobody.</summary>
public sealed class RegisterDefaultCustomerOnAccountOpened(ICustomers customers, IIdFactory ids) : IOnAccountOpened
{
    /// <inheritdoc/>
    public void Handle(Account account)
    {
        foreach (var mode in Enum.GetValues<Mode>())
            customers.Add(Customer.Register(new(ids.Next(account.CreatedAt)), new(account.Id, mode), CustomerId.Default, account.CreatedAt));
    }
}
