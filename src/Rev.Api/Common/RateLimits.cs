using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Rev.Application.Accounts;
using Rev.Application.Webhooks;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;
using Rev.Web.Accounts;
using Rev.Web.Billing;
using Rev.Web.Webhooks;

namespace Rev.Api.Common;

/// <summary>Token buckets per key, per session, per address without either, and for sign-up and sign-in. A bucket that is full and idle is forgotten.</summary>
internal sealed class RateLimits : IHookPace, ISignUpLimits, ISignInLimits, IStripeLimits, IWebhookPace, IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly bool _enabled;
    private readonly Buckets<ApiKeyKey> _keys;
    private readonly Buckets<IPAddress> _addresses;
    private readonly Buckets<string> _signUpEmails;
    private readonly Buckets<IPAddress> _signUpAddresses;
    private readonly Buckets<IPAddress> _operatorSignIns;
    private readonly Buckets<IPAddress> _keySignIns;
    private readonly Buckets<SessionKey> _sessions;
    private readonly Buckets<AccountKey> _stripe;
    private readonly Buckets<AccountKey> _webhooks;
    private readonly Buckets<ResolverKey> _hooks;
    private readonly Buckets<ResolverKey> _refusedHooks;
    private readonly Buckets<IPAddress> _hookAddresses;

    /// <summary>The limits of the configuration.</summary>
    /// <exception cref="SettingException">One is no whole number.</exception>
    public RateLimits(IConfiguration configuration)
    {
        _enabled = RevSettings.Flag(configuration, "RateLimits:Enabled", defaultValue: true);
        int Read(string key, int defaultValue) => RevSettings.Number(configuration, "RateLimits:" + key, defaultValue, 1, 100_000_000);
        _keys = PerSecond<ApiKeyKey>(Read("PerKey:PerSecond", 2_000), Read("PerKey:Burst", 10_000));
        _addresses = PerSecond<IPAddress>(Read("Anonymous:PerSecond", 10), Read("Anonymous:Burst", 60));
        _signUpEmails = PerHour<string>(Read("SignUp:PerEmailPerHour", 5));
        _signUpAddresses = PerHour<IPAddress>(Read("SignUp:PerAddressPerHour", 30));
        _operatorSignIns = PerMinute<IPAddress>(10);
        _keySignIns = PerMinute<IPAddress>(Read("SignIn:PerAddressPerMinute", 10));
        _sessions = PerSecond<SessionKey>(Read("Session:PerSecond", 20), Read("Session:Burst", 200));
        _stripe = PerSecond<AccountKey>(Read("Stripe:PerSecond", 5), Read("Stripe:Burst", 60));
        _webhooks = PerSecond<AccountKey>(Read("Webhooks:PerSecond", 1), Read("Webhooks:Burst", 30));
        _hooks = PerSecond<ResolverKey>(Read("Hooks:PerResolverPerSecond", 200), Read("Hooks:PerResolverBurst", 2_000));
        _refusedHooks = PerSecond<ResolverKey>(Read("Hooks:RefusedPerResolverPerSecond", 10), Read("Hooks:RefusedPerResolverBurst", 200));
        _hookAddresses = PerSecond<IPAddress>(Read("Hooks:PerAddressPerSecond", 200), Read("Hooks:PerAddressBurst", 2_000));
    }

    /// <summary>Takes one request of the caller, tells it where it stands, and answers how long to wait when it has none left.</summary>
    public TimeSpan? Take(HttpContext http, Caller? caller)
    {
        if (!_enabled) return null;
        return caller is not null ? _keys.Take(new(caller.Key.Value), http) : _addresses.Take(Address(http), http);
    }

    /// <summary>Takes one sign-up of the address that asks.</summary>
    public TimeSpan? TakeSignUp(HttpContext http) => _enabled ? _signUpAddresses.Take(Address(http), null) : null;

    /// <summary>Takes one try of an operator's password: ten at once, then ten a minute.</summary>
    public TimeSpan? TakeOperatorSignIn(HttpContext http) => _enabled ? _operatorSignIns.Take(Address(http), null) : null;

    /// <inheritdoc/>
    public TimeSpan? TakeLink(HttpContext http, EmailAddress email) => TakeSignUp(http) ?? TakeSignUp(email);

    /// <inheritdoc/>
    public TimeSpan? TakeKey(HttpContext http) => _enabled ? _keySignIns.Take(Address(http), null) : null;

    /// <inheritdoc/>
    public TimeSpan? TakePage(Visitor visitor) => _enabled ? _sessions.Take(new(visitor.Session.Value), null) : null;

    /// <summary>Takes one request of an account that asks Stripe while it waits.</summary>
    public TimeSpan? TakeStripe(Caller caller) => _enabled ? _stripe.Take(new(caller.Tenant.Account.Value), null) : null;

    /// <summary>Takes one request of an account that has messages sent to its endpoints.</summary>
    public TimeSpan? TakeWebhooks(Caller caller) => _enabled ? _webhooks.Take(new(caller.Tenant.Account.Value), null) : null;

    /// <summary>Takes one delivery of the address that sends it.</summary>
    public TimeSpan? TakeHook(HttpContext http) => _enabled ? _hookAddresses.Take(Address(http), null) : null;

    /// <inheritdoc/>
    public Error? Take(ResolverId resolver) => Refusal(_hooks, resolver);

    /// <inheritdoc/>
    public Error? TakeRefused(ResolverId resolver) => Refusal(_refusedHooks, resolver);

    /// <summary>Takes one sign-up for an e-mail address.</summary>
    public TimeSpan? TakeSignUp(EmailAddress email) => _enabled ? _signUpEmails.Take(email.Normalized, null) : null;

    TimeSpan? ISignUpLimits.Take(HttpContext http, EmailAddress email) => TakeSignUp(http) ?? TakeSignUp(email);

    Error? IStripeLimits.Take(Caller caller) => TakeStripe(caller) is { } wait ? ApiErrors.RateLimited(wait) : null;

    Error? IWebhookPace.Take(Caller caller) => TakeWebhooks(caller) is { } wait ? ApiErrors.RateLimited(wait) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys.Dispose();
        _addresses.Dispose();
        _signUpEmails.Dispose();
        _signUpAddresses.Dispose();
        _operatorSignIns.Dispose();
        _keySignIns.Dispose();
        _sessions.Dispose();
        _stripe.Dispose();
        _webhooks.Dispose();
        _hooks.Dispose();
        _refusedHooks.Dispose();
        _hookAddresses.Dispose();
    }

    private Error? Refusal(Buckets<ResolverKey> buckets, ResolverId resolver) =>
        _enabled && buckets.Take(new(resolver.Value), null) is { } wait ? ApiErrors.RateLimited(wait) : null;

    /// <summary>Who asks: an IPv4 address, or the /64 network that one IPv6 host has to itself.</summary>
    public static IPAddress Address(HttpContext http)
    {
        var address = http.Connection.RemoteIpAddress ?? IPAddress.None;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(address)) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new(bytes);
    }

    private static Buckets<T> PerSecond<T>(int perSecond, int burst) where T : notnull => perSecond >= 10
        ? new(burst, perSecond / 10, Tick, perSecond)
        : new(burst, 1, TimeSpan.FromSeconds(1d / perSecond), perSecond);

    private static Buckets<T> PerMinute<T>(int perMinute) where T : notnull => new(perMinute, 1, TimeSpan.FromMinutes(1d / perMinute), perMinute / 60d);

    private static Buckets<T> PerHour<T>(int perHour) where T : notnull => new(perHour, 1, TimeSpan.FromHours(1d / perHour), perHour / 3600d);

    private readonly record struct ApiKeyKey(UInt128 Value);

    private readonly record struct SessionKey(UInt128 Value);

    private readonly record struct AccountKey(UInt128 Value);

    private readonly record struct ResolverKey(UInt128 Value);

    private sealed class Buckets<T> : IDisposable where T : notnull
    {
        private readonly int _burst;
        private readonly double _perSecond;
        private readonly PartitionedRateLimiter<T> _limiter;
        private readonly string _limit;

        public Buckets(int burst, int tokens, TimeSpan period, double perSecond)
        {
            _burst = burst;
            _perSecond = perSecond;
            _limit = burst.ToString(CultureInfo.InvariantCulture);
            var options = new TokenBucketRateLimiterOptions { TokenLimit = burst, TokensPerPeriod = tokens, ReplenishmentPeriod = period, QueueLimit = 0 };
            _limiter = PartitionedRateLimiter.Create<T, T>(key => RateLimitPartition.GetTokenBucketLimiter(key, _ => options));
        }

        public TimeSpan? Take(T key, HttpContext? told)
        {
            using var lease = _limiter.AttemptAcquire(key);
            if (told is not null)
            {
                var left = _limiter.GetStatistics(key)?.CurrentAvailablePermits ?? 0;
                var headers = told.Response.Headers;
                headers["RateLimit-Limit"] = _limit;
                headers["RateLimit-Remaining"] = left.ToString(CultureInfo.InvariantCulture);
                headers["RateLimit-Reset"] = ((long)Math.Ceiling((_burst - left) / _perSecond)).ToString(CultureInfo.InvariantCulture);
            }
            if (lease.IsAcquired) return null;
            return lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1);
        }

        public void Dispose() => _limiter.Dispose();
    }
}
