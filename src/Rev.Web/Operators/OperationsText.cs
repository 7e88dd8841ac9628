using Rev.Application.Operations;
using Rev.Web.Common;

namespace Rev.Web.Operators;

/// <summary>Figures of the operators' page in words.</summary>
internal static class OperationsText
{
    private const int MsPerSecond = 1_000;

    /// <summary>A time span, to what matters of it.</summary>
    public static string Span(TimeSpan span) => span switch
    {
        { Ticks: <= 0 } => "0 ms",
        { TotalSeconds: < 1 } => Figures.Number(span.Ticks / (decimal)TimeSpan.TicksPerMillisecond, span.TotalMilliseconds < 10 ? 1 : 0) + " ms",
        { TotalMinutes: < 1 } => Figures.Number(span.Ticks / TimeSpan.TicksPerMillisecond / MsPerSecond) + " s",
        { TotalHours: < 1 } => Figures.Number(span.Ticks / TimeSpan.TicksPerMinute) + " min",
        { TotalDays: < 2 } => Figures.Number(span.Ticks / TimeSpan.TicksPerHour) + " h",
        _ => Figures.Number(span.Ticks / TimeSpan.TicksPerDay) + " days",
    };

    /// <summary>How long ago an instant was; nothing when there is none.</summary>
    public static string Ago(DateTimeOffset? at, DateTimeOffset now) => at switch
    {
        null => "–",
        { } known when now - known < TimeSpan.FromSeconds(1) => "just now",
        { } known => Span(now - known) + " ago",
    };

    /// <summary>A count that may stand for more.</summary>
    public static string Count(long count) =>
        count > WorkState.MostCounted ? "more than " + Figures.Number(WorkState.MostCounted) : Figures.Number(count);
}
