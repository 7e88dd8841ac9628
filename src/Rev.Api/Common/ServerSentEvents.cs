using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Rev.Api.Common;

/// <summary>Answers that go on: <c>text/event-stream</c> of the HTML standard.</summary>
internal static class ServerSentEvents
{
    /// <summary>The media type.</summary>
    public const string MediaType = "text/event-stream";

    /// <summary>Whether the caller names it among what it takes.</summary>
    public static bool IsAccepted(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Any(type => type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);

    /// <summary>Begins the answer: nothing between Rev and the caller is to hold it back or keep it.</summary>
    public static void Begin(HttpContext http)
    {
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        http.Response.StatusCode = StatusCodes.Status200OK;
        http.Response.ContentType = MediaType;
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers["X-Accel-Buffering"] = "no";
    }

    /// <summary>One event as it goes over the wire; its JSON has no line breaks.</summary>
    public static byte[] Frame<T>(string name, T data, string? id = null)
    {
        var json = RevJson.Write(data);
        var head = Encoding.ASCII.GetBytes(id is null ? $"event: {name}\ndata: " : $"id: {id}\nevent: {name}\ndata: ");
        return [.. head, .. json, (byte)'\n', (byte)'\n'];
    }
}
