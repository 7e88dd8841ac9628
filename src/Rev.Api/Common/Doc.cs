using System.Globalization;
using Rev.Application.Common;

namespace Rev.Api.Common;

/// <summary>What the reference says of an operation.</summary>
/// <param name="Tag">The section it stands in.</param>
/// <param name="Id">The operation's id.</param>
/// <param name="Summary">A few words.</param>
/// <param name="Description">What to know before calling it.</param>
internal sealed record Doc(string Tag, string Id, string Summary, string Description)
{
    /// <summary>The body's type; null when it takes none.</summary>
    public Type? Request { get; init; }

    /// <summary>As what it takes the body.</summary>
    public string[] RequestMediaTypes { get; init; } = ["application/json"];

    /// <summary>Whether the body may be absent.</summary>
    public bool RequestIsOptional { get; init; }

    /// <summary>A body, in JSON; of a batch of events, one of them.</summary>
    public string? RequestExample { get; init; }

    /// <summary>What it answers with, by status.</summary>
    public (int Status, Type Type, string Description)[] Answers { get; init; } = [];

    /// <summary>As what it answers.</summary>
    public string[] MediaTypes { get; init; } = ["application/json"];

    /// <summary>An answer, in JSON.</summary>
    public string? AnswerExample { get; init; }

    /// <summary>An answer as text/csv; null when it is never that.</summary>
    public string? CsvExample { get; init; }
    /// <summary>An answer as server-sent events.</summary>
    public string? StreamExample { get; init; }

    /// <summary>Codes of its own, beside those that all operations of its kind have.</summary>
    public string[] Errors { get; init; } = [];

    /// <summary>Whether it is a list: then limit and cursor are parameters.</summary>
    public bool IsList { get; init; }

    /// <summary>Further query parameters.</summary>
    public (string Name, string Description, string[]? Values)[] Query { get; init; } = [];

    /// <summary>Whether the header Idempotency-Key counts.</summary>
    public bool IsIdempotent { get; init; }

    /// <summary>Every code that it can answer with.</summary>
    public IEnumerable<string> Codes(Access? access)
    {
        IEnumerable<string> codes = [.. Errors, "rate.limited", "internal.error", "service.unavailable"];
        if (access is not null) codes = codes.Concat(["auth.invalid_key", "auth.missing_scope"]);
        if (Request is not null)
            codes = codes.Concat(["body.invalid_utf8", "body.malformed_json", "body.nul_character", "body.too_large", "body.unsupported_type", "request.invalid"]);
        if (IsList || IsIdempotent) codes = codes.Append("request.invalid");
        return codes.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
    }
}

/// <summary>Puts docs on routes.</summary>
internal static class Docs
{
    /// <summary>Documents a route.</summary>
    public static void Document(this RouteHandlerBuilder route, Doc doc)
    {
        route.WithName(doc.Id).WithTags(doc.Tag).WithSummary(doc.Summary).WithDescription(doc.Description).WithMetadata(doc);
        foreach (var (status, type, description) in doc.Answers)
            route.WithMetadata(new ProducesResponseTypeMetadata(status, type, doc.MediaTypes) { Description = description });
        route.Finally(builder =>
        {
            var access = builder.Metadata.OfType<Access>().FirstOrDefault();
            foreach (var status in doc.Codes(access).Select(c => ErrorCatalog.Of(c).Status).Distinct().Order())
                builder.Metadata.Add(new ProducesResponseTypeMetadata(status, typeof(Problem), [Problems.MediaType]));
        });
    }

    /// <summary>What a page of a list holds by default, for descriptions.</summary>
    public static readonly string Limit = string.Create(CultureInfo.InvariantCulture, $"Items of a page, 1 to {PageRequest.MaxLimit}; default {PageRequest.DefaultLimit}.");
}
