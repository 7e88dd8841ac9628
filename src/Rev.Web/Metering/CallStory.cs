using MediatR;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;

namespace Rev.Web.Metering;

/// <summary>A call and all that explains its price.</summary>
/// <param name="Call">The call.</param>
/// <param name="Outcome">Its outcome; null when none is tracked.</param>
/// <param name="Rate">What its tokens cost; null when the version of its tier cannot be read.</param>
public sealed record CallStory(EventDetails Call, OutcomeDetails? Outcome, TokenRate? Rate)
{
    /// <summary>Asks for a call by its id.</summary>
    public static async Task<Result<CallStory>> Ask(IMediator mediator, Tenant tenant, string? id, CancellationToken token)
    {
        if (!CallId.TryParse(id, out var call)) return MeteringErrors.CallNotFound;
        var found = await mediator.Send(new GetEvent(tenant, call), token);
        if (!found.IsSuccess) return found.Error;
        OutcomeDetails? outcome = null;
        if (found.Value.OutcomeId is { } tracked)
        {
            var told = await mediator.Send(new GetOutcome(tenant, tracked), token);
            if (!told.IsSuccess) return told.Error;
            outcome = told.Value;
        }
        var version = await mediator.Send(new GetTierVersion(tenant, found.Value.Tier.Key, found.Value.Tier.Version), token);
        return new CallStory(found.Value, outcome, version.IsSuccess ? version.Value.Terms.TokenRates.For(found.Value.Model) : null);
    }
}
