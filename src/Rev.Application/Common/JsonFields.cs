using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Rev.Domain.Common;

namespace Rev.Application.Common;

/// <summary>
/// Reads one JSON object strictly: unknown and repeated members, wrong types and inexact numbers are complaints that
/// name the field by its path. An explicit null is as if absent. What cannot be read is null, and a complaint.
/// </summary>
public sealed partial class JsonFields
{
    private readonly string _path;
    private readonly string[] _known;
    private readonly JsonElement[] _values;
    private readonly List<FieldError> _errors;

    private JsonFields(string path, string[] known, List<FieldError> errors)
    {
        _path = path;
        _known = known;
        _values = new JsonElement[known.Length];
        _errors = errors;
    }

    /// <summary>The complaints so far, over all objects of one body.</summary>
    public List<FieldError> Errors => _errors;

    /// <summary>Reads an object with the members that are known.</summary>
    /// <param name="element">The object.</param>
    /// <param name="path">Its path: empty for the body.</param>
    /// <param name="errors">Where complaints go.</param>
    /// <param name="known">Every member there may be.</param>
    public static JsonFields Of(JsonElement element, string path, List<FieldError> errors, params string[] known)
    {
        var fields = new JsonFields(path, known, errors);
        if (element.ValueKind != JsonValueKind.Object)
        {
            if (errors.Count < MaxErrors) errors.Add(new(path.Length == 0 ? "body" : path, "must be a JSON object"));
            return fields;
        }
        foreach (var member in element.EnumerateObject()) fields.Take(member);
        return fields;
    }

    /// <summary>The path of a member.</summary>
    public string Path(string name) => _path.Length == 0 ? name : $"{_path}.{name}";

    /// <summary>Adds a complaint about a member.</summary>
    public void Refuse(string name, string message)
    {
        if (_errors.Count < MaxErrors) _errors.Add(new(Path(name), message));
    }

    /// <summary>Most complaints about one body: who sends a million mistakes is not sent them back.</summary>
    public const int MaxErrors = 20;

    /// <summary>The member as it is; Undefined when absent or null.</summary>
    public JsonElement this[string name]
    {
        get
        {
            var value = _values[IndexOf(name)];
            return value.ValueKind == JsonValueKind.Null ? default : value;
        }
    }

    /// <summary>Whether the member is there, null included.</summary>
    public bool Has(string name) => _values[IndexOf(name)].ValueKind != JsonValueKind.Undefined;

    /// <summary>Whether the member is there and not null.</summary>
    public bool IsSet(string name) => this[name].ValueKind != JsonValueKind.Undefined;

    /// <summary>A string.</summary>
    public string? Text(string name)
    {
        var value = this[name];
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        Refuse(name, "must be a string");
        return null;
    }

    /// <summary>True or false.</summary>
    public bool? Flag(string name)
    {
        switch (this[name].ValueKind)
        {
            case JsonValueKind.Undefined: return null;
            case JsonValueKind.True: return true;
            case JsonValueKind.False: return false;
            default:
                Refuse(name, "must be true or false");
                return null;
        }
    }

    /// <summary>An integer literal.</summary>
    public long? Integer(string name)
    {
        var value = this[name];
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)) return number;
        Refuse(name, value.ValueKind == JsonValueKind.Number
            ? "must be a whole number without fraction or exponent, within 64 bits"
            : "must be a JSON integer");
        return null;
    }

    /// <summary>An exact decimal, as a string or a JSON number, without exponent.</summary>
    public decimal? Decimal(string name, int decimals)
    {
        var value = this[name];
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString()!,
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
        if (text is null)
        {
            Refuse(name, "must be a decimal string or a JSON number");
            return null;
        }
        if (!PlainDecimal().IsMatch(text))
        {
            Refuse(name, "must be a plain decimal number, such as \"0.005\", without exponent");
            return null;
        }
        var point = text.IndexOf('.', StringComparison.Ordinal);
        if (point >= 0 && text.Length - point - 1 > decimals)
        {
            Refuse(name, $"must have at most {decimals} decimals");
            return null;
        }
        if (text.Length <= 28 && decimal.TryParse(text, NumberStyles.Number, CultureInfo.InvariantCulture, out var number)) return number;
        Refuse(name, "is out of range");
        return null;
    }

    /// <summary>An instant of RFC 3339, truncated to microseconds.</summary>
    public DateTimeOffset? Instant(string name)
    {
        var text = Text(name);
        if (text is null) return null;
        if (TryInstant(text, out var instant)) return instant;
        Refuse(name, InstantRule);
        return null;
    }

    /// <summary>What an instant must look like.</summary>
    public const string InstantRule = "must be an instant of RFC 3339, such as 2026-11-23T12:00:00Z";

    /// <summary>Reads an instant of RFC 3339, truncated to microseconds.</summary>
    public static bool TryInstant(string text, out DateTimeOffset instant)
    {
        instant = default;
        var match = Rfc3339().Match(text);
        if (!match.Success) return false;
        var fraction = match.Groups["fraction"].Value;
        if (fraction.Length > 6) fraction = fraction[..6];
        var plain = $"{match.Groups["seconds"].Value}{(fraction.Length > 0 ? "." + fraction : "")}{match.Groups["zone"].Value}";
        if (!DateTimeOffset.TryParse(plain, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant)) return false;
        instant = instant.ToUniversalTime();
        return true;
    }

    /// <summary>A duration of ISO 8601, weeks to seconds.</summary>
    public TimeSpan? Duration(string name)
    {
        var text = Text(name);
        if (text is null) return null;
        if (Iso8601.TryParse(text, out var duration)) return duration;
        Refuse(name, Iso8601.Rule);
        return null;
    }

    /// <summary>An object of facts within the limits of <see cref="Domain.Common.Metadata"/>, compact.</summary>
    public Metadata? Metadata(string name)
    {
        var value = this[name];
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind != JsonValueKind.Object)
        {
            Refuse(name, "must be a JSON object");
            return null;
        }
        if (!Check(value, Path(name), 1)) return null;
        var raw = JsonMarshal.GetRawUtf8Value(value);
        if (IsCompact(raw)) return Metadata(name, raw);
        using var scratch = JsonScratch.Begin();
        value.WriteTo(scratch.Writer);
        return Metadata(name, scratch.Written);
    }

    private Metadata? Metadata(string name, ReadOnlySpan<byte> compact)
    {
        if (compact.Length <= Domain.Common.Metadata.MaxBytes) return Domain.Common.Metadata.FromChecked(Encoding.UTF8.GetString(compact));
        Refuse(name, $"must be at most {Domain.Common.Metadata.MaxBytes} bytes");
        return null;
    }

    /// <summary>Whether a JSON text is as Rev would write it, for sure: printable ASCII, nothing escaped, no blank between tokens.</summary>
    private static bool IsCompact(ReadOnlySpan<byte> json)
    {
        var inString = false;
        foreach (var unit in json)
        {
            if (unit is < 0x20 or > 0x7E or (byte)'\\' || (unit == ' ' && !inString)) return false;
            if (unit == '"') inString = !inString;
        }
        return true;
    }

    /// <summary>A member that is an object; null when absent.</summary>
    public JsonFields? Object(string name, params string[] known)
    {
        var value = this[name];
        return value.ValueKind == JsonValueKind.Undefined ? null : Of(value, Path(name), _errors, known);
    }

    /// <summary>The elements of a member that is a list of at most so many; null when absent.</summary>
    public IReadOnlyList<(JsonElement Element, string Path)>? List(string name, int max)
    {
        var value = this[name];
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind != JsonValueKind.Array)
        {
            Refuse(name, "must be a list");
            return null;
        }
        if (value.GetArrayLength() > max)
        {
            Refuse(name, $"must be a list of at most {max}");
            return null;
        }
        var path = Path(name);
        return value.EnumerateArray().Select((element, i) => (element, $"{path}[{i}]")).ToArray();
    }

    private void Take(JsonProperty member)
    {
        if (_errors.Count >= MaxErrors) return;
        if (!IsWhole(JsonMarshal.GetRawUtf8PropertyName(member)))
        {
            _errors.Add(new(_path.Length == 0 ? "body" : _path, WholeRule));
            return;
        }
        // The objects of a list are judged alone, each when it is read.
        var objects = member.Value.ValueKind == JsonValueKind.Array && member.Value.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.Object);
        if (!objects && !IsWhole(JsonMarshal.GetRawUtf8Value(member.Value)))
        {
            Refuse(Spelling.Shown(member.Name), WholeRule);
            return;
        }
        for (var i = 0; i < _known.Length; i++)
        {
            if (!member.NameEquals(_known[i])) continue;
            if (_values[i].ValueKind != JsonValueKind.Undefined) Refuse(_known[i], "is given twice");
            else _values[i] = member.Value;
            return;
        }
        var name = Spelling.Shown(member.Name);
        var near = Spelling.Nearest(name, _known);
        Refuse(name, near is null ? "is not a field of this request" : $"is not a field of this request; did you mean {near}?");
    }

    private const string WholeRule = "must be Unicode: a surrogate stands without its other half";

    /// <summary>Whether every surrogate that is written as an escape has its other half: a text with half a character has no UTF-8 form.</summary>
    internal static bool IsWhole(ReadOnlySpan<byte> json)
    {
        for (var at = json.IndexOf((byte)'\\'); at >= 0 && at < json.Length; at++)
        {
            if (json[at] != '\\' || json[++at] != 'u') continue;
            var unit = Unit(json, at - 1);
            if (!char.IsSurrogate(unit))
            {
                at += 4;
                continue;
            }
            if (!char.IsHighSurrogate(unit) || !char.IsLowSurrogate(Unit(json, at + 5))) return false;
            at += 10;
        }
        return true;

        static char Unit(ReadOnlySpan<byte> json, int at) =>
            at + 6 <= json.Length && json[at] == '\\' && json[at + 1] == 'u'
            && ushort.TryParse(json.Slice(at + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit) ? (char)unit : '\0';
    }

    private bool Check(JsonElement value, string path, int depth)
    {
        if (depth > Domain.Common.Metadata.MaxDepth)
        {
            _errors.Add(new(path, $"is nested deeper than {Domain.Common.Metadata.MaxDepth} levels"));
            return false;
        }
        if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in value.EnumerateArray())
                if (item.ValueKind is JsonValueKind.Object or JsonValueKind.Array && !Check(item, path, depth + 1)) return false;
            return true;
        }
        var names = value.GetPropertyCount() > FewMembers ? new HashSet<string>(StringComparer.Ordinal) : null;
        var at = 0;
        foreach (var member in value.EnumerateObject())
        {
            if (names is null ? IsAmongFirst(value, at++, member) : !names.Add(member.Name))
            {
                _errors.Add(new($"{path}.{Spelling.Shown(member.Name)}", "is given twice"));
                return false;
            }
            if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array
                && !Check(member.Value, depth == 1 ? $"{path}.{Spelling.Shown(member.Name)}" : path, depth + 1)) return false;
        }
        return true;
    }

    /// <summary>Up to so many members each is compared with those before it.</summary>
    private const int FewMembers = 8;

    private static bool IsAmongFirst(JsonElement value, int count, JsonProperty member)
    {
        if (count == 0) return false;
        var raw = JsonMarshal.GetRawUtf8PropertyName(member);
        var name = raw.Contains((byte)'\\') ? Encoding.UTF8.GetBytes(member.Name) : raw;
        foreach (var earlier in value.EnumerateObject())
        {
            if (count-- == 0) return false;
            if (earlier.NameEquals(name)) return true;
        }
        return false;
    }

    private int IndexOf(string name)
    {
        var index = Array.IndexOf(_known, name);
        return index >= 0 ? index : throw new InvalidOperationException($"{name} is not among the known fields.");
    }

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)(\.[0-9]+)?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PlainDecimal();

    [GeneratedRegex(@"^(?<seconds>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.(?<fraction>[0-9]{1,12}))?(?<zone>Z|[+-][0-9]{2}:[0-9]{2})\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Rfc3339();
}
