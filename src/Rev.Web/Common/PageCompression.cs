using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Rev.Web.Common;

/// <summary>
/// Sends pages compressed where that tells nothing. The length of a compressed page says how much of it repeats itself: another site that
/// could have a browser open a page again and again, with texts of its own choice in the address, would learn letter by letter what else
/// stands in it (BREACH). So what everybody sees alike is compressed, and what only some may see where the browser says that its reader
/// or a page of this server opened it, as a document. Parts that scripts fetch are not, since their address is that of the page; but for the
/// figures of the dashboard, by far the largest, where their address has nothing but choices from short lists.
/// </summary>
internal static class PageCompression
{
    /// <summary>Pages, beside the home page, that hold nothing of anybody, and all below them.</summary>
    private static readonly PathString[] Alike = ["/docs", "/simulator"];

    /// <summary>The figures of the dashboard.</summary>
    private static readonly string[] Figures = ["/live/revenue/figures", "/test/revenue/figures"];

    /// <summary>What may stand in their address: of a name of nine letters nothing can be learnt by guessing.</summary>
    private static readonly string[] Choices = ["range", "group_by", "currency"];

    private const int LongestChoice = 9;

    /// <summary>Registers what compresses. The files that pages load lie there compressed already.</summary>
    public static IServiceCollection AddPageCompression(this IServiceCollection services) => services.AddResponseCompression(options =>
    {
        // What that opens is closed by what is not compressed.
        options.EnableForHttps = true;
        options.MimeTypes = ["text/html"];
    });

    /// <summary>Compresses pages; after the routing, and before whatever answers them.</summary>
    public static void UsePageCompression(this IApplicationBuilder app) => app.UseWhen(IsSafe, safe =>
    {
        safe.Use((http, next) =>
        {
            http.Response.OnStarting(TellCaches, http.Response);
            return next(http);
        });
        safe.UseResponseCompression();
    });

    private static bool IsSafe(HttpContext http)
    {
        if (http.GetEndpoint()?.Metadata.GetMetadata<PageMark>() is null) return false;
        var request = http.Request;
        if (request.Path == "/" || Array.Exists(Alike, place => request.Path.StartsWithSegments(place, StringComparison.OrdinalIgnoreCase))) return true;
        if (Figures.Contains(request.Path.Value ?? "", StringComparer.Ordinal))
            return request.Headers["Sec-Fetch-Site"] == "same-origin" && request.Query.All(field => Choices.Contains(field.Key, StringComparer.Ordinal) && field.Value.ToString().Length <= LongestChoice);
        return request.Headers["Sec-Fetch-Dest"] == "document" && request.Headers["Sec-Fetch-Site"].ToString() is "same-origin" or "none";
    }

    /// <summary>Registered first and so called last: it finds what the page says of its cookies.</summary>
    private static Task TellCaches(object state)
    {
        var headers = ((HttpResponse)state).Headers;
        if (headers.ContentEncoding.Count > 0) headers.Vary = $"Accept-Encoding, {headers.Vary}";
        return Task.CompletedTask;
    }
}
