using System.Threading.RateLimiting;
using Sdk = Stripe;

namespace Rev.Infrastructure.Billing;

/// <summary>
/// How often Stripe is asked with a key, by this process: less often than Stripe takes of one account, so that nobody is turned away.
/// Whoever comes too fast waits for a turn, in the order of coming. An operator's key is one key, whichever connected account it acts for.
/// Source: https://docs.stripe.com/rate-limits (100 requests a second of an account in live mode, 25 in test mode).
/// </summary>
public sealed class StripePace : IDisposable
{
    /// <summary>Requests a second with a live key, reads and writes together.</summary>
    public const int LivePerSecond = 80;

    /// <summary>Requests a second with a test key.</summary>
    public const int TestPerSecond = 20;

    /// <summary>How often a second turns are given out: as often as the limiter looks after its buckets.</summary>
    private const int FillsPerSecond = 10;

    private readonly PartitionedRateLimiter<(string Key, bool Live)> _limiter =
        PartitionedRateLimiter.Create<(string Key, bool Live), (string Key, bool Live)>(asked => RateLimitPartition.GetTokenBucketLimiter(asked, Bucket));

    /// <summary>Waits until Stripe may be asked with a key.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled meanwhile; nothing was asked.</exception>
    public async Task Turn(string key, bool live, CancellationToken cancellationToken)
    {
        // The queue has no end: every turn comes.
        using var turn = await _limiter.AcquireAsync((key, live), permitCount: 1, cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _limiter.Dispose();

    // A bucket that nobody drew from holds the turns of a tenth of a second and no more: a burst adds those to a second's.
    private static TokenBucketRateLimiterOptions Bucket((string Key, bool Live) asked)
    {
        var turns = (asked.Live ? LivePerSecond : TestPerSecond) / FillsPerSecond;
        return new()
        {
            TokenLimit = turns,
            TokensPerPeriod = turns,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1) / FillsPerSecond,
            QueueLimit = int.MaxValue,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        };
    }

    /// <summary>A client of Stripe's SDK that waits for a turn before each request. How long an answer may take counts from then on.</summary>
    internal sealed class Client(Sdk.IHttpClient inner, StripePace pace, string key, bool live) : Sdk.IHttpClient
    {
        public async Task<Sdk.StripeResponse> MakeRequestAsync(Sdk.StripeRequest request, CancellationToken cancellationToken = default)
        {
            await pace.Turn(key, live, cancellationToken);
            return await inner.MakeRequestAsync(request, cancellationToken);
        }

        public async Task<Sdk.StripeStreamedResponse> MakeStreamingRequestAsync(Sdk.StripeRequest request, CancellationToken cancellationToken = default)
        {
            await pace.Turn(key, live, cancellationToken);
            return await inner.MakeStreamingRequestAsync(request, cancellationToken);
        }
    }
}
