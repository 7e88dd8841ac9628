using Microsoft.Extensions.Configuration;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Streaming;

/// <summary>Limits of live streams in this process.</summary>
/// <param name="MaxSubscribers">Viewers, all told.</param>
/// <param name="MaxPerTenant">Viewers of one account and mode.</param>
/// <param name="Heartbeat">How often a quiet stream says that it lives, and any stream's key is looked at.</param>
/// <param name="WriteTimeout">How long a viewer may leave what it is sent.</param>
/// <param name="EventsPerSecond">What a viewer is sent at most, on average.</param>
/// <param name="Burst">What a viewer is sent at once at most.</param>
/// <param name="Buffer">Events that may wait for a viewer.</param>
/// <param name="BufferBytes">Bytes that may.</param>
public sealed record StreamSettings(
    int MaxSubscribers, int MaxPerTenant, TimeSpan Heartbeat, TimeSpan WriteTimeout, int EventsPerSecond, int Burst, int Buffer, int BufferBytes)
{
    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="SettingException">One is wrong.</exception>
    public static StreamSettings Read(IConfiguration configuration)
    {
        int Of(string key, int defaultValue, int max) => RevSettings.Number(configuration, "Stream:" + key, defaultValue, 1, max);
        return new(
            Of("MaxSubscribers", 1_000, 1_000_000), Of("MaxPerTenant", 20, 1_000_000), TimeSpan.FromSeconds(Of("HeartbeatSeconds", 15, 300)),
            TimeSpan.FromSeconds(Of("WriteTimeoutSeconds", 10, 300)), Of("EventsPerSecond", 200, 100_000), Of("Burst", 500, 100_000), Of("Buffer", 1_000, 100_000),
            Of("BufferKilobytes", 4_096, 1_000_000) * 1024);
    }
}
