using MediatR;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Domain.Accounts;
using Rev.Domain.Common;

namespace Rev.Application.Accounts;

/// <summary>Sends every mail that is due. Answers how many were handed over. Safe to run on several servers at once.</summary>
public sealed record SendDueMails : IRequest<Result<int>>;

/// <summary>Handles <see cref="SendDueMails"/>.</summary>
public sealed class SendDueMailsHandler(
    IMailQueue queue, IAccounts accounts, IApiKeys keys, ILinks links, ISecrets secrets, IMailer mailer, IPublicUrl url,
    IIdFactory ids, IUnitOfWork unit, TimeProvider clock, ILogger<SendDueMailsHandler> logger)
    : IRequestHandler<SendDueMails, Result<int>>
{
    /// <inheritdoc/>
    public async Task<Result<int>> Handle(SendDueMails request, CancellationToken cancellationToken)
    {
        var sent = 0;
        while (await queue.Take(clock.Now(), TimeSpan.FromMinutes(2), cancellationToken) is { } owed)
            if (await Send(owed, cancellationToken)) sent++;
        return sent;
    }

    private async Task<bool> Send(MailRequest owed, CancellationToken cancellationToken)
    {
        var account = await accounts.Find(owed.AccountId, cancellationToken)
            ?? throw new InvalidOperationException($"Mail {owed.Id} is owed to no account.");
        try
        {
            // The hashes are stored before the mail leaves: a key in an inbox always opens.
            var mail = owed.Kind switch
            {
                MailKind.FirstKeys => await FirstKeys(account, cancellationToken),
                MailKind.NewKeyLink => NewKeyLink(account),
                MailKind.WebhookEndpointDisabled => WebhookEndpointDisabled(account, owed),
                MailKind.SignInLink => SignInLink(account),
            };
            await unit.Save(cancellationToken);
            await mailer.Send(mail, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            logger.LogWarning(exception, "Mail {Mail} of kind {Kind} was not sent at try {Attempt}", owed.Id, owed.Kind, owed.Attempts);
            RevMetrics.Mails.Add(1, new KeyValuePair<string, object?>("result", "failed"));
            owed.Failed(clock.Now());
            // Where another sender took it meanwhile, that one decides.
            _ = await unit.Commit(cancellationToken);
            return false;
        }
        RevMetrics.Mails.Add(1, new KeyValuePair<string, object?>("result", "sent"));
        owed.Sent(clock.Now());
        _ = await unit.Commit(cancellationToken);
        return true;
    }

    private async Task<Mail> FirstKeys(Account account, CancellationToken cancellationToken)
    {
        var now = clock.Now();
        foreach (var lost in await keys.Unsent(account.Id, cancellationToken)) lost.Revoke(now);
        var live = Issue(account, Mode.Live, now);
        var test = Issue(account, Mode.Test, now);
        return new(account.Email, "Your Rev API key", $$"""
            Welcome to Rev.

            Your live API key:

            {{live}}

            Your test API key, for trying things out apart from live data:

            {{test}}

            Keep them secret: Rev stores only a hash and cannot show them again.

            Your first metered call, with the live key:

            curl -s {{url.Base}}/v1/meter -H "Authorization: Bearer {{live}}" -H "Content-Type: application/json" -d '{"agent_id":"outreach-agent-v2","action":"email.sent","tokens_input":1200,"tokens_output":340,"outcome":"success"}'

            The API reference: {{url.Base}}/docs/api

            Your dashboard, which takes the live key or this address: {{url.Base}}/signin
            """);
    }

    private string Issue(Account account, Mode mode, DateTimeOffset now)
    {
        var (secret, hash, hint) = secrets.NewKey(mode);
        keys.Add(ApiKey.Issue(new(ids.Next(now)), account.Id, mode, ApiKeyNames.First, Scopes.Admin, hash, hint, now));
        return secret;
    }

    private Mail NewKeyLink(Account account) => new(account.Email, "A new Rev API key", $"""
        Somebody, probably you, signed up to Rev with this address again. You have an account already.

        To get a new API key, open this page and press its button. The link works once, within an hour:

        {url.Base}/signup/key?token={NewLink(account, LinkPurpose.NewKey)}

        Your other keys stay as they are. If it was not you, do nothing.
        """);

    private Mail SignInLink(Account account) => new(account.Email, "Sign in to Rev", $"""
        Somebody, probably you, wants to sign in to Rev with this address.

        To sign in, open this page and press its button. The link works once, within an hour:

        {url.Base}/signin/link?token={NewLink(account, LinkPurpose.SignIn)}

        If it was not you, do nothing.
        """);

    private string NewLink(Account account, LinkPurpose purpose)
    {
        var now = clock.Now();
        var (token, hash) = secrets.NewToken();
        links.Add(LinkToken.Issue(new(ids.Next(now)), account.Id, purpose, hash, now));
        return token;
    }

    private Mail WebhookEndpointDisabled(Account account, MailRequest owed) => new(account.Email, "A webhook endpoint of yours is disabled", $"""
        Rev no longer sends messages to your webhook endpoint {owed.Note}: either every attempt of a day failed, or it
        answered 410 Gone.

        What waits for it is kept. Once it works again, enable it and send what it missed:

        PATCH {url.Base}/v1/webhook_endpoints/(its id) with status "enabled"
        POST {url.Base}/v1/webhook_endpoints/(its id)/replay with since

        GET {url.Base}/v1/webhook_endpoints/(its id)/deliveries shows what it answered.
        """);
}

/// <summary>Names of keys that Rev makes by itself.</summary>
public static class ApiKeyNames
{
    /// <summary>The keys in the first mail.</summary>
    public const string First = "first key";

    /// <summary>A key from a link.</summary>
    public const string FromLink = "key from a mailed link";
}
