using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Rev.Api.Common;
using Rev.Application.Billing;

namespace Rev.Api.Billing;

/// <summary>
/// A statement's entries as CSV (RFC 4180), written while they are read. A failure on the way cuts the connection: what
/// arrives with its end is whole.
/// </summary>
internal sealed class StatementCsv(StatementEntries statement) : IResult
{
    /// <summary>The media type.</summary>
    public const string MediaType = "text/csv";

    /// <summary>The columns.</summary>
    public const string Columns = "service_at,effective_at,event_id,outcome_id,agent_id,action,component,quantity,amount,currency";

    private const int FlushAt = 32 * 1024;

    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var (response, token) = (httpContext.Response, httpContext.RequestAborted);
        await using var entries = statement.Entries.GetAsyncEnumerator(token);
        // Read before anything is written: a store that is away can still be told.
        var more = await entries.MoveNextAsync();
        response.ContentType = $"{MediaType}; charset=utf-8; header=present";
        response.Headers.ContentDisposition = $"attachment; filename=\"{FileName(statement)}\"";
        response.Headers.CacheControl = "no-store";
        var text = new StringBuilder(FlushAt + 1024).Append(Columns).Append("\r\n");
        while (more)
        {
            Append(text, entries.Current);
            if (text.Length >= FlushAt) await Flush(response.BodyWriter, text, token);
            more = await entries.MoveNextAsync();
        }
        await Flush(response.BodyWriter, text, token);
    }

    /// <summary>The name that the file is offered under.</summary>
    public static string FileName(StatementEntries statement)
    {
        var customer = string.Concat(statement.CustomerId.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' ? c : '_'));
        return string.Create(CultureInfo.InvariantCulture, $"statement-{customer}-{statement.From.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}-{statement.To.UtcDateTime:yyyyMMdd'T'HHmmss'Z'}.csv");
    }

    /// <summary>A text that a spreadsheet takes for a text: one that could be a formula gets an apostrophe before it.</summary>
    public static string Text(string value)
    {
        var formula = value.Length > 0 && value[0] is '=' or '+' or '-' or '@' or '\t' or '\r';
        if (!formula && !value.AsSpan().ContainsAny(",\"\r\n")) return value;
        return $"\"{(formula ? "'" : "")}{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static void Append(StringBuilder text, in StatementEntry e) => text
        .Append(InstantConverter.Format(e.ServiceAt)).Append(',').Append(InstantConverter.Format(e.EffectiveAt)).Append(',')
        .Append(e.EventId.ToString()).Append(',').Append(e.OutcomeId?.ToString()).Append(',')
        .Append(Text(e.AgentId)).Append(',').Append(Text(e.Action)).Append(',')
        .Append(JsonNamingPolicy.SnakeCaseLower.ConvertName(e.Component.ToString())).Append(',')
        .Append(e.Quantity).Append(',').Append(e.Amount.ToString()).Append(',').Append(e.Amount.Currency.Code).Append("\r\n");

    private static async ValueTask Flush(PipeWriter writer, StringBuilder text, CancellationToken token)
    {
        foreach (var chunk in text.GetChunks())
        {
            var bytes = Encoding.UTF8.GetBytes(chunk.Span, writer.GetSpan(Encoding.UTF8.GetMaxByteCount(chunk.Length)));
            writer.Advance(bytes);
        }
        text.Clear();
        await writer.FlushAsync(token);
        token.ThrowIfCancellationRequested();
    }
}
