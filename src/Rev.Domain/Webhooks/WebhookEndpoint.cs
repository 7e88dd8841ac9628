using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>Whether messages are sent to an endpoint. Stored as a number: never renumber.</summary>
public enum WebhookEndpointStatus
{
    /// <summary>They are.</summary>
    Enabled = 0,
    /// <summary>They are not, until it is enabled again.</summary>
    Disabled = 1,
    /// <summary>It was deleted.</summary>
    Deleted = 2,
}

/// <summary>Why an endpoint is disabled. Stored as a number: never renumber.</summary>
public enum WebhookDisabledReason
{
    /// <summary>Its owner disabled it.</summary>
    Manual = 0,
    /// <summary>Every attempt of a day failed.</summary>
    Failing = 1,
    /// <summary>It answered 410 Gone.</summary>
    Gone = 2,
}

/// <summary>An address that a tenant's messages are sent to, signed.</summary>
public sealed class WebhookEndpoint
{
    /// <summary>Most endpoints of one tenant.</summary>
    public const int MaxPerTenant = 100;

    /// <summary>Longest description, in characters.</summary>
    public const int MaxDescriptionLength = 200;

    /// <summary>Attempts in a row that must have failed before it is disabled.</summary>
    public const int MinFailures = 5;

    /// <summary>For how long every attempt must have failed before it is disabled.</summary>
    public static readonly TimeSpan FailingLimit = TimeSpan.FromHours(24);

    /// <summary>Most mails of one account about disabled endpoints in <see cref="FailingLimit"/>: beyond it they are disabled in silence.</summary>
    public const int MaxMails = 10;

    /// <summary>For how long the secret before signs as well when nobody says.</summary>
    public static readonly TimeSpan DefaultGrace = TimeSpan.FromHours(24);

    /// <summary>The longest that it does.</summary>
    public static readonly TimeSpan MaxGrace = TimeSpan.FromDays(7);

    private WebhookEndpoint(WebhookEndpointId id, AccountId accountId, Mode mode, string url, string events, string? description, string? secretCipher, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        Url = url;
        Events = events;
        Description = description;
        SecretCipher = secretCipher;
        CreatedAt = createdAt;
        UpdatedAt = createdAt;
    }

    /// <summary>Its id.</summary>
    public WebhookEndpointId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test: it is told of its own mode only.</summary>
    public Mode Mode { get; private set; }

    /// <summary>Whose it is, in which mode.</summary>
    public Tenant Tenant => new(AccountId, Mode);

    /// <summary>The address.</summary>
    public string Url { get; private set; }

    /// <summary>What it asks for, as <see cref="EventPatterns"/> are written.</summary>
    public string Events { get; private set; }

    /// <summary>What it asks for.</summary>
    public EventPatterns Patterns => EventPatterns.Stored(Events);

    /// <summary>For people.</summary>
    public string? Description { get; private set; }

    /// <summary>The secret, sealed; null once it is deleted.</summary>
    public string? SecretCipher { get; private set; }

    /// <summary>The secret before, sealed.</summary>
    public string? PreviousSecretCipher { get; private set; }

    /// <summary>Until when the one before signs as well.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; private set; }

    /// <summary>Whether messages are sent to it.</summary>
    public WebhookEndpointStatus Status { get; private set; }

    /// <summary>Why not.</summary>
    public WebhookDisabledReason? DisabledReason { get; private set; }

    /// <summary>Since when not.</summary>
    public DateTimeOffset? DisabledAt { get; private set; }

    /// <summary>Since when every attempt fails; null after a success.</summary>
    public DateTimeOffset? FailingSince { get; private set; }

    /// <summary>Attempts in a row that failed.</summary>
    public int Failures { get; private set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When its owner changed it last.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>Rises with every change: of two at once, one looks again.</summary>
    public int Version { get; private set; }

    /// <summary>Whether messages are sent to it.</summary>
    public bool IsEnabled => Status == WebhookEndpointStatus.Enabled;

    /// <summary>Whether it was deleted.</summary>
    public bool IsDeleted => Status == WebhookEndpointStatus.Deleted;

    /// <summary>A new endpoint.</summary>
    public static WebhookEndpoint Add(WebhookEndpointId id, Tenant tenant, string url, EventPatterns events, string? description, string secretCipher, DateTimeOffset now) =>
        new(id, tenant.Account, tenant.Mode, url, events.ToString(), description, secretCipher, now);

    /// <summary>Changes what is named; null stays. Another address begins without failures.</summary>
    public Result Change(string? url, EventPatterns? events, string? description, DateTimeOffset now)
    {
        if (IsDeleted) return WebhookErrors.EndpointNotFound;
        if (url is not null && url != Url)
        {
            Url = url;
            Recover();
        }
        Events = events?.ToString() ?? Events;
        Description = description ?? Description;
        Changed(now);
        return Result.Done;
    }

    /// <summary>Messages are sent to it again, those that wait first. A repeat changes nothing.</summary>
    public Result Enable(DateTimeOffset now)
    {
        if (IsDeleted) return WebhookErrors.EndpointNotFound;
        if (IsEnabled) return Result.Done;
        (Status, DisabledReason, DisabledAt) = (WebhookEndpointStatus.Enabled, null, null);
        Recover();
        Changed(now);
        return Result.Done;
    }

    /// <summary>Nothing is sent to it until it is enabled again. A repeat keeps the first reason.</summary>
    public Result Disable(WebhookDisabledReason reason, DateTimeOffset now)
    {
        if (IsDeleted) return WebhookErrors.EndpointNotFound;
        if (!IsEnabled) return Result.Done;
        (Status, DisabledReason, DisabledAt) = (WebhookEndpointStatus.Disabled, reason, now);
        Changed(now);
        return Result.Done;
    }

    /// <summary>Takes another secret; the one before signs as well for a time. One that was before it signs no more.</summary>
    public Result Rotate(string secretCipher, TimeSpan grace, DateTimeOffset now)
    {
        if (IsDeleted) return WebhookErrors.EndpointNotFound;
        (PreviousSecretCipher, PreviousSecretUntil) = grace > TimeSpan.Zero ? (SecretCipher, now + grace) : ((string?)null, (DateTimeOffset?)null);
        SecretCipher = secretCipher;
        Changed(now);
        return Result.Done;
    }

    /// <summary>It is gone, and its secrets with it. A repeat changes nothing.</summary>
    public void Delete(DateTimeOffset now)
    {
        if (IsDeleted) return;
        Status = WebhookEndpointStatus.Deleted;
        (SecretCipher, PreviousSecretCipher, PreviousSecretUntil) = (null, null, null);
        Changed(now);
    }

    /// <summary>The sealed secrets that a message is signed with now, the current one first.</summary>
    public IReadOnlyList<string> SecretCiphers(DateTimeOffset now) =>
        [.. new[] { SecretCipher, now < PreviousSecretUntil ? PreviousSecretCipher : null }.OfType<string>()];

    /// <summary>It took a message.</summary>
    public void Succeeded()
    {
        if (FailingSince is null) return;
        Recover();
        Version++;
    }

    /// <summary>An attempt failed. Once all attempts of a day did, and at least five, it is disabled.</summary>
    /// <returns>Whether this disabled it.</returns>
    public bool Failed(DateTimeOffset now)
    {
        if (!IsEnabled) return false;
        FailingSince ??= now;
        Failures++;
        Version++;
        return now - FailingSince >= FailingLimit && Failures >= MinFailures && Disable(WebhookDisabledReason.Failing, now).IsSuccess;
    }

    private void Recover() => (FailingSince, Failures) = (null, 0);

    private void Changed(DateTimeOffset now)
    {
        UpdatedAt = now;
        Version++;
    }
}
