namespace Rev.Domain.Common;

/// <summary>Refusals that any use case may meet.</summary>
public static class ServiceErrors
{
    /// <summary>The key was used for another content.</summary>
    public static readonly Error KeyReused =
        new("idempotency.key_reused", ErrorKind.Conflict, "The idempotency key was used before with a different content.");

    /// <summary>The queue in front of the store is full, or the store did not take it in time.</summary>
    public static readonly Error Overloaded =
        new("service.overloaded", ErrorKind.Unavailable, "Rev cannot take the request now. Retry it; with an idempotency key nothing counts twice.") { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>The store cannot be reached.</summary>
    public static readonly Error StoreUnavailable =
        new("service.unavailable", ErrorKind.Unavailable, "The store cannot be reached now. Retry it; with an idempotency key nothing counts twice.") { RetryAfter = TimeSpan.FromSeconds(2) };
}
