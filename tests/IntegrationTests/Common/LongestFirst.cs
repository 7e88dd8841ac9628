using Rev.IntegrationTests.Analytics;
using Rev.IntegrationTests.Billing;
using Rev.IntegrationTests.Metering;
using Rev.IntegrationTests.Operations;
using Rev.IntegrationTests.Outcomes;
using Rev.IntegrationTests.Streaming;
using Rev.IntegrationTests.Web;
using Rev.IntegrationTests.Web.Browser;
using Rev.IntegrationTests.Webhooks;
using Xunit.Abstractions;

namespace Rev.IntegrationTests.Common;

/// <summary>Begins with what takes longest, so that at the end nothing long is left to run by itself.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Longest =
    [
        Walks.Name,
        nameof(FailureModeTests), nameof(InvoicingTests), nameof(MeterTests), nameof(ArchiveTests), nameof(WebhookDispatchTests), nameof(WebhookDeliveryTests),
        nameof(ExactlyOnceTests), nameof(StripeConnectionTests), nameof(RevenueTests), nameof(StreamTests), nameof(HookTests), nameof(OperationsTests),
        nameof(BillingPropertyTests), nameof(StripeAttackTests), nameof(PartitionTests), nameof(DemoTests), nameof(DocsSampleTests), nameof(MigrationTests),
        nameof(BillingPageTests), nameof(ReplayTests), nameof(JobTests), nameof(RaceTests),
    ];

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections.OrderBy(Place);

    /// <summary>A class that is a collection by itself gives it its name, with words before it.</summary>
    private static int Place(ITestCollection collection)
    {
        var name = collection.DisplayName[(collection.DisplayName.LastIndexOf('.') + 1)..];
        var place = Array.IndexOf(Longest, name);
        return place < 0 ? Longest.Length : place;
    }
}
