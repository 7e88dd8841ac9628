using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Pricing;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Pricing;

namespace Rev.Application.Metering;

/// <summary>Meters one execution of an agent: priced, stored, answered.</summary>
public sealed record MeterCall(
    Tenant Tenant, string? AgentId, string? Action, long TokensInput, long TokensOutput, string? Outcome, DateTimeOffset? ExpiresAt, Metadata? Metadata,
    string? CustomerId, string? Model, DateTimeOffset? OccurredAt, string? IdempotencyKey) : IRequest<Result<MeteredReceipt>>
{
    /// <summary>The space of its idempotency key: a batch's header key has one of its own.</summary>
    public string KeySpace { get; init; } = "calls";
}

/// <summary>A receipt, and whether it was given before.</summary>
public sealed record MeteredReceipt(MeterReceipt Receipt, bool Replayed);

/// <summary>Shape of <see cref="MeterCall"/>.</summary>
public sealed class MeterCallValidator : AbstractValidator<MeterCall>
{
    /// <summary>The rules.</summary>
    public MeterCallValidator()
    {
        RuleFor(x => x.AgentId).Key("agent_id");
        RuleFor(x => x.Action).Key("action");
        RuleFor(x => x.TokensInput).Tokens("tokens_input");
        RuleFor(x => x.TokensOutput).Tokens("tokens_output");
        RuleFor(x => x.Outcome).Must(o => o is null or "success" or "failure" or "pending").OverridePropertyName("outcome")
            .WithMessage("must be success, failure or pending");
        RuleFor(x => x.ExpiresAt).Must((call, at) => at is null || call.Outcome == "pending").OverridePropertyName("expires_at")
            .WithMessage("goes with the outcome pending only");
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
        RuleFor(x => x.Model).Must(m => m is null || (m.Length is > 0 and <= ModelRate.MaxLength && m.All(c => !char.IsControl(c)) && !string.IsNullOrWhiteSpace(m)))
            .OverridePropertyName("model").WithMessage($"must be 1 to {ModelRate.MaxLength} printable characters");
        RuleFor(x => x.IdempotencyKey).Line("idempotency_key", IdempotencyHash.MaxKeyLength);
    }
}

/// <summary>Handles <see cref="MeterCall"/>.</summary>
public sealed class MeterCallHandler(CallRecorder recorder) : IRequestHandler<MeterCall, Result<MeteredReceipt>>
{
    /// <inheritdoc/>
    public Task<Result<MeteredReceipt>> Handle(MeterCall request, CancellationToken cancellationToken) => recorder.Record(request, cancellationToken);
}
