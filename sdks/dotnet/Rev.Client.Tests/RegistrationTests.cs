using System.Net;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Rev.Client.Tests;

/// <summary>A program registers Rev in a line, and its host sends what is left.</summary>
public sealed class RegistrationTests
{
    [Fact]
    public async Task AddRev_registers_a_client_and_a_tracker_over_the_factory()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        var services = new ServiceCollection();
        services.AddRev(o =>
        {
            o.ApiKey = "rg_test_key";
            o.BaseUrl = server.Url;
            o.Tracker.SpoolDirectory = folder.Path;
            o.Tracker.FlushInterval = TimeSpan.FromHours(1);
        });
        await using var provider = services.BuildServiceProvider();
        var tracker = provider.GetRequiredService<RevTracker>();
        provider.GetRequiredService<RevTracker>().ShouldBeSameAs(tracker);

        var receipt = await provider.GetRequiredService<RevClient>().MeterAsync(new MeterCall { AgentId = "a", Action = "b" });
        tracker.Track(new MeterCall { AgentId = "a", Action = "b" });
        var host = provider.GetServices<IHostedService>().ShouldHaveSingleItem();
        await host.StartAsync(CancellationToken.None);
        await host.StopAsync(CancellationToken.None);

        receipt.EventId.ShouldNotBeEmpty();
        server.Stored.Count.ShouldBe(2);
        server.Requests[0].Headers["Authorization"].ShouldBe("Bearer rg_test_key");
        server.Requests[0].Headers["User-Agent"].ShouldStartWith("Rev.Client/");
    }

    [Fact]
    public async Task What_is_tracked_while_the_host_stops_is_sent_when_the_container_is_disposed()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        var services = new ServiceCollection();
        services.AddRev(o => (o.ApiKey, o.BaseUrl, o.Tracker.SpoolDirectory) = ("rg_test_key", server.Url, folder.Path));
        await using (var provider = services.BuildServiceProvider())
        {
            await provider.GetServices<IHostedService>().Single().StopAsync(CancellationToken.None);
            provider.GetRequiredService<RevTracker>().Track(new MeterCall { AgentId = "a", Action = "b" });
        }

        server.Stored.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Twice_is_once_and_handlers_can_be_added()
    {
        var services = new ServiceCollection();
        services.AddRev(o => (o.ApiKey, o.BaseUrl, o.Tracker.Spool) = ("rg_test_key", new Uri("http://rev.test"), RevSpoolMode.Off));
        services.AddRev().ConfigurePrimaryHttpMessageHandler(() => new Canned());
        await using var provider = services.BuildServiceProvider();

        (await provider.GetRequiredService<RevClient>().GetTierAsync("default")).Name.ShouldBe("Default");

        provider.GetServices<IHostedService>().ShouldHaveSingleItem();
    }

    private sealed class Canned : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK)
            {
                Content = new StringContent("""{ "key": "default", "version": 1, "name": "Default", "created_at": "2026-11-23T12:00:00Z" }""", Encoding.UTF8, "application/json"),
            });
    }
}
