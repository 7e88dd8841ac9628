using System.Data.Common;
using System.Globalization;
using System.Text;

namespace Rev.Infrastructure.Metering;

/// <summary>A column of an archived table.</summary>
/// <param name="Name">Its name in the table and in the file.</param>
/// <param name="Type">Its type.</param>
public sealed record ArchiveColumn(string Name, BulkType Type);

/// <summary>One table of an archive: a file of CSV (RFC 4180) whose first record names the columns.</summary>
public sealed class ArchiveTable
{
    /// <summary>The most calls that are held in memory and moved in one transaction.</summary>
    public const int ChunkSize = 2_000;

    private const string Range = "t.account_id = @account AND t.mode = @mode AND";

    /// <summary>The calls of a month.</summary>
    public static readonly ArchiveTable Calls = new("calls", Of(BulkTables.Calls), [],
        "FROM calls AS t", $"WHERE {Range} t.id >= @from AND t.id < @to ORDER BY t.id");

    private static readonly string[] OfTheCall = ["agent_id", "customer_id"];

    /// <summary>Their outcomes without what they repeat of their call; <c>currency</c> is their call's, for whoever reads the file.</summary>
    public static readonly ArchiveTable Outcomes = new("outcomes",
        [.. Of(BulkTables.Outcomes).Where(c => !OfTheCall.Contains(c.Name, StringComparer.Ordinal))], [new("currency", BulkType.Key)],
        "FROM outcomes AS t INNER JOIN calls AS c ON c.account_id = t.account_id AND c.mode = t.mode AND c.id = t.id",
        $"WHERE {Range} t.id >= @from AND t.id < @to ORDER BY t.id");

    /// <summary>Their later amounts. These stay in the database.</summary>
    public static readonly ArchiveTable Entries = new("ledger_entries", Of(BulkTables.LedgerEntries), [],
        "FROM ledger_entries AS t", $"WHERE {Range} t.call_id >= @from AND t.call_id < @to ORDER BY t.call_id, t.component");

    /// <summary>All, in the order of the files.</summary>
    public static readonly IReadOnlyList<ArchiveTable> All = [Calls, Outcomes, Entries];

    /// <summary>Deletes a tenant's outcomes of a range of calls.</summary>
    public const string DeleteOutcomes = "DELETE FROM outcomes WHERE account_id = @account AND mode = @mode AND id >= @from AND id < @to";

    /// <summary>Deletes a tenant's calls of a range.</summary>
    public const string DeleteCalls = "DELETE FROM calls WHERE account_id = @account AND mode = @mode AND id >= @from AND id < @to";

    /// <summary>Deletes what a finished restoration leaves of a month: rows that add nothing.</summary>
    public static readonly string DeleteNothings =
        $"DELETE FROM archived_rollups WHERE month = {{0}} AND {string.Join(" AND ", Common.RollupSql.Sums.Select(s => $"{s} = 0"))}";

    /// <summary>How many calls of a month were moved to the archive; null when none.</summary>
    public const string CountMoved = "SELECT SUM(calls) FROM archived_rollups WHERE month = @month";

    private readonly int _stored;
    private readonly string _names;
    private readonly string _from;
    private readonly string _where;

    private ArchiveTable(string name, ArchiveColumn[] stored, ArchiveColumn[] derived, string from, string where)
    {
        Name = name;
        Columns = [.. stored, .. derived];
        _stored = stored.Length;
        _names = string.Join(", ", Columns.Select((c, i) => $"{(i < stored.Length ? "t" : "c")}.\"{c.Name}\""));
        _from = from;
        _where = where;
    }

    /// <summary>The table.</summary>
    public string Name { get; }

    /// <summary>The file.</summary>
    public string File => Name + ".csv.gz";

    /// <summary>Its columns, the key's first.</summary>
    public IReadOnlyList<ArchiveColumn> Columns { get; }

    /// <summary>The columns that the table itself has.</summary>
    public IEnumerable<ArchiveColumn> Stored => Columns.Take(_stored);

    /// <summary>Inserts a row; the parameters are its values in order. An outcome repeats what its call says, which is there before it.</summary>
    public string Insert
    {
        get
        {
            var (names, values) = (string.Join(", ", Stored.Select(c => $"\"{c.Name}\"")), string.Join(", ", Stored.Select((_, i) => $"@p{i}")));
            if (this != Outcomes) return $"INSERT INTO {Name} ({names}) VALUES ({values})";
            return $"INSERT INTO {Name} ({names}, {string.Join(", ", OfTheCall)}) SELECT {values}, {string.Join(", ", OfTheCall.Select(c => $"c.{c}"))} "
                + "FROM calls AS c WHERE c.account_id = @p0 AND c.mode = @p1 AND c.id = @p2";
        }
    }

    /// <summary>Reads a tenant's rows of a range of calls.</summary>
    public string Select => $"SELECT {_names} {_from} {_where}";

    /// <summary>Reads the first of them, a chunk at most.</summary>
    public string SelectFirst(bool sqlServer) => sqlServer ? $"SELECT TOP ({ChunkSize}) {_names} {_from} {_where}" : $"{Select} LIMIT {ChunkSize}";

    /// <summary>The place of a column.</summary>
    public int At(string column)
    {
        for (var i = 0; i < Columns.Count; i++)
            if (Columns[i].Name == column) return i;
        throw new ArgumentOutOfRangeException(nameof(column), column, "No such column.");
    }

    /// <summary>The rows of a command.</summary>
    public async Task<List<object?[]>> Read(DbCommand command, CancellationToken cancellationToken)
    {
        var rows = new List<object?[]>();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            var row = new object?[Columns.Count];
            for (var i = 0; i < row.Length; i++) row[i] = Value(Columns[i].Type, reader.GetValue(i));
            rows.Add(row);
        }
        return rows;
    }

    /// <summary>The record of a row, without the end of its line.</summary>
    public string Format(object?[] row)
    {
        var record = new StringBuilder(256);
        for (var i = 0; i < row.Length; i++)
        {
            if (i > 0) record.Append(',');
            switch (row[i])
            {
                case null: break;
                case byte[] bytes: record.Append(Convert.ToHexString(bytes)); break;
                case bool flag: record.Append(flag ? '1' : '0'); break;
                case string text: Csv.Append(record, text); break;
                case var number: record.Append(CultureInfo.InvariantCulture, $"{number}"); break;
            }
        }
        return record.ToString();
    }

    /// <summary>The row of a record.</summary>
    /// <exception cref="FormatException">It is not one of this table.</exception>
    public object?[] Parse(string record)
    {
        var fields = Csv.Split(record);
        if (fields.Count != Columns.Count) throw new FormatException($"A record of {File} has {fields.Count} fields, not {Columns.Count}.");
        var row = new object?[fields.Count];
        for (var i = 0; i < row.Length; i++)
        {
            if (fields[i] is not { } text) continue;
            row[i] = Columns[i].Type switch
            {
                BulkType.Id => Convert.FromHexString(text),
                BulkType.Small => short.Parse(text, CultureInfo.InvariantCulture),
                BulkType.Int => int.Parse(text, CultureInfo.InvariantCulture),
                BulkType.Long => long.Parse(text, CultureInfo.InvariantCulture),
                BulkType.Flag => text == "1",
                BulkType.Key or BulkType.Text => text,
            };
        }
        return row;
    }

    private static ArchiveColumn[] Of<T>(BulkTable<T> table) => [.. table.Columns.Select(c => new ArchiveColumn(c.Name, c.Type))];

    private static object? Value(BulkType type, object value) => value is DBNull ? null : type switch
    {
        BulkType.Id => (byte[])value,
        BulkType.Small => Convert.ToInt16(value, CultureInfo.InvariantCulture),
        BulkType.Int => Convert.ToInt32(value, CultureInfo.InvariantCulture),
        BulkType.Long => Convert.ToInt64(value, CultureInfo.InvariantCulture),
        BulkType.Flag => Convert.ToBoolean(value, CultureInfo.InvariantCulture),
        BulkType.Key or BulkType.Text => (string)value,
    };
}

/// <summary>Adds what a tenant's calls and outcomes of a range have added to the rollups, times @sign, to the archived ones.</summary>
public static class ArchivedRollupSql
{
    private static readonly string[] Keys = ["month", .. Common.RollupSql.Keys.Split(", ")];

    private static readonly string Columns = string.Join(", ", Keys.Concat(Common.RollupSql.Sums));

    private static readonly string Values = $"SELECT @month AS month, {Common.RollupSql.Keys}, {Each(s => $"@sign * {s}")} FROM ({Common.RollupSql.OfCalls}) AS m";

    /// <summary>On SQLite and PostgreSQL.</summary>
    public static readonly string Move =
        $"INSERT INTO archived_rollups ({Columns}) {Values} WHERE 1 = 1 ON CONFLICT ({string.Join(", ", Keys)}) DO UPDATE SET {Each(s => $"{s} = archived_rollups.{s} + excluded.{s}")}";

    /// <summary>On SQL Server.</summary>
    public static readonly string MoveOnSqlServer =
        $"UPDATE a SET {Each(s => $"{s} = a.{s} + @sign * m.{s}")} FROM archived_rollups AS a INNER JOIN ({Common.RollupSql.OfCalls}) AS m ON a.month = @month AND {Match}; "
        + $"INSERT INTO archived_rollups ({Columns}) {Values} WHERE NOT EXISTS (SELECT 1 FROM archived_rollups AS a WHERE a.month = @month AND {Match})";

    private static string Match => string.Join(" AND ", Keys.Skip(1).Select(k => $"a.{k} = m.{k}"));

    private static string Each(Func<string, string> column) => string.Join(", ", Common.RollupSql.Sums.Select(column));
}

/// <summary>Records of RFC 4180. An empty field is null, an empty text is quoted.</summary>
public static class Csv
{
    private static readonly System.Buffers.SearchValues<char> Special = System.Buffers.SearchValues.Create("\",\r\n");

    /// <summary>Writes a text.</summary>
    public static void Append(StringBuilder record, string text)
    {
        if (text.Length > 0 && text[0] != ' ' && text[^1] != ' ' && !text.AsSpan().ContainsAny(Special)) record.Append(text);
        else record.Append('"').Append(text).Replace("\"", "\"\"", record.Length - text.Length, text.Length).Append('"');
    }

    /// <summary>Reads the next record, without the end of its line; null at the end.</summary>
    public static string? Read(TextReader reader)
    {
        var record = new StringBuilder(256);
        var quoted = false;
        for (var c = reader.Read(); c >= 0; c = reader.Read())
        {
            if (c == '"') quoted = !quoted;
            if (c == '\n' && !quoted)
            {
                if (record.Length > 0 && record[^1] == '\r') record.Length--;
                return record.ToString();
            }
            record.Append((char)c);
        }
        return record.Length == 0 ? null : record.ToString();
    }

    /// <summary>The fields of a record; null for an empty one.</summary>
    public static List<string?> Split(string record)
    {
        var fields = new List<string?>();
        var at = 0;
        while (true)
        {
            if (at < record.Length && record[at] == '"')
            {
                var text = new StringBuilder();
                for (at++; at < record.Length; at++)
                {
                    if (record[at] != '"') text.Append(record[at]);
                    else if (at + 1 < record.Length && record[at + 1] == '"') text.Append(record[at++]);
                    else break;
                }
                if (at >= record.Length) throw new FormatException("A quoted field does not end.");
                at++;
                fields.Add(text.ToString());
            }
            else
            {
                var end = record.IndexOf(',', at);
                if (end < 0) end = record.Length;
                fields.Add(end == at ? null : record[at..end]);
                at = end;
            }
            if (at >= record.Length) return fields;
            if (record[at] != ',') throw new FormatException("A field goes on after its closing quote.");
            at++;
        }
    }
}
