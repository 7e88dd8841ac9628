using Rev.Domain.Common;

namespace Rev.Domain.Accounts;

/// <summary>An e-mail address as an account knows it: trimmed; compared case-blind.</summary>
public readonly record struct EmailAddress
{
    /// <summary>Longest address, in characters. Source: RFC 5321.</summary>
    public const int MaxLength = 254;

    /// <summary>The rule that <see cref="TryParse"/> holds a text to.</summary>
    public const string Rule = "must be an e-mail address";

    private EmailAddress(string value) => Value = value;

    /// <summary>As given, trimmed.</summary>
    public string Value { get; }

    /// <summary>The form that is compared.</summary>
    public string Normalized => Value.ToLowerInvariant();

    /// <summary>Whether a mail can get there: the domain invalid is reserved so that none does. Source: RFC 2606.</summary>
    public bool GetsMail => !Normalized.EndsWith(".invalid", StringComparison.Ordinal);

    /// <summary>Reads an address: one @, something before it, a domain with a dot or localhost after it, nothing that could end a header line.</summary>
    public static bool TryParse(string? text, out EmailAddress email)
    {
        email = default;
        var trimmed = text?.Trim();
        if (trimmed is null or { Length: 0 or > MaxLength }) return false;
        var at = trimmed.IndexOf('@', StringComparison.Ordinal);
        if (at is <= 0 or > 64 || at != trimmed.LastIndexOf('@')) return false;
        var (local, domain) = (trimmed[..at], trimmed[(at + 1)..]);
        if (local.StartsWith('.') || local.EndsWith('.') || local.Contains("..", StringComparison.Ordinal)) return false;
        if (!local.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~.".Contains(c, StringComparison.Ordinal))) return false;
        var labels = domain.Split('.');
        if (labels.Length < 2 && domain != "localhost") return false;
        if (!labels.All(l => l.Length is > 0 and <= 63 && l[0] != '-' && l[^1] != '-' && l.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))) return false;
        email = new(trimmed);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>The business that signed up to Rev, the builder of agents.</summary>
public sealed class Account
{
    /// <summary>Longest company name, in characters.</summary>
    public const int MaxCompanyLength = 200;

    private Account(AccountId id, string email, string normalizedEmail, string? company, string currency, DateTimeOffset createdAt)
    {
        Id = id;
        Email = email;
        NormalizedEmail = normalizedEmail;
        Company = company;
        Currency = currency;
        CreatedAt = createdAt;
    }

    /// <summary>Its id.</summary>
    public AccountId Id { get; private set; }

    /// <summary>Where mails go.</summary>
    public string Email { get; private set; }

    /// <summary>The address as it is compared; unique.</summary>
    public string NormalizedEmail { get; private set; }

    /// <summary>The company's name, if given.</summary>
    public string? Company { get; private set; }

    /// <summary>ISO 4217 code of new tiers that name none.</summary>
    public string Currency { get; private set; }

    /// <summary>When it signed up.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>A new account.</summary>
    public static Account SignUp(AccountId id, EmailAddress email, string? company, Currency currency, DateTimeOffset now) =>
        new(id, email.Value, email.Normalized, company, currency.Code, now);

    /// <summary>Names the company; null clears.</summary>
    public void Rename(string? company) => Company = company;

    /// <summary>Sets the currency of new tiers; those there are keep theirs.</summary>
    public void Bill(Currency currency) => Currency = currency.Code;
}

/// <summary>Refusals of Accounts.</summary>
public static class AccountErrors
{
    /// <summary>No key, or one that is unknown, revoked or expired.</summary>
    public static readonly Error NoKey =
        new("auth.invalid_key", ErrorKind.Unauthenticated, "Send a valid API key as 'Authorization: Bearer rg_live_…' or 'rg_test_…'.");

    /// <summary>The key may not do this.</summary>
    public static Error MissingScope(string scope) =>
        new("auth.missing_scope", ErrorKind.Forbidden, $"The API key lacks the scope {scope}.");

    /// <summary>No key of that id.</summary>
    public static readonly Error KeyNotFound = new("api_key.not_found", ErrorKind.NotFound, "There is no such API key.");

    /// <summary>A revoked key cannot be rotated.</summary>
    public static readonly Error KeyRevoked = new("api_key.revoked", ErrorKind.Conflict, "The API key is revoked.");

    /// <summary>Keys of one mode manage that mode's.</summary>
    public static readonly Error WrongMode =
        new("api_key.wrong_mode", ErrorKind.Forbidden, "A test key manages test keys only.");

    /// <summary>A link that is unknown, used or too old.</summary>
    public static readonly Error LinkUsed =
        new("link.invalid", ErrorKind.NotFound, "The link is unknown, was used, or is older than an hour. Sign up again to get a new one.");
}
