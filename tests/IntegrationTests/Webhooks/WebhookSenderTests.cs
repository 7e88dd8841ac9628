using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.AspNetCore.Http;
using Rev.Application.Webhooks;
using Rev.Domain.Webhooks;
using Rev.Infrastructure.Webhooks;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>Where messages go: a network of the test's own answers names, and leads every connection to a receiver on this machine.</summary>
public sealed class WebhookSenderTests
{
    private static readonly IPAddress Public = IPAddress.Parse("93.184.216.34");

    [Fact]
    public async Task The_address_that_is_judged_is_the_one_that_is_connected_to()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        // Public at the first look, private ever after.
        var network = new TestNetwork(receiver.Port, look => look == 1 ? [Public] : [IPAddress.Loopback]);
        using var sender = Sender(network);

        (await sender.Post(Post("http://rebinding.example:8080/hook"), CancellationToken.None)).Status.ShouldBe(204);

        network.Looks.ShouldBe(1);
        network.Connected.ShouldBe([new IPEndPoint(Public, 8080)]);
        receiver.Received[0].Path.ShouldBe("/hook");
        receiver.Received[0].Headers["host"].ShouldBe("rebinding.example:8080");

        // A connection of its own looks the name up again, and goes nowhere.
        using var later = Sender(network);
        var refused = await later.Post(Post("http://rebinding.example:8080/hook"), CancellationToken.None);
        refused.IsSuccess.ShouldBeFalse();
        refused.Error!.ShouldContain("private, loopback or link-local");
        network.Connected.Count.ShouldBe(1);
        receiver.Requests.ShouldBe(1);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("10.1.2.3")]
    [InlineData("169.254.169.254")]
    [InlineData("100.100.100.200")]
    [InlineData("0.0.0.0")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("fe80::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("93.184.216.34 10.0.0.1")]
    [InlineData("2606:2800:220:1::1 ::1")]
    public async Task A_name_that_leads_inside_is_not_connected_to(string addresses)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var network = new TestNetwork(receiver.Port, _ => [.. addresses.Split(' ').Select(IPAddress.Parse)]);
        using var sender = Sender(network);

        var result = await sender.Post(Post("http://inside.example/"), CancellationToken.None);

        (result.Status, result.IsSuccess).ShouldBe((null, false));
        result.Error!.ShouldContain("private, loopback or link-local");
        network.Connected.ShouldBeEmpty();
        receiver.Requests.ShouldBe(0);
        using var allowed = Sender(network, privateAllowed: true);
        (await allowed.Post(Post("http://inside.example/"), CancellationToken.None)).Status.ShouldBe(204);
    }

    [Theory]
    [InlineData("http://127.0.0.1/")]
    [InlineData("http://[::1]/")]
    [InlineData("http://[::ffff:10.0.0.1]/")]
    [InlineData("http://0x7f000001/")]
    [InlineData("http://2130706433/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    public async Task An_address_that_is_written_out_is_judged_too(string url)
    {
        var network = new TestNetwork(9, _ => throw new InvalidOperationException("Nothing is to be looked up."));
        using var sender = Sender(network);
        (await sender.Post(Post(url), CancellationToken.None)).Error!.ShouldContain("private, loopback or link-local");
        network.Connected.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_next_address_is_tried_where_one_cannot_be_reached()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var network = new TestNetwork(receiver.Port, _ => [IPAddress.Parse("8.8.8.8"), Public], unreachable: IPAddress.Parse("8.8.8.8"));
        using var sender = Sender(network);
        (await sender.Post(Post("http://two.example/"), CancellationToken.None)).Status.ShouldBe(204);
        network.Connected.ShouldBe([new IPEndPoint(Public, 80)]);

        using var nowhere = Sender(new TestNetwork(receiver.Port, _ => []));
        (await nowhere.Post(Post("http://none.example/"), CancellationToken.None)).Error.ShouldNotBeNull();
    }

    [Fact]
    public async Task A_redirect_into_a_private_network_is_no_request_there()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var inside = await WebhookReceiver.StartAsync();
        receiver.Answer = (http, _) =>
        {
            http.Response.Headers.Location = inside.Address;
            return WebhookReceiver.Status(http, StatusCodes.Status307TemporaryRedirect);
        };
        var network = new TestNetwork(receiver.Port, _ => [Public]);
        using var sender = Sender(network);
        var result = await sender.Post(Post("http://redirecting.example/"), CancellationToken.None);
        (result.Status, result.IsSuccess).ShouldBe((307, false));
        inside.Requests.ShouldBe(0);
        network.Connected.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Nothing_is_fetched_from_where_a_certificate_says_that_its_issuer_lies()
    {
        await using var inside = await WebhookReceiver.StartAsync();
        using var certificate = OfAnUnknownIssuer("names.example", $"{inside.Address}/issuer.crt");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Serve();
        using var sender = Sender(new TestNetwork(((IPEndPoint)listener.LocalEndpoint).Port, _ => [Public]));

        var result = await sender.Post(Post("https://names.example/"), CancellationToken.None);

        result.Status.ShouldBeNull();
        result.Error!.ShouldStartWith("The endpoint's certificate or TLS was refused");
        inside.Requests.ShouldBe(0);
        await Task.WhenAny(serving);
        // Whoever does not forbid it asks there: this is what makes the test one.
        using var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.Build(certificate).ShouldBeFalse();
        inside.Requests.ShouldBeGreaterThan(0);

        async Task Serve()
        {
            using var client = await listener.AcceptTcpClientAsync();
            await using var tls = new SslStream(client.GetStream());
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(certificate, null, offline: true) });
            (await tls.ReadAsync(new byte[1])).ShouldBe(0);
        }
    }

    [Fact]
    public async Task Whoever_stops_the_sender_is_not_told_that_the_endpoint_failed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        receiver.Answer = (http, _) => receiver.Hang(http);
        using var sender = Sender(new TestNetwork(receiver.Port, _ => [Public]));
        using var stop = new CancellationTokenSource();
        var sending = sender.Post(Post("http://hanging.example/"), stop.Token);
        await receiver.WaitFor(1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
    }

    private static X509Certificate2 OfAnUnknownIssuer(string host, string issuerAt)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(host);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [issuerAt]));
        var now = TimeProvider.System.GetUtcNow();
        using var signed = request.Create(new X500DistinguishedName("CN=nobody"), X509SignatureGenerator.CreateForECDsa(issuerKey), now.AddDays(-1), now.AddDays(1), [1]);
        return signed.CopyWithPrivateKey(key);
    }

    private static WebhookSender Sender(INetwork network, bool privateAllowed = false) => new(new(privateAllowed, TimeSpan.FromSeconds(10)), network, TimeProvider.System);

    private static WebhookPost Post(string url) => new(new(url), WebhookHeaders.Of(new(7), DateTimeOffset.UnixEpoch, "v1,x"), Encoding.UTF8.GetBytes("""{"type":"webhook.test"}"""));

    private sealed class TestNetwork(int port, Func<int, IPAddress[]> names, IPAddress? unreachable = null) : INetwork
    {
        private readonly List<IPEndPoint> _connected = [];

        public int Looks { get; private set; }

        public IReadOnlyList<IPEndPoint> Connected => _connected;

        public Task<IPAddress[]> Resolve(string host, CancellationToken cancellationToken) => Task.FromResult(names(++Looks));

        public async Task<Stream> Connect(IPEndPoint to, CancellationToken cancellationToken)
        {
            if (to.Address.Equals(unreachable)) throw new SocketException((int)SocketError.HostUnreachable);
            _connected.Add(to);
            return await new MachineNetwork().Connect(new(IPAddress.Loopback, port), cancellationToken);
        }
    }
}
