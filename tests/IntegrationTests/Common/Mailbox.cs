using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using MimeKit;

namespace Rev.IntegrationTests.Common;

/// <summary>The pickup folder.</summary>
public sealed class Mailbox(string folder)
{
    public async Task<Mail> WaitFor(string address, int nth = 1, TimeSpan? within = null)
    {
        var watch = Stopwatch.StartNew();
        var limit = within ?? TimeSpan.FromSeconds(15);
        while (true)
        {
            var found = To(address);
            if (found.Count >= nth) return found[nth - 1];
            if (watch.Elapsed > limit)
                throw new ShouldAssertException($"{found.Count} mails to {address} after {watch.Elapsed.TotalSeconds:0.0} s, waited for {nth}.");
            await Task.Delay(20);
        }
    }

    /// <summary>Throws all mails away.</summary>
    public void Clear()
    {
        if (!Directory.Exists(folder)) return;
        foreach (var file in Directory.GetFiles(folder, "*.eml")) File.Delete(file);
    }

    /// <summary>The mails to an address, in the order they were written.</summary>
    public IReadOnlyList<Mail> To(string address)
    {
        if (!Directory.Exists(folder)) return [];
        return [.. new DirectoryInfo(folder).GetFiles("*.eml")
            .OrderBy(file => file.LastWriteTimeUtc)
            .ThenBy(file => file.Name, StringComparer.Ordinal)
            .Select(file => new Mail(File.ReadAllBytes(file.FullName)))
            .Where(mail => mail.Recipients.Contains(address, StringComparer.OrdinalIgnoreCase))];
    }
}

public sealed partial class Mail
{
    private readonly MimeMessage _message;

    public Mail(byte[] bytes)
    {
        Bytes = bytes;
        Raw = Encoding.Latin1.GetString(bytes);
        using var stream = new MemoryStream(bytes);
        _message = MimeMessage.Load(stream);
    }

    public byte[] Bytes { get; }

    /// <summary>The file as it lies there.</summary>
    public string Raw { get; }

    public string Text => _message.TextBody ?? "";

    public string Subject => _message.Subject ?? "";

    public IEnumerable<string> Recipients => _message.To.Mailboxes.Select(mailbox => mailbox.Address);

    public string[] RawLines => Raw.Split('\n').Select(line => line.TrimEnd('\r')).ToArray();

    public string LiveKey => KeyOf("rg_live_");

    public string TestKey => KeyOf("rg_test_");

    public bool HasKey => AnyKey().IsMatch(Raw);

    /// <summary>Path and query of the one link to this server.</summary>
    public string Link
    {
        get
        {
            var links = Url().Matches(Text).Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
            links.Count.ShouldBe(1, Text);
            return new Uri(links[0]).PathAndQuery;
        }
    }

    private string KeyOf(string prefix)
    {
        var lines = RawLines.Where(line => line.StartsWith(prefix, StringComparison.Ordinal)).ToList();
        lines.Count.ShouldBe(1, $"One line of the mail must be the {prefix} key alone:\n{Raw}");
        WholeKey().IsMatch(lines[0]).ShouldBeTrue(lines[0]);
        return lines[0];
    }

    [GeneratedRegex("^rg_(?:live|test)_[A-Za-z0-9_-]{32,}$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex WholeKey();

    [GeneratedRegex("rg_(?:live|test)_[A-Za-z0-9_-]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex AnyKey();

    [GeneratedRegex(@"https?://[^\s<>""]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Url();
}
