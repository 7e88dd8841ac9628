using System.Globalization;
using Rev.Domain.Common;

namespace Rev.Domain.Webhooks;

/// <summary>One thing that happened, as it is told to every endpoint that asks for it. Immutable.</summary>
/// <param name="Id">Its id; the same at every try and every endpoint, so that a receiver knows it again.</param>
/// <param name="Tenant">Whose it is.</param>
/// <param name="Type">What happened.</param>
/// <param name="Sequence">Rises with the order in which a process wrote what it tells; at most 2⁵³, so that every JSON reader keeps it exact.</param>
/// <param name="CreatedAt">When it counts: the commit of what it tells.</param>
/// <param name="Data">What it tells, in JSON.</param>
public sealed record WebhookMessage(WebhookMessageId Id, Tenant Tenant, string Type, long Sequence, DateTimeOffset CreatedAt, string Data)
{
    /// <summary>The body: the same bytes at every try.</summary>
    public string Body() => string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"id":"{{Id}}","type":"{{Type}}","timestamp":"{{CreatedAt.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'}}","sequence":{{Sequence}},"mode":"{{Name(Tenant.Mode)}}","data":{{Data}}}""");

    private static string Name(Mode mode) => mode switch { Mode.Live => "live", Mode.Test => "test" };
}
