using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>The ways in which an answer of Stripe's is lost though what was asked for was done.</summary>
public static class LostAnswer
{
    private static readonly Dictionary<string, Fault> Faults = new(StringComparer.Ordinal)
    {
        [nameof(Fault.DropAfter)] = Fault.DropAfter,
        [nameof(Fault.TruncateAfter)] = Fault.TruncateAfter,
        [nameof(Fault.HtmlAfter)] = Fault.HtmlAfter,
        [nameof(Fault.ErrorAfter)] = Fault.ErrorAfter,
    };

    /// <summary>All of them on SQLite; what the network does is the same on every database, so one on each of the others.</summary>
    public static TheoryData<Provider, string> OnProviders()
    {
        var data = new TheoryData<Provider, string>();
        foreach (var provider in OneProviderAttribute.Providers)
            foreach (var fault in Faults.Keys.Take(provider == Provider.Sqlite ? Faults.Count : 1)) data.Add(provider, fault);
        return data;
    }

    /// <summary>The one of a name.</summary>
    public static Fault Of(string name) => Faults[name];
}
