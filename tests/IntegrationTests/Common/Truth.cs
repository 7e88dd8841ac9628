using System.Globalization;
using System.Numerics;
using Rev.Infrastructure.Common;

namespace Rev.IntegrationTests.Common;

/// <summary>All that happened, one by one, read past the application from calls, outcomes and ledger entries.</summary>
public sealed class Truth
{
    private readonly List<Fact> _facts = [];

    /// <summary>One amount or count, and when it counts.</summary>
    public sealed record Fact(DateTimeOffset At, string Currency, string Customer, string Agent, string Action, string What, BigInteger Value);

    public IReadOnlyList<Fact> Facts => _facts;

    /// <summary>The amounts among them.</summary>
    public static bool IsAmount(string what) => what is "base" or "tokens" or "outcome" or "reversal";

    public static async Task<Truth> Of(RevApp app)
    {
        var truth = new Truth();
        var calls = new Dictionary<string, Dictionary<string, object?>>(StringComparer.Ordinal);
        foreach (var call in await app.Query("SELECT * FROM calls"))
        {
            calls[call.Text("id")] = call;
            truth.Add(call, call["effective_at"], "calls", 1);
            truth.Add(call, call["effective_at"], "tokens_input", call.Long("tokens_input"));
            truth.Add(call, call["effective_at"], "tokens_output", call.Long("tokens_output"));
            truth.Add(call, call["effective_at"], "base", call.Long("base_nanos"));
            truth.Add(call, call["effective_at"], "tokens", call.Long("token_nanos"));
            truth.Add(call, call["effective_at"], "outcome", call.Long("bonus_nanos"));
            if (call.Long("bonus_nanos") != 0) truth.Add(call, call["effective_at"], "bonuses", 1);
            if (call.Long("outcome") == 1 && call["settles_at"] is null) truth.Add(call, call["effective_at"], "successes", 1);
            if (call.Long("outcome") == 2) truth.Add(call, call["effective_at"], "failures", 1);
            if (call.Long("outcome") == 3) truth.Add(call, call["effective_at"], "pending", 1);
        }
        foreach (var entry in await app.Query("SELECT * FROM ledger_entries"))
        {
            var given = entry.Long("amount_nanos") >= 0;
            truth.Add(entry, entry["effective_at"], given ? "outcome" : "reversal", entry.Long("amount_nanos"));
            truth.Add(entry, entry["effective_at"], given ? "bonuses" : "reversed", 1);
        }
        foreach (var outcome in await app.Query("SELECT * FROM outcomes"))
        {
            var call = calls[outcome.Text("id")];
            var result = outcome["result"] is null ? 0 : outcome.Long("result");
            if (outcome["decided_effective_at"] is { } decided && result == 2) truth.Add(call, decided, "failures", 1);
            if (outcome["decided_effective_at"] is { } won && result == 1 && outcome["settles_at"] is null) truth.Add(call, won, "successes", 1);
            if (outcome["closed_effective_at"] is { } closed) truth.Add(call, closed, result == 1 ? "successes" : "expired", 1);
        }
        return truth;
    }

    /// <summary>The sum of a sort of facts.</summary>
    public static BigInteger Sum(IEnumerable<Fact> facts, string what) => facts.Where(f => f.What == what).Aggregate(BigInteger.Zero, (sum, f) => sum + f.Value);

    /// <summary>An amount as the wire writes it.</summary>
    public static string Amount(BigInteger nanos)
    {
        var text = BigInteger.Abs(nanos).ToString(CultureInfo.InvariantCulture).PadLeft(10, '0');
        var trimmed = $"{text[..^9]}.{text[^9..]}".TrimEnd('0').TrimEnd('.');
        return nanos.Sign < 0 ? "-" + trimmed : trimmed;
    }

    private void Add(Dictionary<string, object?> row, object? at, string what, BigInteger value)
    {
        if (value.IsZero) return;
        var instant = Micros.ToInstant(Convert.ToInt64(at, CultureInfo.InvariantCulture));
        _facts.Add(new(instant, row.Text("currency"), row.Text("customer_id"), row.Text("agent_id"), row.Text("action"), what, value));
    }
}
