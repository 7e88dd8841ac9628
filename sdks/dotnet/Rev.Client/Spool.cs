using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;

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
    private readonly string _id = RandomNumberGenerator.GetHexString(8, lowercase: true);
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

    /// <summary>Why what others left cannot be taken over; null when it can.</summary>
    public Exception? LockError { get; private set; }

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
    /// <param name="isMoved">Whether they are on disk elsewhere, which is about to be removed: then they fit.</param>
    public bool Append(IReadOnlyList<byte[]> calls, bool toDisk, bool isMoved = false)
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
            if (!isMoved && _bytes + text.WrittenCount > _maxBytes) return false;
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

    /// <summary>The spool files of a folder, and nothing else that is there.</summary>
    public static IEnumerable<string> Files(string directory) =>
        Directory.EnumerateFiles(directory, "*" + Suffix).Where(static path => char.IsAsciiDigit(Path.GetFileName(path)[0]));

    /// <summary>Takes over what processes that are gone left behind. Answers how many calls that is.</summary>
    public long Adopt()
    {
        var lines = 0L;
        foreach (var directory in _inherited.Prepend(_directory))
        {
            if (!Directory.Exists(directory)) continue;
            var taken = 0;
            foreach (var path in Files(directory).Order(StringComparer.Ordinal).ToArray())
            {
                // Those that others hold do not count: what lies behind them must be found.
                if (taken == AdoptedAtOnce) break;
                lock (_gate)
                {
                    if (_isClosed) return lines;
                    if (_held.Contains(path)) continue;
                    if (SpoolFile.TryTakeOver(path) is not { } file) continue;
                    if (!file.IsLocked())
                    {
                        LockError = new IOException($"Files in {directory} cannot be locked, so nobody knows whether their processes live.");
                        file.Dispose();
                        return lines;
                    }
                    if (file.Lines == 0)
                    {
                        TryRemove(file);
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
            _bytes -= file.Length;
            // What cannot be removed stays held: it would be taken for a leftover and sent again.
            file.Remove();
            _held.Remove(file.Path);
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
            var path = Path.Combine(_directory, string.Create(CultureInfo.InvariantCulture, $"rejected-{day}-{_id}{Suffix}"));
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
                if (file.IsDone) TryRemove(file);
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

    private static void TryRemove(SpoolFile file)
    {
        try
        {
            file.Remove();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is empty, or dealt with: the next process looks at it again.
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
