using System.Globalization;
using System.Text;

namespace Rev.Client.Json;

/// <summary>The parameters of an address.</summary>
internal sealed class Query
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds a parameter, unless it is null.</summary>
    public Query Add(string name, string? value)
    {
        if (value is null) return this;
        _text.Append(_text.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        return this;
    }

    /// <summary>Adds an instant, unless it is null.</summary>
    public Query Add(string name, DateTimeOffset? value) => Add(name, value is { } instant ? Wire.Format(instant) : null);

    /// <summary>Adds a number.</summary>
    public Query Add(string name, int value) => Add(name, value.ToString(CultureInfo.InvariantCulture));

    /// <summary>The parameters with their question mark; empty without any.</summary>
    public override string ToString() => _text.ToString();
}
