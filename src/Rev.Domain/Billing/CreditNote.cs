using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>Where a credit note is on its way. Stored as a number: never renumber.</summary>
public enum CreditNoteStatus
{
    /// <summary>It is to be issued.</summary>
    Pending = 0,
    /// <summary>It is at Stripe.</summary>
    Issued = 1,
    /// <summary>It could not be issued: its amount is carried to the next invoice.</summary>
    Carried = 2,
    /// <summary>Its invoice was voided: there is nothing to give back of it.</summary>
    Void = 3,
}

/// <summary>What is given back of a line of a finalised invoice, for bonuses that were reversed after it.</summary>
public sealed class CreditNote
{
    private CreditNote(CreditNoteId id, AccountId accountId, Mode mode, InvoiceId invoiceId, int lineNumber, long minor, long reversedNanos, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        InvoiceId = invoiceId;
        LineNumber = lineNumber;
        Minor = minor;
        ReversedNanos = reversedNanos;
        CreatedAt = createdAt;
        DueAt = createdAt;
    }

    /// <summary>Its id.</summary>
    public CreditNoteId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>The invoice.</summary>
    public InvoiceId InvoiceId { get; private set; }

    /// <summary>The line of it.</summary>
    public int LineNumber { get; private set; }

    /// <summary>What it gives back, in minor units.</summary>
    public long Minor { get; private set; }

    /// <summary>The reversals that it is for, in nanos, as a positive amount.</summary>
    public long ReversedNanos { get; private set; }

    /// <summary>Where it is on its way.</summary>
    public CreditNoteStatus Status { get; private set; }

    /// <summary>The credit note at Stripe.</summary>
    public string? StripeCreditNoteId { get; private set; }

    /// <summary>When it was computed.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When it is worked on next; null when there is nothing to do.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>When it was sent first under its key.</summary>
    public DateTimeOffset? SentAt { get; private set; }

    /// <summary>Part of its idempotency key.</summary>
    public int Epoch { get; private set; }

    /// <summary>Attempts so far.</summary>
    public int Attempts { get; private set; }

    /// <summary>Rises with every lease and change.</summary>
    public long Fence { get; private set; }

    /// <summary>The last fault.</summary>
    public string? LastError { get; private set; }

    /// <summary>
    /// The id of a credit note: the time of the period's end, and a hash of the line and of the reversals it is for. A database that
    /// was restored makes the same one again, and finds it at Stripe.
    /// </summary>
    public static CreditNoteId IdOf(InvoiceId invoice, string lineKey, IEnumerable<LedgerEntryId> reversals, DateTimeOffset until)
    {
        var entries = string.Join('\n', reversals.Select(r => r.ToString()).Order(StringComparer.Ordinal));
        var text = $"{invoice}\n{lineKey}\n{entries}";
        var hash = UlidText.FromBytes(SHA256.HashData(Encoding.UTF8.GetBytes(text))[..16]);
        return new(((UInt128)(ulong)until.ToUnixTimeMilliseconds() << 80) | (hash >> 48));
    }

    /// <summary>A credit note for reversals of one line.</summary>
    public static CreditNote Of(CreditNoteId id, Invoice invoice, InvoiceLine line, long minor, Total reversed, DateTimeOffset now)
    {
        invoice.Credit(line, minor);
        return new(id, invoice.AccountId, invoice.Mode, invoice.Id, line.Number, minor, (long)reversed.Nanos, now);
    }

    /// <summary>Takes it to work on until an instant.</summary>
    public void Lease(DateTimeOffset until)
    {
        DueAt = until;
        Fence++;
    }

    /// <summary>It is about to be sent; the key for it.</summary>
    public string Begin(DateTimeOffset now)
    {
        if (SentAt is null || now - SentAt > Invoice.KeyLifetime)
        {
            SentAt = now;
            Epoch++;
        }
        Fence++;
        return $"rev:{Id}:credit:e{Epoch.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>It is at Stripe.</summary>
    public void IssuedAs(string stripeCreditNoteId)
    {
        (Status, StripeCreditNoteId, DueAt, LastError) = (CreditNoteStatus.Issued, stripeCreditNoteId, null, null);
        Fence++;
    }

    /// <summary>It cannot be issued: what it would have given back is taken off the next invoice.</summary>
    /// <returns>What the customer's balance is to be changed by.</returns>
    public Total CarryInstead(Invoice invoice, string why)
    {
        invoice.Uncredit(LineNumber, Minor);
        (Status, DueAt, LastError) = (CreditNoteStatus.Carried, null, Cut(why));
        Fence++;
        return new(-(Int128)Minor * InvoiceDraft.NanosPerMinor(Currency.Parse(invoice.Currency)));
    }

    /// <summary>Whether it was never sent, under any key: then it is not at Stripe.</summary>
    public bool IsUnsent => Epoch == 0;

    /// <summary>Its invoice was voided, which gave everything back.</summary>
    public void Moot()
    {
        (Status, DueAt) = (CreditNoteStatus.Void, null);
        Fence++;
    }

    /// <summary>The key is of no use any more: reading showed that nothing was issued.</summary>
    public void Poisoned()
    {
        SentAt = null;
        Fence++;
    }

    /// <summary>It did not work this time.</summary>
    public void Failed(string error, DateTimeOffset now, TimeSpan? after)
    {
        DueAt = now + Backoff.After(Attempts, after);
        Attempts++;
        LastError = Cut(error);
        Fence++;
    }

    private static string Cut(string text) => text.Length <= Invoice.MaxErrorLength ? text : text[..Invoice.MaxErrorLength];
}
