using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;

namespace Rev.Web.Customers;

/// <summary>The tiers that an agent or a customer may be given.</summary>
internal static class TierChoices
{
    private const int MaxPages = 10;

    /// <summary>Those in use: key and words.</summary>
    /// <param name="mediator">The way to the application.</param>
    /// <param name="tenant">Whose.</param>
    /// <param name="none">What no tier means.</param>
    /// <param name="current">The one it has, which is offered whatever comes of the others.</param>
    /// <param name="cancellationToken">Ends waiting for the store.</param>
    public static async Task<IReadOnlyList<(string Value, string Text)>> Of(
        IMediator mediator, Tenant tenant, string none, string? current, CancellationToken cancellationToken)
    {
        List<(string Value, string Text)> choices = [("", none)];
        string? cursor = null;
        for (var page = 0; page < MaxPages; page++)
        {
            var tiers = await mediator.Send(new ListTiers(tenant, new(PageRequest.MaxLimit, cursor)), cancellationToken);
            if (!tiers.IsSuccess) break;
            foreach (var tier in tiers.Value.Data)
                if (tier.ArchivedAt is null) choices.Add((tier.Key, $"{tier.Key} · {tier.Terms.Name}"));
            cursor = tiers.Value.NextCursor;
            if (cursor is null) break;
        }
        if (current is not null && !choices.Exists(choice => choice.Value == current)) choices.Add((current, current));
        return choices;
    }
}
