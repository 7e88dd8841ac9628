using Rev.Api.Common;
using Rev.Application.Accounts;
using Rev.Application.Common;

namespace Rev.Api.Accounts;

/// <summary>What the reference says of sign-up and keys.</summary>
internal static class AccountsDocs
{
    private const string Tag = "Sign-up and keys";

    private const string Account = """
        {"id":"acc_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","email":"you@example.com","company":"Example Ltd","currency":"usd","created_at":"2026-11-23T12:00:00Z","default_tier":"default"}
        """;

    private const string Key = """
        {"id":"key_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","name":"backend","mode":"live","scopes":["meter:write","outcomes:write"],"hint":"rg_live_Ab3d","created_at":"2026-11-23T12:00:00Z","expires_at":null,"revoked_at":null}
        """;

    private const string Issued = """
        {"id":"key_01KA9Z3Y5W7V1T0R2Q4P6N8M0K","name":"backend","mode":"live","scopes":["meter:write","outcomes:write"],"hint":"rg_live_Ab3d","created_at":"2026-11-23T12:00:00Z","expires_at":null,"revoked_at":null,"secret":"rg_live_…"}
        """;

    public static readonly Doc SignUp = new(Tag, "sign_up", "Sign up", """
        Opens an account and mails a live and a test key to the address. A known address gets no second account, but a mail with a link to a page that shows a new key.
        The answer is the same either way. At most 5 sign-ups an hour per e-mail address and 30 per network address.
        """)
    {
        Request = typeof(SignUpRequest),
        RequestExample = """{"email":"you@example.com","company":"Example Ltd"}""",
        Answers = [(202, typeof(SignUpReceipt), "The mail is on its way.")],
        AnswerExample = """{"message":"Check your inbox: your API key is on its way."}""",
    };

    public static readonly Doc Get = new(Tag, "get_account", "Get the account", "The account of the key, the same in live and test mode.")
    {
        Answers = [(200, typeof(AccountDetails), "The account.")], AnswerExample = Account,
    };

    public static readonly Doc Change = new(Tag, "change_account", "Change the account", "What is absent or null stays. The currency is that of new tiers which name none; tiers that are there keep theirs.")
    {
        Request = typeof(ChangeAccountRequest), RequestExample = """{"company":"Example Ltd","currency":"eur"}""",
        Answers = [(200, typeof(AccountDetails), "The account as it is now.")], AnswerExample = Account,
    };

    public static readonly Doc ListKeys = new(Tag, "list_api_keys", "List API keys", "Newest first, revoked ones too, never their secrets. A test key sees test keys only.")
    {
        IsList = true, Answers = [(200, typeof(Page<ApiKeyDetails>), "A page of keys.")], AnswerExample = $$"""{"data":[{{Key}}],"next_cursor":null}""",
    };

    public static readonly Doc IssueKey = new(Tag, "issue_api_key", "Make an API key", """
        The secret is in this answer only; Rev keeps a keyed hash of it. With an Idempotency-Key a repeat within 24 hours makes no second key, and its secret is null.
        """)
    {
        Request = typeof(IssueApiKeyRequest), RequestExample = """{"name":"backend","mode":"live","scopes":["meter:write","outcomes:write"]}""",
        IsIdempotent = true, Errors = ["api_key.wrong_mode", "idempotency.key_reused", "service.overloaded"],
        Answers = [(201, typeof(IssuedApiKey), "The key with its secret.")], AnswerExample = Issued,
    };

    public static readonly Doc RotateKey = new(Tag, "rotate_api_key", "Rotate an API key", """
        Makes a key with the same name, mode and scopes that takes the old one's place. The old one works on for the grace, by default not at all.
        """)
    {
        Request = typeof(RotateApiKeyRequest), RequestIsOptional = true, RequestExample = """{"grace":"PT1H"}""",
        Errors = ["api_key.not_found", "api_key.revoked"],
        Answers = [(201, typeof(IssuedApiKey), "The new key with its secret.")], AnswerExample = Issued,
    };

    public static readonly Doc RevokeKey = new(Tag, "revoke_api_key", "Revoke an API key", "Ends the key for good, on every server within five seconds. A repeat changes nothing.")
    {
        Errors = ["api_key.not_found"], Answers = [(200, typeof(ApiKeyDetails), "The key as it is now.")],
        AnswerExample = Key.Replace("\"revoked_at\":null", "\"revoked_at\":\"2026-11-24T08:00:00Z\"", StringComparison.Ordinal),
    };
}
