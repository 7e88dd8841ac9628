using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>A delivery in a list.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ReceivedAt">When it came.</param>
/// <param name="Result">What came of it: of several calls, what says most.</param>
/// <param name="Reason">Why; null where the result, or its items, say it all.</param>
/// <param name="Resolved">How many outcomes it decided.</param>
/// <param name="WebhookId">The sender's id of it, with Standard Webhooks.</param>
/// <param name="Bytes">The size of its body.</param>
/// <param name="WaitingUntil">Until when it waits for a call that it names; null when it does not.</param>
/// <param name="Attempts">Tries that failed.</param>
/// <param name="SettledAt">When its result was found last.</param>
public sealed record HookDeliverySummary(
    HookDeliveryId Id, DateTimeOffset ReceivedAt, HookResult Result, string? Reason, int Resolved, string? WebhookId, long Bytes, DateTimeOffset? WaitingUntil,
    int Attempts, DateTimeOffset? SettledAt)
{
    /// <summary>The summary of a delivery.</summary>
    public static HookDeliverySummary Of(HookDelivery d) =>
        new(d.Id, d.ReceivedAt, d.Result, d.Reason, d.Resolved, d.WebhookId, d.Bytes, d.WaitingUntil, d.Attempts, d.SettledAt);
}

/// <summary>What came of one call that a delivery names.</summary>
/// <param name="Value">The value that names it; null when there is none, or it was erased.</param>
/// <param name="OutcomeId">The outcome that was found.</param>
/// <param name="Result">What came of it.</param>
/// <param name="Reason">Why; null where the result says it all, or after an erasure.</param>
/// <param name="Kept">What of the payload became metadata.</param>
public sealed record HookDeliveryItem(string? Value, OutcomeId? OutcomeId, HookResult Result, string? Reason, KeptPayload Kept);

/// <summary>A delivery with its body.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ReceivedAt">When it came.</param>
/// <param name="Result">What came of it: of several calls, what says most.</param>
/// <param name="Reason">Why; null where the result, or its items, say it all.</param>
/// <param name="Resolved">How many outcomes it decided.</param>
/// <param name="WebhookId">The sender's id of it, with Standard Webhooks.</param>
/// <param name="Bytes">The size of its body.</param>
/// <param name="WaitingUntil">Until when it waits for a call that it names; null when it does not.</param>
/// <param name="Attempts">Tries that failed.</param>
/// <param name="SettledAt">When its result was found last.</param>
/// <param name="Body">As it came, as text; null after 30 days, after an erasure of the customer, and when it was too large.</param>
/// <param name="Items">What came of each call that it names.</param>
public sealed record HookDeliveryDetails(
    HookDeliveryId Id, DateTimeOffset ReceivedAt, HookResult Result, string? Reason, int Resolved, string? WebhookId, long Bytes, DateTimeOffset? WaitingUntil,
    int Attempts, DateTimeOffset? SettledAt, string? Body, IReadOnlyList<HookDeliveryItem> Items)
{
    /// <summary>The details of a delivery.</summary>
    public static HookDeliveryDetails Of(HookDelivery delivery, string? body, IEnumerable<HookItem> items)
    {
        var s = HookDeliverySummary.Of(delivery);
        return new(
            s.Id, s.ReceivedAt, s.Result, s.Reason, s.Resolved, s.WebhookId, s.Bytes, s.WaitingUntil, s.Attempts, s.SettledAt, body,
            items.Select(i => new HookDeliveryItem(i.Value, i.Outcome, i.Result, i.Reason, i.Kept)).ToArray());
    }

    /// <summary>Without its body.</summary>
    public override string ToString() => $"{nameof(HookDeliveryDetails)} {Id}";
}

/// <summary>One delivery to a resolver.</summary>
public sealed record GetHookDelivery(Tenant Tenant, ResolverId Resolver, HookDeliveryId Id) : IRequest<Result<HookDeliveryDetails>>;

/// <summary>Deliveries to a resolver, newest first.</summary>
public sealed record ListHookDeliveries(Tenant Tenant, ResolverId Resolver, string? Result, PageRequest Page) : IRequest<Result<Page<HookDeliverySummary>>>
{
    /// <summary>The names of results.</summary>
    public static IReadOnlyList<string> Results { get; } =
        ["received", "resolved", "no_match", "already_resolved", "expired", "no_condition_met", "bad_signature", "invalid_payload", "failed"];
}

/// <summary>Shape of <see cref="ListHookDeliveries"/>.</summary>
public sealed class ListHookDeliveriesValidator : AbstractValidator<ListHookDeliveries>
{
    /// <summary>The rules.</summary>
    public ListHookDeliveriesValidator()
    {
        this.PageRules(x => x.Page);
        RuleFor(x => x.Result).Must(r => r is null || ListHookDeliveries.Results.Contains(r, StringComparer.Ordinal)).OverridePropertyName("result")
            .WithMessage($"must be one of {string.Join(", ", ListHookDeliveries.Results)}");
    }
}
