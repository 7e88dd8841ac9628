using MediatR;
using Rev.Api.Common;
using Rev.Api.Streaming;
using Rev.Application.Demo;
using Rev.Application.Streaming;
using Rev.Domain.Common;
using Rev.Infrastructure.Streaming;

namespace Rev.Api.Demo;

/// <summary>The live demo: what runs it, and the stream that anybody may watch.</summary>
internal static class DemoEndpoints
{
    /// <summary>Registers the settings, and where it is on the demo itself.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services, IConfiguration configuration, IHostEnvironment environment)
    {
        var settings = DemoSettings.Read(configuration, environment);
        services.AddSingleton(settings);
        if (!settings.IsOn) return services;
        services.AddSingleton<DemoViewers>();
        services.AddSingleton<DemoAccess>();
        services.AddSingleton<DemoClient>();
        services.AddHostedService<DemoWorker>();
        // Nothing of its requests is logged: they carry its key.
        services.AddHttpClient(DemoClient.Name, http => http.Timeout = TimeSpan.FromSeconds(15)).RemoveAllLoggers()
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler
            {
                UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(5),
            });
        return services;
    }

    /// <summary>Maps the route, where the demo is on: elsewhere there is none.</summary>
    public static void MapDemo(this WebApplication app)
    {
        if (app.Services.GetRequiredService<DemoSettings>().IsOn) app.MapGet("/demo/stream", Watch).ExcludeFromDescription();
    }

    private static async Task<IResult> Watch(
        HttpContext http, IMediator mediator, DemoViewers viewers, StreamSettings settings, IHostApplicationLifetime host, CancellationToken token)
    {
        var entered = viewers.Enter(RateLimits.Address(http));
        if (!entered.IsSuccess) return entered.Error.ToHttp();
        var viewer = entered.Value;
        Result<IActivity> activity;
        try
        {
            activity = await mediator.Send(new OpenDemoAccount(), token).Then(account => StreamingEndpoints.Read(http, new(account, Mode.Live)))
                .Send(watch => mediator.Send(watch with { IsLimitedElsewhere = true }, token));
        }
        catch
        {
            viewer.Dispose();
            throw;
        }
        if (activity.IsSuccess) return new ActivityAnswer(new DemoActivity(activity.Value, viewer), settings, host.ApplicationStopping, _ => Task.FromResult(true));
        viewer.Dispose();
        return activity.Error.ToHttp();
    }
}
