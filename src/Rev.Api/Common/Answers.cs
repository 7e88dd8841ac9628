using System.Buffers;
using System.Text.Json;
using Rev.Application.Accounts;
using Rev.Application.Common;
using Rev.Domain.Common;

namespace Rev.Api.Common;

/// <summary>Results to HTTP, and the steps of an endpoint from the body to the answer.</summary>
internal static class Answers
{
    /// <summary>The value as JSON, or the refusal.</summary>
    public static IResult ToHttp<T>(this Result<T> result, int status = StatusCodes.Status200OK) =>
        result.IsSuccess ? new JsonAnswer<T>(result.Value, status) : result.Error.ToHttp();

    /// <summary>What a PUT came to: 201 with its address when it is new, else 200.</summary>
    public static IResult ToHttp<T>(this Result<Configured<T>> result, Func<T, string> location)
    {
        if (!result.IsSuccess) return result.Error.ToHttp();
        return result.Value.Created
            ? new JsonAnswer<T>(result.Value.Answer, StatusCodes.Status201Created) { Location = location(result.Value.Answer) }
            : new JsonAnswer<T>(result.Value.Answer, StatusCodes.Status200OK);
    }

    /// <summary>What was made, 201, marked when it was made before.</summary>
    public static IResult ToHttp<T>(this Result<Replayable<T>> result) =>
        result.IsSuccess ? Created(result.Value.Answer, result.Value.Replayed, null) : result.Error.ToHttp();

    /// <summary>201 with the address of what was made, marked when it is a repeat.</summary>
    public static IResult Created<T>(T answer, bool replayed, string? location) =>
        new JsonAnswer<T>(answer, StatusCodes.Status201Created) { Location = location, Replayed = replayed };

    /// <summary>The next step, unless this one was refused.</summary>
    public static async Task<Result<TNext>> Then<T, TNext>(this Task<Result<T>> step, Func<T, Result<TNext>> next)
    {
        var result = await step;
        return result.IsSuccess ? next(result.Value) : result.Error;
    }

    /// <summary>Sends the command, unless there is none because something was refused.</summary>
    public static async Task<Result<TAnswer>> Send<TCommand, TAnswer>(this Task<Result<TCommand>> command, Func<TCommand, Task<Result<TAnswer>>> send)
    {
        var result = await command;
        return result.IsSuccess ? await send(result.Value) : result.Error;
    }

    /// <summary>Sends the command, unless there is none because something was refused.</summary>
    public static Task<Result<TAnswer>> Send<TCommand, TAnswer>(this Result<TCommand> command, Func<TCommand, Task<Result<TAnswer>>> send) =>
        command.IsSuccess ? send(command.Value) : Task.FromResult<Result<TAnswer>>(command.Error);
}

/// <summary>An answer in JSON.</summary>
internal sealed class JsonAnswer<T>(T value, int status) : IResult
{
    /// <summary>The address of what was made.</summary>
    public string? Location { get; init; }

    /// <summary>Whether the answer was given before.</summary>
    public bool Replayed { get; init; }

    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json";
        if (Location is not null) response.Headers.Location = Location;
        if (Replayed) response.Headers["Idempotent-Replayed"] = "true";
        using (var scratch = JsonScratch.Begin())
        {
            JsonSerializer.Serialize(scratch.Writer, value, RevJson.Info<T>());
            var body = scratch.Written;
            response.ContentLength = body.Length;
            response.BodyWriter.Write(body);
        }
        return response.BodyWriter.FlushAsync(httpContext.RequestAborted).AsTask();
    }
}
