using Microsoft.AspNetCore.Http;
using Rev.Domain.Common;

namespace Rev.Web.Common;

/// <summary>Where the pages of a mode lie.</summary>
public static class AppPath
{
    private static readonly object StatusKey = new();

    /// <summary>The beginning of all paths of a mode.</summary>
    public static string Root(Mode mode) => mode == Mode.Test ? "/test" : "/live";

    /// <summary>The mode of a path; null for pages that have none.</summary>
    public static Mode? ModeOf(PathString path) =>
        path.StartsWithSegments("/live", StringComparison.OrdinalIgnoreCase) ? Mode.Live
        : path.StartsWithSegments("/test", StringComparison.OrdinalIgnoreCase) ? Mode.Test
        : null;

    /// <summary>A path with fields; those that are null or empty are left out.</summary>
    public static string With(string path, params (string Name, string? Value)[] fields)
    {
        var query = string.Join('&', fields.Where(f => !string.IsNullOrEmpty(f.Value)).Select(f => $"{f.Name}={Uri.EscapeDataString(f.Value!)}"));
        return query.Length == 0 ? path : $"{path}?{query}";
    }

    /// <summary>
    /// Gives a page a status. Only as the answer begins: of a component that sets 404 while it is drawn the framework draws nothing.
    /// </summary>
    public static void Status(HttpContext http, int status)
    {
        // The last one counts, and what is registered last runs first.
        var isSet = http.Items.ContainsKey(StatusKey);
        http.Items[StatusKey] = status;
        if (isSet) return;
        http.Response.OnStarting(() =>
        {
            http.Response.StatusCode = (int)http.Items[StatusKey]!;
            return Task.CompletedTask;
        });
    }

    /// <summary>The status of a page that shows a refusal.</summary>
    public static int StatusOf(Error error) => error.Kind switch
    {
        ErrorKind.Invalid => StatusCodes.Status400BadRequest,
        ErrorKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        ErrorKind.Forbidden => StatusCodes.Status403Forbidden,
        ErrorKind.NotFound => StatusCodes.Status404NotFound,
        ErrorKind.Conflict => StatusCodes.Status409Conflict,
        ErrorKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ErrorKind.UnsupportedType => StatusCodes.Status415UnsupportedMediaType,
        ErrorKind.RateLimited => StatusCodes.Status429TooManyRequests,
        ErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
    };
}
