using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Rev.Web.Accounts;

namespace Rev.Web.Common;

/// <summary>Marks the endpoint of a page.</summary>
internal sealed class PageMark
{
    /// <summary>The mark.</summary>
    public static readonly PageMark Instance = new();
}

/// <summary>Gives pages their headers, and shows a page instead of a problem where a person waits for one.</summary>
internal sealed class PageGate(RequestDelegate next, PageSettings settings, IServiceScopeFactory scopes, ILogger<PageGate> logger)
{
    /// <summary>No nonce and no exception: pages load what lies on this server and nothing else.</summary>
    public const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'self'; frame-ancestors 'none'; object-src 'none'";

    // A form is read into memory before anybody knows what it is. Of whoever is signed in it may hold a tier, which grows on its way.
    private const long MaxForm = 2 * 1024 * 1024;
    private const long MaxPublicForm = 16 * 1024;

    private static readonly PathString Fonts = new(PageAsset.Root + "fonts");

    private static readonly string[] Programs = ["/v1", "/hooks", "/webhooks", "/health", "/metrics", "/operations", "/hangfire", "/openapi", "/demo", "/_content"];

    public async Task InvokeAsync(HttpContext http)
    {
        var page = http.GetEndpoint()?.Metadata.GetMetadata<PageMark>() is not null;
        if (page) Guard(http);
        else if (http.Request.Path.StartsWithSegments(Fonts, StringComparison.Ordinal)) http.Response.OnStarting(KeepForever, http.Response);
        if (page && IsFromElsewhere(http.Request))
        {
            await Show<FailurePage>(http, StatusCodes.Status400BadRequest);
            return;
        }
        try
        {
            await next(http);
        }
        catch (Exception exception) when (page && !http.Response.HasStarted && !http.RequestAborted.IsCancellationRequested)
        {
            var status = StatusOf(exception);
            if (status == StatusCodes.Status500InternalServerError)
                logger.LogError(exception, "Request {RequestId} of the page {Path} failed", http.TraceIdentifier, http.Request.Path);
            else if (status == StatusCodes.Status503ServiceUnavailable)
                logger.LogWarning("Request {RequestId} of the page {Path} met a store that is away: {Reason}", http.TraceIdentifier, http.Request.Path, exception.GetType().Name);
            await Show<FailurePage>(http, status);
            return;
        }
        if (http.Response is not { HasStarted: false, ContentType: null, ContentLength: null } response || HttpMethods.IsHead(http.Request.Method)) return;
        if (page && response.StatusCode >= StatusCodes.Status400BadRequest) await Show<FailurePage>(http, response.StatusCode);
        else if (response.StatusCode == StatusCodes.Status404NotFound && IsForAPerson(http.Request)) await Show<NotFoundPage>(http, response.StatusCode);
    }

    private static void Guard(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "strict-origin-when-cross-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
            body.MaxRequestBodySize = http.GetEndpoint()?.Metadata.GetMetadata<SignedInAttribute>() is null ? MaxPublicForm : MaxForm;
        http.Response.OnStarting(AskAgain, http);
    }

    /// <summary>Whether a page of another host sends a form. Its token may be right all the same: a host of the same domain can plant the cookie that it is held against.</summary>
    private static bool IsFromElsewhere(HttpRequest request)
    {
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) return false;
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is not ("same-origin" or "none");
        // By plain http browsers say no more than where it comes from, and of a page without a referrer not even that.
        return Uri.TryCreate(request.Headers.Origin.ToString(), UriKind.Absolute, out var from) && !from.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A page is as fresh as its last look, and has the theme of whoever looks; one with a form says no-store by itself.</summary>
    private static Task AskAgain(object state)
    {
        var http = (HttpContext)state;
        var headers = http.Response.Headers;
        if (headers.CacheControl.Count == 0) headers.CacheControl = "no-cache, private";
        headers.Vary = "Cookie";
        // Where TLS ends at a proxy, the whole address of a page would lead back to plain http.
        if (headers.Location.ToString() is { Length: > 0 } to) headers.Location = WithinThisServer(http.Request, to);
        return Task.CompletedTask;
    }

    private static string WithinThisServer(HttpRequest request, string to)
    {
        var own = $"{request.Scheme}://{request.Host.ToUriComponent()}/";
        // Without its host, //elsewhere would be another one.
        return to.StartsWith(own, StringComparison.OrdinalIgnoreCase) && to[(own.Length - 1)..] is not ['/', '/', ..] and var path ? path : to;
    }

    /// <summary>A font's name has the hash of its content.</summary>
    private static Task KeepForever(object state)
    {
        var response = (HttpResponse)state;
        if (response.StatusCode is StatusCodes.Status200OK or StatusCodes.Status304NotModified)
            response.Headers.CacheControl = "public, max-age=31536000, immutable";
        return Task.CompletedTask;
    }

    private static bool IsForAPerson(HttpRequest request) =>
        HttpMethods.IsGet(request.Method)
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
        && !Array.Exists(Programs, path => request.Path.StartsWithSegments(path, StringComparison.OrdinalIgnoreCase));

    private int StatusOf(Exception exception) => exception switch
    {
        BadHttpRequestException refused => refused.StatusCode,
        InvalidDataException or AntiforgeryValidationException => StatusCodes.Status400BadRequest,
        _ when settings.StoreIsAway(exception) => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status500InternalServerError,
    };

    /// <summary>Renders with services of its own: those of the request may be left amid a page.</summary>
    private async Task Show<TPage>(HttpContext http, int status) where TPage : IComponent
    {
        Guard(http);
        var services = http.RequestServices;
        await using var scope = scopes.CreateAsyncScope();
        http.RequestServices = scope.ServiceProvider;
        try
        {
            await new RazorComponentResult<TPage> { StatusCode = status }.ExecuteAsync(http);
        }
        finally
        {
            http.RequestServices = services;
        }
    }
}
