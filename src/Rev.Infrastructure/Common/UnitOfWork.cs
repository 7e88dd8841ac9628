using Microsoft.EntityFrameworkCore;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Infrastructure.Pricing;

namespace Rev.Infrastructure.Common;

/// <summary>One transaction over what the repositories of a scope were handed.</summary>
public sealed class UnitOfWork(RevDbContext db, PriceBook prices, IEnumerable<ICommitRows> modules) : IUnitOfWork
{
    private const int MaxTries = 5;

    /// <inheritdoc/>
    public async Task<bool> Commit(CancellationToken cancellationToken)
    {
        var wrote = new List<ICommitRows>();
        foreach (var module in modules)
            if (await module.Add(db, cancellationToken)) wrote.Add(module);
        try
        {
            await db.SaveChangesAsync(cancellationToken);
            foreach (var module in wrote) module.Committed();
            return true;
        }
        catch (DbUpdateException exception) when (StoreFaults.IsConflict(exception))
        {
            db.ChangeTracker.Clear();
            return false;
        }
    }

    /// <inheritdoc/>
    public void Forget() => db.ChangeTracker.Clear();

    /// <inheritdoc/>
    public async Task<Result<T>> ChangePricing<T>(Tenant tenant, Func<CancellationToken, Task<Result<T>>> change, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            db.ChangeTracker.Clear();
            try
            {
                await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
                await TakeTurn(tenant, cancellationToken);
                var result = await change(cancellationToken);
                if (!result.IsSuccess)
                {
                    await transaction.RollbackAsync(cancellationToken);
                    db.ChangeTracker.Clear();
                    return result;
                }
                await db.SaveChangesAsync(cancellationToken);
                try
                {
                    // A caller that goes away now does not leave a change half known.
                    await transaction.CommitAsync(CancellationToken.None);
                }
                finally
                {
                    prices.Forget(tenant);
                }
                return result;
            }
            catch (DbUpdateException exception) when (StoreFaults.IsConflict(exception))
            {
                // A call registered the same agent or customer at the same time: look again.
                if (attempt == MaxTries) return ServiceErrors.Overloaded;
            }
        }
    }

    /// <summary>Counting the revision up locks its row: changes of one tenant's pricing run one after the other.</summary>
    private async Task TakeTurn(Tenant tenant, CancellationToken cancellationToken)
    {
        var counted = await db.PricingRevisions.Where(r => r.AccountId == tenant.Account && r.Mode == tenant.Mode)
            .ExecuteUpdateAsync(set => set.SetProperty(r => r.Revision, r => r.Revision + 1), cancellationToken);
        if (counted > 0) return;
        db.PricingRevisions.Add(new() { AccountId = tenant.Account, Mode = tenant.Mode, Revision = 1 });
        await db.SaveChangesAsync(cancellationToken);
    }
}
