namespace Rev.Domain.Common;

/// <summary>The idempotency of a request: whose key, and what content.</summary>
/// <param name="Key">16 bytes of SHA-256 over tenant and key.</param>
/// <param name="Content">16 bytes of SHA-256 over the content, after parsing and defaults.</param>
public readonly record struct Idempotency(UInt128 Key, UInt128 Content);
