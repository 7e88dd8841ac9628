using System.Diagnostics;
using Hangfire;
using Hangfire.Dashboard;
using MediatR;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Rev.Application.Billing;
using Rev.Application.Common;
using Rev.Infrastructure.Common;
using Scalar.AspNetCore;

namespace Rev.Api.Common;

/// <summary>Whether Rev works.</summary>
/// <param name="Status">live, ready or not_ready.</param>
/// <param name="Reason">Why it is not ready.</param>
internal sealed record Health(string Status, string? Reason);

/// <summary>What operators look at: health, metrics, jobs, the reference.</summary>
internal static class Operations
{
    /// <summary>Metrics for Prometheus; with OTEL_EXPORTER_OTLP_ENDPOINT also traces and metrics to a collector.</summary>
    public static IServiceCollection AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        var collector = !string.IsNullOrWhiteSpace(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                "rev", serviceVersion: typeof(Operations).Assembly.GetName().Version?.ToString(3), autoGenerateServiceInstanceId: false))
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(RevMetrics.Name).AddAspNetCoreInstrumentation().AddHttpClientInstrumentation().AddRuntimeInstrumentation();
                metrics.AddPrometheusExporter(prometheus => prometheus.ScrapeResponseCacheDurationMilliseconds = 0);
                if (collector) metrics.AddOtlpExporter();
            });
        if (!collector) return services;
        telemetry.WithTracing(traces => traces.AddSource(RevMetrics.Name).AddAspNetCoreInstrumentation(options => options.EnrichWithHttpRequest = HideAddress).AddHttpClientInstrumentation().AddOtlpExporter());
        return services;
    }

    /// <summary>The address of a resolver that is not signed ends in its secret: no collector is told of it.</summary>
    private static void HideAddress(Activity activity, HttpRequest request)
    {
        if (request.Path.StartsWithSegments("/hooks", StringComparison.OrdinalIgnoreCase)) activity.SetTag("url.path", "/hooks");
    }

    /// <summary>Maps the routes.</summary>
    public static void MapOperations(this WebApplication app)
    {
        app.MapGet("/health/live", () => new JsonAnswer<Health>(new("live", null), StatusCodes.Status200OK)).ExcludeFromDescription();
        app.MapGet("/health/ready", Ready).ExcludeFromDescription();
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapGet("/operations/billing", Billing).ExcludeFromDescription();
        app.MapHangfireDashboard("/hangfire", new DashboardOptions
        {
            DashboardTitle = "Rev jobs", AppPath = "/docs/api", DisplayStorageConnectionString = false,
            Authorization = [], AsyncAuthorization = [new OperatorsOnly()],
        });

        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapScalarApiReference("/docs/api", reference =>
        {
            reference.Title = "Rev API";
            reference.OpenApiRoutePattern = "/openapi/{documentName}.json";
            reference.AddDocument("v1");
            reference.DisableAgent().DisableMcp();
            reference.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            reference.HideClientButton = true;
            reference.Telemetry = false;
            reference.DefaultFonts = false;
            reference.DotNetFlag = false;
            reference.PersistentAuthentication = false;
        });
    }

    private static async Task<IResult> Ready(StoreAdmin store, CancellationToken token)
    {
        var reason = await store.NotReady(token);
        return reason is null
            ? new JsonAnswer<Health>(new("ready", null), StatusCodes.Status200OK)
            : new NotReadyAnswer(reason);
    }

    private static async Task<IResult> Billing(IMediator mediator, CancellationToken token) => (await mediator.Send(new GetBillingOperations(), token)).ToHttp();

    /// <summary>503 with the reason.</summary>
    private sealed class NotReadyAnswer(string reason) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) =>
            Problems.Write(httpContext, Domain.Common.ServiceErrors.StoreUnavailable with { Message = $"Rev is not ready: {reason}" });
    }

    private sealed class OperatorsOnly : IDashboardAsyncAuthorizationFilter
    {
        public Task<bool> AuthorizeAsync(DashboardContext context) => Task.FromResult(context.GetHttpContext().Items.ContainsKey(OperatorGate.IsOperator));
    }
}
