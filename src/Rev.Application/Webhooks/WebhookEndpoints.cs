using System.Security.Cryptography;
using FluentValidation;
using MediatR;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>An endpoint, without its secret.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">The address.</param>
/// <param name="Events">What it asks for.</param>
/// <param name="Description">For people.</param>
/// <param name="Status">Whether messages are sent to it.</param>
/// <param name="DisabledReason">Why not: manual, failing or gone.</param>
/// <param name="DisabledAt">Since when not.</param>
/// <param name="FailingSince">Since when every attempt fails; null after a success.</param>
/// <param name="PreviousSecretUntil">Until when messages are signed with the secret before as well.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was changed last.</param>
public sealed record WebhookEndpointDetails(
    WebhookEndpointId Id, string Url, IReadOnlyList<string> Events, string? Description, WebhookEndpointStatus Status, WebhookDisabledReason? DisabledReason,
    DateTimeOffset? DisabledAt, DateTimeOffset? FailingSince, DateTimeOffset? PreviousSecretUntil, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt)
{
    /// <summary>The details of an endpoint.</summary>
    public static WebhookEndpointDetails Of(WebhookEndpoint e) => new(
        e.Id, e.Url, e.Patterns.Names, e.Description, e.Status, e.DisabledReason, e.DisabledAt, e.FailingSince, e.PreviousSecretUntil, e.CreatedAt, e.UpdatedAt);
}

/// <summary>An endpoint with a new secret, which is shown this once, and null when the answer is a replay.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">The address.</param>
/// <param name="Events">What it asks for.</param>
/// <param name="Description">For people.</param>
/// <param name="Status">Whether messages are sent to it.</param>
/// <param name="DisabledReason">Why not: manual, failing or gone.</param>
/// <param name="DisabledAt">Since when not.</param>
/// <param name="FailingSince">Since when every attempt fails; null after a success.</param>
/// <param name="PreviousSecretUntil">Until when messages are signed with the secret before as well.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="UpdatedAt">When it was changed last.</param>
/// <param name="Secret">What messages are signed with: whsec_….</param>
public sealed record IssuedWebhookEndpoint(
    WebhookEndpointId Id, string Url, IReadOnlyList<string> Events, string? Description, WebhookEndpointStatus Status, WebhookDisabledReason? DisabledReason,
    DateTimeOffset? DisabledAt, DateTimeOffset? FailingSince, DateTimeOffset? PreviousSecretUntil, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, string? Secret)
{
    /// <summary>An endpoint with its secret.</summary>
    public static IssuedWebhookEndpoint Of(WebhookEndpoint e, string? secret) => new(
        e.Id, e.Url, e.Patterns.Names, e.Description, e.Status, e.DisabledReason, e.DisabledAt, e.FailingSince, e.PreviousSecretUntil, e.CreatedAt, e.UpdatedAt, secret);
}

/// <summary>Makes an endpoint.</summary>
public sealed record AddWebhookEndpoint(Tenant Tenant, string? Url, IReadOnlyList<string?>? Events, string? Description, string? Secret, string? IdempotencyKey)
    : IRequest<Result<Replayable<IssuedWebhookEndpoint>>>
{
    /// <summary>Without the secret it may hold.</summary>
    public override string ToString() => nameof(AddWebhookEndpoint);
}

/// <summary>Shape of <see cref="AddWebhookEndpoint"/>.</summary>
public sealed class AddWebhookEndpointValidator : AbstractValidator<AddWebhookEndpoint>
{
    /// <summary>The rules. None repeats what was sent.</summary>
    public AddWebhookEndpointValidator()
    {
        RuleFor(x => x.Url).Must(u => WebhookUrl.Fault(u, privateAllowed: true) is null).OverridePropertyName("url").WithMessage((_, u) => WebhookUrl.Fault(u, privateAllowed: true) ?? "");
        RuleFor(x => x.Events).Must(e => EventPatterns.TryParse(e, out _)).OverridePropertyName("events").WithMessage(EventPatterns.Rule);
        RuleFor(x => x.Description).Line("description", WebhookEndpoint.MaxDescriptionLength);
        RuleFor(x => x.Secret).Must(s => s is null || WebhookSecret.TryParse(s, out _)).OverridePropertyName("secret").WithMessage(WebhookSecret.Rule);
    }
}

/// <summary>Handles <see cref="AddWebhookEndpoint"/>.</summary>
public sealed class AddWebhookEndpointHandler(
    IWebhookEndpoints endpoints, OncePerKey once, IVault vault, WebhookReach reach, IIdFactory ids, TimeProvider clock)
    : IRequestHandler<AddWebhookEndpoint, Result<Replayable<IssuedWebhookEndpoint>>>
{
    /// <inheritdoc/>
    public async Task<Result<Replayable<IssuedWebhookEndpoint>>> Handle(AddWebhookEndpoint request, CancellationToken cancellationToken)
    {
        if (WebhookUrl.Fault(request.Url, reach.PrivateAllowed) is { } fault) return Error.Invalid("url", fault);
        if (!EventPatterns.TryParse(request.Events, out var events)) return Error.Invalid("events", EventPatterns.Rule);
        var now = clock.Now();
        Idempotency? idempotency = request.IdempotencyKey is { } text
            ? new(IdempotencyHash.Key(request.Tenant, "webhook_endpoints", text), IdempotencyHash.Content($"{request.Url}\n{events}\n{request.Description}\n{request.Secret}"))
            : null;
        var result = await once.Make(idempotency, now, Made, Add, cancellationToken);
        if (result is { IsSuccess: true, Value.Replayed: false }) endpoints.Changed();
        return result;

        async Task<IssuedWebhookEndpoint?> Made(UInt128 id) =>
            await endpoints.Find(request.Tenant, new(id), cancellationToken) is { } made ? IssuedWebhookEndpoint.Of(made, null) : null;

        async Task<Result<Made<IssuedWebhookEndpoint>>> Add()
        {
            if (await endpoints.Count(request.Tenant, cancellationToken) >= WebhookEndpoint.MaxPerTenant) return WebhookErrors.TooManyEndpoints;
            var secret = WebhookSecret.TryParse(request.Secret, out var given) ? given : WebhookSecret.Of(RandomNumberGenerator.GetBytes(WebhookSecret.OwnBytes));
            var endpoint = WebhookEndpoint.Add(new(ids.Next(now)), request.Tenant, request.Url!, events, request.Description, vault.Seal(secret.Reveal()), now);
            endpoints.Add(endpoint);
            return new Made<IssuedWebhookEndpoint>(endpoint.Id.Value, IssuedWebhookEndpoint.Of(endpoint, secret.Reveal()));
        }
    }
}

/// <summary>Carries a change of an endpoint out: whoever comes second looks again.</summary>
public sealed class WebhookEndpointChanges(IWebhookEndpoints endpoints, IUnitOfWork unit, TimeProvider clock)
{
    private const int MaxLooks = 5;

    /// <summary>Changes an endpoint that was not deleted.</summary>
    /// <returns>The endpoint as it is then, or <see cref="WebhookErrors.EndpointNotFound"/>, or what the change refuses.</returns>
    public async Task<Result<WebhookEndpoint>> Change(
        Tenant tenant, WebhookEndpointId id, Func<WebhookEndpoint, DateTimeOffset, Result> change, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await endpoints.Find(tenant, id, cancellationToken) is not { IsDeleted: false } endpoint) return WebhookErrors.EndpointNotFound;
            var changed = change(endpoint, clock.Now());
            if (!changed.IsSuccess) return changed.Error;
            if (await unit.Commit(cancellationToken)) return endpoint;
        }
        return ServiceErrors.Overloaded;
    }
}

/// <summary>Changes an endpoint: absent stays.</summary>
public sealed record ChangeWebhookEndpoint(Tenant Tenant, WebhookEndpointId Id, string? Url, IReadOnlyList<string?>? Events, string? Description, string? Status)
    : IRequest<Result<WebhookEndpointDetails>>;

/// <summary>Shape of <see cref="ChangeWebhookEndpoint"/>.</summary>
public sealed class ChangeWebhookEndpointValidator : AbstractValidator<ChangeWebhookEndpoint>
{
    /// <summary>The rules.</summary>
    public ChangeWebhookEndpointValidator()
    {
        RuleFor(x => x.Url).Must(u => u is null || WebhookUrl.Fault(u, privateAllowed: true) is null).OverridePropertyName("url").WithMessage((_, u) => WebhookUrl.Fault(u, privateAllowed: true) ?? "");
        RuleFor(x => x.Events).Must(e => e is null || EventPatterns.TryParse(e, out _)).OverridePropertyName("events").WithMessage(EventPatterns.Rule);
        RuleFor(x => x.Description).Line("description", WebhookEndpoint.MaxDescriptionLength);
        RuleFor(x => x.Status).Must(s => s is null or "enabled" or "disabled").OverridePropertyName("status").WithMessage("must be enabled or disabled");
    }
}

/// <summary>Handles <see cref="ChangeWebhookEndpoint"/>.</summary>
public sealed class ChangeWebhookEndpointHandler(WebhookEndpointChanges changes, WebhookReach reach, IWebhookWakeUp wakeUp)
    : IRequestHandler<ChangeWebhookEndpoint, Result<WebhookEndpointDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<WebhookEndpointDetails>> Handle(ChangeWebhookEndpoint request, CancellationToken cancellationToken)
    {
        if (request.Url is not null && WebhookUrl.Fault(request.Url, reach.PrivateAllowed) is { } fault) return Error.Invalid("url", fault);
        _ = EventPatterns.TryParse(request.Events, out var events);
        var changed = await changes.Change(request.Tenant, request.Id, (endpoint, now) =>
        {
            var set = endpoint.Change(request.Url, events, request.Description, now);
            return !set.IsSuccess ? set : request.Status switch
            {
                "enabled" => endpoint.Enable(now),
                "disabled" => endpoint.Disable(WebhookDisabledReason.Manual, now),
                _ => Result.Done,
            };
        }, cancellationToken);
        if (!changed.IsSuccess) return changed.Error;
        // What waited for it while it was disabled is due.
        wakeUp.Webhooks();
        return WebhookEndpointDetails.Of(changed.Value);
    }
}

/// <summary>Deletes an endpoint, with its secrets. A repeat changes nothing.</summary>
public sealed record DeleteWebhookEndpoint(Tenant Tenant, WebhookEndpointId Id) : IRequest<Result<WebhookEndpointDetails>>;

/// <summary>Handles <see cref="DeleteWebhookEndpoint"/>.</summary>
public sealed class DeleteWebhookEndpointHandler(IWebhookEndpoints endpoints, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<DeleteWebhookEndpoint, Result<WebhookEndpointDetails>>
{
    private const int MaxLooks = 5;

    /// <inheritdoc/>
    public async Task<Result<WebhookEndpointDetails>> Handle(DeleteWebhookEndpoint request, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await endpoints.Find(request.Tenant, request.Id, cancellationToken) is not { } endpoint) return WebhookErrors.EndpointNotFound;
            endpoint.Delete(clock.Now());
            if (!await unit.Commit(cancellationToken)) continue;
            endpoints.Changed();
            return WebhookEndpointDetails.Of(endpoint);
        }
        return ServiceErrors.Overloaded;
    }
}

/// <summary>Gives an endpoint a new secret; the one before signs as well for a grace.</summary>
public sealed record RotateWebhookSecret(Tenant Tenant, WebhookEndpointId Id, TimeSpan? Grace) : IRequest<Result<IssuedWebhookEndpoint>>;

/// <summary>Shape of <see cref="RotateWebhookSecret"/>.</summary>
public sealed class RotateWebhookSecretValidator : AbstractValidator<RotateWebhookSecret>
{
    /// <summary>The rules.</summary>
    public RotateWebhookSecretValidator() =>
        RuleFor(x => x.Grace).Must(g => g is null || (g >= TimeSpan.Zero && g <= WebhookEndpoint.MaxGrace)).OverridePropertyName("grace")
            .WithMessage($"must be PT0S to {Iso8601.Format(WebhookEndpoint.MaxGrace)}");
}

/// <summary>Handles <see cref="RotateWebhookSecret"/>.</summary>
public sealed class RotateWebhookSecretHandler(WebhookEndpointChanges changes, IVault vault) : IRequestHandler<RotateWebhookSecret, Result<IssuedWebhookEndpoint>>
{
    /// <inheritdoc/>
    public async Task<Result<IssuedWebhookEndpoint>> Handle(RotateWebhookSecret request, CancellationToken cancellationToken)
    {
        var secret = WebhookSecret.Of(RandomNumberGenerator.GetBytes(WebhookSecret.OwnBytes)).Reveal();
        var cipher = vault.Seal(secret);
        var changed = await changes.Change(request.Tenant, request.Id, (e, now) => e.Rotate(cipher, request.Grace ?? WebhookEndpoint.DefaultGrace, now), cancellationToken);
        return changed.IsSuccess ? IssuedWebhookEndpoint.Of(changed.Value, secret) : changed.Error;
    }
}

/// <summary>One endpoint.</summary>
public sealed record GetWebhookEndpoint(Tenant Tenant, WebhookEndpointId Id) : IRequest<Result<WebhookEndpointDetails>>;

/// <summary>The endpoints of a mode, newest first.</summary>
public sealed record ListWebhookEndpoints(Tenant Tenant, PageRequest Page) : IRequest<Result<Page<WebhookEndpointDetails>>>;

/// <summary>Shape of <see cref="ListWebhookEndpoints"/>.</summary>
public sealed class ListWebhookEndpointsValidator : AbstractValidator<ListWebhookEndpoints>
{
    /// <summary>The rules.</summary>
    public ListWebhookEndpointsValidator() => this.PageRules(x => x.Page);
}
