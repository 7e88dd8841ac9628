using System.Text;
using System.Text.Json.Nodes;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Customers;

/// <summary>After an erasure nothing that names a person is in any column of any table.</summary>
public sealed class ErasureTests(Apps apps) : IClassFixture<Apps>
{
    private const string Planted = "planted";

    [Theory, EachProvider]
    public async Task Nothing_that_names_a_person_is_left_in_any_table(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await Plant(app, live);
        (await Found(app)).ShouldBe(
        [
            "calls.metadata", "customers.email", "customers.metadata", "customers.name", "customers.stripe_customer_id",
            "ledger_entries.reason", "outcomes.metadata", "outcomes.reversal_reason", "outcomes.trace",
        ], "The test must find what it plants.");

        (await live.Post("/v1/customers/acme/erase")).Is(200);
        app.Clock.Advance(TimeSpan.FromDays(30));
        await app.Sweep();
        (await app.FinishErasures()).ShouldBe(1);

        (await Found(app)).ShouldBeEmpty();
        (await app.Query("SELECT SUM(amount_nanos) AS total FROM ledger"))[0].Long("total").ShouldBe(Rows.Nanos("2.07"));
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task The_reason_of_a_reversal_goes_and_its_amount_stays(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var mine = await live.Meter(Bodies.Call().With("customer_id", "acme"));
        var other = await live.Meter(Bodies.Call().With("customer_id", "other"));
        (await live.Reverse(mine["outcome_id"]!, "Jane Roe complained")).Is(200);
        (await live.Reverse(other["outcome_id"]!, "John Doe complained")).Is(200);

        (await live.Post("/v1/customers/acme/erase")).Is(200);

        const string left = "reversed; the reason was erased";
        var erased = (await live.Event(mine["event_id"]!)).Is(200);
        erased["ledger.3.reason"].ShouldBe(left);
        erased["ledger.3.amount"].ShouldBe("-0.0025");
        erased["price_charged"].ShouldBe("0.00962");
        (await live.Outcome(mine["outcome_id"]!)).Is(200).Array("transitions")[^1]!["reason"]!.GetValue<string>().ShouldBe(left);
        (await live.Reverse(mine["outcome_id"]!, "again")).Is(200)["reversed_amount"].ShouldBe("0.0025");
        (await live.Event(other["event_id"]!)).Is(200)["ledger.3.reason"].ShouldBe("John Doe complained");
        await app.RollupsAddUp();
    }

    /// <summary>Every field that takes a text of the caller's, on calls in every status.</summary>
    private static async Task Plant(RevApp app, Caller live)
    {
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"somebody","when":{"field":"metadata.who","op":"exists"},"amount":"1"}]
            """)).With("pending", JsonNode.Parse("""{"expires_after":"P1D","on_expiry":{"bonus":"as_success"}}""")))).Is(200);
        (await live.Put("/v1/customers/acme", new
        {
            name = $"{Planted} name", email = $"{Planted}@acme.example", stripe_customer_id = $"cus_{Planted}", metadata = new { contact = $"{Planted} contact" },
        })).Is(201);
        var call = Bodies.Call().With("customer_id", "acme").With("metadata", new JsonObject { ["who"] = $"{Planted} who" });
        foreach (var outcome in new[] { "success", "failure", null }) await live.Meter(call.With("outcome", outcome), ("Idempotency-Key", $"{Planted} {outcome}"));
        var reversed = await live.Meter(call);
        (await live.Reverse(reversed["outcome_id"]!, $"{Planted} reason")).Is(200);
        var resolved = await live.Meter(call.With("outcome", "pending"));
        (await live.Resolve(resolved["outcome_id"]!, "success", new { who = $"{Planted} reply" })).Is(200);
        (await live.Reverse(resolved["outcome_id"]!, $"{Planted} second reason")).Is(200);
        await live.Meter(call.With("outcome", "pending"));
        await live.Meter(call.With("outcome", "pending").Without("metadata"));
    }

    /// <summary>The columns in which a planted text is, of all tables of the database.</summary>
    private static async Task<List<string>> Found(RevApp app)
    {
        var tables = await app.Query(app.Database.Provider == Provider.Sqlite
            ? "SELECT name AS TABLE_NAME FROM sqlite_master WHERE type = 'table'"
            : "SELECT TABLE_NAME FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA IN ('public', 'dbo')");
        tables.Count.ShouldBeGreaterThan(15);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var table in tables.Select(row => row.Text("table_name")))
            foreach (var row in await app.Query($"SELECT * FROM \"{table}\""))
                foreach (var (column, value) in row)
                {
                    var text = value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : value?.ToString() ?? "";
                    if (text.Contains(Planted, StringComparison.OrdinalIgnoreCase)) found.Add($"{table}.{column}");
                }
        return [.. found];
    }
}
