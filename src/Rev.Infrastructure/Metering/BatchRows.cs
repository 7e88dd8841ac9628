namespace Rev.Infrastructure.Metering;

/// <summary>What one transaction of the writer holds.</summary>
/// <param name="Calls">Calls, as they are written.</param>
/// <param name="Steps">Steps of outcomes, as they are written.</param>
/// <param name="EffectiveAt">When it counts.</param>
public readonly record struct WrittenBatch(IReadOnlyList<CallItem> Calls, IReadOnlyList<StepItem> Steps, DateTimeOffset EffectiveAt);

/// <summary>Rows that another module keeps of what the writer writes, in the same transaction. Called by the writer alone, one batch at a time.</summary>
public interface IBatchRows
{
    /// <summary>Looks up what it must know, before the transaction begins.</summary>
    ValueTask Prepare(CancellationToken cancellationToken);

    /// <summary>Writes its rows. A batch may come again, as a whole or in parts, when its commit failed.</summary>
    Task Write(IBulkSession session, WrittenBatch batch);

    /// <summary>What was written last is committed: it may wake who works on it. Must not throw or wait.</summary>
    void Committed();
}
