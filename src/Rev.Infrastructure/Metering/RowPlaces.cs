using System.Data.Common;
using Rev.Domain.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>Finds rows again by the keys that a database returns: keys of at most two ids, one number and one text.</summary>
internal sealed class RowPlaces<T>
{
    private readonly BulkColumn<T>[] _keys;
    private readonly Dictionary<RowKey, int> _places;

    public RowPlaces(BulkTable<T> table, IReadOnlyList<T> rows)
    {
        _keys = table.Keys;
        _places = new(rows.Count);
        for (var i = 0; i < rows.Count; i++) _places[KeyOf(rows[i])] = i;
    }

    /// <summary>Marks the rows whose keys the reader returns.</summary>
    public async Task Mark(DbDataReader reader, bool[] done)
    {
        while (await reader.ReadAsync()) done[_places[KeyOf(reader)]] = true;
    }

    private RowKey KeyOf(T row)
    {
        var key = default(RowKey);
        foreach (var column in _keys)
        {
            if (column.Id is { } id) key = key.With(id(row)!.Value);
            else if (column.Number is { } number) key = key with { Number = number(row)!.Value };
            else key = key with { Text = column.Text!(row) };
        }
        return key;
    }

    private RowKey KeyOf(DbDataReader reader)
    {
        var key = default(RowKey);
        for (var i = 0; i < _keys.Length; i++)
        {
            if (_keys[i].Id is not null) key = key.With(UlidText.FromBytes(reader.GetFieldValue<byte[]>(i)));
            else if (_keys[i].Number is not null) key = key with { Number = Convert.ToInt64(reader.GetValue(i), System.Globalization.CultureInfo.InvariantCulture) };
            else key = key with { Text = reader.GetString(i) };
        }
        return key;
    }

    private readonly record struct RowKey(UInt128 First, UInt128 Second, long Number, string? Text)
    {
        public RowKey With(UInt128 id) => this with { First = id, Second = First };
    }
}
