using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Rev.Domain.Common;

namespace Rev.Domain.Billing;

/// <summary>Where an invoice is on its way. Stored as a number: never renumber.</summary>
public enum InvoiceStatus
{
    /// <summary>Its lines are known; nothing is at Stripe, or nobody knows.</summary>
    Computed = 0,
    /// <summary>A draft is at Stripe.</summary>
    Drafted = 1,
    /// <summary>It was finalised: the customer is asked to pay.</summary>
    Open = 2,
    /// <summary>A payment was tried and failed; Stripe tries again.</summary>
    PastDue = 3,
    /// <summary>It was paid.</summary>
    Paid = 4,
    /// <summary>It was given up.</summary>
    Uncollectible = 5,
    /// <summary>It was voided at Stripe: its charges go to the next invoice.</summary>
    Void = 6,
    /// <summary>More was taken back than charged: nothing is asked for, the sum is carried.</summary>
    Carried = 7,
    /// <summary>Its draft was deleted at Stripe, or it was released by hand: its charges go to the next invoice.</summary>
    Released = 8,
}

/// <summary>A write to Stripe that is about to be sent, or was and nobody knows what came of it.</summary>
public enum InvoiceStep
{
    /// <summary>None.</summary>
    None = 0,
    /// <summary>The draft is made.</summary>
    Draft = 1,
    /// <summary>Lines are added, set right or removed.</summary>
    Lines = 2,
    /// <summary>It is finalised.</summary>
    Finalize = 3,
}

/// <summary>
/// What a customer is asked to pay in one currency for one billing period: all that the ledger charged from where the last
/// invoice ended, rounded once. Its lines never change; what Stripe has is made equal to them before it is finalised.
/// </summary>
public sealed class Invoice
{
    /// <summary>Longest text of the last fault, in characters.</summary>
    public const int MaxErrorLength = 500;

    /// <summary>Longest id at Stripe, in characters.</summary>
    public const int MaxStripeIdLength = 255;

    /// <summary>Longest address, in characters.</summary>
    public const int MaxUrlLength = 2_000;

    /// <summary>Stripe remembers an idempotency key for 24 hours at least; an hour of that is kept back.</summary>
    public static readonly TimeSpan KeyLifetime = TimeSpan.FromHours(23);

    private readonly List<InvoiceLine> _lines = [];
    private readonly List<InvoiceCharge> _charges = [];

    private Invoice(InvoiceId id, AccountId accountId, Mode mode, StripeConnectionId connectionId, CustomerId customerId, string currency, DateTimeOffset createdAt)
    {
        Id = id;
        AccountId = accountId;
        Mode = mode;
        ConnectionId = connectionId;
        CustomerId = customerId;
        Currency = currency;
        CreatedAt = createdAt;
    }

    /// <summary>Its id; the same charges of the same customer always make the same one.</summary>
    public InvoiceId Id { get; private set; }

    /// <summary>Whose it is.</summary>
    public AccountId AccountId { get; private set; }

    /// <summary>Live or test.</summary>
    public Mode Mode { get; private set; }

    /// <summary>Through which Stripe account it is collected.</summary>
    public StripeConnectionId ConnectionId { get; private set; }

    /// <summary>Who pays.</summary>
    public CustomerId CustomerId { get; private set; }

    /// <summary>Lower-case ISO 4217 code.</summary>
    public string Currency { get; private set; }

    /// <summary>The first instant whose charges are in it: earlier than the period when the last one was deferred.</summary>
    public DateTimeOffset From { get; private set; }

    /// <summary>The beginning of its billing period.</summary>
    public DateTimeOffset PeriodStart { get; private set; }

    /// <summary>The end of its billing period and of its charges, not included.</summary>
    public DateTimeOffset PeriodEnd { get; private set; }

    /// <summary>Where it is on its way.</summary>
    public InvoiceStatus Status { get; private set; }

    /// <summary>What is asked for, in minor units.</summary>
    public long TotalMinor { get; private set; }

    /// <summary>The sum of its charges, to the nano, without what was carried in.</summary>
    public long ChargedNanos { get; private set; }

    /// <summary>What earlier invoices left over.</summary>
    public long CarriedInNanos { get; private set; }

    /// <summary>What the next invoice began with.</summary>
    public long CarriedOutNanos { get; private set; }

    /// <summary>The invoice at Stripe.</summary>
    public string? StripeInvoiceId { get; private set; }

    /// <summary>The customer at Stripe it was drafted for.</summary>
    public string? StripeCustomerId { get; private set; }

    /// <summary>Its number, once finalised.</summary>
    public string? Number { get; private set; }

    /// <summary>The page on which it is paid.</summary>
    public string? HostedUrl { get; private set; }

    /// <summary>As a document.</summary>
    public string? PdfUrl { get; private set; }

    /// <summary>Whether a payment of it is disputed.</summary>
    public bool IsDisputed { get; private set; }

    /// <summary>When it was computed.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When Stripe was found to have finalised it.</summary>
    public DateTimeOffset? FinalizedAt { get; private set; }

    /// <summary>Whether charges of it are to go to the next invoice.</summary>
    public bool HasFreeCharges { get; private set; }

    /// <summary>The write that is under way.</summary>
    public InvoiceStep Step { get; private set; }

    /// <summary>When that write was sent first.</summary>
    public DateTimeOffset? StepAt { get; private set; }

    /// <summary>Part of the write's idempotency key; rises when reading proved that the key is of no use any more.</summary>
    public int Epoch { get; private set; }

    /// <summary>When it is worked on next; null when there is nothing to do, or somebody must look.</summary>
    public DateTimeOffset? DueAt { get; private set; }

    /// <summary>Attempts since the last success.</summary>
    public int Attempts { get; private set; }

    /// <summary>Rises with every lease and change: who holds an older one writes nothing.</summary>
    public long Fence { get; private set; }

    /// <summary>The last fault; null after a success.</summary>
    public string? LastError { get; private set; }

    /// <summary>When it was given up until somebody retries it; null while it is not.</summary>
    public DateTimeOffset? DeadAt { get; private set; }

    /// <summary>Its lines; they add up to the total.</summary>
    public IReadOnlyList<InvoiceLine> Lines => _lines;

    /// <summary>What the lines sum, one for each price.</summary>
    public IReadOnlyList<InvoiceCharge> Charges => _charges;

    /// <summary>Whether Stripe's side is still to be done.</summary>
    public bool IsInFlight => Status is InvoiceStatus.Computed or InvoiceStatus.Drafted;

    /// <summary>Whether it was finalised and stands.</summary>
    public bool Stands => Status is InvoiceStatus.Open or InvoiceStatus.PastDue or InvoiceStatus.Paid or InvoiceStatus.Uncollectible;

    /// <summary>The id of the invoice of some charges: the time of the period's end, and a hash of whose they are and from where on.</summary>
    public static InvoiceId IdOf(Tenant tenant, CustomerId customer, string currency, DateTimeOffset from, DateTimeOffset to)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{tenant.Account}\n{tenant.Mode}\n{customer.Value}\n{currency}\n{from.UtcTicks}\n{to.UtcTicks}");
        var hash = UlidText.FromBytes(SHA256.HashData(Encoding.UTF8.GetBytes(text))[..16]);
        return new(((UInt128)(ulong)to.ToUnixTimeMilliseconds() << 80) | (hash >> 48));
    }

    /// <summary>The invoice of a draft.</summary>
    /// <exception cref="OverflowException">A line is beyond 9.2 billion major units.</exception>
    public static Invoice Of(
        InvoiceId id, Tenant tenant, StripeConnectionId connection, CustomerId customer, InvoiceDraft draft, DateTimeOffset from, BillingPeriod period, DateTimeOffset now)
    {
        if (draft.Verdict == DraftVerdict.Deferred) throw new ArgumentException("What is deferred makes no invoice.", nameof(draft));
        var invoice = new Invoice(id, tenant.Account, tenant.Mode, connection, customer, draft.Currency.Code, now)
        {
            From = from, PeriodStart = period.Start, PeriodEnd = period.End, TotalMinor = draft.Minor,
            ChargedNanos = (long)draft.Charged.Nanos, CarriedInNanos = (long)draft.CarriedIn.Nanos, CarriedOutNanos = (long)draft.CarriedOut.Nanos,
            Status = draft.Verdict == DraftVerdict.Invoiced ? InvoiceStatus.Computed : InvoiceStatus.Carried,
            DueAt = draft.Verdict == DraftVerdict.Invoiced ? now : null,
        };
        foreach (var line in draft.Lines)
        {
            var added = InvoiceLine.Of(id, invoice._lines.Count + 1, line, period);
            invoice._lines.Add(added);
            foreach (var charge in line.Charges) invoice._charges.Add(InvoiceCharge.Of(id, invoice._charges.Count + 1, added.Number, charge));
        }
        return invoice;
    }

    /// <summary>Keeps the charges of what is carried whole, so that it can be shown why.</summary>
    public Invoice Explain(IEnumerable<Charge> charges)
    {
        if (Status == InvoiceStatus.Carried)
            foreach (var charge in charges) _charges.Add(InvoiceCharge.Of(Id, _charges.Count + 1, 0, charge));
        return this;
    }

    /// <summary>Takes it to work on until an instant: whoever held it before writes nothing any more.</summary>
    public void Lease(DateTimeOffset until)
    {
        DueAt = until;
        Fence++;
    }

    /// <summary>A write is about to be sent; the key for it. The same write after a fault has the same key, as long as Stripe remembers it.</summary>
    /// <param name="step">Which write.</param>
    /// <param name="content">What it says.</param>
    /// <param name="now">Now.</param>
    public string Begin(InvoiceStep step, string content, DateTimeOffset now)
    {
        if (Step != step || StepAt is null)
        {
            (Step, StepAt) = (step, now);
            Epoch++;
        }
        else if (now - StepAt > KeyLifetime)
        {
            // The caller has read that it was not done: a key that Stripe forgot must not be sent again.
            StepAt = now;
            Epoch++;
        }
        Fence++;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))[..16];
        return string.Create(CultureInfo.InvariantCulture, $"rev:{Id}:{step.ToString().ToLowerInvariant()}:{hash}:e{Epoch}");
    }

    /// <summary>A write was done, or reading proved that it is.</summary>
    private void Done()
    {
        (Step, StepAt, Attempts, LastError, DeadAt) = (InvoiceStep.None, null, 0, null, null);
        Fence++;
    }

    /// <summary>The draft is at Stripe.</summary>
    public void DraftedAs(string stripeInvoiceId, string stripeCustomerId)
    {
        (StripeInvoiceId, StripeCustomerId, Status) = (stripeInvoiceId, stripeCustomerId, InvoiceStatus.Drafted);
        Done();
    }

    /// <summary>Lines were written; what came of it is read.</summary>
    public void LinesWritten() => Done();

    /// <summary>Stripe's lines are these.</summary>
    public void LinesAre(IReadOnlyDictionary<string, string> stripeLineIds)
    {
        foreach (var line in _lines)
            if (stripeLineIds.TryGetValue(line.Key, out var id)) line.IsAtStripe(id);
    }

    /// <summary>
    /// What Stripe says of it. Once paid, void or given up it does not go back to open; what is paid, void or released stays so. What was
    /// voided gives its charges back.
    /// </summary>
    /// <returns>What the customer's balance is to be changed by, to the nano; null when nothing changed.</returns>
    public Total? See(InvoiceStatus status, string? number, string? hostedUrl, string? pdfUrl, DateTimeOffset now)
    {
        Done();
        (Number, HostedUrl, PdfUrl) = (number ?? Number, hostedUrl ?? HostedUrl, pdfUrl ?? PdfUrl);
        if (status == Status || Rank(status) < Rank(Status) || Rank(Status) == LastRank) return null;
        Status = status;
        DueAt = null;
        if (Stands) FinalizedAt ??= now;
        return status is InvoiceStatus.Void or InvoiceStatus.Released ? GivenBack() : null;
    }

    /// <summary>
    /// Somebody finalised it at Stripe with other lines: what is there stands, and the charges of the lines that are not go to
    /// the next invoice.
    /// </summary>
    /// <param name="amounts">What Stripe has under the keys of its lines.</param>
    /// <param name="coinNanos">Nanos of one minor unit.</param>
    /// <returns>What the customer's balance is to be changed by.</returns>
    public Total FinalizedWith(IReadOnlyDictionary<string, (string Id, long Minor)> amounts, long coinNanos)
    {
        var kept = new Total(ChargedNanos);
        foreach (var line in _lines)
        {
            if (amounts.TryGetValue(line.Key, out var there))
            {
                line.IsAtStripe(there.Id);
                line.Stands(there.Minor);
                continue;
            }
            line.Stands(0);
            foreach (var charge in _charges.Where(c => c.LineNumber == line.Number && !c.IsFree))
            {
                kept -= new Total(charge.ExactNanos);
                charge.Free();
                HasFreeCharges = true;
            }
        }
        TotalMinor = _lines.Sum(l => l.Minor);
        ChargedNanos = (long)kept.Nanos;
        var carried = kept + new Total(CarriedInNanos) - new Total((Int128)TotalMinor * coinNanos);
        var change = carried - new Total(CarriedOutNanos);
        CarriedOutNanos = (long)carried.Nanos;
        Fence++;
        return change;
    }

    /// <summary>It did not work this time.</summary>
    /// <param name="error">Why.</param>
    /// <param name="now">Now.</param>
    /// <param name="after">When Stripe asked to come again; null by a delay that grows.</param>
    /// <param name="jitter">0 to 1: where in the delay.</param>
    public void Failed(string error, DateTimeOffset now, TimeSpan? after, double jitter)
    {
        DueAt = now + Backoff.After(Attempts, after, 0.5 + (jitter / 2));
        Attempts++;
        LastError = Cut(error);
        Fence++;
    }

    /// <summary>The key of the write that was sent is of no use: reading showed that it was not done.</summary>
    public void Poisoned()
    {
        (Step, StepAt) = (InvoiceStep.None, null);
        Fence++;
    }

    /// <summary>It cannot go on by itself.</summary>
    public void GiveUp(string error, DateTimeOffset now)
    {
        (DueAt, DeadAt, LastError) = (null, now, Cut(error));
        Fence++;
    }

    /// <summary>Somebody wants it tried again.</summary>
    /// <returns>The refusal when it is not given up and not waiting.</returns>
    public Result Retry(DateTimeOffset now)
    {
        if (!IsInFlight) return InvoiceErrors.Done;
        (DueAt, DeadAt, Attempts) = (now, null, 0);
        Fence++;
        return Result.Done;
    }

    /// <summary>The charges that are to go to the next invoice.</summary>
    public IEnumerable<Charge> FreeCharges() => _charges.Where(c => c.IsFree && c.MovedTo is null).Select(c => c.ToCharge());

    /// <summary>The next invoice took its free charges over.</summary>
    public void MoveFreeCharges(InvoiceId to)
    {
        foreach (var charge in _charges.Where(c => c.IsFree && c.MovedTo is null)) charge.Move(to);
        HasFreeCharges = false;
        Fence++;
    }

    /// <summary>A credit note gives so much of a line back: whoever read the invoice before that, to void it say, writes nothing any more.</summary>
    internal void Credit(InvoiceLine line, long minor)
    {
        line.Credit(minor);
        Fence++;
    }

    /// <summary>A credit note was not issued after all.</summary>
    internal void Uncredit(int line, long minor)
    {
        _lines.Single(l => l.Number == line).Uncredit(minor);
        Fence++;
    }

    /// <summary>A payment of it is disputed, or is not any more.</summary>
    public void Dispute(bool open)
    {
        IsDisputed = open;
        Fence++;
    }

    /// <summary>Its charges are free again: what they were rounded by, and what was credited of them, is undone.</summary>
    private Total GivenBack()
    {
        foreach (var charge in _charges) charge.Free();
        HasFreeCharges = _charges.Exists(c => c.MovedTo is null);
        var coin = InvoiceDraft.NanosPerMinor(Common.Currency.Parse(Currency));
        var credited = _lines.Aggregate(default(Total), (sum, l) => sum + new Total((Int128)l.CreditedMinor * coin));
        return new Total(CarriedInNanos) - new Total(CarriedOutNanos) - credited;
    }

    private const int LastRank = 4;

    private static int Rank(InvoiceStatus status) => status switch
    {
        InvoiceStatus.Computed => 0,
        InvoiceStatus.Drafted => 1,
        InvoiceStatus.Open or InvoiceStatus.PastDue => 2,
        InvoiceStatus.Uncollectible => 3,
        InvoiceStatus.Paid or InvoiceStatus.Void or InvoiceStatus.Carried or InvoiceStatus.Released => LastRank,
    };

    private static string Cut(string text) => text.Length <= MaxErrorLength ? text : text[..MaxErrorLength];
}
