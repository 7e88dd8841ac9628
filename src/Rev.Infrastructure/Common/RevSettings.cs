using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace Rev.Infrastructure.Common;

/// <summary>The databases Rev runs on.</summary>
public enum StoreProvider
{
    /// <summary>The embedded default.</summary>
    Sqlite,
    /// <summary>Microsoft SQL Server.</summary>
    SqlServer,
    /// <summary>PostgreSQL.</summary>
    PostgreSql,
}

/// <summary>A setting is wrong or missing; the message is one line that names its key.</summary>
public sealed class SettingException(string message) : Exception(message);

/// <summary>What the operator configured, checked once at the start.</summary>
public sealed class RevSettings
{
    private RevSettings(string dataDirectory, StoreProvider provider, string connectionString, string mailMode, string mailFrom)
    {
        DataDirectory = dataDirectory;
        Provider = provider;
        ConnectionString = connectionString;
        MailMode = mailMode;
        MailFrom = mailFrom;
    }

    /// <summary>Absolute path of the data directory.</summary>
    public string DataDirectory { get; }

    /// <summary>The database.</summary>
    public StoreProvider Provider { get; }

    /// <summary>How to reach it.</summary>
    public string ConnectionString { get; }

    /// <summary>pickup or smtp.</summary>
    public string MailMode { get; }

    /// <summary>Sender of mails.</summary>
    public string MailFrom { get; }

    /// <summary>Where mails are written; null when they are sent.</summary>
    public string? MailDirectory => MailMode == "pickup" ? Path.Combine(DataDirectory, "mail") : null;

    /// <summary>Where to hand mails to.</summary>
    public SmtpSettings? Smtp { get; private init; }

    /// <summary>The address of this Rev, if configured.</summary>
    public string? PublicUrl { get; private init; }

    /// <summary>Where Stripe's API is reached; null for Stripe's own address.</summary>
    public string? StripeApiBase { get; private init; }

    /// <summary>Events of one connection to Stripe that may wait to be worked on.</summary>
    public int StripeEventsWaiting { get; private init; }

    /// <summary>Values of one account and mode by which payloads may wait for calls.</summary>
    public int HookPayloadsWaiting { get; private init; }

    /// <summary>Items that may wait for the writer.</summary>
    public int QueueCapacity { get; private init; }

    /// <summary>Most items of one commit.</summary>
    public int BatchLimit { get; private init; }

    /// <summary>Whether this process runs jobs.</summary>
    public bool JobsEnabled { get; private init; }

    /// <summary>Reads and checks the settings.</summary>
    /// <exception cref="SettingException">One is wrong.</exception>
    public static RevSettings Read(IConfiguration configuration)
    {
        var data = Path.GetFullPath(configuration["DataDirectory"] is { Length: > 0 } given ? given : "./data");
        var providerName = configuration["Database:Provider"] ?? nameof(StoreProvider.Sqlite);
        if (!Enum.TryParse<StoreProvider>(providerName, ignoreCase: true, out var provider) || !Enum.IsDefined(provider) || int.TryParse(providerName, out _))
            throw new SettingException($"Database__Provider is '{providerName}'; it must be Sqlite, SqlServer or PostgreSql.");
        var connection = configuration.GetConnectionString("Rev");
        if (string.IsNullOrWhiteSpace(connection))
            connection = provider == StoreProvider.Sqlite
                ? $"Data Source={Path.Combine(data, "rev.db")}"
                : throw new SettingException($"ConnectionStrings__Rev is missing; Database__Provider {provider} needs it.");
        var mode = configuration["Mail:Mode"] ?? "pickup";
        if (mode is not ("pickup" or "smtp")) throw new SettingException($"Mail__Mode is '{mode}'; it must be pickup or smtp.");
        return new(data, provider, connection.Replace("{DataDirectory}", data, StringComparison.Ordinal), mode, configuration["Mail:From"] ?? "Rev <rev@localhost>")
        {
            Smtp = mode == "smtp" ? SmtpSettings.Read(configuration) : null,
            PublicUrl = Address(configuration, "PublicUrl"),
            StripeApiBase = Address(configuration, "Stripe:ApiBase"),
            StripeEventsWaiting = Number(configuration, "Stripe:EventsWaiting", 10_000, 1, 10_000_000),
            HookPayloadsWaiting = Number(configuration, "Hooks:PayloadsWaiting", 1_000_000, 1, 1_000_000_000),
            QueueCapacity = Number(configuration, "Metering:QueueCapacity", 20_000, 1, 10_000_000),
            BatchLimit = Number(configuration, "Metering:BatchLimit", 1_000, 1, 100_000),
            JobsEnabled = Flag(configuration, "Jobs:Enabled", defaultValue: true),
        };
    }

    /// <summary>An http or https address without a slash at its end; null when there is none.</summary>
    public static string? Address(IConfiguration configuration, string key)
    {
        var url = configuration[key];
        if (string.IsNullOrWhiteSpace(url)) return null;
        return Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https"
            ? url.TrimEnd('/')
            : throw new SettingException($"{key.Replace(":", "__", StringComparison.Ordinal)} is '{url}'; it must be an http or https address.");
    }

    /// <summary>A whole number within bounds.</summary>
    public static int Number(IConfiguration configuration, string key, int defaultValue, int min, int max)
    {
        var text = configuration[key];
        if (string.IsNullOrWhiteSpace(text)) return defaultValue;
        return int.TryParse(text, out var number) && number >= min && number <= max
            ? number
            : throw new SettingException($"{key.Replace(":", "__", StringComparison.Ordinal)} is '{text}'; it must be a whole number from {min} to {max}.");
    }

    /// <summary>true or false.</summary>
    public static bool Flag(IConfiguration configuration, string key, bool defaultValue)
    {
        var text = configuration[key];
        if (string.IsNullOrWhiteSpace(text)) return defaultValue;
        return bool.TryParse(text, out var flag)
            ? flag
            : throw new SettingException($"{key.Replace(":", "__", StringComparison.Ordinal)} is '{text}'; it must be true or false.");
    }
}

/// <summary>Where to hand mails to.</summary>
public sealed record SmtpSettings(string Host, int Port, string? User, string? Password, string Security)
{
    internal static SmtpSettings Read(IConfiguration configuration)
    {
        var host = configuration["Mail:Smtp:Host"];
        if (string.IsNullOrWhiteSpace(host)) throw new SettingException("Mail__Smtp__Host is missing; Mail__Mode smtp needs it.");
        var security = configuration["Mail:Smtp:Security"] ?? "auto";
        if (security is not ("auto" or "none" or "starttls" or "tls"))
            throw new SettingException($"Mail__Smtp__Security is '{security}'; it must be auto, none, starttls or tls.");
        return new(host, RevSettings.Number(configuration, "Mail:Smtp:Port", 587, 1, 65535), configuration["Mail:Smtp:User"], configuration["Mail:Smtp:Password"], security);
    }
}
