using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

/// <summary>Months in the past with calls of every kind, for the tests of archive and partitions.</summary>
internal static class ArchiveMonths
{
    /// <summary>A month that is over for long, and whose successes can no longer be reversed.</summary>
    public static ArchiveMonth Closed { get; } = ArchiveMonth.Of(TimeProvider.System.GetUtcNow().AddDays(-130));

    /// <summary>Puts the clock to an instant.</summary>
    public static void At(this RevApp app, DateTimeOffset at) => app.Clock.Advance(at - app.Clock.Now);

    /// <summary>Puts the clock right.</summary>
    public static void Today(this RevApp app) => app.At(TimeProvider.System.GetUtcNow());

    public static MonthArchive Archive(this RevApp app) => app.Services.GetRequiredService<MonthArchive>();

    /// <summary>What <c>--verify</c> finds: nothing.</summary>
    public static async Task IsVerified(this RevApp app)
    {
        (await app.Services.GetRequiredService<StoreAdmin>().Verify(CancellationToken.None)).ShouldBeEmpty();
        await app.RollupsAddUp();
    }

    /// <summary>All rows of a query, as texts, in the order of the texts.</summary>
    public static async Task<List<string>> Dump(this RevApp app, string table)
    {
        var rows = await app.Query($"SELECT * FROM {table}");
        return [.. rows.Select(row => string.Join('|', row.Keys.Order(StringComparer.Ordinal).Select(column => $"{column}={row.Text(column)}"))).Order(StringComparer.Ordinal)];
    }

    /// <summary>How many calls of a month the database holds.</summary>
    public static async Task<int> CallsOf(this RevApp app, ArchiveMonth month)
    {
        await using var db = app.Services.GetRequiredService<StoreFactory>().Create();
        var (from, to) = (new CallId(month.From), new CallId(month.To));
        return await db.Calls.CountAsync(c => c.Id >= from && c.Id < to);
    }

    /// <summary>Calls with every outcome in the middle of a month, all closed; for two tenants.</summary>
    public static async Task<Caller> Fill(this RevApp app, ArchiveMonth month)
    {
        app.At(month.Start.AddDays(10));
        var account = await app.SignUpAsync();
        var live = account.Live;
        (await live.Put("/v1/tiers/default", Bodies.Tier().With("outcome_bonuses", JsonNode.Parse("""
            [{"name":"who","when":{"field":"metadata.who","op":"exists"},"amount":"1"},{"name":"any","amount":"0.5"}]
            """)).With("pending", JsonNode.Parse("""{"expires_after":"P2D","on_expiry":{"bonus":"as_success"}}""")))).Is(200);
        (await live.Put("/v1/tiers/reviewed", Bodies.Tier().With("review_window", "P1D"))).Is(201);
        (await live.Put("/v1/agents/reviewed", new { tier = "reviewed" })).Is(201);
        await account.Test.Meter(Bodies.Call());
        var call = Bodies.Call().With("metadata", JsonNode.Parse("""{"who":"a, \"quoted\" ü\r\n,line","empty":""}""")).With("model", " a model, with a comma ");
        foreach (var outcome in new[] { "success", "failure", null }) await live.Meter(call.With("outcome", outcome), ("Idempotency-Key", $"first {outcome}"));
        await live.Meter(call.With("agent_id", "reviewed"));
        var reversed = await live.Meter(call);
        (await live.Reverse(reversed["outcome_id"]!, "because, \"well\"")).Is(200);
        foreach (var result in new[] { "success", "failure" })
        {
            var pending = await live.Meter(call.With("outcome", "pending"));
            app.Clock.Advance(TimeSpan.FromHours(2));
            (await live.Resolve(pending["outcome_id"]!, result, new { reply = "line\nbreak" })).Is(200);
            if (result == "success") (await live.Reverse(pending["outcome_id"]!)).Is(200);
        }
        await live.Meter(call.With("outcome", "pending"), ("Idempotency-Key", "pending"));
        app.Clock.Advance(TimeSpan.FromDays(3));
        await app.Sweep();
        app.At(month.End.AddDays(3));
        await live.Meter(call);
        await live.Meter(call.With("outcome", "pending"));
        app.Today();
        await app.Sweep();
        return live;
    }

    /// <summary>Many calls in a month: copies of one that is there.</summary>
    public static async Task Multiply(this RevApp app, ArchiveMonth month, int count)
    {
        await using var db = app.Services.GetRequiredService<StoreFactory>().Create();
        var (from, to) = (new CallId(month.From), new CallId(month.To));
        var one = await db.Calls.AsNoTracking().Where(c => c.Id >= from && c.Id < to && c.Outcome == ReportedOutcome.Success && c.SettlesAt == null)
            .OrderBy(c => c.Id).FirstAsync();
        var rows = Enumerable.Range(1, count).Select(i =>
        {
            var copy = new CallRow();
            foreach (var property in typeof(CallRow).GetProperties()) property.SetValue(copy, property.GetValue(one));
            copy.Id = new(one.Id.Value + ((UInt128)(uint)i << 80));
            copy.EffectiveAt = one.EffectiveAt.AddMilliseconds(i);
            copy.AgentId = string.Create(CultureInfo.InvariantCulture, $"agent-{i % 7}");
            return copy;
        });
        db.Calls.AddRange(rows);
        await db.SaveChangesAsync();
        await app.Services.GetRequiredService<StoreAdmin>().RebuildRollups(CancellationToken.None);
    }
}
