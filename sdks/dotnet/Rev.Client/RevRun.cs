using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Rev.Client;

/// <summary>
/// A run of an agent, metered as one call when it ends: <c>await using var run = rev.Run("outreach", "email.sent");</c>. Its tokens add up; its
/// outcome is what was said last. <b>When nothing was said it is a failure</b>: a <c>using</c> cannot see whether it is left by an exception, and one
/// that is leaves before <see cref="Success"/>. <c>RunAsync</c> sees exceptions, and makes every one a failure; what says nothing there has no outcome.
/// Methods may be called from any thread.
/// </summary>
public sealed class RevRun : IAsyncDisposable, IDisposable
{
    private readonly string _agentId;
    private readonly string _action;
    private readonly Func<MeterCall, CancellationToken, Task<MeterReceipt?>> _send;
    private readonly Func<string> _newKey;
    private readonly ILogger _logger;
    private readonly Gate _gate = new();
    private readonly JsonObject _metadata = new();
    private TokenUsage _usage;
    private Decision _decision;
    private MeterCall? _call;
    private bool _isSent;

    internal RevRun(string agentId, string action, Func<string> newKey, Func<MeterCall, CancellationToken, Task<MeterReceipt?>> send, ILogger logger)
    {
        ArgumentException.ThrowIfNullOrEmpty(agentId);
        ArgumentException.ThrowIfNullOrEmpty(action);
        (_agentId, _action, _newKey, _send, _logger) = (agentId, action, newKey, send, logger);
    }

    private enum Decision
    {
        Open,
        Success,
        Failure,
        Pending,
        None,
        Discarded,
    }

    /// <summary>Whom the run is billed to; null as the agent or the account says.</summary>
    public string? CustomerId { get; set; }

    /// <summary>The model's name, for rates per model. Null until it is set, or tokens of a response come that names it.</summary>
    public string? Model { get; set; }

    /// <summary>Of a pending outcome: until when a result may come.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>When the work was done; null is when it is metered.</summary>
    public DateTimeOffset? OccurredAt { get; set; }

    /// <summary>The idempotency key; null is one of its own. Give the id of your job, and a job that runs twice counts once: what the second run says otherwise is refused (<c>idempotency.key_reused</c>).</summary>
    public string? IdempotencyKey { get; set; }

    /// <summary>The tokens so far.</summary>
    public TokenUsage Usage
    {
        get
        {
            lock (_gate) return _usage;
        }
    }

    /// <summary>Rev's answer; null before the end, and with a tracker.</summary>
    public MeterReceipt? Receipt { get; private set; }

    /// <summary>Why the run could not be metered, where that could not be thrown because something else was.</summary>
    public Exception? MeteringError { get; private set; }

    /// <summary>Adds tokens: all that was read and all that was written, cached and reasoning ones included. Null adds none.</summary>
    public RevRun Tokens(long? input, long? output) => Tokens(new TokenUsage(input ?? 0, output ?? 0));

    /// <summary>Adds tokens.</summary>
    public RevRun Tokens(TokenUsage usage)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(usage.Input, nameof(usage));
        ArgumentOutOfRangeException.ThrowIfNegative(usage.Output, nameof(usage));
        lock (_gate)
        {
            CheckOpen();
            Model ??= usage.Model;
            _usage += usage;
        }
        return this;
    }

    /// <summary>Adds the tokens of a usage object of OpenAI, Anthropic or Google, or of a whole response. Of a stream, give the last one alone.</summary>
    public RevRun Tokens(JsonElement usage) => Tokens(TokenUsage.From(usage));

    /// <summary>Adds the tokens of a usage object of OpenAI, Anthropic or Google, or of a whole response, as a JSON node.</summary>
    public RevRun Tokens(JsonNode usage) => Tokens(TokenUsage.From(usage));

    /// <summary>Adds a member to the metadata.</summary>
    public RevRun With(string name, JsonNode? value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        RevMetadata.Check(name, value);
        lock (_gate)
        {
            CheckOpen();
            _metadata[name] = value?.DeepClone();
        }
        return this;
    }

    /// <summary>The run succeeded.</summary>
    public void Success(JsonObject? metadata = null) => Decide(Decision.Success, metadata);

    /// <summary>The run failed.</summary>
    public void Failure(JsonObject? metadata = null) => Decide(Decision.Failure, metadata);

    /// <summary>Only time will tell: resolve the outcome by <see cref="MeterReceipt.OutcomeId"/> or by the idempotency key.</summary>
    public void Pending(JsonObject? metadata = null, DateTimeOffset? expiresAt = null)
    {
        if (expiresAt is not null) ExpiresAt = expiresAt;
        Decide(Decision.Pending, metadata);
    }

    /// <summary>No outcome is tracked: the run costs its base fee and its tokens.</summary>
    public void NoOutcome(JsonObject? metadata = null) => Decide(Decision.None, metadata);

    /// <summary>The run is not metered at all.</summary>
    public void Discard() => Decide(Decision.Discarded, null);

    /// <summary>Ends the run and meters it. Failed, it can be called again: the call and its key are kept.</summary>
    /// <returns>Rev's answer; null with a tracker, and when the run was discarded.</returns>
    public async Task<MeterReceipt?> CompleteAsync(CancellationToken cancellationToken = default)
    {
        MeterCall call;
        lock (_gate)
        {
            if (_isSent || _decision == Decision.Discarded) return Receipt;
            call = _call ??= Build();
        }
        var receipt = await _send(call, cancellationToken).ConfigureAwait(false);
        lock (_gate) _isSent = true;
        Receipt = receipt;
        return receipt;
    }

    /// <summary>Ends the run and meters it. When no outcome was said, an exception is probably on its way: a failure to meter is logged then, and not thrown over it.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsUndecided())
        {
            Unmetered(exception);
        }
    }

    /// <summary>As <see cref="DisposeAsync"/>; blocks until the run is metered. With a tracker it does not block.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    /// <summary>Ends the run as one without an outcome, unless one was said.</summary>
    internal async Task CompleteWithoutExceptionAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_call is null && _decision == Decision.Open) _decision = Decision.None;
        }
        var metering = CompleteAsync(CancellationToken.None);
        try
        {
            await metering.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!metering.IsCompleted)
        {
            // The work was done: it is metered though nobody waits for it any more.
            _ = ObserveAsync(metering);
            throw;
        }
    }

    /// <summary>Ends the run as a failure because of an exception that is about to be thrown.</summary>
    internal async Task FailOverAsync()
    {
        try
        {
            lock (_gate)
            {
                if (_call is null && _decision != Decision.Discarded) _decision = Decision.Failure;
            }
            await CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Unmetered(exception);
        }
    }

    private async Task ObserveAsync(Task metering)
    {
        try
        {
            await metering.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Unmetered(exception);
        }
    }

    private bool IsUndecided()
    {
        lock (_gate) return _decision == Decision.Open;
    }

    private void Unmetered(Exception exception)
    {
        MeteringError = exception;
        RevMetrics.UnmeteredRuns.Add(1);
        _logger.LogError(exception, "A run of {Agent}, {Action}, could not be metered; its idempotency key is {Key}", _agentId, _action, _call?.IdempotencyKey);
    }

    private void Decide(Decision decision, JsonObject? metadata)
    {
        foreach (var (name, value) in metadata ?? []) RevMetadata.Check(name, value);
        lock (_gate)
        {
            CheckOpen();
            _decision = decision;
            if (metadata is null) return;
            foreach (var (name, value) in metadata) _metadata[name] = value?.DeepClone();
        }
    }

    private void CheckOpen()
    {
        if (_call is not null) throw new InvalidOperationException("The run has ended.");
    }

    private MeterCall Build()
    {
        var outcome = _decision switch
        {
            Decision.Success => Outcome.Success,
            Decision.Pending => Outcome.Pending,
            Decision.None => (Outcome?)null,
            _ => Outcome.Failure,
        };
        return new MeterCall
        {
            AgentId = _agentId,
            Action = _action,
            TokensInput = _usage.Input,
            TokensOutput = _usage.Output,
            Outcome = outcome,
            ExpiresAt = outcome == Outcome.Pending ? ExpiresAt : null,
            Metadata = _metadata.Count > 0 ? _metadata : null,
            CustomerId = CustomerId,
            Model = Model,
            OccurredAt = OccurredAt,
            IdempotencyKey = IdempotencyKey ?? _newKey(),
        };
    }
}
