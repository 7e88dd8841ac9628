using MediatR;
using Rev.Application.Outcomes;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Metering;

namespace Rev.Infrastructure.Outcomes;

/// <summary>Handles <see cref="GetOutcome"/>.</summary>
public sealed class GetOutcomeHandler(CallReader reader) : IRequestHandler<GetOutcome, Result<OutcomeDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<OutcomeDetails>> Handle(GetOutcome request, CancellationToken cancellationToken)
    {
        if (await reader.FindWithOutcome(request.Tenant, new(request.Id.Value), cancellationToken) is not { } found) return OutcomeErrors.NotFound;
        if (RowMapping.ToOutcome(found.Call, found.Outcome) is not { } outcome) return OutcomeErrors.NotFound;
        return OutcomeDetails.Of(outcome, found.Call.PotentialBonus, TraceJson.Read(found.Outcome?.Trace));
    }
}
