using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using MimeKit;
using Rev.Application.Accounts;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Accounts;

internal static class Mime
{
    public static MimeMessage Of(Mail mail, RevSettings settings, TimeProvider clock)
    {
        var message = new MimeMessage { Subject = mail.Subject, Date = clock.GetUtcNow() };
        message.From.Add(MailboxAddress.Parse(settings.MailFrom));
        message.To.Add(MailboxAddress.Parse(mail.To));
        // Plain ASCII as it is, so that a key can be copied, or found with grep.
        message.Body = new TextPart("plain") { Text = mail.Text, ContentTransferEncoding = ContentEncoding.SevenBit };
        return message;
    }
}

/// <summary>Writes mails as <c>.eml</c> files, whole or not at all.</summary>
public sealed class PickupMailer(RevSettings settings, TimeProvider clock, ILogger<PickupMailer> logger) : IMailer
{
    /// <inheritdoc/>
    public async Task Send(Mail mail, CancellationToken cancellationToken)
    {
        var directory = settings.MailDirectory!;
        PrivateDirectory.Create(directory);
        var name = $"{clock.GetUtcNow():yyyyMMdd'T'HHmmssfff}-{Guid.NewGuid():N}";
        var draft = Path.Combine(directory, name + ".tmp");
        await using (var file = File.Create(draft)) await Mime.Of(mail, settings, clock).WriteToAsync(file, cancellationToken);
        var path = Path.Combine(directory, name + ".eml");
        File.Move(draft, path);
        logger.LogInformation("Mail written to {Path}", path);
    }
}

/// <summary>Hands mails to an SMTP server.</summary>
public sealed class SmtpMailer(RevSettings settings, TimeProvider clock) : IMailer
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public async Task Send(Mail mail, CancellationToken cancellationToken)
    {
        var smtp = settings.Smtp!;
        using var client = new SmtpClient { Timeout = (int)Timeout.TotalMilliseconds };
        await client.ConnectAsync(smtp.Host, smtp.Port, smtp.Security switch
        {
            "none" => SecureSocketOptions.None,
            "starttls" => SecureSocketOptions.StartTls,
            "tls" => SecureSocketOptions.SslOnConnect,
            _ => SecureSocketOptions.Auto,
        }, cancellationToken);
        if (!string.IsNullOrEmpty(smtp.User)) await client.AuthenticateAsync(smtp.User, smtp.Password ?? "", cancellationToken);
        await client.SendAsync(Mime.Of(mail, settings, clock), cancellationToken);
        await client.DisconnectAsync(quit: true, cancellationToken);
    }
}

/// <summary>The configured address, else the one that is listened on.</summary>
public sealed class PublicUrl(RevSettings settings, IServiceProvider services) : IPublicUrl
{
    /// <inheritdoc/>
    public string Base
    {
        get
        {
            if (settings.PublicUrl is { } configured) return configured;
            return Local(services.GetService<IServer>()?.Features.Get<IServerAddressesFeature>()?.Addresses ?? []);
        }
    }

    /// <summary>The first of the addresses that a server listens on, as it is reached from the same machine.</summary>
    public static string Local(IEnumerable<string> addresses)
    {
        var address = addresses.FirstOrDefault() ?? "http://localhost:5080";
        foreach (var any in (string[])["0.0.0.0", "[::]", "*", "+"]) address = address.Replace($"//{any}", "//localhost", StringComparison.Ordinal);
        return address.TrimEnd('/');
    }
}
