using System.Net;
using System.Net.Sockets;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

/// <summary>A wrong setting stops the start with one clear line naming the key.</summary>
public sealed class StartUpTests
{
    private const string Secret = "a secret for tests, long enough to be taken: 0123456789abcdef";

    [Fact]
    public Task Outside_development_a_secret_is_needed() =>
        Refused("Security__Secret", ("ASPNETCORE_ENVIRONMENT", "Production"));

    [Fact]
    public Task An_unknown_provider_is_named() =>
        Refused("Database__Provider", ("ASPNETCORE_ENVIRONMENT", "Development"), ("Database__Provider", "Oracle"));

    [Fact]
    public Task A_server_needs_a_connection_string() =>
        Refused("ConnectionStrings__Rev", ("ASPNETCORE_ENVIRONMENT", "Production"), ("Security__Secret", Secret), ("Database__Provider", "PostgreSql"));

    [Fact]
    public Task An_unknown_mail_mode_is_named() =>
        Refused("Mail__Mode", ("ASPNETCORE_ENVIRONMENT", "Development"), ("Mail__Mode", "pigeon"));

    [Fact]
    public async Task A_port_in_use_is_one_clear_line()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        await Refused(port.ToString(System.Globalization.CultureInfo.InvariantCulture), ("ASPNETCORE_ENVIRONMENT", "Development"), ("ASPNETCORE_URLS", $"http://127.0.0.1:{port}"));
    }

    private static async Task Refused(string named, params (string Name, string Value)[] environment)
    {
        var settings = environment.ToDictionary(setting => setting.Name, setting => setting.Value, StringComparer.Ordinal);
        settings["DataDirectory"] = Repository.TemporaryFolder("start");

        var (exitCode, output) = await RevProcess.Run([], settings);

        exitCode.ShouldNotBe(0, output);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Count(line => line.Contains(named, StringComparison.Ordinal) || line.Contains(named.Replace("__", ":", StringComparison.Ordinal), StringComparison.Ordinal))
            .ShouldBe(1, output);
        output.ShouldNotContain("   at ", Case.Sensitive);
    }
}
