using System.Globalization;
using Rev.Application.Common;
using Rev.Application.Customers;
using Rev.Domain.Billing;
using Rev.Domain.Common;

namespace Rev.Application.Billing;

/// <summary>
/// Moves an invoice on at Stripe. Each step reads what is there before it writes what is missing, and the intent is committed
/// before the write is sent: a crash, a lost answer or a repeat anywhere makes nothing twice. Nothing is finalised unless
/// Stripe's lines equal Rev's.
/// </summary>
public sealed class InvoiceSync(
    IStripe stripe, IStripeConnections connections, StripeKeys keys, StripeCustomers stripeCustomers, ICustomers customers, ICustomerBalances balances,
    IUnitOfWork unit, TimeProvider clock)
{
    /// <summary>Most lines of one request: what Stripe takes.</summary>
    private const int LinesAtOnce = 100;

    /// <summary>How often lines are set right before somebody must look.</summary>
    private const int MaxRepairs = 3;

    /// <summary>Stripe's code for what is not there.</summary>
    private const string Missing = "resource_missing";

    private static readonly TimeSpan Skew = TimeSpan.FromHours(1);
    private static readonly TimeSpan WhilePaused = TimeSpan.FromHours(1);

    /// <summary>Works on an invoice that is leased until it is finalised, or cannot go on now.</summary>
    /// <exception cref="LostLeaseException">Another server works on it.</exception>
    public async Task Advance(Invoice invoice, CancellationToken cancellationToken)
    {
        var connection = await connections.FindById(invoice.ConnectionId, cancellationToken);
        if (connection is null || connection.IsPaused || !connection.IsConnected)
        {
            await Keep(() => invoice.Failed(connection?.PauseReason ?? "not connected", clock.Now(), WhilePaused, 0), cancellationToken);
            return;
        }
        var opened = keys.Access(connection);
        if (!opened.IsSuccess)
        {
            await Keep(() => invoice.Failed(opened.Error.Code, clock.Now(), WhilePaused, 0), cancellationToken);
            return;
        }
        var access = opened.Value;
        if (invoice.Status == InvoiceStatus.Computed && !await Draft(invoice, connection, access, cancellationToken)) return;
        if (invoice.Status == InvoiceStatus.Drafted) await Complete(invoice, connection, access, cancellationToken);
    }

    /// <summary>Reads an invoice at Stripe and takes over what became of it: also what somebody did there by hand.</summary>
    /// <returns>Whether Stripe could be read.</returns>
    public async Task<bool> Refresh(Invoice invoice, StripeAccess access, CancellationToken cancellationToken)
    {
        if (invoice.StripeInvoiceId is not { } id) return true;
        var found = await stripe.GetInvoice(access, id, cancellationToken);
        if (found.Verdict == StripeVerdict.Gone)
        {
            if (invoice.IsInFlight) await Release(invoice, cancellationToken);
            return true;
        }
        if (!found.IsApplied) return false;
        if (found.Value!.IsDraft) return true;
        if (!invoice.IsInFlight)
        {
            await See(invoice, found.Value, cancellationToken);
            return true;
        }
        return await AdoptFinalised(invoice, found.Value, access, cancellationToken);
    }

    /// <summary>Finds the draft that an earlier attempt left, or makes one.</summary>
    private async Task<bool> Draft(Invoice invoice, StripeConnection connection, StripeAccess access, CancellationToken cancellationToken)
    {
        if (await customers.Find(new(invoice.AccountId, invoice.Mode), invoice.CustomerId, cancellationToken) is not { } customer)
            return await GiveUp(invoice, "customer_missing", cancellationToken);
        var ensured = await stripeCustomers.Ensure(access, connection, customer, cancellationToken);
        if (!ensured.IsApplied) return await Failed(invoice, connection, ensured, cancellationToken);
        var (stripeCustomer, hasPaymentMethod) = (ensured.Value!.Id, ensured.Value.HasPaymentMethod);

        // The first look is made too: after a restored backup an invoice may be there that this database does not know of.
        var there = await stripe.InvoicesSince(access, stripeCustomer, invoice.PeriodEnd - Skew, cancellationToken);
        if (!there.IsApplied) return await Failed(invoice, connection, there, cancellationToken);
        var ours = there.Value!.Where(i => i.InvoiceId == invoice.Id.ToString()).ToList();
        var kept = ours.Find(i => !i.IsDraft) ?? ours.FirstOrDefault();
        foreach (var surplus in ours.Where(i => i.IsDraft && i != kept))
        {
            var deleted = await stripe.DeleteDraft(access, surplus.Id, cancellationToken);
            if (!deleted.IsApplied && deleted.Verdict != StripeVerdict.Gone) return await Failed(invoice, connection, deleted, cancellationToken);
        }
        if (kept is not null)
        {
            if (kept.Live != connection.Live || kept.Currency != invoice.Currency) return await GiveUp(invoice, "invoice_of_other_mode", cancellationToken);
            await Keep(() => invoice.DraftedAs(kept.Id, stripeCustomer), cancellationToken);
            return true;
        }

        // Whoever left no payment method is sent the invoice instead, where there is an address to send it to.
        var isSent = connection.CollectionMethod == CollectionMethod.SendInvoice || (!hasPaymentMethod && customer.Email is not null);
        var ask = new StripeInvoiceAsk(
            invoice.Id.ToString(), stripeCustomer, invoice.Currency, isSent ? connection.DaysUntilDue : null,
            connection.AutomaticTax, Description(invoice), new Total((Int128)invoice.ChargedNanos + invoice.CarriedInNanos).ToString());
        var key = await Begin(invoice, InvoiceStep.Draft, ask.ToString(), cancellationToken);
        var made = await stripe.CreateInvoice(access, ask, key, cancellationToken);
        if (!made.IsApplied) return await Failed(invoice, connection, made, cancellationToken);
        await Keep(() => invoice.DraftedAs(made.Value!.Id, stripeCustomer), cancellationToken);
        return made.Value!.Live == connection.Live || await GiveUp(invoice, "invoice_of_other_mode", cancellationToken);
    }

    /// <summary>Makes Stripe's lines equal to Rev's, and finalises once a read showed that they are.</summary>
    private async Task Complete(Invoice invoice, StripeConnection connection, StripeAccess access, CancellationToken cancellationToken)
    {
        var id = invoice.StripeInvoiceId!;
        for (var repairs = 0; ; repairs++)
        {
            var found = await stripe.GetInvoice(access, id, cancellationToken);
            if (found.Verdict == StripeVerdict.Gone)
            {
                // Somebody deleted the draft: what is on it is asked for by the next invoice. One look alone may have been at a copy that lags behind.
                if (invoice.LastError?.StartsWith(Missing, StringComparison.Ordinal) == true) await Release(invoice, cancellationToken);
                else await Failed(invoice, connection, found with { Verdict = StripeVerdict.Unknown, Code = Missing }, cancellationToken);
                return;
            }
            if (!found.IsApplied)
            {
                await Failed(invoice, connection, found, cancellationToken);
                return;
            }
            if (found.Value!.Live != connection.Live || found.Value.Currency != invoice.Currency)
            {
                await GiveUp(invoice, "invoice_of_other_mode", cancellationToken);
                return;
            }
            if (!found.Value.IsDraft)
            {
                if (!await AdoptFinalised(invoice, found.Value, access, cancellationToken)) await Unread(invoice, connection, found, cancellationToken);
                return;
            }
            var lines = await stripe.Lines(access, id, cancellationToken);
            if (!lines.IsApplied)
            {
                await Failed(invoice, connection, lines, cancellationToken);
                return;
            }
            var difference = Difference(invoice, lines.Value!);
            if (difference.IsNone)
            {
                if (await Finalise(invoice, connection, access, lines.Value!, cancellationToken)) return;
                if (repairs < MaxRepairs) continue;
                await GiveUp(invoice, "not_finalised: Stripe refuses to finalise what it says is a draft", cancellationToken);
                return;
            }
            if (repairs == MaxRepairs)
            {
                await GiveUp(invoice, "lines_differ: Stripe's lines do not stay as Rev writes them", cancellationToken);
                return;
            }
            if (!await Write(invoice, connection, access, difference, cancellationToken)) return;
        }
    }

    private async Task<bool> Write(Invoice invoice, StripeConnection connection, StripeAccess access, LineDifference difference, CancellationToken cancellationToken)
    {
        var id = invoice.StripeInvoiceId!;
        foreach (var chunk in difference.Surplus.Chunk(LinesAtOnce))
        {
            var key = await Begin(invoice, InvoiceStep.Lines, "remove " + string.Join(' ', chunk), cancellationToken);
            if (!await Wrote(invoice, connection, access, await stripe.RemoveLines(access, id, chunk, key, cancellationToken), cancellationToken)) return false;
        }
        foreach (var chunk in difference.Wrong.Chunk(LinesAtOnce))
        {
            var key = await Begin(invoice, InvoiceStep.Lines, "update " + string.Join(' ', chunk.Select(c => c.Id)), cancellationToken);
            if (!await Wrote(invoice, connection, access, await stripe.UpdateLines(access, id, chunk, key, cancellationToken), cancellationToken)) return false;
        }
        foreach (var chunk in difference.Missing.Chunk(LinesAtOnce))
        {
            var key = await Begin(invoice, InvoiceStep.Lines, "add " + string.Join(' ', chunk.Select(c => c.LineKey)), cancellationToken);
            if (!await Wrote(invoice, connection, access, await stripe.AddLines(access, id, chunk, key, cancellationToken), cancellationToken)) return false;
        }
        return true;
    }

    /// <summary>Whether to go on: a rejected write may be one that somebody else made impossible, which the next read tells.</summary>
    private async Task<bool> Wrote(Invoice invoice, StripeConnection connection, StripeAccess access, StripeAnswer<bool> answer, CancellationToken cancellationToken)
    {
        if (answer.IsApplied || await IsOvertaken(invoice, access, answer, cancellationToken))
        {
            await Keep(invoice.LinesWritten, cancellationToken);
            return true;
        }
        return await Failed(invoice, connection, answer, cancellationToken);
    }

    /// <summary>Whether a write was refused because somebody finalised or deleted the draft meanwhile: by what Stripe says is there, whatever it calls the fault.</summary>
    private async Task<bool> IsOvertaken<T>(Invoice invoice, StripeAccess access, StripeAnswer<T> answer, CancellationToken cancellationToken)
    {
        if (answer.Verdict == StripeVerdict.Gone) return true;
        if (answer.Verdict != StripeVerdict.Rejected) return false;
        var found = await stripe.GetInvoice(access, invoice.StripeInvoiceId!, cancellationToken);
        return found.Verdict == StripeVerdict.Gone || found is { IsApplied: true, Value.IsDraft: false };
    }

    /// <summary>Finalises; false when it must be read again.</summary>
    private async Task<bool> Finalise(
        Invoice invoice, StripeConnection connection, StripeAccess access, IReadOnlyList<StripeLineFacts> lines, CancellationToken cancellationToken)
    {
        invoice.LinesAre(Ids(lines));
        var key = await Begin(invoice, InvoiceStep.Finalize, invoice.StripeInvoiceId!, cancellationToken);
        var finalised = await stripe.Finalize(access, invoice.StripeInvoiceId!, key, cancellationToken);
        if (finalised.IsApplied)
        {
            var asked = CollectedCurrency.ToStripe(Currency.Parse(invoice.Currency), invoice.TotalMinor);
            if (finalised.Value!.Subtotal == asked) await See(invoice, finalised.Value, cancellationToken);
            // Somebody wrote on the draft after it was read: what was finalised stands.
            else if (!await AdoptFinalised(invoice, finalised.Value, access, cancellationToken)) await Unread(invoice, connection, finalised, cancellationToken);
            return true;
        }
        if (await IsOvertaken(invoice, access, finalised, cancellationToken))
        {
            await Keep(invoice.LinesWritten, cancellationToken);
            return false;
        }
        await Failed(invoice, connection, finalised, cancellationToken);
        return true;
    }

    /// <summary>It is finalised, by us or by hand: with our lines it stands as it is, with others only what is there does.</summary>
    private async Task<bool> AdoptFinalised(Invoice invoice, StripeInvoiceFacts facts, StripeAccess access, CancellationToken cancellationToken)
    {
        var lines = await stripe.Lines(access, facts.Id, cancellationToken);
        if (!lines.IsApplied) return false;
        var currency = Currency.Parse(invoice.Currency);
        var difference = Difference(invoice, lines.Value!);
        if (difference.IsNone)
        {
            invoice.LinesAre(Ids(lines.Value!));
        }
        else
        {
            var ours = invoice.Lines.Select(l => l.Key).ToHashSet(StringComparer.Ordinal);
            var perUnit = CollectedCurrency.ToStripe(currency, 1);
            var amounts = lines.Value!.Where(l => l.LineKey is not null && ours.Contains(l.LineKey)).GroupBy(l => l.LineKey!, StringComparer.Ordinal)
                .ToDictionary(g => g.Key, g => (g.First().Id, g.Sum(l => l.Amount) / perUnit), StringComparer.Ordinal);
            await Carry(invoice, invoice.FinalizedWith(amounts, InvoiceDraft.NanosPerMinor(currency)), cancellationToken);
        }
        await See(invoice, facts, cancellationToken);
        return true;
    }

    private async Task See(Invoice invoice, StripeInvoiceFacts facts, CancellationToken cancellationToken)
    {
        var status = facts.Status switch
        {
            "paid" => InvoiceStatus.Paid,
            "void" => InvoiceStatus.Void,
            "uncollectible" => InvoiceStatus.Uncollectible,
            _ => facts.PaymentFailed ? InvoiceStatus.PastDue : InvoiceStatus.Open,
        };
        if (invoice.See(status, facts.Number, facts.HostedUrl, facts.PdfUrl, clock.Now()) is { } change) await Carry(invoice, change, cancellationToken);
        await unit.CommitLeased(cancellationToken);
    }

    private async Task Release(Invoice invoice, CancellationToken cancellationToken)
    {
        if (invoice.See(InvoiceStatus.Released, null, null, null, clock.Now()) is { } change) await Carry(invoice, change, cancellationToken);
        await unit.CommitLeased(cancellationToken);
    }

    private async Task Carry(Invoice invoice, Total change, CancellationToken cancellationToken)
    {
        var balance = await balances.Find(new(invoice.AccountId, invoice.Mode), invoice.CustomerId, invoice.Currency, cancellationToken)
            ?? throw new InvalidOperationException($"Invoice {invoice.Id} has no balance.");
        balance.Carry(change);
    }

    /// <summary>Commits the intent and answers its key.</summary>
    private async Task<string> Begin(Invoice invoice, InvoiceStep step, string content, CancellationToken cancellationToken)
    {
        var key = invoice.Begin(step, content, clock.Now());
        await unit.CommitLeased(cancellationToken);
        return key;
    }

    private async Task<bool> Failed<T>(Invoice invoice, StripeConnection connection, StripeAnswer<T> answer, CancellationToken cancellationToken)
    {
        var (now, error) = (clock.Now(), $"{answer.Code ?? answer.Verdict.ToString()}: {answer.Message}");
        switch (answer.Verdict)
        {
            case StripeVerdict.Rejected or StripeVerdict.Gone:
                return await GiveUp(invoice, error, cancellationToken);
            case StripeVerdict.AccessDenied:
                // The key is the account's matter: everything waits for another one.
                var paused = connection.Pause(error, now);
                if (paused.IsSuccess) invoice.Failed(error, now, WhilePaused, 0);
                break;
            case StripeVerdict.Poisoned:
                invoice.Poisoned();
                invoice.Failed(error, now, answer.RetryAfter, Random.Shared.NextDouble());
                break;
            case StripeVerdict.TryAgain or StripeVerdict.Unknown or StripeVerdict.Applied:
                invoice.Failed(error, now, answer.RetryAfter, Random.Shared.NextDouble());
                break;
        }
        await unit.CommitLeased(cancellationToken);
        return false;
    }

    /// <summary>It is finalised, and its lines could not be read: they are read again later.</summary>
    private Task<bool> Unread(Invoice invoice, StripeConnection connection, StripeAnswer<StripeInvoiceFacts> answer, CancellationToken cancellationToken) =>
        Failed(invoice, connection, answer.As<bool>() with { Verdict = StripeVerdict.Unknown }, cancellationToken);

    private async Task<bool> GiveUp(Invoice invoice, string error, CancellationToken cancellationToken)
    {
        await Keep(() => invoice.GiveUp(error, clock.Now()), cancellationToken);
        return false;
    }

    private async Task Keep(Action change, CancellationToken cancellationToken)
    {
        change();
        await unit.CommitLeased(cancellationToken);
    }

    /// <summary>What Stripe's lines lack, have too much, or have wrong.</summary>
    private static LineDifference Difference(Invoice invoice, IReadOnlyList<StripeLineFacts> there)
    {
        // Without its own lines an empty draft would look right, and nothing be asked for.
        if (invoice.Lines.Sum(l => l.Minor) != invoice.TotalMinor) throw new InvalidOperationException($"The lines of invoice {invoice.Id} do not add up to its total.");
        var currency = Currency.Parse(invoice.Currency);
        var byKey = there.Where(l => l.LineKey is not null).GroupBy(l => l.LineKey!, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        var difference = new LineDifference([], [], []);
        var kept = new HashSet<string>(StringComparer.Ordinal);
        foreach (var line in invoice.Lines)
        {
            var ask = new StripeLineAsk(
                line.Key, CollectedCurrency.ToStripe(currency, line.Minor), line.Description, new(line.ServiceStart, line.ServiceEnd), Metadata(line));
            if (!byKey.TryGetValue(line.Key, out var same))
            {
                difference.Missing.Add(ask);
                continue;
            }
            kept.Add(same[0].Id);
            if (same[0].Amount != ask.Amount || same[0].Currency != invoice.Currency) difference.Wrong.Add((same[0].Id, ask));
        }
        difference.Surplus.AddRange(there.Select(l => l.Id).Where(id => !kept.Contains(id)));
        return difference;
    }

    /// <summary>The ids of lines that equal Rev's, by their keys.</summary>
    private static Dictionary<string, string> Ids(IEnumerable<StripeLineFacts> lines) => lines.ToDictionary(l => l.LineKey!, l => l.Id, StringComparer.Ordinal);

    private static Dictionary<string, string> Metadata(InvoiceLine line)
    {
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal) { ["rev_exact"] = new Total(line.ExactNanos).ToString() };
        if (line.AgentId is { } agent) metadata["rev_agent_id"] = agent;
        if (line.Action is { } action) metadata["rev_action"] = action;
        if (line.Component is { } component) metadata["rev_component"] = component.ToString().ToLowerInvariant();
        if (line.Quantity > 0) metadata["rev_quantity"] = line.Quantity.ToString(CultureInfo.InvariantCulture);
        return metadata;
    }

    private static string Description(Invoice invoice) =>
        string.Create(CultureInfo.InvariantCulture, $"Agents' work charged from {invoice.From.UtcDateTime:yyyy-MM-dd} to {invoice.PeriodEnd.UtcDateTime:yyyy-MM-dd} (UTC, the end not included)");

    private sealed record LineDifference(List<StripeLineAsk> Missing, List<(string Id, StripeLineAsk Line)> Wrong, List<string> Surplus)
    {
        public bool IsNone => Missing.Count == 0 && Wrong.Count == 0 && Surplus.Count == 0;
    }
}
