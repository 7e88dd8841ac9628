using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;

namespace Rev.Domain.Pricing;

/// <summary>The right to the one bonus for a value: unique, taken in the transaction of the decision, freed by a reversal.</summary>
/// <param name="Hash">16 bytes of SHA-256 over tenant, customer, scope, field and value.</param>
public readonly record struct BonusClaim(UInt128 Hash)
{
    /// <summary>The claim of an outcome with these facts; null when the field is missing or not a scalar.</summary>
    public static BonusClaim? Of(Tenant tenant, OneBonusPer rule, CallFacts facts)
    {
        var value = facts[rule.Field];
        var text = value.Type switch
        {
            FactType.String => "s" + value.Text,
            FactType.Number => "n" + FactValue.Normalized(value.Number).ToString(CultureInfo.InvariantCulture),
            FactType.Boolean => value.Flag ? "t" : "f",
            FactType.Missing or FactType.Null or FactType.Array or FactType.Other => null,
        };
        if (text is null) return null;
        var scope = rule.Scope switch
        {
            ClaimScope.Agent => "agent\n" + facts.Agent.Value,
            ClaimScope.Account => "account",
        };
        var key = $"{tenant.Account}\n{tenant.Mode}\n{facts.Customer}\n{scope}\n{rule.Field}\n{text}";
        return new(UlidText.FromBytes(SHA256.HashData(Encoding.UTF8.GetBytes(key))[..16]));
    }
}
