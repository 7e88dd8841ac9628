using System.Globalization;
using System.Text;
using MediatR;
using Microsoft.AspNetCore.Http;
using Rev.Application.Analytics;
using Rev.Application.Common;
using Rev.Domain.Common;
using Rev.Web.Accounts;
using Rev.Web.Common;

namespace Rev.Web.Revenue;

/// <summary>The series of the revenue page as a file: CSV (RFC 4180), amounts exact.</summary>
public static class RevenueCsv
{
    /// <summary>The columns: the fields of a row of <c>GET /v1/analytics/revenue</c>, and the currency.</summary>
    public const string Columns =
        "start,group,calls,tokens_input,tokens_output,base_fees,token_charges,outcome_bonuses,reversals,revenue,successes,failures,pending,expired,currency";

    private const string MediaType = "text/csv; charset=utf-8; header=present";

    /// <summary>Answers the file; whoever asks for one that cannot be made is led to the page, which says why.</summary>
    internal static async Task<IResult> Download(HttpContext http, IMediator mediator, TimeProvider clock, CancellationToken token)
    {
        var mode = AppPath.ModeOf(http.Request.Path) ?? Mode.Live;
        var visitor = http.Visitor() ?? throw new InvalidOperationException("The file does not ask for a session.");
        var form = RevenueForm.Read(http.Request.Query, clock.Now());
        if (form.Problem is null)
        {
            var series = await mediator.Send(RevenueBoard.Question(visitor.In(mode).Tenant, form), token);
            if (series.IsSuccess)
            {
                http.Response.Headers.CacheControl = "no-store";
                return Results.File(Encoding.UTF8.GetBytes(Write(series.Value)), MediaType, FileName(form, series.Value));
            }
        }
        return Results.LocalRedirect($"{AppPath.Root(mode)}/revenue{http.Request.QueryString.ToUriComponent()}");
    }

    /// <summary>The text of the file.</summary>
    public static string Write(RevenueSeries series)
    {
        var text = new StringBuilder(Columns).Append("\r\n");
        foreach (var b in series.Data)
        {
            text.Append(SlotText.Instant(b.Start)).Append(',').Append(Text(b.Group ?? "")).Append(',')
                .Append(CultureInfo.InvariantCulture, $"{b.Calls},{b.TokensInput},{b.TokensOutput},")
                .Append(CultureInfo.InvariantCulture, $"{b.BaseFees},{b.TokenCharges},{b.OutcomeBonuses},{b.Reversals},{b.Revenue},")
                .Append(CultureInfo.InvariantCulture, $"{b.Successes},{b.Failures},{b.Pending},{b.Expired},{series.Currency}\r\n");
        }
        return text.ToString();
    }

    /// <summary>A text that a spreadsheet takes for a text: one that could be a formula gets an apostrophe before it.</summary>
    public static string Text(string value)
    {
        var formula = value.Length > 0 && value[0] is '=' or '+' or '-' or '@' or '\t' or '\r';
        if (!formula && !value.AsSpan().ContainsAny(",\"\r\n")) return value;
        return $"\"{(formula ? "'" : "")}{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string FileName(RevenueForm form, RevenueSeries series) =>
        $"revenue-by-{form.GroupBy}-{RevenueForm.Written(form.First)}-{RevenueForm.Written(form.Last)}-{series.Currency}.csv";
}
