using Rev.Api.Accounts;
using Rev.Api.Analytics;
using Rev.Api.Billing;
using Rev.Api.Common;
using Rev.Api.Customers;
using Rev.Api.Demo;
using Rev.Api.Metering;
using Rev.Api.Outcomes;
using Rev.Api.Pricing;
using Rev.Api.Streaming;
using Rev.Api.Telemetry;
using Rev.Api.Webhooks;
using Rev.Application;
using Rev.Application.Streaming;
using Rev.Application.Webhooks;
using Rev.Infrastructure;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.Web;
using Rev.Web.Accounts;
using Rev.Web.Billing;
using Rev.Web.Common;
using Rev.Web.Webhooks;

var mode = StartMode.Read(args);
if (mode.Name == "hash-password") return StartMode.HashPassword(mode.Value);
var starting = true;
try
{
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = mode.Rest, ContentRootPath = ContentRoot() });
    Configure(builder);
    await using var app = builder.Build();
    var store = app.Services.GetRequiredService<StoreAdmin>();
    if (mode.Name is not null) return await mode.Run(store, app.Services.GetRequiredService<MonthArchive>());

    await store.Migrate(CancellationToken.None);
    Map(app);
    await app.StartAsync();
    starting = false;
    if (app.Environment.IsDevelopment()) StartMode.Greet(app);
    else if (app.Services.GetRequiredService<RevSettings>().MailDirectory is { } pickup)
        app.Logger.LogWarning("Mail__Mode is pickup: mails are written to {Directory} and sent to nobody", pickup);
    await app.WaitForShutdownAsync();
    return 0;
}
catch (Exception exception) when (starting && StartMode.Explain(exception) is { } line)
{
    await Console.Error.WriteLineAsync(line);
    return 1;
}

// The settings beside the program, wherever it is started from.
static string? ContentRoot() =>
    Environment.GetEnvironmentVariable("ASPNETCORE_CONTENTROOT") is null && !File.Exists("appsettings.json") ? AppContext.BaseDirectory : null;

void Configure(WebApplicationBuilder builder)
{
    builder.Logging.ClearProviders();
    if (builder.Environment.IsDevelopment())
        builder.Logging.AddSimpleConsole(console => console.TimestampFormat = "HH:mm:ss ");
    else
        builder.Logging.AddJsonConsole(console =>
        {
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
    // Nothing of it is logged unless that is asked for, but the mere listener would have an activity and a scope made for every request.
    const string requests = "Microsoft.AspNetCore.Hosting.Diagnostics";
    if (builder.Configuration[$"Logging:LogLevel:{requests}"] is null) builder.Logging.AddFilter(requests, LogLevel.None);
    // A start that fails is told in one line, below; the host would print a stack trace before.
    builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => !starting && level >= LogLevel.Warning);

    builder.WebHost.ConfigureKestrel(kestrel =>
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = BodyReader.MaxBatchBytes;
    });
    var configuration = builder.Configuration;
    if (configuration["urls"] is null && configuration["http_ports"] is null && configuration["https_ports"] is null && !configuration.GetSection("Kestrel:Endpoints").Exists())
        builder.WebHost.UseUrls("http://localhost:5080");

    builder.Services.AddApplication();
    builder.Services.AddInfrastructure(configuration, builder.Environment);
    builder.Services.AddSingleton(new RateLimits(configuration));
    builder.Services.AddSingleton<IHookPace>(services => services.GetRequiredService<RateLimits>());
    // In Development the host does it by itself: a program that is run from its build finds the files of the pages where they lie.
    if (!builder.Environment.IsDevelopment()) builder.WebHost.UseStaticWebAssets();
    // Looking for files that came after the build takes an endpoint that matches every GET: a wrong method would be answered 404 instead of 405.
    builder.Configuration["ReloadStaticAssetsAtRuntime"] ??= "false";
    builder.Services.AddPages();
    builder.Services.AddSingleton<ISignUpLimits>(services => services.GetRequiredService<RateLimits>());
    builder.Services.AddSingleton<ISignInLimits>(services => services.GetRequiredService<RateLimits>());
    builder.Services.AddSingleton<IStripeLimits>(services => services.GetRequiredService<RateLimits>());
    builder.Services.AddSingleton<IWebhookPace>(services => services.GetRequiredService<RateLimits>());
    builder.Services.AddSingleton(services => new PageSettings
    {
        MailDirectory = builder.Environment.IsDevelopment() ? services.GetRequiredService<RevSettings>().MailDirectory : null,
        DemoIsOn = services.GetRequiredService<DemoSettings>().IsOn,
        StoreIsAway = StoreFaults.IsUnavailable,
    });
    builder.Services.AddDemo(configuration, builder.Environment);
    builder.Services.AddSingleton<IActivityFormat, ActivityFormat>();
    builder.Services.AddSingleton<IWebhookFormat, WebhookFormat>();
    builder.Services.AddReference();
    builder.Services.AddTelemetry(configuration);
}

static void Map(WebApplication app)
{
    app.UseMiddleware<RequestIds>();
    app.UseMiddleware<Failures>();
    app.UseMiddleware<OperatorGate>();
    app.UseRouting();
    app.UseMiddleware<ApiGate>();
    app.UsePages();
    app.MapAccounts();
    app.MapCustomers();
    app.MapPricing();
    app.MapMetering();
    app.MapTelemetry();
    app.MapReplay();
    app.MapOutcomes();
    app.MapAnalytics();
    app.MapBilling();
    app.MapStripe();
    app.MapInvoices();
    app.MapResolvers();
    app.MapWebhookEndpoints();
    app.MapStreaming();
    app.MapDemo();
    app.MapOperations();
    app.MapPages();
    // Builds every route now, so that a mistake in one stops the start instead of the first request.
    foreach (var source in ((IEndpointRouteBuilder)app).DataSources) _ = source.Endpoints.Count;
}

/// <summary>Rev.</summary>
public partial class Program;
