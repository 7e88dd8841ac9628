using System.Globalization;

namespace Rev.Application.Telemetry;

/// <summary>The tokens of a span, each counted under one name.</summary>
/// <param name="Input">Tokens read.</param>
/// <param name="Output">Tokens written.</param>
/// <param name="Fault">What is wrong with one; null when nothing is.</param>
internal readonly record struct SpanUsage(long Input, long Output, string? Fault)
{
    /// <summary>Whether there is anything to bill, or to complain about.</summary>
    public bool IsThere => Input != 0 || Output != 0 || Fault is not null;

    /// <summary>The tokens of a span.</summary>
    public static SpanUsage Of(SpanAttributes attributes)
    {
        var (input, inputFault) = Count(attributes, SpanConventions.Input);
        var (output, outputFault) = Count(attributes, SpanConventions.Output);
        return new(input ?? 0, output ?? 0, inputFault ?? outputFault);
    }

    /// <summary>The first of the names that is there: its number, or what is wrong with it.</summary>
    public static (long? Number, string? Fault) Count(SpanAttributes attributes, string[] names)
    {
        foreach (var name in names)
        {
            if (attributes[name] is not { } value) continue;
            return Whole(value) is { } number ? (number, null) : (null, $"{name}: must be a whole number");
        }
        return (null, null);
    }

    // Some exporters know texts only, or numbers with a fraction only.
    private static long? Whole(SpanValue value) => value switch
    {
        SpanInteger integer => integer.Number,
        SpanReal { Number: >= 0 and <= 1e15 } real when real.Number == Math.Floor(real.Number) => (long)real.Number,
        SpanText { Text.Length: <= 18 } text when long.TryParse(text.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };
}
