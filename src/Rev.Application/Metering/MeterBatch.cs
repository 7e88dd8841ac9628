using System.Globalization;
using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Application.Metering;

/// <summary>One item of a batch: a call, or what is wrong with its JSON.</summary>
public readonly record struct BatchItem<T>(T? Request, Error? Error);

/// <summary>Meters up to 1000 executions; each is judged alone.</summary>
public sealed record MeterBatch(Tenant Tenant, IReadOnlyList<BatchItem<MeterCall>> Items, string? IdempotencyKey) : IRequest<Result<BatchReceipt>>
{
    /// <summary>Most items.</summary>
    public const int MaxItems = 1000;
}

/// <summary>What came of each item, in order.</summary>
public sealed record BatchReceipt(IReadOnlyList<Result<MeteredReceipt>> Results);

/// <summary>Shape of <see cref="MeterBatch"/>.</summary>
public sealed class MeterBatchValidator : AbstractValidator<MeterBatch>
{
    /// <summary>The rules.</summary>
    public MeterBatchValidator() =>
        RuleFor(x => x.Items.Count).InclusiveBetween(1, MeterBatch.MaxItems).OverridePropertyName("events").WithMessage($"must be 1 to {MeterBatch.MaxItems} items");
}

/// <summary>Handles <see cref="MeterBatch"/>.</summary>
public sealed class MeterBatchHandler(CallRecorder recorder, IValidator<MeterCall> validator) : IRequestHandler<MeterBatch, Result<BatchReceipt>>
{
    /// <inheritdoc/>
    public async Task<Result<BatchReceipt>> Handle(MeterBatch request, CancellationToken cancellationToken)
    {
        // All are priced before the first is stored, and stored in their order: of two that claim one bonus, or bring
        // one key, the first comes first.
        var priced = new (PricedCall? Call, Error? Error)[request.Items.Count];
        for (var i = 0; i < priced.Length; i++) priced[i] = await Price(request, i, cancellationToken);
        var recorded = await recorder.Append(priced.Select(p => p.Call).OfType<PricedCall>().ToArray(), cancellationToken);
        var next = 0;
        return new BatchReceipt(Array.ConvertAll(priced, p => p.Call is null ? p.Error! : recorded[next++]));
    }

    private async ValueTask<(PricedCall?, Error?)> Price(MeterBatch batch, int index, CancellationToken cancellationToken)
    {
        var item = batch.Items[index];
        if ((item.Error ?? validator.Refusal(item.Request!)) is { } error) return (null, error);
        var call = item.Request!;
        if (call.IdempotencyKey is null && batch.IdempotencyKey is { } key)
            call = call with { IdempotencyKey = string.Create(CultureInfo.InvariantCulture, $"{index}\n{key}"), KeySpace = "batches" };
        return (await recorder.Price(call, cancellationToken), null);
    }
}
