using System.Globalization;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;

namespace Rev.Application.Telemetry;

/// <summary>What becomes of a span.</summary>
public enum SpanVerdict
{
    /// <summary>It is metered.</summary>
    Call,
    /// <summary>It has neither usage nor an outcome.</summary>
    NoUsage,
    /// <summary>Its sender does not want it billed.</summary>
    Off,
    /// <summary>It sums up what spans below it did, or is a step or a tool: the calls of models below it are billed.</summary>
    Sum,
    /// <summary>It is the server's side of a call, whose client's side is billed.</summary>
    Server,
    /// <summary>It is of the layer of instrumentation that is not billed.</summary>
    OtherLayer,
    /// <summary>It has usage, but does not say that it called a model.</summary>
    Unclear,
    /// <summary>It would be billed, but something in it is wrong.</summary>
    Refused,
}

/// <summary>A span, and what becomes of it.</summary>
/// <param name="Verdict">What becomes of it.</param>
/// <param name="Call">The call that it is; only of <see cref="SpanVerdict.Call"/>.</param>
/// <param name="Reason">Why not: of what is refused, and of what its sender may have meant to be billed; of a call, why its usage is not billed.</param>
public sealed record MappedSpan(SpanVerdict Verdict, MeterCall? Call, string? Reason);

/// <summary>
/// Spans to metered calls. Whether a span is billed is told by the span and its resource alone, and its idempotency key is made of the trace and
/// the provider's answer, or else the span: so a model's answer is billed once, however often, split or out of order its trace is sent.
/// </summary>
public static class SpanMapping
{
    // A shorter id may come again within a trace: some servers of local models give three digits.
    private const int ShortestResponseId = 16;
    private const int LongestResponseId = 128;

    private static readonly string TooMany = $"it has more than {SpanAttributes.MaxCount} attributes that Rev reads";

    /// <summary>The call that a span is, or why it is none.</summary>
    public static MappedSpan Map(Tenant tenant, SpanRecord span)
    {
        var usage = SpanUsage.Of(span.Attributes);
        var bill = span.Attributes[SpanConventions.Bill];
        var hasOutcome = span.Attributes[SpanConventions.Outcome] is not null;
        var hidden = Hidden(span.Attributes);
        if (!usage.IsThere && !hasOutcome && bill is null && hidden is null) return new(SpanVerdict.NoUsage, null, null);
        var ofAll = span.Resource[SpanConventions.Bill];
        if (Flag(bill) is false || Flag(ofAll) is false) return new(SpanVerdict.Off, null, null);
        if ((bill is not null && Flag(bill) is null) || (ofAll is not null && Flag(ofAll) is null)) return Refused($"{SpanConventions.Bill}: must be true or false");
        if (hidden is not null) return Refused(hidden);

        var operation = SpanOperation.Of(span);
        if (operation is { Verdict: SpanVerdict.Refused, Reason: { } reason }) return Refused(reason);
        var isForced = bill is not null;
        var isInference = usage.IsThere && operation.Verdict == SpanVerdict.Call;
        if (isForced || isInference) return Call(tenant, span, operation.Name, usage, isInference);
        // An outcome makes it a call of its own; its tokens are those of the spans below it, which are billed themselves.
        if (!hasOutcome) return new(operation.Verdict, null, operation.Reason);
        var own = Call(tenant, span, operation.Name, default, isInference: false);
        return own.Verdict == SpanVerdict.Call && usage.IsThere ? own with { Reason = operation.Reason } : own;
    }

    /// <summary>
    /// What is not heard of a span whose answer was metered before with other content, by another span: what it says of the call itself. Null when it
    /// says nothing, or its key is its own.
    /// </summary>
    public static string? NotHeard(SpanRecord span, MeterCall call)
    {
        if (call.IdempotencyKey == OwnKey(span)) return null;
        var said = SpanConventions.OwnNames.Where(name => name is not (SpanConventions.Bill or SpanConventions.BillLayer) && span.Attributes[name] is not null).ToArray();
        return said.Length == 0 ? null : $"its answer was metered before, by another span; not counted of this one: {string.Join(", ", said)}";
    }

    private static MappedSpan Call(Tenant tenant, SpanRecord span, string? operation, SpanUsage usage, bool isInference)
    {
        if ((Fault(span) ?? usage.Fault) is { } fault) return Refused(fault);
        var own = new OwnTexts(span);
        var agent = own["rev.agent_id"] ?? Agent(span);
        var action = own["rev.action"] ?? (operation is not null ? "gen_ai." + Key(operation) : Key(span.Name));
        var expires = own["rev.expires_at"];
        DateTimeOffset? expiresAt = null;
        if (expires is not null)
        {
            if (!JsonFields.TryInstant(expires, out var instant)) return Refused($"rev.expires_at: {JsonFields.InstantRule}");
            expiresAt = instant;
        }
        var (metadata, wrong) = SpanMetadata.Of(span, operation);
        var call = new MeterCall(
            tenant, agent, action, usage.Input, usage.Output, own[SpanConventions.Outcome], expiresAt, metadata, own["rev.customer_id"],
            own["rev.model"] ?? SpanOperation.First(span.Attributes, SpanConventions.Model), span.EndedAt, IdempotencyKey(span, isInference));
        if ((own.Fault ?? wrong) is { } refusal) return Refused(refusal);
        return agent is null ? Refused("agent_id: neither rev.agent_id nor gen_ai.agent.name nor service.name names an agent") : new(SpanVerdict.Call, call, null);
    }

    /// <summary>What is wrong with a span that would be billed, whatever it says of the call.</summary>
    private static string? Fault(SpanRecord span)
    {
        if (span.TraceId is null || span.SpanId is null) return "it has no valid trace and span id";
        foreach (var attributes in new[] { span.Attributes, span.Resource })
        {
            if (attributes.HasTooMany) return TooMany;
            foreach (var (name, value) in attributes.All)
            {
                if (value is SpanUnreadable unreadable) return $"{Spelling.Shown(name)}: {unreadable.Why}";
                if (IsUnknown(name)) return Unknown(name, Spelling.Nearest(name, SpanConventions.OwnNames));
            }
        }
        return null;
    }

    /// <summary>Why a span may be a call that does not seem one: what says so was cut off, or is misspelt. Null when there is no such sign.</summary>
    private static string? Hidden(SpanAttributes attributes)
    {
        if (attributes.HasTooMany) return TooMany;
        foreach (var (name, _) in attributes.All)
            if (IsUnknown(name) && Spelling.Nearest(name, SpanConventions.OwnNames) is (SpanConventions.Outcome or SpanConventions.Bill) and var near) return Unknown(name, near);
        return null;
    }

    private static bool IsUnknown(string name) =>
        name.StartsWith(SpanConventions.Own, StringComparison.Ordinal) && !name.StartsWith(SpanConventions.Metadata, StringComparison.Ordinal)
        && !SpanConventions.OwnNames.Contains(name, StringComparer.Ordinal);

    private static string Unknown(string name, string? near) =>
        near is null ? $"{Spelling.Shown(name)}: is no attribute of Rev's" : $"{Spelling.Shown(name)}: is no attribute of Rev's; did you mean {near}?";

    private static string? Agent(SpanRecord span)
    {
        foreach (var name in SpanConventions.Agent)
            if (span.Attributes[name] is SpanText named && Key(named.Text) is { } key) return key;
        return span.Resource[SpanConventions.ServiceName] is SpanText service ? Key(service.Text) : null;
    }

    private static string IdempotencyKey(SpanRecord span, bool isInference) =>
        isInference && SpanOperation.First(span.Attributes, SpanConventions.ResponseId) is { Length: >= ShortestResponseId and <= LongestResponseId } id
            && Rules.IsLine(id, LongestResponseId)
            ? $"otlp:{span.TraceId}:response:{id}"
            : OwnKey(span);

    private static string OwnKey(SpanRecord span) => $"otlp:{span.TraceId}:{span.SpanId}";

    /// <summary>A text as one of Rev's keys: every run of other characters is a hyphen. Null when nothing is left.</summary>
    private static string? Key(string text)
    {
        Span<char> key = stackalloc char[CallerKey.MaxLength];
        var length = 0;
        foreach (var letter in text)
        {
            if (length == key.Length) break;
            if (char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or ':' or '@' or '+' or '-') key[length++] = letter;
            else if (length > 0 && key[length - 1] != '-') key[length++] = '-';
        }
        var found = new string(key[..length]).TrimEnd('-');
        return CallerKey.IsValid(found) ? found : null;
    }

    /// <summary>True or false, also as a text, since variables of the environment know texts only. Null when it is neither.</summary>
    private static bool? Flag(SpanValue? value) => value switch
    {
        SpanFlag flag => flag.IsTrue,
        SpanText { Text: "true" } => true,
        SpanText { Text: "false" } => false,
        _ => null,
    };

    private static MappedSpan Refused(string reason) => new(SpanVerdict.Refused, null, reason);

    /// <summary>Rev's own attributes as texts, those of the span before those of its resource; remembers the first that is none.</summary>
    private sealed class OwnTexts(SpanRecord span)
    {
        public string? Fault { get; private set; }

        public string? this[string name]
        {
            get
            {
                switch (span.Attributes[name] ?? span.Resource[name])
                {
                    case null: return null;
                    case SpanText text: return text.Text;
                    case SpanInteger integer: return integer.Number.ToString(CultureInfo.InvariantCulture);
                    default:
                        Fault ??= $"{name}: must be a string";
                        return null;
                }
            }
        }
    }
}
