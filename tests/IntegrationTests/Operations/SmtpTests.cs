using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

public sealed class SmtpTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_sign_ups_mail_goes_out_by_SMTP(Provider provider)
    {
        await using var server = new SmtpServer();
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Mode"] = "smtp",
            ["Mail:Smtp:Host"] = "127.0.0.1",
            ["Mail:Smtp:Port"] = server.Port.ToString(CultureInfo.InvariantCulture),
            ["Mail:Smtp:Security"] = "none",
            ["Mail:From"] = "rev@example.org",
        });
        var email = RevApp.NewAddress();

        (await app.Anonymous.Post("/v1/signup", new { email })).Is(202);
        var (from, to, mail) = await server.Received.Task.WaitAsync(TimeSpan.FromSeconds(20));

        from.ShouldContain("rev@example.org");
        to.ShouldContain(email);
        mail.Recipients.ShouldContain(email);
        mail.RawLines.ShouldContain(mail.LiveKey);
        (await app.With(mail.LiveKey).Get("/v1/account")).Is(200)["email"].ShouldBe(email);
        (await app.With(mail.TestKey).Get("/v1/account")).Is(200);
    }

    [Theory, EachProvider]
    public async Task A_mail_that_could_not_be_sent_is_tried_again_with_new_keys(Provider provider)
    {
        await using var server = new SmtpServer(refusals: 1);
        var app = await apps.Own(provider, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Mail:Mode"] = "smtp",
            ["Mail:Smtp:Host"] = "127.0.0.1",
            ["Mail:Smtp:Port"] = server.Port.ToString(CultureInfo.InvariantCulture),
            ["Mail:Smtp:Security"] = "none",
        });
        var email = RevApp.NewAddress();
        (await app.Anonymous.Post("/v1/signup", new { email })).Is(202);

        await server.Refused.Task.WaitAsync(TimeSpan.FromSeconds(20));
        for (var i = 0; i < 100 && !server.Received.Task.IsCompleted; i++)
        {
            app.Clock.Advance(TimeSpan.FromMinutes(5));
            await app.SendDueMails();
            await Task.Delay(50);
        }
        var (_, _, mail) = await server.Received.Task.WaitAsync(TimeSpan.FromSeconds(20));

        (await app.With(mail.LiveKey).Get("/v1/account")).Is(200)["email"].ShouldBe(email);
        (await app.Count("accounts")).ShouldBe(1);
    }

    /// <summary>As much of an SMTP server as one mail needs.</summary>
    private sealed class SmtpServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _serving;
        private int _refusals;

        public SmtpServer(int refusals = 0)
        {
            _refusals = refusals;
            _listener.Start();
            _serving = Task.Run(ServeAsync);
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public TaskCompletionSource<(string From, string To, Mail Mail)> Received { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Refused { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
        }

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    try
                    {
                        await Converse(client.GetStream());
                    }
                    catch (IOException)
                    {
                        // The client left.
                    }
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // Stopped.
            }
        }

        private async Task Converse(NetworkStream stream)
        {
            using var reader = new StreamReader(stream, Encoding.Latin1);
            await using var writer = new StreamWriter(stream, Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
            var (from, to) = ("", "");
            await writer.WriteLineAsync("220 test ESMTP");
            while (await reader.ReadLineAsync() is { } line)
            {
                switch (line.Split(' ')[0].ToUpperInvariant())
                {
                    case "EHLO" or "HELO":
                        await writer.WriteLineAsync("250 test");
                        break;
                    case "MAIL" when Interlocked.Decrement(ref _refusals) >= 0:
                        await writer.WriteLineAsync("451 try again later");
                        Refused.TrySetResult();
                        break;
                    case "MAIL":
                        from = line;
                        await writer.WriteLineAsync("250 ok");
                        break;
                    case "RCPT":
                        to = line;
                        await writer.WriteLineAsync("250 ok");
                        break;
                    case "DATA":
                        await writer.WriteLineAsync("354 go on");
                        var text = new StringBuilder();
                        while (await reader.ReadLineAsync() is { } data && data != ".") text.Append(data.StartsWith('.') ? data[1..] : data).Append("\r\n");
                        await writer.WriteLineAsync("250 taken");
                        Received.TrySetResult((from, to, new Mail(Encoding.Latin1.GetBytes(text.ToString()))));
                        break;
                    case "QUIT":
                        await writer.WriteLineAsync("221 bye");
                        return;
                    default:
                        await writer.WriteLineAsync("250 ok");
                        break;
                }
            }
        }
    }
}
