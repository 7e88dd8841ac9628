using MediatR;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Web.Pricing;

/// <summary>What the example call comes to under a draft, or what has to be mended first.</summary>
/// <param name="Call">The priced call.</param>
/// <param name="Refusal">What is wrong with the draft or the example.</param>
public sealed record TierPreview(CallPreview? Call, Error? Refusal)
{
    /// <summary>Asks.</summary>
    public static async Task<TierPreview> Ask(string json, TierExample example, Tenant tenant, IMediator mediator, CancellationToken token)
    {
        var tier = TierDocument.Read(json);
        if (!tier.IsSuccess) return new TierPreview(null, tier.Error);
        var query = example.ToQuery(tenant, tier.Value);
        if (!query.IsSuccess) return new TierPreview(null, query.Error);
        var priced = await mediator.Send(query.Value, token);
        return priced.IsSuccess ? new TierPreview(priced.Value, null) : new TierPreview(null, priced.Error);
    }
}
