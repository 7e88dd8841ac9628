using MediatR;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Application.Demo;
using Rev.Application.Pricing;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Api.Demo;

/// <summary>What the demo's agents need to call: an account, its prices, and a key. Any number of processes may ask for it at once.</summary>
internal sealed class DemoAccess(IServiceScopeFactory scopes)
{
    private const string KeyName = "live demo";

    private static readonly string[] KeyScopes = ["meter:write", "outcomes:write"];

    /// <summary>Makes sure of the account and of its prices, and issues a key, which is told to nobody else.</summary>
    /// <param name="endEarlier">
    /// Whether the keys of earlier starts end, so that they do not gather. That of another process may be among them: it finds its
    /// key refused, and issues itself a new one without ending any.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<Result<string>> Prepare(bool endEarlier, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var mediator = scope.ServiceProvider.GetRequiredService<IMediator>();
        var account = await mediator.Send(new OpenDemoAccount(), cancellationToken);
        if (!account.IsSuccess) return account.Error;
        var caller = new Caller(new(account.Value, Mode.Live), default, Scopes.Admin);
        foreach (var agent in DemoAgents.All)
            if (await Configure(mediator, caller.Tenant, agent, cancellationToken) is { } refusal) return refusal;
        if (endEarlier && await EndEarlier(mediator, caller, cancellationToken) is { } error) return error;
        var issued = await mediator.Send(new IssueApiKey(caller, KeyName, "live", KeyScopes, null), cancellationToken);
        return issued.IsSuccess ? issued.Value.Answer.Secret! : issued.Error;
    }

    private static async Task<Error?> Configure(IMediator mediator, Tenant tenant, DemoAgent agent, CancellationToken cancellationToken)
    {
        var tier = await mediator.Send(new ConfigureTier(tenant, agent.Tier, agent.Spec()), cancellationToken);
        if (!tier.IsSuccess) return tier.Error;
        var configured = await mediator.Send(
            new ConfigureAgent(tenant, agent.Id, Optional<string>.Of(agent.Name), Optional<string>.Of(agent.Tier), default), cancellationToken);
        return configured.Error;
    }

    private static async Task<Error?> EndEarlier(IMediator mediator, Caller caller, CancellationToken cancellationToken)
    {
        string? cursor = null;
        do
        {
            var page = await mediator.Send(new ListApiKeys(caller, new(PageRequest.MaxLimit, cursor)), cancellationToken);
            if (!page.IsSuccess) return page.Error;
            foreach (var key in page.Value.Data)
            {
                if (key.Name != KeyName || key.RevokedAt is not null) continue;
                var revoked = await mediator.Send(new RevokeApiKey(caller, key.Id), cancellationToken);
                if (!revoked.IsSuccess) return revoked.Error;
            }
            cursor = page.Value.NextCursor;
        }
        while (cursor is not null);
        return null;
    }
}
