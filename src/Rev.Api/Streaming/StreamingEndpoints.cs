using System.Buffers;
using System.Diagnostics;
using MediatR;
using Rev.Api.Common;
using Rev.Application.Accounts;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Application.Streaming;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Infrastructure.Accounts;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Streaming;
using Rev.Web.Accounts;
using Rev.Web.Common;

namespace Rev.Api.Streaming;

/// <summary>The live stream: for programs by their key, for pages by the session of whoever looks at them.</summary>
internal static class StreamingEndpoints
{
    /// <summary>Maps the routes.</summary>
    public static void MapStreaming(this IEndpointRouteBuilder app)
    {
        app.MapGet("/v1/stream", Watch).RequireScope(Scopes.Read).Document(StreamingDocs.Watch);
        foreach (var mode in Enum.GetValues<Mode>())
            app.MapGet($"{AppPath.Root(mode)}/stream", WatchSignedIn).WithMetadata(new SignedInAttribute()).ExcludeFromDescription();
    }

    private static async Task<IResult> Watch(HttpContext http, IMediator mediator, KeyRing keys, StreamSettings settings, IHostApplicationLifetime host, CancellationToken token)
    {
        var caller = http.Caller();
        var activity = await Read(http, caller.Tenant).Send(watch => mediator.Send(watch, token));
        if (!activity.IsSuccess) return activity.Error.ToHttp();
        var key = Auth.BearerKey(http.Request)!;
        return new ActivityAnswer(activity.Value, settings, host.ApplicationStopping, async stop =>
            await keys.Find(key, stop) is { } now && now.Tenant == caller.Tenant && now.Scopes.Grants(Scopes.Read));
    }

    private static async Task<IResult> WatchSignedIn(
        HttpContext http, IMediator mediator, IServiceScopeFactory scopes, StreamSettings settings, IHostApplicationLifetime host, CancellationToken token)
    {
        if (http.Visitor() is not { } visitor || AppPath.ModeOf(http.Request.Path) is not { } mode || !visitor.MaySee(mode)) return AccountErrors.NoKey.ToHttp();
        var activity = await Read(http, visitor.In(mode).Tenant).Send(watch => mediator.Send(watch, token));
        if (!activity.IsSuccess) return activity.Error.ToHttp();
        var session = http.SessionToken();
        return new ActivityAnswer(activity.Value, settings, host.ApplicationStopping, async stop =>
        {
            // In a scope of its own: that of the request remembers what it read.
            await using var scope = scopes.CreateAsyncScope();
            var now = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new FindSession(session), stop);
            return now.IsSuccess && now.Value.Session == visitor.Session && now.Value.MaySee(mode) && now.Value.May(Scopes.Read);
        });
    }

    /// <summary>What a request asks to watch of a tenant.</summary>
    public static Result<WatchActivity> Read(HttpContext http, Tenant tenant)
    {
        var query = QueryFields.Only(http, "agent_id", "customer_id", "last_event_id");
        var named = query.Text("last_event_id");
        ActivityCursor? after = ActivityCursor.TryParse(named, out var cursor) ? cursor : null;
        if (named is not null && after is null) query.Errors.Add(new("last_event_id", "is not the id of an event of this stream"));
        // A browser sends what it got last, beside the address that it began with.
        var sent = http.Request.Headers["Last-Event-ID"];
        if (sent.Count > 0) after = ActivityCursor.TryParse(sent[0], out cursor) ? cursor : null;
        return query.To(new WatchActivity(tenant, query.Text("agent_id"), query.Text("customer_id"), named is not null || sent.Count > 0, after));
    }
}

/// <summary>Sends a viewer what it watches, until it goes, does not keep up, may not any more, or Rev stops.</summary>
/// <param name="activity">What it watches.</param>
/// <param name="settings">How long it may take.</param>
/// <param name="stopping">Rev stops.</param>
/// <param name="isAllowed">Whether it still may watch; asked at every heartbeat.</param>
internal sealed class ActivityAnswer(IActivity activity, StreamSettings settings, CancellationToken stopping, Func<CancellationToken, Task<bool>> isAllowed) : IResult
{
    private const int FlushBytes = 64 * 1024;

    private static readonly byte[] Retry = "retry: 3000\n\n"u8.ToArray();
    private static readonly byte[] Lagging = "event: lagging\ndata: {}\n\n"u8.ToArray();

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var viewer = activity;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, stopping);
        try
        {
            ServerSentEvents.Begin(httpContext);
            await Flush(httpContext, Retry, stop.Token);
            await foreach (var frame in activity.Missed(stop.Token)) await Flush(httpContext, frame, stop.Token);
            await Follow(httpContext, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // It went, or Rev stops: there is nothing to say.
        }
        catch (OperationCanceledException)
        {
            httpContext.Abort();
        }
    }

    private async Task Follow(HttpContext http, CancellationToken stop)
    {
        await Flush(http, Mark(), stop);
        var beatAt = Stopwatch.GetTimestamp();
        Task<bool>? more = null;
        while (true)
        {
            var mark = Mark();
            var sent = 0;
            while (!activity.IsLagging && sent < FlushBytes && activity.Live.TryRead(out var frame))
            {
                http.Response.BodyWriter.Write(frame);
                sent += frame.Length;
            }
            if (activity.IsLagging)
            {
                await Flush(http, Lagging, stop);
                return;
            }
            var rest = settings.Heartbeat - Stopwatch.GetElapsedTime(beatAt);
            if (rest <= TimeSpan.Zero)
            {
                if (!await MayWatch(stop)) return;
                beatAt = Stopwatch.GetTimestamp();
                if (sent == 0) await Flush(http, mark, stop);
                continue;
            }
            if (sent > 0)
            {
                await Flush(http, [], stop);
                continue;
            }
            more ??= activity.Live.WaitToReadAsync(stop).AsTask();
            await Task.WhenAny(more, Task.Delay(rest, stop));
            stop.ThrowIfCancellationRequested();
            if (more.IsCompleted) more = null;
        }
    }

    /// <summary>A heartbeat. It moves the place to resume from, so that who watched a quiet account misses nothing.</summary>
    private byte[] Mark() => System.Text.Encoding.ASCII.GetBytes($": heartbeat\nid: {activity.Mark}\n\n");

    private async Task<bool> MayWatch(CancellationToken stop)
    {
        try
        {
            return await isAllowed(stop);
        }
        catch (Exception exception) when (StoreFaults.IsUnavailable(exception))
        {
            // Nobody can tell now; the next heartbeat asks again.
            return true;
        }
    }

    /// <exception cref="OperationCanceledException">The viewer leaves too long what it is sent.</exception>
    private async Task Flush(HttpContext http, byte[] frame, CancellationToken stop)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(settings.WriteTimeout);
        http.Response.BodyWriter.Write(frame);
        await http.Response.BodyWriter.FlushAsync(limit.Token);
    }
}

/// <summary>Events as they go over the wire.</summary>
internal sealed class ActivityFormat : IActivityFormat
{
    public byte[] Call(ActivityCursor cursor, EventSummary call) => ServerSentEvents.Frame("call", call, cursor.ToString());

    public byte[] Outcome(ActivityCursor cursor, OutcomeSummary outcome) => ServerSentEvents.Frame("outcome", outcome, cursor.ToString());

    public byte[] Skipped(SkippedActivity skipped) => ServerSentEvents.Frame("skipped", skipped);

    public byte[] Reset(ActivityReset reset) => ServerSentEvents.Frame("reset", reset);
}
