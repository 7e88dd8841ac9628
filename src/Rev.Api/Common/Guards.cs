using System.Buffers;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Api.Common;

/// <summary>Gives every request an id, the caller's if it is sane, and every answer the headers that all answers have.</summary>
internal sealed class RequestIds(RequestDelegate next)
{
    private const int MaxLength = 128;

    private static readonly SearchValues<char> Allowed = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

    public Task InvokeAsync(HttpContext http)
    {
        var sent = http.Request.Headers["X-Request-Id"];
        http.TraceIdentifier = sent.Count == 1 && sent[0] is { Length: > 0 and <= MaxLength } id && !id.AsSpan().ContainsAnyExcept(Allowed)
            ? id
            : Guid.NewGuid().ToString("N");
        var headers = http.Response.Headers;
        headers["X-Request-Id"] = http.TraceIdentifier;
        headers.XContentTypeOptions = "nosniff";
        return next(http);
    }
}

/// <summary>Turns what no endpoint answers into problems: exceptions, unknown routes and methods.</summary>
internal sealed class Failures(RequestDelegate next, ILogger<Failures> logger)
{
    public async Task InvokeAsync(HttpContext http)
    {
        try
        {
            await next(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // Amid an answer nothing can be told any more.
            if (!http.Response.HasStarted) http.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return;
        }
        catch (Exception exception) when (!http.Response.HasStarted)
        {
            var error = Of(exception);
            var status = Problems.StatusOf(error);
            if (status == StatusCodes.Status500InternalServerError)
                logger.LogError(exception, "Request {RequestId} to {Method} {Route} failed", http.TraceIdentifier, http.Request.Method, Route(http));
            else if (status == StatusCodes.Status503ServiceUnavailable)
                logger.LogWarning("Request {RequestId} to {Method} {Route} met a store that is away: {Reason}", http.TraceIdentifier, http.Request.Method, Route(http), exception.GetType().Name);
            await Problems.Write(http, error);
            return;
        }
        if (http.Response is { HasStarted: false, ContentType: null, ContentLength: null } response)
        {
            if (response.StatusCode == StatusCodes.Status404NotFound) await Problems.Write(http, ApiErrors.RouteNotFound);
            else if (response.StatusCode == StatusCodes.Status405MethodNotAllowed) await Problems.Write(http, ApiErrors.MethodNotAllowed);
        }
    }

    private static string Route(HttpContext http) => (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "an unknown route";

    private static Error Of(Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => ApiErrors.TooLarge(BodyReader.MaxBatchBytes),
        BadHttpRequestException => ApiErrors.MalformedRequest,
        _ when StoreFaults.IsUnavailable(exception) => ServiceErrors.StoreUnavailable,
        _ => ApiErrors.Internal,
    };
}
