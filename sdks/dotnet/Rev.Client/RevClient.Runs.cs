namespace Rev.Client;

public sealed partial class RevClient
{
    /// <summary>Begins a run, which is metered when it is disposed: <c>await using var run = rev.Run("outreach", "email.sent");</c>.</summary>
    public RevRun Run(string agentId, string action) =>
        new(agentId, action, NewKey, async (call, cancellationToken) => await MeterAsync(call, cancellationToken).ConfigureAwait(false), Logger);

    /// <summary>Runs and meters. Cancelled when the run is over, it is metered nevertheless, and not waited for. An exception makes the outcome a failure, whatever was said before, and is thrown on; else it is what the run said last, and none when it said nothing.</summary>
    public Task RunAsync(string agentId, string action, Func<RevRun, Task> body, CancellationToken cancellationToken = default) =>
        RunAsync(Run(agentId, action), body, cancellationToken);

    /// <summary>Runs, meters and returns what the run returns. Cancelled when the run is over, it is metered nevertheless, and not waited for. An exception makes the outcome a failure, whatever was said before, and is thrown on.</summary>
    public Task<T> RunAsync<T>(string agentId, string action, Func<RevRun, Task<T>> body, CancellationToken cancellationToken = default) =>
        RunAsync(Run(agentId, action), body, cancellationToken);

    internal static async Task RunAsync(RevRun run, Func<RevRun, Task> body, CancellationToken cancellationToken)
    {
        _ = await RunAsync(
            run,
            async r =>
            {
                await body(r).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    internal static async Task<T> RunAsync<T>(RevRun run, Func<RevRun, Task<T>> body, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(body);
        T result;
        try
        {
            result = await body(run).ConfigureAwait(false);
        }
        catch
        {
            await run.FailOverAsync().ConfigureAwait(false);
            throw;
        }
        await run.CompleteWithoutExceptionAsync(cancellationToken).ConfigureAwait(false);
        return result;
    }
}
