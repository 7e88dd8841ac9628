namespace Rev.CrashLoad;

/// <summary>
/// What the server answered, one line each. Only the server is killed, never this program,
/// so the lines need no flush to the disk.
/// </summary>
internal sealed class Journal : IDisposable
{
    private readonly Lock _lock = new();
    private readonly StreamWriter _calls;
    private readonly StreamWriter _resolves;
    private readonly StreamWriter _repeats;
    private readonly StreamWriter _unanswered;
    private readonly StreamWriter _unexpected;

    public Journal(string folder)
    {
        Directory.CreateDirectory(folder);
        _calls = Open(folder, CallsFile);
        _resolves = Open(folder, ResolvesFile);
        _repeats = Open(folder, RepeatsFile);
        _unanswered = Open(folder, UnansweredFile);
        _unexpected = Open(folder, UnexpectedFile);
    }

    /// <summary><c>idempotency_key event_id price_charged</c></summary>
    public const string CallsFile = "calls.log";

    /// <summary><c>outcome_id status price_charged</c></summary>
    public const string ResolvesFile = "resolves.log";

    /// <summary><c>idempotency_key answers</c>: how many servers answered a call that was sent to several at once, all alike</summary>
    public const string RepeatsFile = "repeats.log";

    /// <summary>Keys given up at the end: they may be stored or not.</summary>
    public const string UnansweredFile = "unanswered.log";

    /// <summary>Answers that a correct server never gives.</summary>
    public const string UnexpectedFile = "unexpected.log";

    public void Call(string key, string eventId, string price) => Write(_calls, $"{key} {eventId} {price}");

    public void Resolve(string outcomeId, string status, string price) => Write(_resolves, $"{outcomeId} {status} {price}");

    public void Repeated(string key, int answers) => Write(_repeats, $"{key} {answers}");

    public void Unanswered(string key) => Write(_unanswered, key);

    public void Unexpected(string what) => Write(_unexpected, what.ReplaceLineEndings(" "));

    private void Write(StreamWriter writer, string line)
    {
        lock (_lock)
            writer.WriteLine(line);
    }

    private static StreamWriter Open(string folder, string name) =>
        new(Path.Combine(folder, name), append: true) { AutoFlush = true };

    public void Dispose()
    {
        _calls.Dispose();
        _resolves.Dispose();
        _repeats.Dispose();
        _unanswered.Dispose();
        _unexpected.Dispose();
    }
}
