namespace Rev.Domain.Pricing;

/// <summary>Which facts of a call the pricing of a tier can look at, beside its agent and tokens: the others need not be known.</summary>
public sealed record FactsRead(bool Action, bool Customer, bool Model, bool Metadata)
{
    /// <summary>What a tier reads.</summary>
    public static FactsRead Of(TierTerms terms)
    {
        var fields = terms.Bonuses.SelectMany(FieldsOf).Append(terms.OneBonusPer?.Field).OfType<FactField>().ToArray();
        return new(
            Names("action") || terms.Bonuses.Any(rule => rule.Action is not null),
            // A claim is for one customer.
            Names("customer_id") || terms.OneBonusPer is not null,
            Names("model") || terms.TokenRates.Models.Count > 0,
            fields.Any(field => field.IsMetadata));

        bool Names(string name) => fields.Any(field => field.Name == name);
    }

    private static IEnumerable<FactField?> FieldsOf(BonusRule rule) =>
        FieldsOf(rule.When).Append(rule.Amount is BonusAmount.Share share ? share.Of : null);

    /// <summary>The fields that a condition looks at; none of no condition.</summary>
    public static IEnumerable<FactField> FieldsOf(Condition? condition) => condition switch
    {
        null => [],
        Condition.All all => all.Parts.SelectMany(FieldsOf),
        Condition.Any any => any.Parts.SelectMany(FieldsOf),
        Condition.Not not => FieldsOf(not.Part),
        Condition.Leaf leaf => [leaf.Field],
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
