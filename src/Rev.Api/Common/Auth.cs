using System.Text;
using Rev.Application.Accounts;
using Rev.Domain.Accounts;
using Rev.Infrastructure.Accounts;
using Rev.Infrastructure.Common;

namespace Rev.Api.Common;

/// <summary>What a route asks of its caller.</summary>
/// <param name="Scope">The scope that a key must have.</param>
/// <param name="KeyIsOptional">Whether it also answers without a key.</param>
internal sealed record Access(Scopes Scope, bool KeyIsOptional);

/// <summary>Marks a route that asks Stripe while its caller waits.</summary>
internal sealed record StripeAsked;

/// <summary>Marks a route by which a caller has messages sent to an address of its own choice.</summary>
internal sealed record WebhooksSent;

/// <summary>Who calls, and what routes ask of it.</summary>
internal static class Auth
{
    /// <summary>Asks for a key with a scope.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, Scopes scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Access(scope, KeyIsOptional: false));

    /// <summary>Answers without a key; a key that is sent must be valid and have the scope.</summary>
    public static TBuilder AllowScope<TBuilder>(this TBuilder builder, Scopes scope) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new Access(scope, KeyIsOptional: true));

    /// <summary>Holds an account to its share of what Stripe is asked while callers wait: Stripe counts by address and by platform, for all accounts together.</summary>
    public static TBuilder AsksStripe<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new StripeAsked());

    /// <summary>Holds an account to its share of what Rev sends because it asks: else a test would look through the ports of others, and a replay flood them.</summary>
    public static TBuilder SendsWebhooks<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new WebhooksSent());

    /// <summary>Who calls; only behind <see cref="RequireScope"/>.</summary>
    public static Caller Caller(this HttpContext http) => http.OptionalCaller() ?? throw new InvalidOperationException("The route asks for no key.");

    /// <summary>Who calls; null without a key.</summary>
    public static Caller? OptionalCaller(this HttpContext http) => http.Items.TryGetValue(typeof(Caller), out var caller) ? (Caller?)caller : null;

    /// <summary>The key of the header Authorization; null without a bearer key.</summary>
    public static string? BearerKey(HttpRequest request)
    {
        const string scheme = "Bearer ";
        var header = request.Headers.Authorization;
        return header.Count == 1 && header[0] is { } text && text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase) && text.Length <= 300
            ? text[scheme.Length..].Trim()
            : null;
    }
}

/// <summary>Finds out who calls the API, holds it to its rate limit, and asks for the scope of the route. It limits those who sign up or in on the pages, and who open the demo's stream, too.</summary>
internal sealed class ApiGate(RequestDelegate next, KeyRing keys, RateLimits limits)
{
    public async Task InvokeAsync(HttpContext http)
    {
        if (!IsLimited(http.Request.Path))
        {
            await next(http);
            return;
        }
        var caller = Auth.BearerKey(http.Request) is { Length: > 0 } key ? await keys.Find(key, http.RequestAborted) : null;
        if (limits.Take(http, caller) is { } wait)
        {
            await Problems.Write(http, ApiErrors.RateLimited(wait));
            return;
        }
        if (http.GetEndpoint()?.Metadata.GetMetadata<Access>() is { } access)
        {
            var sent = caller is not null || http.Request.Headers.Authorization.Count > 0;
            if (caller is null && (sent || !access.KeyIsOptional))
            {
                await Problems.Write(http, AccountErrors.NoKey);
                return;
            }
            if (caller is not null && !caller.Scopes.Grants(access.Scope))
            {
                await Problems.Write(http, AccountErrors.MissingScope(ScopeNames.Of(access.Scope)[0]));
                return;
            }
            if (caller is not null && http.GetEndpoint()?.Metadata.GetMetadata<StripeAsked>() is not null && limits.TakeStripe(caller) is { } pause)
            {
                await Problems.Write(http, ApiErrors.RateLimited(pause));
                return;
            }
            if (caller is not null && http.GetEndpoint()?.Metadata.GetMetadata<WebhooksSent>() is not null && limits.TakeWebhooks(caller) is { } rest)
            {
                await Problems.Write(http, ApiErrors.RateLimited(rest));
                return;
            }
            http.Items[typeof(Caller)] = caller;
        }
        await next(http);
    }

    private static bool IsLimited(PathString path) =>
        path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/signup", StringComparison.OrdinalIgnoreCase)
        || path.StartsWithSegments("/signin", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/demo", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Lets operators through, by HTTP Basic, to the dashboard, and outside development to the metrics.</summary>
internal sealed class OperatorGate(RequestDelegate next, Operators operators, RateLimits limits, IHostEnvironment environment)
{
    /// <summary>Marks a request of an operator.</summary>
    public static readonly object IsOperator = new();

    public Task InvokeAsync(HttpContext http)
    {
        var path = http.Request.Path;
        var guarded = path.StartsWithSegments("/hangfire", StringComparison.OrdinalIgnoreCase) || path.StartsWithSegments("/operations", StringComparison.OrdinalIgnoreCase)
            || (path.StartsWithSegments("/metrics", StringComparison.OrdinalIgnoreCase) && !environment.IsDevelopment());
        if (!guarded) return next(http);
        // A button of the jobs must not be pressed within a page of somebody else.
        http.Response.Headers.XFrameOptions = "DENY";
        // A browser sends Basic along with requests that other sites make it send.
        if (!HttpMethods.IsGet(http.Request.Method) && http.Request.Headers.Origin is { Count: > 0 } origin
            && !(Uri.TryCreate(origin[0], UriKind.Absolute, out var from) && from.Authority.Equals(http.Request.Host.Value, StringComparison.OrdinalIgnoreCase)))
            return Refuse(http, StatusCodes.Status403Forbidden);
        if (Credentials(http.Request) is var (name, password))
        {
            // A guess is counted before it is hashed; what was right a moment ago is not hashed again.
            if (!operators.IsRemembered(name, password) && limits.TakeOperatorSignIn(http) is { } wait) return Problems.Write(http, ApiErrors.RateLimited(wait));
            if (operators.IsOperator(name, password))
            {
                http.Items[IsOperator] = true;
                return next(http);
            }
        }
        http.Response.Headers.WWWAuthenticate = "Basic realm=\"Rev operators\", charset=\"UTF-8\"";
        return Refuse(http, StatusCodes.Status401Unauthorized);
    }

    private static Task Refuse(HttpContext http, int status)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        return http.Response.WriteAsync("For operators of this Rev only.", http.RequestAborted);
    }

    private static (string Name, string Password)? Credentials(HttpRequest request)
    {
        const string scheme = "Basic ";
        if (request.Headers.Authorization is not { Count: 1 } header || header[0] is not { } text || !text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return null;
        var bytes = new byte[text.Length];
        if (!Convert.TryFromBase64String(text[scheme.Length..].Trim(), bytes, out var length)) return null;
        var pair = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = pair.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : (pair[..colon], pair[(colon + 1)..]);
    }
}
