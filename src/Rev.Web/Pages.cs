using System.Reflection;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Rev.Web.Accounts;
using Rev.Web.Billing;
using Rev.Web.Common;
using Rev.Web.Docs;
using Rev.Web.Home;
using Rev.Web.Metering;
using Rev.Web.Operators;
using Rev.Web.Outcomes;
using Rev.Web.Pricing;
using Rev.Web.Revenue;
using Rev.Web.Webhooks;

namespace Rev.Web;

/// <summary>
/// The pages, for the program that serves them. It also registers a <see cref="PageSettings"/>, and what holds people to a pace:
/// <see cref="ISignUpLimits"/>, <see cref="ISignInLimits"/>, <see cref="IStripeLimits"/> and <see cref="IWebhookPace"/>.
/// </summary>
public static class Pages
{
    private static readonly string[] Head = [HttpMethods.Head];

    /// <summary>What pages are rendered with.</summary>
    public static IServiceCollection AddPages(this IServiceCollection services)
    {
        services.AddRazorComponents();
        services.AddPageCompression();
        services.AddSingleton<DocLibrary>();
        services.AddSingleton<DemoFeed>();
        services.AddAntiforgery(forms =>
        {
            forms.Cookie = new FormCookie { Name = "rev-form", HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true };
            // The policy of the pages says it: frame-ancestors 'none'.
            forms.SuppressXFrameOptionsHeader = true;
        });
        services.AddSingleton<IAntiforgeryAdditionalDataProvider, FormOwner>();
        return services;
    }

    /// <summary>The headers of pages, pages instead of problems for people, and who is signed in; after the routing.</summary>
    public static void UsePages(this WebApplication app)
    {
        app.UsePageCompression();
        app.UseMiddleware<PageGate>();
        app.UseMiddleware<SessionGate>();
        app.UseAntiforgery();
    }

    /// <summary>Maps the pages and what they load.</summary>
    public static void MapPages(this WebApplication app)
    {
        app.MapStaticAssets();
        app.MapRazorComponents<App>().WithMetadata(PageMark.Instance);
        app.MapNewKey();
        app.MapSignOut();
        app.MapParts();
        foreach (var page in typeof(App).Assembly.GetTypes())
        {
            // Components answer GET and POST only, and whoever checks a link asks HEAD, under the same conditions.
            object[] marks = [PageMark.Instance, .. page.GetCustomAttributes<SignedInAttribute>()];
            foreach (var route in page.GetCustomAttributes<RouteAttribute>())
                app.MapMethods(route.Template, Head, AnswerHead).WithMetadata(marks).ExcludeFromDescription();
        }
    }

    /// <summary>Maps the parts of pages that scripts fetch by themselves.</summary>
    private static void MapParts(this WebApplication app)
    {
        app.MapGet("/simulator/result", () => new RazorComponentResult<SimulatorFragment>()).WithMetadata(PageMark.Instance).ExcludeFromDescription();
        app.MapGet("/simulator/preset", SimulatorPreset.Choose).ExcludeFromDescription();
        app.MapTiers();
        app.MapRevenue();
        app.MapCallParts();
        app.MapOutcomeParts();
        app.MapOperationsPages();
    }

    private static Task AnswerHead(HttpContext http)
    {
        http.Response.ContentType = "text/html; charset=utf-8";
        return Task.CompletedTask;
    }
}
