using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Billing;

/// <summary>Alone in the process: other tests would be measured too.</summary>
[CollectionDefinition(nameof(StatementMemoryTests), DisableParallelization = true)]
public sealed class AloneDefinition;

[Collection(nameof(StatementMemoryTests))]
public sealed class StatementMemoryTests(Apps apps) : IClassFixture<Apps>
{
    private const int Calls = 75_000;
    private const int Batch = 5_000;
    private const long MaxGrowth = 12 * 1024 * 1024;

    [Theory, EachProvider]
    public async Task A_long_statement_is_streamed_with_flat_memory(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        await live.Meter(Bodies.Call());
        await Load(app);
        var path = $"/v1/customers/default/statement?format=csv&from={Bodies.Instant(app.Now.AddDays(-2))}&to={Bodies.Instant(app.Now.AddMinutes(1))}";
        (await live.Get($"/v1/customers/default/statement?format=csv&from={Bodies.Instant(app.Now.AddMinutes(-1))}")).Is(200);

        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", live.Key);
        using var response = await app.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        var (rows, bytes, start, most) = (-1L, 0L, 0L, 0L);
        var sum = 0L;
        while (await reader.ReadLineAsync() is { } line)
        {
            bytes += line.Length + 2;
            if (++rows == 0) continue;
            sum += Rows.Nanos(line.Split(',')[8]);
            if (rows % 50_000 != 0) continue;
            var held = GC.GetTotalMemory(forceFullCollection: true);
            if (start == 0) start = held;
            most = Math.Max(most, held - start);
        }

        rows.ShouldBe((3 * Calls) + (Calls / 10) + 3);
        bytes.ShouldBeGreaterThan(MaxGrowth * 2);
        most.ShouldBeLessThan(MaxGrowth);
        var stored = (await app.Query("SELECT SUM(base_nanos + token_nanos + bonus_nanos) AS n FROM calls"))[0].Long("n")
            + (await app.Query("SELECT SUM(amount_nanos) AS n FROM ledger_entries"))[0].Long("n");
        sum.ShouldBe(stored);
    }

    /// <summary>Copies of the one call over a day, and a reversal of every tenth.</summary>
    private static async Task Load(RevApp app)
    {
        await using var db = app.Services.GetRequiredService<StoreFactory>().Create();
        var first = await db.Calls.AsNoTracking().SingleAsync();
        var store = app.Services.GetRequiredService<IBulkStore>();
        var ids = new IdFactory();
        for (var done = 0; done < Calls; done += Batch)
        {
            var (calls, entries) = (new List<CallRow>(), new List<LedgerEntryRow>());
            for (var i = done; i < done + Batch; i++)
            {
                var at = first.EffectiveAt.AddDays(-1).AddMilliseconds(i * 1000);
                var id = new CallId(ids.Next(at));
                calls.Add(new()
                {
                    AccountId = first.AccountId, Mode = first.Mode, Id = id, AgentId = $"agent-{i % 100}", Action = first.Action, CustomerId = first.CustomerId,
                    TokensInput = i, TokensOutput = 7, Outcome = first.Outcome, TierKey = first.TierKey, TierVersion = first.TierVersion, Currency = first.Currency,
                    BaseNanos = first.BaseNanos, TokenNanos = i, BonusNanos = 3, Reason = first.Reason, Rule = first.Rule, OccurredAt = at, ReceivedAt = at, EffectiveAt = at,
                });
                if (i % 10 != 0) continue;
                entries.Add(new()
                {
                    AccountId = first.AccountId, Mode = first.Mode, Id = new(ids.Next(at)), CallId = id, CustomerId = first.CustomerId, AgentId = $"agent-{i % 100}",
                    Action = first.Action, Component = LedgerComponent.Reversal, AmountNanos = -3, Currency = first.Currency, TierKey = first.TierKey,
                    TierVersion = first.TierVersion, Reason = "loaded", ServiceAt = at, EffectiveAt = at,
                });
            }
            await using var session = await store.Begin(CancellationToken.None);
            await session.Insert(BulkTables.Calls, calls);
            await session.Insert(BulkTables.LedgerEntries, entries);
            await session.Commit();
        }
    }
}
