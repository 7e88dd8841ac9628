using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Rev.Client;

/// <summary>
/// Calls on disk: files of JSON lines, each held by one process with a lock that ends with the process. A line is a call as it is sent, its idempotency key
/// in it, so that a file may be sent twice and counts once. A file is removed when all of it was dealt with.
/// </summary>
internal sealed class Spool : IDisposable
{
    private const string Suffix = ".jsonl";
    private const int FileBytes = 4 * 1024 * 1024;
    private const int AdoptedAtOnce = 64;
    private const byte NewLine = (byte)'\n';

    private readonly Gate _gate = new();
    private readonly string _directory;
    private readonly IReadOnlyList<string> _inherited;
    private readonly long _maxBytes;
    private readonly TimeProvider _clock;
    private readonly HashSet<string> _held = new(StringComparer.Ordinal);
    private readonly LinkedList<SpoolFile> _sealed = new();
    private SpoolFile? _current;
    private long _bytes;
    private long _lines;
    private long _aside;
    private long _in;
    private long _out;
    private bool _isClosed;

    /// <summary>A spool.</summary>
    /// <param name="directory">Where it writes.</param>
    /// <param name="inherited">Where else what other processes left is taken from.</param>
    /// <param name="maxBytes">The most it writes.</param>
    /// <param name="clock">The clock.</param>
    public Spool(string directory, IReadOnlyList<string> inherited, long maxBytes, TimeProvider clock)
    {
        (_directory, _inherited, _maxBytes, _clock) = (directory, inherited, maxBytes, clock);
    }

    /// <summary>Lines that wait to be sent.</summary>
    public long Lines
    {
        get
        {
            lock (_gate) return _lines;
        }
    }

    /// <summary>Lines of files that could not be read: they are not sent by this process.</summary>
    public long Aside
    {
        get
        {
            lock (_gate) return _aside;
        }
    }

    /// <summary>All lines that are not dealt with.</summary>
    public long Kept
    {
        get
        {
            lock (_gate) return _lines + _aside;
        }
    }

    /// <summary>Why the disk did not confirm what was written; null when it did.</summary>
    public Exception? FlushError { get; private set; }

    /// <summary>Lines that were ever dealt with, or set aside. They are in the order in which they came.</summary>
    public long Settled
    {
        get
        {
            lock (_gate) return _out;
        }
    }

    /// <summary>Appends calls; false when they do not fit. Written whole or not at all.</summary>
    /// <param name="calls">The calls, none with a line break.</param>
    /// <param name="toDisk">Whether to wait until the disk has them.</param>
    public bool Append(IReadOnlyList<byte[]> calls, bool toDisk)
    {
        var text = new ArrayBufferWriter<byte>(calls.Sum(c => c.Length + 1) + 1);
        foreach (var call in calls)
        {
            text.Write(call);
            text.Write([NewLine]);
        }
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, this);
            if (_bytes + text.WrittenCount > _maxBytes) return false;
            var file = _current ??= Create();
            file.Append(text.WrittenSpan, calls.Count);
            _bytes += text.WrittenCount;
            _lines += calls.Count;
            _in += calls.Count;
            if (toDisk) Flush(file);
            if (file.Length >= FileBytes) Seal();
            return true;
        }
    }

    /// <summary>Waits until the disk has what was appended.</summary>
    public void ToDisk()
    {
        lock (_gate)
        {
            if (!_isClosed && _current is { } file) Flush(file);
        }
    }

    /// <summary>Takes over what processes that are gone left behind. Answers how many calls that is.</summary>
    public long Adopt()
    {
        var lines = 0L;
        foreach (var directory in _inherited.Prepend(_directory))
        {
            if (!Directory.Exists(directory)) continue;
            var taken = 0;
            foreach (var path in Directory.EnumerateFiles(directory, "*" + Suffix).Order(StringComparer.Ordinal).ToArray())
            {
                // Those that others hold do not count: what lies behind them must be found.
                if (taken == AdoptedAtOnce) break;
                lock (_gate)
                {
                    if (_isClosed) return lines;
                    if (_held.Contains(path) || SpoolFile.TryTakeOver(path) is not { } file) continue;
                    if (file.Lines == 0)
                    {
                        file.Remove();
                        continue;
                    }
                    taken++;
                    // What is there now is counted before what is found, so it goes before it.
                    if (_current is { Lines: > 0 }) Seal();
                    _held.Add(path);
                    _sealed.AddLast(file);
                    _bytes += file.Length;
                    _lines += file.Lines;
                    _in += file.Lines;
                    lines += file.Lines;
                }
            }
        }
        return lines;
    }

    /// <summary>What <see cref="Settled"/> will be at least when all that is there now was dealt with.</summary>
    public long Mark()
    {
        lock (_gate)
        {
            return _in;
        }
    }

    /// <summary>The oldest file with something left to send, no longer written to; null when there is none.</summary>
    public SpoolFile? Next()
    {
        lock (_gate)
        {
            if (_isClosed) return null;
            if (_sealed.Count == 0 && _current is { Lines: > 0 }) Seal();
            return _sealed.First?.Value;
        }
    }

    /// <summary>Notes that a batch was dealt with; a file that has nothing left is removed.</summary>
    public void Settle(SpoolFile file, SpoolBatch batch)
    {
        lock (_gate)
        {
            file.Settle(batch);
            _lines -= batch.Calls.Count;
            _out += batch.Calls.Count;
            if (!file.IsDone) return;
            _sealed.Remove(file);
            _held.Remove(file.Path);
            _bytes -= file.Length;
            file.Remove();
        }
    }

    /// <summary>Leaves a file that cannot be read to the next process. Its lines wait still.</summary>
    public void SetAside(SpoolFile file)
    {
        lock (_gate)
        {
            _sealed.Remove(file);
            _bytes -= file.Length;
            _lines -= file.Lines;
            _aside += file.Lines;
            _out += file.Lines;
            file.Dispose();
        }
    }

    /// <summary>Notes what was refused, beside the spool.</summary>
    public void KeepRejected(ReadOnlySpan<byte> line)
    {
        lock (_gate)
        {
            Prepare(_directory);
            var day = _clock.GetUtcNow().ToString("yyyyMMdd", CultureInfo.InvariantCulture);
            var path = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"rejected-{day}-{Environment.ProcessId}.log"));
            using var file = new FileStream(path, SpoolFile.Options(FileMode.Append, FileAccess.Write, FileShare.ReadWrite));
            file.Write(line);
            file.WriteByte(NewLine);
        }
    }

    /// <summary>Lets go of the files. What is in them stays for the next process.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isClosed) return;
            _isClosed = true;
            if (_current is not null) Seal();
            foreach (var file in _sealed)
            {
                if (file.IsDone) file.Remove();
                else file.Dispose();
            }
            _sealed.Clear();
        }
    }

    // The system has the lines whatever the disk says; a kill of the process does not lose them.
    private void Flush(SpoolFile file)
    {
        try
        {
            file.ToDisk();
        }
        catch (IOException exception)
        {
            FlushError = exception;
        }
    }

    private static void Prepare(string directory)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private SpoolFile Create()
    {
        Prepare(_directory);
        for (var attempt = 0; ; attempt++)
        {
            var name = string.Create(
                CultureInfo.InvariantCulture,
                $"{_clock.GetUtcNow().ToUnixTimeMilliseconds():D15}-{Environment.ProcessId}-{RandomNumberGenerator.GetHexString(8, lowercase: true)}{Suffix}");
            var path = Path.Combine(_directory, name);
            try
            {
                var file = SpoolFile.Create(path);
                if (File.Exists(path))
                {
                    _held.Add(path);
                    return file;
                }
                // It was taken for an empty leftover and removed before it was locked: what is written to it would be gone.
                file.Dispose();
                if (attempt >= 3) throw new IOException($"{path} was removed while it was made.");
            }
            catch (IOException) when (attempt < 3)
            {
                // Another process that looks for leftovers held the new file for a moment.
            }
        }
    }

    private void Seal()
    {
        if (_current is not { } file) return;
        _current = null;
        _sealed.AddLast(file);
    }
}

/// <summary>Calls of a spool file that are sent together.</summary>
internal sealed class SpoolBatch
{
    /// <summary>The calls.</summary>
    public required IReadOnlyList<byte[]> Calls { get; init; }

    /// <summary>Where the file goes on.</summary>
    public required long End { get; init; }

    /// <summary>Which of them were dealt with.</summary>
    public required bool[] Done { get; init; }
}

/// <summary>A file of a spool, open and locked.</summary>
internal sealed class SpoolFile : IDisposable
{
    private readonly FileStream _file;
    private long _sent;

    private SpoolFile(string path, FileStream file, long length, long lines)
    {
        (Path, _file, Length, Lines) = (path, file, length, lines);
    }

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>What of it counts.</summary>
    public long Length { get; private set; }

    /// <summary>Lines that were not dealt with.</summary>
    public long Lines { get; private set; }

    /// <summary>The batch that is under way; null when none is.</summary>
    public SpoolBatch? Batch { get; set; }

    /// <summary>Whether all of it was dealt with.</summary>
    public bool IsDone => _sent >= Length;

    /// <summary>Makes a file.</summary>
    public static SpoolFile Create(string path) =>
        new(path, new FileStream(path, Options(FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None)), 0, 0);

    /// <summary>Opens a file that nobody holds; null when somebody does.</summary>
    public static SpoolFile? TryTakeOver(string path)
    {
        FileStream? stream = null;
        try
        {
            stream = new FileStream(path, Options(FileMode.Open, FileAccess.ReadWrite, FileShare.None));
            var (length, lines) = Measure(stream.SafeFileHandle);
            var file = new SpoolFile(path, stream, length, lines);
            stream = null;
            return file;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
        finally
        {
            stream?.Dispose();
        }
    }

    /// <summary>How files are opened: unbuffered, for the user alone.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>Appends lines. What fails halfway is written over by the next.</summary>
    public void Append(ReadOnlySpan<byte> text, int lines)
    {
        RandomAccess.Write(_file.SafeFileHandle, text, Length);
        Length += text.Length;
        Lines += lines;
    }

    /// <summary>Waits until the disk has it.</summary>
    public void ToDisk() => RandomAccess.FlushToDisk(_file.SafeFileHandle);

    /// <summary>The calls that come next, at least one.</summary>
    public SpoolBatch Read(int maxCalls, int maxBytes)
    {
        for (var size = (long)maxBytes; ; size *= 2)
        {
            var bytes = new byte[(int)Math.Min(Math.Min(size, int.MaxValue / 2), Length - _sent)];
            Fill(_file.SafeFileHandle, bytes, _sent);
            var isWhole = _sent + bytes.Length >= Length;
            var calls = new List<byte[]>();
            var at = 0;
            while (at < bytes.Length && calls.Count < maxCalls)
            {
                var rest = bytes.AsSpan(at);
                var end = rest.IndexOf((byte)'\n');
                if (end < 0 && !isWhole) break;
                var line = end < 0 ? rest : rest[..end];
                at += end < 0 ? rest.Length : end + 1;
                if (line.Length > 0) calls.Add(line.ToArray());
            }
            // A line that is longer than the buffer asks for a larger one.
            if (at > 0 || isWhole) return new SpoolBatch { Calls = calls, End = _sent + at, Done = new bool[calls.Count] };
        }
    }

    /// <summary>Whether a line is a JSON object, and not what a crash or a bad disk left of one.</summary>
    public static bool IsCall(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Notes that a batch was dealt with.</summary>
    public void Settle(SpoolBatch batch)
    {
        _sent = batch.End;
        Lines -= batch.Calls.Count;
        Batch = null;
    }

    /// <summary>Removes the file. It is emptied first, so that whoever gets hold of it in between finds nothing.</summary>
    public void Remove()
    {
        try
        {
            RandomAccess.SetLength(_file.SafeFileHandle, 0);
            // While it is locked, where the system allows it: who waits for the lock sees that the file is gone.
            if (!OperatingSystem.IsWindows()) File.Delete(Path);
        }
        finally
        {
            _file.Dispose();
        }
        if (OperatingSystem.IsWindows()) File.Delete(Path);
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose() => _file.Dispose();

    private static (long Length, long Lines) Measure(SafeFileHandle handle)
    {
        var length = RandomAccess.GetLength(handle);
        var (lines, at, isOpen) = (0L, 0L, false);
        var buffer = new byte[64 * 1024];
        while (at < length)
        {
            var read = RandomAccess.Read(handle, buffer, at);
            if (read == 0) break;
            foreach (var value in buffer.AsSpan(0, read))
            {
                if (value != (byte)'\n')
                {
                    isOpen = true;
                }
                else if (isOpen)
                {
                    lines++;
                    isOpen = false;
                }
            }
            at += read;
        }
        // Killed while writing: what has no end is a line all the same, and is looked at when it is sent.
        return (at, isOpen ? lines + 1 : lines);
    }

    private static void Fill(SafeFileHandle handle, Span<byte> bytes, long offset)
    {
        while (bytes.Length > 0)
        {
            var read = RandomAccess.Read(handle, bytes, offset);
            if (read == 0) throw new EndOfStreamException("A spool file is shorter than it was.");
            bytes = bytes[read..];
            offset += read;
        }
    }
}
