using System.Buffers.Binary;

namespace Rev.Domain.Common;

/// <summary>
/// The 26-character text of a 128-bit id (ULID: 48 bits of milliseconds, 80 of randomness, Crockford base 32),
/// which sorts as the id does. Source: the ULID specification.
/// </summary>
public static class UlidText
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>Length of the text.</summary>
    public const int Length = 26;

    /// <summary>The text of <paramref name="value"/>.</summary>
    public static string Format(string prefix, UInt128 value) =>
        string.Create(prefix.Length + Length, (prefix, value), static (span, state) => Write(span, state.prefix, state.value));

    /// <summary>Writes the text of <paramref name="value"/> into a span of just its length.</summary>
    public static void Write(Span<char> text, string prefix, UInt128 value)
    {
        System.Diagnostics.Debug.Assert(text.Length == prefix.Length + Length, "The span is just as long as the text.");
        prefix.CopyTo(text);
        // Sixty bits at a time: arithmetic on 128 is several times as slow.
        Digits(text[^12..], (ulong)(value & Low60));
        Digits(text[^24..^12], (ulong)((value >> 60) & Low60));
        Digits(text[prefix.Length..^24], (ulong)(value >> 120));
    }

    private const ulong Low60 = (1UL << 60) - 1;

    private static void Digits(Span<char> text, ulong value)
    {
        for (var i = text.Length - 1; i >= 0; i--)
        {
            text[i] = Alphabet[(int)(value & 31)];
            value >>= 5;
        }
    }

    /// <summary>Reads a prefix and 26 characters, in the very form <see cref="Format"/> writes.</summary>
    public static bool TryParse(string? text, string prefix, out UInt128 value)
    {
        value = default;
        if (text is null || text.Length != prefix.Length + Length || !text.StartsWith(prefix, StringComparison.Ordinal))
            return false;
        if (text[prefix.Length] > '7') return false;
        foreach (var c in text.AsSpan(prefix.Length))
        {
            var digit = Alphabet.IndexOf(c, StringComparison.Ordinal);
            if (digit < 0) return false;
            value = (value << 5) | (UInt128)(uint)digit;
        }
        return true;
    }

    /// <summary>The 16 bytes, most significant first: they sort as the ids do on every database.</summary>
    public static byte[] ToBytes(UInt128 value)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return bytes;
    }

    /// <summary>The id of 16 bytes.</summary>
    public static UInt128 FromBytes(byte[] bytes) => BinaryPrimitives.ReadUInt128BigEndian(bytes);
}

/// <summary>Mints ids that rise with time.</summary>
public interface IIdFactory
{
    /// <summary>A new id, above all that this process minted before.</summary>
    UInt128 Next(DateTimeOffset now);
}

/// <summary>An account. On the wire <c>acc_</c> and a ULID.</summary>
public readonly record struct AccountId(UInt128 Value) : IComparable<AccountId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "acc_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out AccountId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(AccountId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(AccountId left, AccountId right) => left.Value < right.Value;

    public static bool operator >(AccountId left, AccountId right) => left.Value > right.Value;

    public static bool operator <=(AccountId left, AccountId right) => left.Value <= right.Value;

    public static bool operator >=(AccountId left, AccountId right) => left.Value >= right.Value;
}

/// <summary>An API key. On the wire <c>key_</c> and a ULID.</summary>
public readonly record struct ApiKeyId(UInt128 Value) : IComparable<ApiKeyId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "key_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out ApiKeyId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(ApiKeyId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(ApiKeyId left, ApiKeyId right) => left.Value < right.Value;

    public static bool operator >(ApiKeyId left, ApiKeyId right) => left.Value > right.Value;

    public static bool operator <=(ApiKeyId left, ApiKeyId right) => left.Value <= right.Value;

    public static bool operator >=(ApiKeyId left, ApiKeyId right) => left.Value >= right.Value;
}

/// <summary>A connection to Stripe. On the wire <c>stc_</c> and a ULID.</summary>
public readonly record struct StripeConnectionId(UInt128 Value) : IComparable<StripeConnectionId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "stc_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out StripeConnectionId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(StripeConnectionId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(StripeConnectionId left, StripeConnectionId right) => left.Value < right.Value;

    public static bool operator >(StripeConnectionId left, StripeConnectionId right) => left.Value > right.Value;

    public static bool operator <=(StripeConnectionId left, StripeConnectionId right) => left.Value <= right.Value;

    public static bool operator >=(StripeConnectionId left, StripeConnectionId right) => left.Value >= right.Value;
}

/// <summary>A metered call. On the wire <c>evt_</c> and a ULID.</summary>
public readonly record struct CallId(UInt128 Value) : IComparable<CallId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "evt_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out CallId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(CallId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(CallId left, CallId right) => left.Value < right.Value;

    public static bool operator >(CallId left, CallId right) => left.Value > right.Value;

    public static bool operator <=(CallId left, CallId right) => left.Value <= right.Value;

    public static bool operator >=(CallId left, CallId right) => left.Value >= right.Value;
}

/// <summary>An outcome: the ULID of its call. On the wire <c>out_</c> and a ULID.</summary>
public readonly record struct OutcomeId(UInt128 Value) : IComparable<OutcomeId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "out_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out OutcomeId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(OutcomeId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(OutcomeId left, OutcomeId right) => left.Value < right.Value;

    public static bool operator >(OutcomeId left, OutcomeId right) => left.Value > right.Value;

    public static bool operator <=(OutcomeId left, OutcomeId right) => left.Value <= right.Value;

    public static bool operator >=(OutcomeId left, OutcomeId right) => left.Value >= right.Value;
}

/// <summary>A ledger entry. On the wire <c>led_</c> and a ULID.</summary>
public readonly record struct LedgerEntryId(UInt128 Value) : IComparable<LedgerEntryId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "led_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out LedgerEntryId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(LedgerEntryId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(LedgerEntryId left, LedgerEntryId right) => left.Value < right.Value;

    public static bool operator >(LedgerEntryId left, LedgerEntryId right) => left.Value > right.Value;

    public static bool operator <=(LedgerEntryId left, LedgerEntryId right) => left.Value <= right.Value;

    public static bool operator >=(LedgerEntryId left, LedgerEntryId right) => left.Value >= right.Value;
}

/// <summary>A row that only Rev itself names: agents, customers, links, mails. On the wire <c>row_</c> and a ULID.</summary>
public readonly record struct RowId(UInt128 Value) : IComparable<RowId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "row_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out RowId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(RowId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(RowId left, RowId right) => left.Value < right.Value;

    public static bool operator >(RowId left, RowId right) => left.Value > right.Value;

    public static bool operator <=(RowId left, RowId right) => left.Value <= right.Value;

    public static bool operator >=(RowId left, RowId right) => left.Value >= right.Value;
}

/// <summary>An invoice. On the wire <c>inv_</c> and a ULID.</summary>
public readonly record struct InvoiceId(UInt128 Value) : IComparable<InvoiceId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "inv_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out InvoiceId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(InvoiceId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(InvoiceId left, InvoiceId right) => left.Value < right.Value;

    public static bool operator >(InvoiceId left, InvoiceId right) => left.Value > right.Value;

    public static bool operator <=(InvoiceId left, InvoiceId right) => left.Value <= right.Value;

    public static bool operator >=(InvoiceId left, InvoiceId right) => left.Value >= right.Value;
}

/// <summary>A credit note. On the wire <c>crn_</c> and a ULID.</summary>
public readonly record struct CreditNoteId(UInt128 Value) : IComparable<CreditNoteId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "crn_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out CreditNoteId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(CreditNoteId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(CreditNoteId left, CreditNoteId right) => left.Value < right.Value;

    public static bool operator >(CreditNoteId left, CreditNoteId right) => left.Value > right.Value;

    public static bool operator <=(CreditNoteId left, CreditNoteId right) => left.Value <= right.Value;

    public static bool operator >=(CreditNoteId left, CreditNoteId right) => left.Value >= right.Value;
}

/// <summary>An endpoint that messages are sent to. On the wire <c>wep_</c> and a ULID.</summary>
public readonly record struct WebhookEndpointId(UInt128 Value) : IComparable<WebhookEndpointId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "wep_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out WebhookEndpointId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(WebhookEndpointId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(WebhookEndpointId left, WebhookEndpointId right) => left.Value < right.Value;

    public static bool operator >(WebhookEndpointId left, WebhookEndpointId right) => left.Value > right.Value;

    public static bool operator <=(WebhookEndpointId left, WebhookEndpointId right) => left.Value <= right.Value;

    public static bool operator >=(WebhookEndpointId left, WebhookEndpointId right) => left.Value >= right.Value;
}

/// <summary>A message to endpoints. On the wire <c>msg_</c> and a ULID.</summary>
public readonly record struct WebhookMessageId(UInt128 Value) : IComparable<WebhookMessageId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "msg_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out WebhookMessageId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(WebhookMessageId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(WebhookMessageId left, WebhookMessageId right) => left.Value < right.Value;

    public static bool operator >(WebhookMessageId left, WebhookMessageId right) => left.Value > right.Value;

    public static bool operator <=(WebhookMessageId left, WebhookMessageId right) => left.Value <= right.Value;

    public static bool operator >=(WebhookMessageId left, WebhookMessageId right) => left.Value >= right.Value;
}

/// <summary>A message on its way to one endpoint. On the wire <c>whd_</c> and a ULID.</summary>
public readonly record struct WebhookDeliveryId(UInt128 Value) : IComparable<WebhookDeliveryId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "whd_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out WebhookDeliveryId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(WebhookDeliveryId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(WebhookDeliveryId left, WebhookDeliveryId right) => left.Value < right.Value;

    public static bool operator >(WebhookDeliveryId left, WebhookDeliveryId right) => left.Value > right.Value;

    public static bool operator <=(WebhookDeliveryId left, WebhookDeliveryId right) => left.Value <= right.Value;

    public static bool operator >=(WebhookDeliveryId left, WebhookDeliveryId right) => left.Value >= right.Value;
}

/// <summary>A resolver. On the wire <c>rsv_</c> and a ULID.</summary>
public readonly record struct ResolverId(UInt128 Value) : IComparable<ResolverId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "rsv_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out ResolverId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(ResolverId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(ResolverId left, ResolverId right) => left.Value < right.Value;

    public static bool operator >(ResolverId left, ResolverId right) => left.Value > right.Value;

    public static bool operator <=(ResolverId left, ResolverId right) => left.Value <= right.Value;

    public static bool operator >=(ResolverId left, ResolverId right) => left.Value >= right.Value;
}

/// <summary>What a resolver was sent. On the wire <c>rdl_</c> and a ULID.</summary>
public readonly record struct HookDeliveryId(UInt128 Value) : IComparable<HookDeliveryId>
{
    /// <summary>The prefix on the wire.</summary>
    public const string Prefix = "rdl_";

    /// <summary>Reads the wire form.</summary>
    public static bool TryParse(string? text, out HookDeliveryId id)
    {
        var ok = UlidText.TryParse(text, Prefix, out var value);
        id = new(value);
        return ok;
    }

    /// <inheritdoc/>
    public int CompareTo(HookDeliveryId other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => UlidText.Format(Prefix, Value);

    public static bool operator <(HookDeliveryId left, HookDeliveryId right) => left.Value < right.Value;

    public static bool operator >(HookDeliveryId left, HookDeliveryId right) => left.Value > right.Value;

    public static bool operator <=(HookDeliveryId left, HookDeliveryId right) => left.Value <= right.Value;

    public static bool operator >=(HookDeliveryId left, HookDeliveryId right) => left.Value >= right.Value;
}
