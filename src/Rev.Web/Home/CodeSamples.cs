using System.Buffers;
using Rev.Domain.Common;
using Rev.Domain.Pricing;

namespace Rev.Web.Home;

/// <summary>One way to write the first call.</summary>
/// <param name="Key">For addresses within the page.</param>
/// <param name="Label">The language.</param>
/// <param name="Hint">How it is run.</param>
/// <param name="Code">The code.</param>
/// <param name="Quotes">What strings begin and end with.</param>
/// <param name="Keywords">Words that stand out.</param>
public sealed record CodeSample(string Key, string Label, string Hint, string Code, string Quotes, IReadOnlyCollection<string> Keywords);

/// <summary>The first call, as the README has it but for its lines, which fit a narrow column; and what comes back.</summary>
public static class CodeSamples
{
    /// <summary>Strings of curl's samples that are coloured.</summary>
    public const string CurlQuotes = "\"";

    /// <summary>Keywords of curl's samples.</summary>
    public static readonly IReadOnlyCollection<string> CurlWords = ["curl"];

    private const string Host = "localhost:5080";

    private static readonly SearchValues<char> Plain = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-");

    /// <summary>The samples for a Rev at this address.</summary>
    public static IReadOnlyList<CodeSample> All(string url) =>
    [
        new("curl", "curl", "In a shell that has the key in KEY", Curl(url), CurlQuotes, CurlWords),
        new("node", "Node", "Saved as meter.mjs, run with KEY=$KEY node meter.mjs", At(url, Node), "'", ["const", "await"]),
        new("python", "Python", "Saved as meter.py, run with KEY=$KEY python3 meter.py", At(url, Python), "\"", ["import", "print"]),
        new("csharp", "C#", "The Program.cs of a console project, run with KEY=$KEY dotnet run", At(url, CSharp), "\"", ["using", "var", "new", "await"]),
    ];

    /// <summary>The sample for curl, which needs no scheme where it is http.</summary>
    public static string Curl(string url)
    {
        const string http = "http://";
        return Shell.Replace(Host, url.StartsWith(http, StringComparison.Ordinal) ? url[http.Length..] : url, StringComparison.Ordinal);
    }

    /// <summary>Takes the newest live key out of the mails in a folder.</summary>
    public static string KeyFrom(string folder)
    {
        var path = folder.AsSpan().ContainsAnyExcept(Plain) ? $"'{folder.Replace("'", "'\\''", StringComparison.Ordinal)}'" : folder;
        return $"KEY=$(grep -ho 'rg_live_[A-Za-z0-9_-]*' {path}/*.eml | tail -1)";
    }

    /// <summary>What the first call is answered, priced under a new account's tier.</summary>
    public static string Answer { get; } = Answered();

    private static string Answered()
    {
        var tier = new TierVersion(TierKey.Default, 1, TierTerms.Starter(Currency.Usd));
        var facts = new CallFacts(new("outreach-agent-v2"), "email.sent", CustomerId.Default, null, 1200, 340, Metadata.Empty);
        var (price, bonus) = (tier.Price(facts), tier.Bonus(facts));
        return $$"""
            {
              "outcome_status": "succeeded",
              "price_charged": "{{price.Total + bonus.Amount}}",
              "currency": "{{tier.Currency}}",
              "price": {
                "base_fee": "{{price.BaseFee}}",
                "token_charge": "{{price.TokenCharge}}",
                "outcome_bonus": "{{bonus.Amount}}",
                "total": "{{price.Total + bonus.Amount}}"
              },
              "bonus": {
                "name": "{{bonus.Name}}",
                "reason": "{{tier.Explain(bonus.Rule, bonus.Reason)}}"
              },
              "tier": { "key": "{{tier.Key}}", "version": {{tier.Number}} }
            }
            """;
    }

    private static string At(string url, string code) => code.Replace("http://" + Host, url, StringComparison.Ordinal);

    private const string Shell = """
        curl -s localhost:5080/v1/meter \
          -H "Authorization: Bearer $KEY" \
          -H 'Content-Type: application/json' -d '{
            "agent_id": "outreach-agent-v2",
            "action": "email.sent",
            "tokens_input": 1200,
            "tokens_output": 340,
            "outcome": "success",
            "metadata": {
              "recipient": "prospect@company.com",
              "campaign": "q2-enterprise"
            }
          }'
        """;

    private const string Node = """
        const answer = await fetch('http://localhost:5080/v1/meter', {
          method: 'POST',
          headers: { Authorization: `Bearer ${process.env.KEY}`, 'Content-Type': 'application/json' },
          body: JSON.stringify({
            agent_id: 'outreach-agent-v2',
            action: 'email.sent',
            tokens_input: 1200,
            tokens_output: 340,
            outcome: 'success',
          }),
        });
        console.log(await answer.json());
        """;

    private const string Python = """
        import os
        import requests

        answer = requests.post(
            "http://localhost:5080/v1/meter",
            headers={"Authorization": f"Bearer {os.environ['KEY']}"},
            json={
                "agent_id": "outreach-agent-v2",
                "action": "email.sent",
                "tokens_input": 1200,
                "tokens_output": 340,
                "outcome": "success"
            },
        )
        print(answer.json())
        """;

    private const string CSharp = """
        using System.Net.Http.Headers;
        using System.Net.Http.Json;

        using var http = new HttpClient { BaseAddress = new Uri("http://localhost:5080") };
        http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", Environment.GetEnvironmentVariable("KEY"));
        var answer = await http.PostAsJsonAsync("/v1/meter", new
        {
            agent_id = "outreach-agent-v2",
            action = "email.sent",
            tokens_input = 1200,
            tokens_output = 340,
            outcome = "success",
        });
        Console.WriteLine(await answer.Content.ReadAsStringAsync());
        """;
}
