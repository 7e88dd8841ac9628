using Rev.Infrastructure.Common;

namespace Rev.Api.Demo;

/// <summary>The live demo of this process.</summary>
/// <param name="IsOn">Whether it runs.</param>
/// <param name="CallsPerMinute">How many calls its agents make while somebody watches.</param>
/// <param name="Url">Where they call; null for this process itself.</param>
/// <param name="Viewers">Most that may watch at once.</param>
/// <param name="ViewersPerAddress">Most of one address.</param>
internal sealed record DemoSettings(bool IsOn, int CallsPerMinute, string? Url, int Viewers, int ViewersPerAddress)
{
    /// <summary>The pace when nobody says.</summary>
    public const int DefaultPace = 40;

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="SettingException">One is wrong.</exception>
    public static DemoSettings Read(IConfiguration configuration, IHostEnvironment environment) => new(
        RevSettings.Flag(configuration, "Demo:Enabled", environment.IsDevelopment()),
        RevSettings.Number(configuration, "Demo:CallsPerMinute", DefaultPace, 1, 6_000),
        RevSettings.Address(configuration, "Demo:Url"),
        RevSettings.Number(configuration, "Demo:Viewers", 1_000, 1, 1_000_000),
        RevSettings.Number(configuration, "Demo:ViewersPerAddress", 20, 1, 1_000_000));
}
