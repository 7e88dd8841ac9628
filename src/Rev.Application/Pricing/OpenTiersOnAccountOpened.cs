using Rev.Application.Accounts;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Application.Pricing;

/// <summary>Every account starts with a tier default, in each mode.</summary>
public sealed class OpenTiersOnAccountOpened(ITiers tiers) : IOnAccountOpened
{
    /// <inheritdoc/>
    public void Handle(Account account)
    {
        foreach (var mode in Enum.GetValues<Mode>())
            tiers.Add(Tier.Create(new(account.Id, mode), TierKey.Default, TierTerms.Starter(Currency.Parse(account.Currency)), account.CreatedAt));
    }
}
