namespace Rev.Application.Telemetry;

/// <summary>What part a span has in its trace. The numbers are OTLP's.</summary>
public enum SpanKind
{
    /// <summary>Not said: as <see cref="Internal"/>.</summary>
    Unspecified = 0,
    /// <summary>Work within the program.</summary>
    Internal = 1,
    /// <summary>The server's side of a call.</summary>
    Server = 2,
    /// <summary>The client's side of a call.</summary>
    Client = 3,
    /// <summary>A message is sent.</summary>
    Producer = 4,
    /// <summary>A message is received.</summary>
    Consumer = 5,
}

/// <summary>A finished span, without what pricing never looks at.</summary>
/// <param name="TraceId">32 hexadecimal digits in lower case; null when it is not valid.</param>
/// <param name="SpanId">16 hexadecimal digits in lower case; null when it is not valid.</param>
/// <param name="Name">Its name.</param>
/// <param name="Kind">What part it has.</param>
/// <param name="EndedAt">When it ended, to the microsecond; null when it does not say.</param>
/// <param name="Scope">The instrumentation that made it.</param>
/// <param name="Attributes">Its own attributes.</param>
/// <param name="Resource">Those of the program that made it.</param>
public sealed record SpanRecord(
    string? TraceId, string? SpanId, string Name, SpanKind Kind, DateTimeOffset? EndedAt, string Scope, SpanAttributes Attributes, SpanAttributes Resource);

/// <summary>The attributes of a span or a resource that the mapping reads; the others are dropped when they are added.</summary>
public sealed class SpanAttributes
{
    /// <summary>Most attributes that are kept.</summary>
    public const int MaxCount = 256;

    private readonly Dictionary<string, SpanValue> _values = new(StringComparer.Ordinal);

    /// <summary>Whether there were more than are kept.</summary>
    public bool HasTooMany { get; private set; }

    /// <summary>All of them, in the order in which they came.</summary>
    public IEnumerable<KeyValuePair<string, SpanValue>> All => _values;

    /// <summary>A value; null when it is not there.</summary>
    public SpanValue? this[string name] => _values.GetValueOrDefault(name);

    /// <summary>Adds an attribute if it is read. An empty value is as if absent; of two values of one name the first counts.</summary>
    public void Add(string name, SpanValue? value)
    {
        if (value is null || !SpanConventions.Reads(name) || _values.ContainsKey(name)) return;
        if (_values.Count < MaxCount) _values.Add(name, value);
        else HasTooMany = true;
    }
}

/// <summary>The value of an attribute.</summary>
public abstract record SpanValue
{
    /// <summary>Deepest nesting of lists and maps that is read; what is deeper is unreadable.</summary>
    public const int MaxDepth = 8;

    /// <summary>Largest encoding of one value that is read, in bytes.</summary>
    public const int MaxBytes = 64 * 1024;

    /// <summary>A value that is nested too deep.</summary>
    public static SpanValue TooDeep { get; } = new SpanUnreadable("is nested too deep");

    /// <summary>A value that is too large.</summary>
    public static SpanValue TooLarge { get; } = new SpanUnreadable("is too large");

    /// <summary>A text with half a character in it.</summary>
    public static SpanValue NotUnicode { get; } = new SpanUnreadable("is not valid Unicode");
}

/// <summary>A text.</summary>
public sealed record SpanText(string Text) : SpanValue;

/// <summary>A whole number.</summary>
public sealed record SpanInteger(long Number) : SpanValue;

/// <summary>A number with a fraction.</summary>
public sealed record SpanReal(double Number) : SpanValue;

/// <summary>True or false.</summary>
public sealed record SpanFlag(bool IsTrue) : SpanValue;

/// <summary>Values in a row.</summary>
public sealed record SpanList(IReadOnlyList<SpanValue?> Items) : SpanValue;

/// <summary>Values by name.</summary>
public sealed record SpanMap(IReadOnlyList<KeyValuePair<string, SpanValue?>> Members) : SpanValue;

/// <summary>A value that could not be read, and why: a span that needs it is refused.</summary>
public sealed record SpanUnreadable(string Why) : SpanValue;
