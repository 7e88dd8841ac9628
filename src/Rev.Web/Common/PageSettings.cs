namespace Rev.Web.Common;

/// <summary>What the program tells its pages.</summary>
public sealed record PageSettings
{
    /// <summary>Where mails are written as files, told to a developer; null elsewhere, and when they are sent.</summary>
    public string? MailDirectory { get; init; }

    /// <summary>Whether this Rev runs the live demo.</summary>
    public bool DemoIsOn { get; init; }

    /// <summary>Whether a fault means that the store is away, so that a later try may succeed.</summary>
    public Func<Exception, bool> StoreIsAway { get; init; } = static _ => false;
}
