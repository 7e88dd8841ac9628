using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Rev.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers Rev's client.</summary>
public static class RevServiceCollectionExtensions
{
    /// <summary>
    /// Registers a <see cref="RevClient"/> and a <see cref="RevTracker"/>, one of each, over <see cref="IHttpClientFactory"/>; the host sends what was tracked when
    /// it stops. What the options leave out comes from <c>REV_API_KEY</c> and <c>REV_BASE_URL</c>.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="configure">Sets options; they can also be bound to a section of the configuration.</param>
    /// <returns>The builder of the HTTP client, to add handlers or a proxy.</returns>
    public static IHttpClientBuilder AddRev(this IServiceCollection services, Action<RevOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = services.AddOptions<RevOptions>();
        if (configure is not null) options.Configure(configure);
        services.TryAddSingleton<RevClient>(static provider => MakeClient(provider));
        services.TryAddSingleton<RevTracker>(static provider => MakeTracker(provider));
        services.AddHostedService<RevTrackerHost>(static provider => new RevTrackerHost(provider.GetRequiredService<RevTracker>()));
        return services.AddHttpClient(RevClient.HttpClientName)
            .ConfigureHttpClient(static http => http.Timeout = Timeout.InfiniteTimeSpan)
            .ConfigurePrimaryHttpMessageHandler(static () => RevClient.CreateHandler())
            .RedactLoggedHeaders(static name => string.Equals(name, "Authorization", StringComparison.OrdinalIgnoreCase));
    }

    private static RevClient MakeClient(IServiceProvider provider)
    {
        var factory = provider.GetRequiredService<IHttpClientFactory>();
        return new RevClient(
            Last(() => factory.CreateClient(RevClient.HttpClientName)), null, provider.GetRequiredService<IOptions<RevOptions>>().Value, provider.GetService<ILogger<RevClient>>());
    }

    /// <summary>
    /// A container that is being disposed makes no more handlers, and that is when the tracker sends what is left: it does so with the last client there was. The first is made
    /// at once, so there is one even when nothing was sent before.
    /// </summary>
    private static Func<HttpClient> Last(Func<HttpClient> make)
    {
        var last = make();
        return () =>
        {
            try
            {
                return last = make();
            }
            catch (ObjectDisposedException)
            {
                return last;
            }
        };
    }

    private static RevTracker MakeTracker(IServiceProvider provider) =>
        new(provider.GetRequiredService<RevClient>(), provider.GetRequiredService<IOptions<RevOptions>>().Value.Tracker, provider.GetService<ILogger<RevTracker>>());
}

/// <summary>Begins with what earlier processes left, and sends what was tracked when the host stops. The container disposes the tracker after that.</summary>
internal sealed class RevTrackerHost(RevTracker tracker) : IHostedService
{
    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await tracker.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Disposing goes on with it, and what it cannot send goes to disk.
        }
    }
}
