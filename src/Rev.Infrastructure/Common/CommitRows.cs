namespace Rev.Infrastructure.Common;

/// <summary>Rows that a module keeps of what others change, in the same transaction: it looks at every commit of a unit of work.</summary>
public interface ICommitRows
{
    /// <summary>Adds its rows for what is about to be written.</summary>
    /// <returns>Whether it added any.</returns>
    Task<bool> Add(RevDbContext db, CancellationToken cancellationToken);

    /// <summary>What it added is committed: it may wake who works on it. Must not throw or wait.</summary>
    void Committed();
}
