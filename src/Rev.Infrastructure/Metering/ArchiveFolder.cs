using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Infrastructure.Metering;

/// <summary>A file of an archive as its manifest has it.</summary>
/// <param name="Name">The file.</param>
/// <param name="Rows">Its records, the header not counted.</param>
/// <param name="Checksum">SHA-256 of the compressed file, in hexadecimal.</param>
public sealed record ArchiveFile(string Name, long Rows, string Checksum);

/// <summary>Rows and amounts of an archive, counted while its records pass.</summary>
public sealed class ArchiveTally
{
    private readonly SortedDictionary<(string Currency, string Column), Int128> _sums = [];
    private readonly Dictionary<string, long> _rows = new(StringComparer.Ordinal);

    /// <summary>Nanos by currency and column: <c>calls.base_nanos</c>.</summary>
    public IReadOnlyDictionary<(string Currency, string Column), Int128> Sums => _sums;

    /// <summary>How many rows of a table have passed.</summary>
    public long Rows(ArchiveTable table) => _rows.GetValueOrDefault(table.Name);

    /// <summary>Counts a row.</summary>
    public void Count(ArchiveTable table, object?[] row)
    {
        _rows[table.Name] = Rows(table) + 1;
        var currency = (string)row[table.At("currency")]!;
        for (var i = 0; i < row.Length; i++)
        {
            var name = table.Columns[i].Name;
            if (row[i] is not long nanos || !name.EndsWith("_nanos", StringComparison.Ordinal)) continue;
            var key = (currency, $"{table.Name}.{name}");
            _sums[key] = _sums.GetValueOrDefault(key) + nanos;
        }
    }
}

/// <summary>What an archive holds.</summary>
public sealed record ArchiveManifest(ArchiveMonth Month, DateTimeOffset ArchivedAt, IReadOnlyList<ArchiveFile> Files, IReadOnlyDictionary<(string Currency, string Column), Int128> Sums)
{
    /// <summary>The form of the files.</summary>
    public const int Format = 1;

    /// <summary>The file.</summary>
    public const string Name = "manifest.json";

    /// <summary>Its text.</summary>
    public byte[] Write()
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new() { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("month", Month.ToString());
            json.WriteString("archived_at", ArchivedAt);
            json.WriteStartArray("files");
            foreach (var (table, file) in ArchiveTable.All.Zip(Files))
            {
                json.WriteStartObject();
                json.WriteString("name", file.Name);
                json.WriteNumber("rows", file.Rows);
                json.WriteString("sha256", file.Checksum);
                json.WriteStartArray("columns");
                foreach (var column in table.Columns) json.WriteStringValue(column.Name);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartObject("sums");
            foreach (var currency in Sums.GroupBy(s => s.Key.Currency, StringComparer.Ordinal))
            {
                json.WriteStartObject(currency.Key);
                foreach (var ((_, column), nanos) in currency) json.WriteString(column, nanos.ToString(CultureInfo.InvariantCulture));
                json.WriteEndObject();
            }
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Reads a text of <see cref="Write"/>.</summary>
    /// <exception cref="SettingException">It is none, or one of another form.</exception>
    public static ArchiveManifest Read(byte[] text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            if (root.GetProperty("format").GetInt32() != Format) throw new SettingException($"{Name} is not of format {Format}.");
            if (!ArchiveMonth.TryParse(root.GetProperty("month").GetString(), out var month)) throw new SettingException($"{Name} names no month.");
            var files = new List<ArchiveFile>();
            foreach (var (table, file) in ArchiveTable.All.Zip(root.GetProperty("files").EnumerateArray()))
            {
                files.Add(new(file.GetProperty("name").GetString()!, file.GetProperty("rows").GetInt64(), file.GetProperty("sha256").GetString()!));
                var columns = file.GetProperty("columns").EnumerateArray().Select(c => c.GetString());
                if (files[^1].Name != table.File || !columns.SequenceEqual(table.Columns.Select(c => c.Name), StringComparer.Ordinal))
                    throw new SettingException($"{files[^1].Name} has other columns than this version of Rev reads.");
            }
            if (files.Count != ArchiveTable.All.Count) throw new SettingException($"{Name} does not name all files.");
            var sums = root.GetProperty("sums").EnumerateObject().SelectMany(currency => currency.Value.EnumerateObject()
                .Select(sum => (Key: (currency.Name, sum.Name), Nanos: Int128.Parse(sum.Value.GetString()!, CultureInfo.InvariantCulture))));
            return new(month, root.GetProperty("archived_at").GetDateTimeOffset(), files, sums.ToDictionary(s => s.Key, s => s.Nanos));
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or OverflowException)
        {
            throw new SettingException($"{Name} cannot be read: {exception.Message}");
        }
    }
}

/// <summary>Writes the files of one month beside their final place; they appear there whole.</summary>
public sealed class ArchiveWriter : IAsyncDisposable
{
    private readonly string _folder;
    private readonly string _building;
    private readonly List<StreamWriter> _files = [];
    private readonly ArchiveTally _tally = new();

    /// <summary>Opens the files.</summary>
    public ArchiveWriter(string folder)
    {
        _folder = folder;
        _building = $"{folder}.{Guid.NewGuid():N}.partial";
        PrivateDirectory.Create(_building);
        foreach (var table in ArchiveTable.All)
        {
            var gzip = new GZipStream(new FileStream(Path.Combine(_building, table.File), FileMode.CreateNew), CompressionLevel.Optimal);
            _files.Add(new(gzip, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true), 64 * 1024) { NewLine = "\r\n" });
            _files[^1].WriteLine(string.Join(',', table.Columns.Select(c => c.Name)));
        }
    }

    /// <summary>Writes rows of a table.</summary>
    public async Task Write(ArchiveTable table, IReadOnlyList<object?[]> rows)
    {
        var file = _files[ArchiveTable.All.ToList().IndexOf(table)];
        foreach (var row in rows)
        {
            await file.WriteLineAsync(table.Format(row));
            _tally.Count(table, row);
        }
    }

    /// <summary>Closes the files, writes the manifest, brings all to the disk and to their place. Answers the manifest and its checksum.</summary>
    public async Task<(ArchiveManifest Manifest, string Checksum)> Finish(ArchiveMonth month, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await Close();
        var files = new List<ArchiveFile>();
        foreach (var table in ArchiveTable.All)
        {
            var path = Path.Combine(_building, table.File);
            await Flush(path);
            files.Add(new(table.File, _tally.Rows(table), await ArchiveFolder.Checksum(path, cancellationToken)));
        }
        var manifest = new ArchiveManifest(month, now, files, _tally.Sums);
        var text = manifest.Write();
        var place = Path.Combine(_building, ArchiveManifest.Name);
        await File.WriteAllBytesAsync(place, text, cancellationToken);
        await Flush(place);
        Directory.Move(_building, _folder);
        return (manifest, Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Close();
        if (Directory.Exists(_building)) Directory.Delete(_building, recursive: true);
    }

    private async Task Close()
    {
        foreach (var file in _files) await file.DisposeAsync();
        _files.Clear();
    }

    /// <summary>Once the calls are removed these files are all there is of them.</summary>
    private static async Task Flush(string path)
    {
        await using var stream = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        stream.Flush(flushToDisk: true);
    }
}

/// <summary>Calls of one tenant that follow each other in an archive, with what belongs to them.</summary>
/// <param name="Tenant">Whose they are.</param>
/// <param name="From">The lowest id that belongs to the chunk.</param>
/// <param name="To">The lowest id above it.</param>
/// <param name="Rows">The rows of each table, in the order of <see cref="ArchiveTable.All"/>.</param>
public sealed record ArchiveChunk(Tenant Tenant, UInt128 From, UInt128 To, IReadOnlyList<List<object?[]>> Rows);

/// <summary>The files of one month.</summary>
public sealed class ArchiveFolder
{
    private readonly string _folder;

    private ArchiveFolder(string folder, ArchiveManifest manifest, string checksum)
    {
        _folder = folder;
        Manifest = manifest;
        ManifestChecksum = checksum;
    }

    /// <summary>What it says of itself.</summary>
    public ArchiveManifest Manifest { get; }

    /// <summary>SHA-256 of the manifest, in hexadecimal.</summary>
    public string ManifestChecksum { get; }

    /// <summary>Opens it; its files are as the manifest says then.</summary>
    /// <exception cref="SettingException">They are not.</exception>
    public static async Task<ArchiveFolder> Open(string folder, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, ArchiveManifest.Name);
        if (!File.Exists(path)) throw new SettingException($"There is no {path}.");
        var text = await File.ReadAllBytesAsync(path, cancellationToken);
        var manifest = ArchiveManifest.Read(text);
        foreach (var file in manifest.Files)
        {
            var place = Path.Combine(folder, file.Name);
            if (!File.Exists(place)) throw new SettingException($"There is no {place}.");
            if (await Checksum(place, cancellationToken) != file.Checksum) throw new SettingException($"{place} is not the file that {ArchiveManifest.Name} describes: its SHA-256 differs.");
        }
        return new(folder, manifest, Convert.ToHexStringLower(SHA256.HashData(text)));
    }

    /// <summary>SHA-256 of a file, in hexadecimal.</summary>
    public static async Task<string> Checksum(string path, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));
    }

    /// <summary>Its chunks, in order; at the end all rows and amounts have been compared with the manifest.</summary>
    /// <exception cref="SettingException">A file is not in order, or has other rows or amounts than the manifest says.</exception>
    public IEnumerable<ArchiveChunk> Chunks()
    {
        var tally = new ArchiveTally();
        using var calls = new Source(_folder, ArchiveTable.Calls, "id", tally);
        using var outcomes = new Source(_folder, ArchiveTable.Outcomes, "id", tally);
        using var entries = new Source(_folder, ArchiveTable.Entries, "call_id", tally);
        while (calls.Key is { } first)
        {
            var from = calls.IsFirstOfTenant ? Manifest.Month.From : first.Id;
            var rows = new List<object?[]>();
            while (rows.Count < ArchiveTable.ChunkSize && calls.Key?.Tenant == first.Tenant) rows.Add(calls.Take());
            var to = calls.Key is { } next && next.Tenant == first.Tenant ? next.Id : Manifest.Month.To;
            yield return new(first.Tenant, from, to, [rows, outcomes.TakeBelow(first.Tenant, to), entries.TakeBelow(first.Tenant, to)]);
        }
        foreach (var (table, file) in ArchiveTable.All.Zip(Manifest.Files))
            if (tally.Rows(table) != file.Rows) throw new SettingException($"{file.Name} has {tally.Rows(table)} rows in order, not {file.Rows}.");
        if (tally.Sums.Count != Manifest.Sums.Count || tally.Sums.Any(s => !Manifest.Sums.TryGetValue(s.Key, out var nanos) || nanos != s.Value))
            throw new SettingException($"The amounts of {_folder} are not those of its {ArchiveManifest.Name}.");
    }

    /// <summary>The records of one file, the next one known.</summary>
    private sealed class Source : IDisposable
    {
        private readonly StreamReader _reader;
        private readonly ArchiveTable _table;
        private readonly ArchiveTally _tally;
        private readonly int _id;
        private object?[]? _next;

        public Source(string folder, ArchiveTable table, string id, ArchiveTally tally)
        {
            (_table, _tally, _id) = (table, tally, table.At(id));
            _reader = new(new GZipStream(File.OpenRead(Path.Combine(folder, table.File)), CompressionMode.Decompress), Encoding.UTF8, detectEncodingFromByteOrderMarks: false, 64 * 1024);
            _ = Csv.Read(_reader);
            Move();
        }

        /// <summary>Of the next record; null at the end.</summary>
        public (Tenant Tenant, UInt128 Id)? Key { get; private set; }

        /// <summary>Whether the next record is the first of its tenant.</summary>
        public bool IsFirstOfTenant { get; private set; }

        public object?[] Take()
        {
            var row = _next!;
            _tally.Count(_table, row);
            Move();
            return row;
        }

        public List<object?[]> TakeBelow(Tenant tenant, UInt128 to)
        {
            var rows = new List<object?[]>();
            while (Key is { } key && key.Tenant == tenant && key.Id < to) rows.Add(Take());
            return rows;
        }

        public void Dispose() => _reader.Dispose();

        private void Move()
        {
            var before = Key;
            try
            {
                _next = Csv.Read(_reader) is { } record ? _table.Parse(record) : null;
            }
            catch (FormatException exception)
            {
                throw new SettingException($"{_table.File} cannot be read: {exception.Message}");
            }
            Key = _next is null ? null : (new(new(UlidText.FromBytes((byte[])_next[0]!)), (Mode)(short)_next[1]!), UlidText.FromBytes((byte[])_next[_id]!));
            IsFirstOfTenant = Key is { } key && key.Tenant != before?.Tenant;
        }
    }
}
