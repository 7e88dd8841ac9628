using FluentValidation;
using MapsterMapper;
using MediatR;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>A key, without its secret.</summary>
public sealed record ApiKeyDetails(
    ApiKeyId Id, string Name, Mode Mode, IReadOnlyList<string> Scopes, string Hint, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt);

/// <summary>A new key; the secret is shown this once, and null when the answer is a replay.</summary>
public sealed record IssuedApiKey(
    ApiKeyId Id, string Name, Mode Mode, IReadOnlyList<string> Scopes, string Hint, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt,
    string? Secret);

/// <summary>Makes a key.</summary>
public sealed record IssueApiKey(Caller Caller, string? Name, string? Mode, IReadOnlyList<string>? Scopes, string? IdempotencyKey)
    : IRequest<Result<Replayable<IssuedApiKey>>>;

/// <summary>Shape of <see cref="IssueApiKey"/>.</summary>
public sealed class IssueApiKeyValidator : AbstractValidator<IssueApiKey>
{
    /// <summary>The rules.</summary>
    public IssueApiKeyValidator()
    {
        RuleFor(x => x.Name).NotNull().OverridePropertyName("name").WithMessage("is required");
        RuleFor(x => x.Name).Line("name", ApiKey.MaxNameLength);
        RuleFor(x => x.Mode).Must(m => m is "live" or "test").OverridePropertyName("mode").WithMessage("must be live or test");
        RuleFor(x => x.Scopes).Must(s => s is null || (s.Count > 0 && s.All(n => ScopeNames.TryParse(n, out _)))).OverridePropertyName("scopes")
            .WithMessage($"must be some of {string.Join(", ", ScopeNames.All)}");
    }
}

/// <summary>Handles <see cref="IssueApiKey"/>.</summary>
public sealed class IssueApiKeyHandler(
    IApiKeys keys, OncePerKey once, ISecrets secrets, IIdFactory ids, IMapper mapper, TimeProvider clock)
    : IRequestHandler<IssueApiKey, Result<Replayable<IssuedApiKey>>>
{
    /// <inheritdoc/>
    public async Task<Result<Replayable<IssuedApiKey>>> Handle(IssueApiKey request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var mode = request.Mode == "test" ? Mode.Test : Mode.Live;
        if (mode == Mode.Live && request.Caller.Tenant.Mode == Mode.Test) return AccountErrors.WrongMode;
        var scopes = (request.Scopes ?? ["admin"]).Aggregate(Scopes.None, (all, name) => ScopeNames.TryParse(name, out var scope) ? all | scope : all);
        Idempotency? idempotency = request.IdempotencyKey is { } text
            ? new(IdempotencyHash.Key(request.Caller.Tenant, "api_keys", text), IdempotencyHash.Content($"{request.Name}\n{mode}\n{(int)scopes}"))
            : null;

        return await once.Make(idempotency, now, Made, Issue, cancellationToken);

        async Task<IssuedApiKey?> Made(UInt128 id) =>
            await keys.Find(request.Caller.Tenant.Account, new(id), cancellationToken) is { } made ? mapper.Map<IssuedApiKey>(made) : null;

        Task<Result<Made<IssuedApiKey>>> Issue()
        {
            var (secret, hash, hint) = secrets.NewKey(mode);
            var key = ApiKey.Issue(new(ids.Next(now)), request.Caller.Tenant.Account, mode, request.Name!, scopes, hash, hint, now);
            keys.Add(key);
            return Task.FromResult<Result<Made<IssuedApiKey>>>(new Made<IssuedApiKey>(key.Id.Value, mapper.Map<IssuedApiKey>(key) with { Secret = secret }));
        }
    }
}

/// <summary>Makes a key that takes the place of another, which ends after a grace.</summary>
public sealed record RotateApiKey(Caller Caller, ApiKeyId Id, TimeSpan? Grace) : IRequest<Result<IssuedApiKey>>;

/// <summary>Shape of <see cref="RotateApiKey"/>.</summary>
public sealed class RotateApiKeyValidator : AbstractValidator<RotateApiKey>
{
    /// <summary>The rules.</summary>
    public RotateApiKeyValidator() =>
        RuleFor(x => x.Grace).Must(g => g is null || (g >= TimeSpan.Zero && g <= ApiKey.MaxGrace)).OverridePropertyName("grace")
            .WithMessage($"must be PT0S to {Iso8601.Format(ApiKey.MaxGrace)}");
}

/// <summary>Handles <see cref="RotateApiKey"/>.</summary>
public sealed class RotateApiKeyHandler(IApiKeys keys, ISecrets secrets, IIdFactory ids, IUnitOfWork unit, IMapper mapper, TimeProvider clock)
    : IRequestHandler<RotateApiKey, Result<IssuedApiKey>>
{
    /// <inheritdoc/>
    public async Task<Result<IssuedApiKey>> Handle(RotateApiKey request, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        var old = await keys.Find(request.Caller.Tenant.Account, request.Id, cancellationToken);
        if (old is null || (request.Caller.Tenant.Mode == Mode.Test && old.Mode == Mode.Live)) return AccountErrors.KeyNotFound;
        var retired = old.Retire(request.Grace ?? TimeSpan.Zero, now);
        if (!retired.IsSuccess) return retired.Error;
        var (secret, hash, hint) = secrets.NewKey(old.Mode);
        var key = ApiKey.Issue(new(ids.Next(now)), old.AccountId, old.Mode, old.Name, old.Scopes, hash, hint, now);
        keys.Add(key);
        await unit.Save(cancellationToken);
        keys.Changed(old);
        return mapper.Map<IssuedApiKey>(key) with { Secret = secret };
    }
}

/// <summary>Ends a key, within five seconds on every server. A repeat changes nothing.</summary>
public sealed record RevokeApiKey(Caller Caller, ApiKeyId Id) : IRequest<Result<ApiKeyDetails>>;

/// <summary>Handles <see cref="RevokeApiKey"/>.</summary>
public sealed class RevokeApiKeyHandler(IApiKeys keys, IUnitOfWork unit, IMapper mapper, TimeProvider clock) : IRequestHandler<RevokeApiKey, Result<ApiKeyDetails>>
{
    /// <inheritdoc/>
    public async Task<Result<ApiKeyDetails>> Handle(RevokeApiKey request, CancellationToken cancellationToken)
    {
        var key = await keys.Find(request.Caller.Tenant.Account, request.Id, cancellationToken);
        if (key is null || (request.Caller.Tenant.Mode == Mode.Test && key.Mode == Mode.Live)) return AccountErrors.KeyNotFound;
        key.Revoke(clock.Now());
        await unit.Save(cancellationToken);
        keys.Changed(key);
        return mapper.Map<ApiKeyDetails>(key);
    }
}

/// <summary>The account's keys: a test key sees test keys only.</summary>
public sealed record ListApiKeys(Caller Caller, PageRequest Page) : IRequest<Result<Page<ApiKeyDetails>>>;

/// <summary>Shape of <see cref="ListApiKeys"/>.</summary>
public sealed class ListApiKeysValidator : AbstractValidator<ListApiKeys>
{
    /// <summary>The rules.</summary>
    public ListApiKeysValidator() => this.PageRules(x => x.Page);
}
