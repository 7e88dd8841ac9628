using System.Security.Cryptography;
using Rev.Domain.Common;

namespace Rev.Application.Common;

/// <summary>One transaction over what the repositories were handed.</summary>
public interface IUnitOfWork
{
    /// <summary>Writes all of it, or nothing.</summary>
    /// <returns>False when another request wrote a row with the same key, or changed a row, at the same time; nothing is kept then.</returns>
    Task<bool> Commit(CancellationToken cancellationToken);

    /// <summary>Drops what was changed and not written: after a fault, before something else is worked on.</summary>
    void Forget();

    /// <summary>Writes all of it where nobody else writes the same rows.</summary>
    /// <exception cref="InvalidOperationException">Somebody did; nothing is kept.</exception>
    async Task Save(CancellationToken cancellationToken)
    {
        if (!await Commit(cancellationToken)) throw new InvalidOperationException("A row was changed by another request at the same time.");
    }

    /// <summary>
    /// Runs a change of tiers, agents or customers alone for its tenant: reads inside see all earlier changes. Commits
    /// on success, undoes on a refusal, starts over when a row was written at the same time. Takes effect on this
    /// process before it returns, and within 2 s on others.
    /// </summary>
    Task<Result<T>> ChangePricing<T>(Tenant tenant, Func<CancellationToken, Task<Result<T>>> change, CancellationToken cancellationToken);
}

/// <summary>Tells the sweeper of this process that a row is due, so that nothing waits for the next tick.</summary>
public interface IWakeUp
{
    /// <summary>Mails are due.</summary>
    void Mails();
}

/// <summary>What other modules may know of an account.</summary>
public interface IAccountSettings
{
    /// <summary>The currency of tiers that name none.</summary>
    Task<Currency> DefaultCurrency(AccountId account, CancellationToken cancellationToken);
}

/// <summary>Seals what must be read again, such as keys to other services: only this Rev can open it.</summary>
public interface IVault
{
    /// <summary>Seals a text.</summary>
    string Seal(string clear);

    /// <summary>Opens what was sealed.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">It was changed, or sealed under a server secret that this server does not know.</exception>
    string Open(string sealedText);

    /// <summary>Opens what was sealed. Null when there is nothing, or it was sealed under a server secret that is gone: then only its owner can give it again.</summary>
    sealed string? TryOpen(string? sealedText)
    {
        if (sealedText is null) return null;
        try
        {
            return Open(sealedText);
        }
        catch (CryptographicException)
        {
            return null;
        }
    }
}
