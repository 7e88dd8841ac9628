using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;

namespace Rev.Infrastructure.Webhooks;

/// <summary>
/// Sends what is due: a line for each endpoint, of one at a time until it answered and of four then, and of one while it fails. Over
/// all lines so many are sent at once, and of one account fewer, so that none holds up the others; those that fail have slots of their
/// own. A line takes a few messages at a time and holds no more in memory; what it took and could not send is given back, or comes
/// again when the lease is over.
/// </summary>
public sealed class WebhookDispatcher(IServiceScopeFactory scopes, IWebhookQueue queue, WebhookSettings settings, TimeProvider clock, ILogger<WebhookDispatcher> logger)
    : IHostedService, IWebhookDispatch
{
    /// <summary>Most messages at once to the endpoints of one account that do not fail.</summary>
    public const int MostOfAccount = 24;

    private const int MostAtOnce = 64;
    private const int MostFailing = 32;
    private const int MostFailingOfAccount = 8;
    private const int AtOnceOfLine = 4;
    private const int PageOfLine = 4;

    /// <summary>How long a server that stops waits for answers: those that have not come by then are asked for again.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Dictionary<WebhookEndpointId, Line> _lines = [];
    private readonly Dictionary<AccountId, Share> _shares = [];
    private readonly SemaphoreSlim _slots = new(MostAtOnce);
    private readonly SemaphoreSlim _failingSlots = new(MostFailing);
    // These are not disposed of: they hold nothing but memory, and a host may be told to stop once more when it has ended.
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abandoning = new();

    /// <summary>Longer than a page takes whose every message takes the whole time.</summary>
    private TimeSpan Lease => (settings.Timeout * PageOfLine) + TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public int Begin(IReadOnlyList<WaitingEndpoint> endpoints)
    {
        var begun = 0;
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested) return 0;
            foreach (var endpoint in endpoints)
            {
                if (_lines.TryGetValue(endpoint.Id, out var there))
                {
                    there.HasMore = true;
                    continue;
                }
                if (!_shares.TryGetValue(endpoint.Account, out var share)) _shares.Add(endpoint.Account, share = new());
                share.Lines++;
                var line = new Line(endpoint.Id, endpoint.Account, share) { IsFailing = endpoint.IsFailing };
                _lines.Add(endpoint.Id, line);
                line.Done = Task.Run(() => Work(line), CancellationToken.None);
                begun++;
            }
        }
        return begun;
    }

    /// <summary>Waits until nothing is sent any more.</summary>
    public async Task Quiet(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task[] open;
            lock (_gate) open = [.. _lines.Values.Select(l => l.Done)];
            if (open.Length == 0) return;
            await Task.WhenAll(open).WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        try
        {
            // What is on its way is written down as sent, so that a restart sends it no second time.
            await Quiet(cancellationToken).WaitAsync(Grace, cancellationToken);
            return;
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            await _abandoning.CancelAsync();
        }
        try
        {
            await Quiet(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // What is still on its way is sent again when its lease is over.
        }
    }

    private async Task Work(Line line)
    {
        try
        {
            do
            {
                while (await Round(line))
                {
                    // Until nothing is due.
                }
            }
            while (GoesOn(line));
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (Exception exception)
        {
            logger.LogWarning(exception, "Messages to endpoint {Endpoint} could not be sent; the job tries again", line.Id);
        }
        finally
        {
            lock (_gate) End(line);
        }
    }

    /// <summary>Ends a line, once; under the gate.</summary>
    private void End(Line line)
    {
        if (!_lines.TryGetValue(line.Id, out var there) || !ReferenceEquals(there, line)) return;
        _lines.Remove(line.Id);
        if (--line.Share.Lines == 0) _shares.Remove(line.Account);
    }

    /// <summary>Whether more became due meanwhile; else the line is ended before anybody can be told that it goes on.</summary>
    private bool GoesOn(Line line)
    {
        lock (_gate)
        {
            if (line.HasMore)
            {
                // Where it was stopped, it was enabled again since.
                (line.HasMore, line.IsStopped) = (false, false);
                return true;
            }
            End(line);
            return false;
        }
    }

    private async Task<bool> Round(Line line)
    {
        var turns = await Task.WhenAll(Enumerable.Range(0, line.IsFailing ? 1 : line.Width).Select(_ => Turn(line)));
        line.Width = line.IsFailing ? 1 : AtOnceOfLine;
        return Array.Exists(turns, t => t) && !line.IsStopped;
    }

    /// <summary>Waits until it is the line's turn, first within its account and then among all, and sends a page of it.</summary>
    /// <returns>Whether anything was due.</returns>
    private async Task<bool> Turn(Line line)
    {
        var isFailing = line.IsFailing;
        var (own, all) = isFailing ? (line.Share.Failing, _failingSlots) : (line.Share.Slots, _slots);
        await own.WaitAsync(_stopping.Token);
        try
        {
            await all.WaitAsync(_stopping.Token);
            try
            {
                return await SendPage(line, isFailing ? 1 : PageOfLine);
            }
            finally
            {
                all.Release();
            }
        }
        finally
        {
            own.Release();
        }
    }

    /// <summary>Takes a page of the line and sends it, one after the other.</summary>
    private async Task<bool> SendPage(Line line, int limit)
    {
        var page = await queue.Take(line.Id, clock.Now(), Lease, limit, _stopping.Token);
        var sent = 0;
        try
        {
            for (; sent < page.Count && !line.IsStopped && !_stopping.IsCancellationRequested; sent++)
            {
                var verdict = await Send(page[sent]);
                if (verdict == AttemptVerdict.Stopped)
                {
                    line.IsStopped = true;
                    break;
                }
                if (verdict != AttemptVerdict.Moot) line.IsFailing = verdict == AttemptVerdict.Failed;
                if (verdict != AttemptVerdict.Failed) continue;
                sent++;
                break;
            }
        }
        finally
        {
            await GiveBack(page, sent);
        }
        return page.Count > 0;
    }

    private async Task<AttemptVerdict> Send(WebhookTicket ticket)
    {
        await using var scope = scopes.CreateAsyncScope();
        return await scope.ServiceProvider.GetRequiredService<WebhookAttempts>().Send(ticket, _abandoning.Token);
    }

    private async Task GiveBack(IReadOnlyList<WebhookTicket> page, int sent)
    {
        if (sent >= page.Count) return;
        try
        {
            await queue.GiveBack([.. page.Skip(sent)], clock.Now(), CancellationToken.None);
        }
        catch (Exception exception)
        {
            logger.LogDebug(exception, "What was taken comes again when its lease is over");
        }
    }

    /// <summary>What one account may send at once; there while it has lines.</summary>
    private sealed class Share
    {
        public SemaphoreSlim Slots { get; } = new(MostOfAccount);

        public SemaphoreSlim Failing { get; } = new(MostFailingOfAccount);

        /// <summary>Its lines; under the gate.</summary>
        public int Lines { get; set; }
    }

    private sealed class Line(WebhookEndpointId id, AccountId account, Share share)
    {
        public WebhookEndpointId Id { get; } = id;

        public AccountId Account { get; } = account;

        public Share Share { get; } = share;

        /// <summary>How many turns are taken at once: one before the endpoint is known to answer.</summary>
        public int Width { get; set; } = 1;

        public Task Done { get; set; } = Task.CompletedTask;

        /// <summary>Whether more became due while it was at it.</summary>
        public bool HasMore { get; set; }

        /// <summary>Whether the last attempt failed.</summary>
        public volatile bool IsFailing;

        /// <summary>Whether the endpoint takes nothing any more.</summary>
        public volatile bool IsStopped;
    }
}
