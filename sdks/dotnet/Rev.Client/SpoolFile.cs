using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Rev.Client;

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

    /// <summary>Whether the lock holds. Where files cannot be locked, one of a process that lives would be taken for a leftover, and removed under it.</summary>
    public bool IsLocked()
    {
        try
        {
            new FileStream(Path, Options(FileMode.Open, FileAccess.ReadWrite, FileShare.None)).Dispose();
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>How files are opened: unbuffered, for the user alone.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>Appends lines. What fails halfway is cut off: the caller was told that it is not there.</summary>
    public void Append(ReadOnlySpan<byte> text, int lines)
    {
        try
        {
            RandomAccess.Write(_file.SafeFileHandle, text, Length);
        }
        catch (IOException)
        {
            Cut();
            throw;
        }
        Length += text.Length;
        Lines += lines;
    }

    private void Cut()
    {
        try
        {
            RandomAccess.SetLength(_file.SafeFileHandle, Length);
        }
        catch (IOException)
        {
            // The next writes over it.
        }
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
            if (at == 0 && bytes.Length >= int.MaxValue / 2) throw new IOException("A line of a spool file is longer than a call can be.");
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
