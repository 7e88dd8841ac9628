using System.Text.Json;
using FluentValidation;
using MediatR;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Application.Webhooks;

/// <summary>Which value of a payload names a call, and by which of the call's fields.</summary>
/// <param name="Payload">A dotted path into the payload.</param>
/// <param name="Event">event_id, outcome_id, idempotency_key, or metadata. and a dotted path.</param>
public sealed record CorrelationDetails(string Payload, string Event);

/// <summary>How deliveries are signed; what does not go with the scheme is null.</summary>
/// <param name="Scheme">hmac-sha256, standard-webhooks, stripe or none.</param>
/// <param name="Header">In which header.</param>
/// <param name="Encoding">hex or base64.</param>
/// <param name="Prefix">What stands before an HMAC.</param>
/// <param name="Tolerance">How old a signed time may be, or how far ahead.</param>
public sealed record SignatureDetails(string Scheme, string? Header, string? Encoding, string? Prefix, TimeSpan? Tolerance)
{
    /// <summary>The details of a rule.</summary>
    public static SignatureDetails Of(SignatureRule rule)
    {
        var isHmac = rule.Scheme == SignatureScheme.HmacSha256;
        return new(
            ResolverJson.Name(rule.Scheme), rule.Header,
            isHmac ? rule.Encoding switch { SignatureEncoding.Hex => "hex", SignatureEncoding.Base64 => "base64" } : null,
            isHmac && rule.Prefix.Length > 0 ? rule.Prefix : null, rule.HasTime ? rule.Tolerance : null);
    }
}

/// <summary>A resolver.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Url">Where deliveries are sent. Of one that is not signed it is shown to keys with the scope admin only.</param>
/// <param name="Name">For people.</param>
/// <param name="Correlate">Which value names a call.</param>
/// <param name="SuccessWhen">When the outcome is a success.</param>
/// <param name="FailureWhen">When it is a failure; null is never.</param>
/// <param name="Signature">How deliveries are signed.</param>
/// <param name="Metadata">The fields of a payload that become metadata; null is all of it.</param>
/// <param name="KeepUnmatchedFor">How long a payload waits for a call that it names.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="DeletedAt">When it was deleted.</param>
/// <param name="RefusedLastDay">Deliveries of the last 24 hours that were not taken: not signed, or unreadable.</param>
/// <param name="Secret">With what deliveries are signed: shown when it is made or changed, else null.</param>
public sealed record ResolverDetails(
    ResolverId Id, string? Url, string Name, CorrelationDetails Correlate, JsonElement SuccessWhen, JsonElement? FailureWhen, SignatureDetails Signature,
    IReadOnlyList<string>? Metadata, TimeSpan KeepUnmatchedFor, DateTimeOffset CreatedAt, DateTimeOffset? DeletedAt, long RefusedLastDay, string? Secret)
{
    /// <summary>The details of a resolver, without its secret.</summary>
    public static ResolverDetails Of(Resolver resolver, string? url, long refused = 0)
    {
        var terms = resolver.Terms;
        return new(
            resolver.Id, url, terms.Name, new(terms.Payload.Name, terms.Event.Name), ResolverJson.Element(terms.SuccessWhen),
            terms.FailureWhen is { } failure ? ResolverJson.Element(failure) : null, SignatureDetails.Of(terms.Signature),
            terms.Metadata?.Select(path => path.Name).ToArray(), terms.KeepUnmatchedFor, resolver.CreatedAt, resolver.DeletedAt, refused, Secret: null);
    }

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{nameof(ResolverDetails)} {Id}";
}

/// <summary>Makes a resolver.</summary>
/// <param name="Caller">Whose key asks.</param>
/// <param name="Spec">What it says.</param>
/// <param name="Secret">With what deliveries are signed; null has one made.</param>
/// <param name="IdempotencyKey">A repeat makes no second one.</param>
public sealed record MakeResolver(Caller Caller, ResolverSpec Spec, string? Secret, string? IdempotencyKey) : IRequest<Result<Replayable<ResolverDetails>>>
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => nameof(MakeResolver);
}

/// <summary>Shape of <see cref="MakeResolver"/>.</summary>
public sealed class MakeResolverValidator : AbstractValidator<MakeResolver>
{
    /// <summary>The rules.</summary>
    public MakeResolverValidator() => this.ResolverIn(x => x.Spec, x => x.Secret);
}

/// <summary>Handles <see cref="MakeResolver"/>.</summary>
public sealed class MakeResolverHandler(
    IResolvers resolvers, OncePerKey once, ResolverSecrets secrets, IHookWakeUp wake, IIdFactory ids, TimeProvider clock)
    : IRequestHandler<MakeResolver, Result<Replayable<ResolverDetails>>>
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public async Task<Result<Replayable<ResolverDetails>>> Handle(MakeResolver request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var (caller, terms) = (request.Caller, request.Spec.ToTerms());
        Idempotency? idempotency = request.IdempotencyKey is { } text
            ? new(IdempotencyHash.Key(caller.Tenant, "resolvers", text), IdempotencyHash.Content($"{ResolverJson.ToText(terms)}\n{request.Secret}"))
            : null;
        var result = await once.Make(idempotency, now, Made, Make, cancellationToken);
        if (!result.IsSuccess || result.Value.Replayed) return result;
        resolvers.Changed();
        wake.Hooks();
        return result;

        async Task<ResolverDetails?> Made(UInt128 id) =>
            await resolvers.Find(caller.Tenant, new(id), cancellationToken) is { } made ? ResolverDetails.Of(made, secrets.Address(made, caller)) : null;

        async Task<Result<Made<ResolverDetails>>> Make()
        {
            if (await resolvers.Count(caller.Tenant, cancellationToken) >= Resolver.MaxPerTenant) return ResolverErrors.TooMany;
            if (await resolvers.CountMade(caller.Tenant, now - Day, cancellationToken) >= Resolver.MaxMadePerDay) return ResolverErrors.TooManyMade;
            var scheme = terms.Signature.Scheme;
            var secret = request.Secret ?? ResolverSecrets.New(scheme);
            var resolver = Resolver.Make(new(ids.Next(now)), caller.Tenant, terms, secrets.Seal(secret), now);
            resolvers.Add(resolver);
            return new Made<ResolverDetails>(
                resolver.Id.Value, ResolverDetails.Of(resolver, secrets.Address(resolver, caller)) with { Secret = scheme == SignatureScheme.None ? null : secret });
        }
    }
}

/// <summary>Says all that a resolver says anew. The secret stays where none is given, unless the scheme is another.</summary>
public sealed record ChangeResolver(Caller Caller, ResolverId Id, ResolverSpec Spec, string? Secret) : IRequest<Result<ResolverDetails>>
{
    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{nameof(ChangeResolver)} {Id}";
}

/// <summary>Shape of <see cref="ChangeResolver"/>.</summary>
public sealed class ChangeResolverValidator : AbstractValidator<ChangeResolver>
{
    /// <summary>The rules.</summary>
    public ChangeResolverValidator() => this.ResolverIn(x => x.Spec, x => x.Secret);
}

/// <summary>Handles <see cref="ChangeResolver"/>.</summary>
public sealed class ChangeResolverHandler(IResolvers resolvers, ResolverSecrets secrets, IHookWakeUp wake, IUnitOfWork unit, TimeProvider clock)
    : IRequestHandler<ChangeResolver, Result<ResolverDetails>>
{
    private const int MaxLooks = 3;

    /// <inheritdoc/>
    public async Task<Result<ResolverDetails>> Handle(ChangeResolver request, CancellationToken cancellationToken)
    {
        var terms = request.Spec.ToTerms();
        var scheme = terms.Signature.Scheme;
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await resolvers.Find(request.Caller.Tenant, request.Id, cancellationToken) is not { DeletedAt: null } resolver) return ResolverErrors.NotFound;
            var secret = request.Secret ?? (resolver.Terms.Signature.Scheme == scheme ? null : ResolverSecrets.New(scheme));
            var changed = resolver.Change(terms, secret is null ? null : secrets.Seal(secret), clock.Now());
            if (!changed.IsSuccess) return changed.Error;
            if (!await unit.Commit(cancellationToken)) continue;
            resolvers.Changed();
            wake.Hooks();
            return ResolverDetails.Of(resolver, secrets.Address(resolver, request.Caller)) with { Secret = scheme == SignatureScheme.None ? null : secret };
        }
        return ServiceErrors.Overloaded;
    }
}

/// <summary>Ends a resolver: its address answers 404 from then on, and payloads wait no more. A repeat changes nothing.</summary>
public sealed record DeleteResolver(Caller Caller, ResolverId Id) : IRequest<Result<ResolverDetails>>;

/// <summary>Handles <see cref="DeleteResolver"/>.</summary>
public sealed class DeleteResolverHandler(IResolvers resolvers, IUnitOfWork unit, TimeProvider clock) : IRequestHandler<DeleteResolver, Result<ResolverDetails>>
{
    private const int MaxLooks = 3;

    /// <inheritdoc/>
    public async Task<Result<ResolverDetails>> Handle(DeleteResolver request, CancellationToken cancellationToken)
    {
        for (var look = 0; look < MaxLooks; look++)
        {
            if (await resolvers.Find(request.Caller.Tenant, request.Id, cancellationToken) is not { } resolver) return ResolverErrors.NotFound;
            resolver.Delete(clock.Now());
            if (!await unit.Commit(cancellationToken)) continue;
            resolvers.Changed();
            return ResolverDetails.Of(resolver, url: null);
        }
        return ServiceErrors.Overloaded;
    }
}

/// <summary>One resolver.</summary>
public sealed record GetResolver(Caller Caller, ResolverId Id) : IRequest<Result<ResolverDetails>>;

/// <summary>The resolvers of an account and mode, newest first.</summary>
public sealed record ListResolvers(Caller Caller, PageRequest Page) : IRequest<Result<Page<ResolverDetails>>>;

/// <summary>Shape of <see cref="ListResolvers"/>.</summary>
public sealed class ListResolversValidator : AbstractValidator<ListResolvers>
{
    /// <summary>The rules.</summary>
    public ListResolversValidator() => this.PageRules(x => x.Page);
}
