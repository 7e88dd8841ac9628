using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Application.Telemetry;
using Rev.Domain.Common;
using Rev.Domain.Metering;

namespace Rev.Api.Telemetry;

/// <summary>What became of the spans of one request: counted, and told to its sender where there is something to mend.</summary>
internal sealed class SpanTally(int received)
{
    private const int MaxMessage = 1_000;

    private readonly Dictionary<string, int> _results = new(StringComparer.Ordinal);
    private string? _firstRefused;
    private string? _firstUnbilled;
    private int _unbilled;

    /// <summary>Spans that would have been billed, and were refused.</summary>
    public int Rejected { get; private set; }

    /// <summary>What the sender is told; null when all is well.</summary>
    public string? Message
    {
        get
        {
            var refused = Rejected == 0 ? null : $"{Rejected} of {received} spans were refused. The first, {_firstRefused}";
            var unbilled = _unbilled == 0 ? null : $"{_unbilled} of {received} spans have usage that was not billed. The first, {_firstUnbilled}";
            var message = refused is null || unbilled is null ? refused ?? unbilled : $"{refused} {unbilled}";
            return message is null ? null : Texts.Cut(message, MaxMessage);
        }
    }

    /// <summary>Notes a span that is no call.</summary>
    public void Note(SpanRecord span, MappedSpan mapped)
    {
        switch (mapped.Verdict)
        {
            case SpanVerdict.Refused:
                Refuse(span, mapped.Reason!);
                return;
            case SpanVerdict.Call:
                throw new ArgumentException("A call is noted when it was metered.", nameof(mapped));
        }
        Count(NameOf(mapped.Verdict));
        Unbilled(span, mapped.Reason);
    }

    /// <summary>Notes what became of a span that is a call. What was billed before, whatever it said then, is not billed again and not refused.</summary>
    public void Note(SpanRecord span, MappedSpan mapped, Result<MeteredReceipt> metered)
    {
        var isReused = metered.Error?.Code == ServiceErrors.KeyReused.Code;
        if (metered.IsSuccess) Count(metered.Value.Replayed ? "repeated" : "stored");
        else if (isReused || metered.Error.Code == MeteringErrors.Archived.Code) Count("repeated");
        else
        {
            Refuse(span, metered.Error.Message);
            return;
        }
        Unbilled(span, isReused ? SpanMapping.NotHeard(span, mapped.Call!) : mapped.Reason);
    }

    /// <summary>Adds it to the metrics.</summary>
    public void Record()
    {
        foreach (var (result, count) in _results) RevMetrics.Spans.Add(count, new KeyValuePair<string, object?>("result", result));
    }

    private void Refuse(SpanRecord span, string reason)
    {
        Count("refused");
        Rejected++;
        _firstRefused ??= Named(span, reason);
    }

    private void Unbilled(SpanRecord span, string? reason)
    {
        if (reason is null) return;
        _unbilled++;
        _firstUnbilled ??= Named(span, reason);
    }

    private void Count(string result) => _results[result] = _results.GetValueOrDefault(result) + 1;

    private static string Named(SpanRecord span, string reason) =>
        $"span {span.SpanId ?? "without an id"} of trace {span.TraceId ?? "without an id"}: {reason.TrimEnd('.')}.";

    private static string NameOf(SpanVerdict verdict) => verdict switch
    {
        SpanVerdict.Call => "stored",
        SpanVerdict.NoUsage => "no_usage",
        SpanVerdict.Off => "off",
        SpanVerdict.Sum => "sum",
        SpanVerdict.Server => "server",
        SpanVerdict.OtherLayer => "other_layer",
        SpanVerdict.Unclear => "unclear",
        SpanVerdict.Refused => "refused",
    };
}
