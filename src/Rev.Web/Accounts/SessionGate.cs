using System.Globalization;
using MediatR;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Accounts;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Accounts;

/// <summary>Finds out who looks at what asks for a session, and lets those through who may see it.</summary>
internal sealed class SessionGate(RequestDelegate next, ISignInLimits limits)
{
    public async Task InvokeAsync(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<SignedInAttribute>() is not { } asked)
        {
            await next(http);
            return;
        }
        // Nothing of it is there any more after a sign-out. A page with a form says the same of itself.
        http.Response.Headers.CacheControl = "no-cache, no-store";
        if (await Find(http) is not { } visitor)
        {
            await LeadToSignIn(http);
            return;
        }
        http.Items[typeof(Visitor)] = visitor;
        if (Refusal(http, visitor, asked) is { } refusal) await Refuse(http, refusal);
        else await next(http);
    }

    /// <summary>Looked up each time, so that what was ended or revoked is over at once.</summary>
    private static async Task<Visitor?> Find(HttpContext http)
    {
        if (SessionCookie.Token(http) is not { } token) return null;
        var found = await http.RequestServices.GetRequiredService<IMediator>().Send(new FindSession(token), http.RequestAborted);
        if (found.IsSuccess) return found.Value;
        SessionCookie.Delete(http);
        return null;
    }

    private static async Task LeadToSignIn(HttpContext http)
    {
        var request = http.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            var from = request.Path.ToUriComponent() + request.QueryString.ToUriComponent();
            if (IsForAPerson(request)) http.Response.Redirect(AppPath.With("/signin", ("return", from)));
            else await Refuse(http, new(StatusCodes.Status401Unauthorized, "You are signed out", "Sign in at /signin first."));
            return;
        }
        await Refuse(http, new(StatusCodes.Status401Unauthorized, "You are signed out", "Your session is over, so nothing was changed. Sign in and do it once more.")
        {
            Href = AppPath.With("/signin", ("return", request.Path.ToUriComponent())), Label = "Sign in",
        });
    }

    private PageRefusal? Refusal(HttpContext http, Visitor visitor, SignedInAttribute asked)
    {
        if (limits.TakePage(visitor) is { } wait)
        {
            http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return new(StatusCodes.Status429TooManyRequests, "That was too much at once", "More pages were asked for than one session may have. Wait a few seconds, then open the page again.")
            {
                Href = http.Request.Path.ToUriComponent(), Label = "Open the page again",
            };
        }
        if (AppPath.ModeOf(http.Request.Path) == Mode.Live && !visitor.MaySee(Mode.Live))
            return new(StatusCodes.Status403Forbidden, "This is live data", "You signed in with a test key, which opens test data only. Sign in with a live key or by mail to see both.")
            {
                Href = AppPlaces.In(Mode.Test, http.Request.Path), Label = "See test data",
            };
        if (visitor.May(asked.Scope)) return null;
        var scope = ScopeNames.Of(asked.Scope & ~visitor.Scopes)[0];
        return new(StatusCodes.Status403Forbidden, "Your key does not open this page", $"It lacks the scope {scope}. Sign in with a key that has it, or by mail, which opens everything.")
        {
            Code = AccountErrors.MissingScope(scope).Code,
        };
    }

    /// <summary>A page for a person; for a script or a program one line.</summary>
    private static async Task Refuse(HttpContext http, PageRefusal refusal)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<PageMark>() is not null && IsForAPerson(http.Request))
        {
            await new RazorComponentResult<RefusalPage>(new Dictionary<string, object?>(StringComparer.Ordinal) { [nameof(RefusalPage.Refusal)] = refusal })
            {
                StatusCode = refusal.Status,
            }.ExecuteAsync(http);
            return;
        }
        http.Response.StatusCode = refusal.Status;
        http.Response.ContentType = "text/plain; charset=utf-8";
        await http.Response.WriteAsync($"{refusal.Title}. {refusal.Advice}", http.RequestAborted);
    }

    /// <summary>Whether a browser opens a document, and no script fetches a part or a stream.</summary>
    private static bool IsForAPerson(HttpRequest request) =>
        request.Headers["Sec-Fetch-Dest"].ToString() is "" or "document"
        && request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}

/// <summary>Why a page is not shown.</summary>
/// <param name="Status">The status of the answer.</param>
/// <param name="Title">What it is.</param>
/// <param name="Advice">What can be done.</param>
public sealed record PageRefusal(int Status, string Title, string Advice)
{
    /// <summary>Where that is done.</summary>
    public string Href { get; init; } = "/signin";

    /// <summary>The name of that place.</summary>
    public string Label { get; init; } = "Sign in another way";

    /// <summary>The code of the refusal, where it has one.</summary>
    public string? Code { get; init; }
}
