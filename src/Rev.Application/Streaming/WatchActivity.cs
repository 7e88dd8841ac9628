using System.Threading.Channels;
using FluentValidation;
using MediatR;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Application.Outcomes;
using Rev.Domain.Common;

namespace Rev.Application.Streaming;

/// <summary>Watches what a tenant commits, from now on; or from where a stream ended before, if <paramref name="Resumes"/>.</summary>
/// <param name="Tenant">Whose.</param>
/// <param name="AgentId">Only of this agent.</param>
/// <param name="CustomerId">Only of this customer.</param>
/// <param name="Resumes">Whether the caller has watched before.</param>
/// <param name="After">The last event it got; null when what it sent names none.</param>
public sealed record WatchActivity(Tenant Tenant, string? AgentId, string? CustomerId, bool Resumes, ActivityCursor? After) : IRequest<Result<IActivity>>
{
    /// <summary>Whether whoever lets the viewer in limits it already: then neither the share of the tenant nor that of all keeps it out.</summary>
    public bool IsLimitedElsewhere { get; init; }
}

/// <summary>Shape of <see cref="WatchActivity"/>.</summary>
public sealed class WatchActivityValidator : AbstractValidator<WatchActivity>
{
    /// <summary>The rules.</summary>
    public WatchActivityValidator()
    {
        RuleFor(x => x.AgentId).OptionalKey("agent_id");
        RuleFor(x => x.CustomerId).OptionalKey("customer_id");
    }
}

/// <summary>What one viewer is to be sent, as it goes over the wire. Dispose of it when the viewer is gone.</summary>
public interface IActivity : IDisposable
{
    /// <summary>What came since the viewer's last event; to be sent before <see cref="Live"/>.</summary>
    IAsyncEnumerable<byte[]> Missed(CancellationToken cancellationToken);

    /// <summary>What comes.</summary>
    ChannelReader<byte[]> Live { get; }

    /// <summary>Whether the viewer did not keep up: it is to be dropped.</summary>
    bool IsLagging { get; }

    /// <summary>All before it is in <see cref="Live"/>, or was.</summary>
    ActivityCursor Mark { get; }
}

/// <summary>How events go over the wire.</summary>
public interface IActivityFormat
{
    /// <summary>A metered call.</summary>
    byte[] Call(ActivityCursor cursor, EventSummary call);

    /// <summary>An outcome that changed, as it stands.</summary>
    byte[] Outcome(ActivityCursor cursor, OutcomeSummary outcome);

    /// <summary>More came than anybody can read: some was left out.</summary>
    byte[] Skipped(SkippedActivity skipped);

    /// <summary>What came before cannot be sent any more.</summary>
    byte[] Reset(ActivityReset reset);
}

/// <summary>How much was left out.</summary>
/// <param name="Calls">Calls.</param>
/// <param name="Outcomes">Changes of outcomes.</param>
public sealed record SkippedActivity(int Calls, int Outcomes);

/// <summary>From when on the stream is whole.</summary>
public sealed record ActivityReset(DateTimeOffset From);

/// <summary>Refusals of Streaming.</summary>
public static class StreamingErrors
{
    /// <summary>The tenant has as many viewers as it may have on one server.</summary>
    public static readonly Error TooManyStreams = new("stream.too_many", ErrorKind.RateLimited, "This account and mode has as many streams open as one server serves. Close one first.")
    {
        RetryAfter = TimeSpan.FromSeconds(15),
    };
}
