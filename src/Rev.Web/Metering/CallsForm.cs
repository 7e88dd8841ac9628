using System.Globalization;
using Microsoft.AspNetCore.Http;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Metering;

/// <summary>Which calls are asked for, as the address of their list says. Days are whole days (UTC); instants are taken as they are.</summary>
public sealed record CallsForm
{
    private const string DayFormat = "yyyy-MM-dd";

    private CallsForm()
    {
    }

    /// <summary>Only of this agent.</summary>
    public string? AgentId { get; private init; }

    /// <summary>Only of this customer.</summary>
    public string? CustomerId { get; private init; }

    /// <summary>Only of this action.</summary>
    public string? Action { get; private init; }

    /// <summary>Only with this outcome at the call.</summary>
    public string? Outcome { get; private init; }

    /// <summary>The first day, or from when on.</summary>
    public string? From { get; private init; }

    /// <summary>The last day, or until when.</summary>
    public string? To { get; private init; }

    /// <summary>Where the last page ended.</summary>
    public string? Cursor { get; private init; }

    /// <summary>Whether anything is asked for but the newest.</summary>
    public bool IsFiltered => (AgentId ?? CustomerId ?? Action ?? Outcome ?? From ?? To) is not null;

    /// <summary>Reads an address.</summary>
    public static CallsForm Read(IQueryCollection query) => new()
    {
        AgentId = query.LineOrNull("agent_id") ?? query.LineOrNull("agent"),
        CustomerId = query.LineOrNull("customer_id") ?? query.LineOrNull("customer"),
        Action = query.LineOrNull("action"),
        Outcome = query.LineOrNull("outcome"),
        From = query.LineOrNull("from"),
        To = query.LineOrNull("to"),
        Cursor = query.LineOrNull("cursor"),
    };

    /// <summary>The question, or what is wrong with the times.</summary>
    public Result<ListEvents> ToQuery(Tenant tenant)
    {
        var problems = new List<FieldError>();
        var (from, to) = (Instant("from", From, isEnd: false, problems), Instant("to", To, isEnd: true, problems));
        return problems.Count > 0
            ? Error.Invalid(problems)
            : new ListEvents(tenant, AgentId, CustomerId, Action, Outcome, from, to, new(PageRequest.DefaultLimit, Cursor));
    }

    /// <summary>Whether a text may stand in a field for days.</summary>
    public static bool IsDay(string? text) => text is null || DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _);

    private static DateTimeOffset? Instant(string field, string? text, bool isEnd, List<FieldError> problems)
    {
        if (text is null) return null;
        if (DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) && day < DateOnly.MaxValue)
            return new(day.AddDays(isEnd ? 1 : 0).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
        if (JsonFields.TryInstant(text, out var instant)) return instant;
        problems.Add(new(field, "must be a day, such as 2026-11-23, or an instant of RFC 3339"));
        return null;
    }
}
