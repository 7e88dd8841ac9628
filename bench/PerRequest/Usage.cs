using System.Data.Common;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace Rev.Bench.PerRequest;

internal sealed record MeterRequest(
    string AgentId, string Action, long TokensInput, long TokensOutput, string? Outcome, JsonElement? Metadata, string? CustomerId, string? Model,
    string? IdempotencyKey);

internal sealed record Receipt(
    string EventId, string? Outcome, string PriceCharged, string Currency, string BaseFee, string TokenCharge, string OutcomeBonus,
    string AgentId, string Action, string CustomerId, DateTime OccurredAt)
{
    public static Receipt Of(Call call) => new(
        "evt_" + call.Id.ToString("N"), call.Outcome, (call.BaseFee + call.TokenCharge + call.Bonus).ToString(), "usd",
        call.BaseFee.ToString(), call.TokenCharge.ToString(), call.Bonus.ToString(), call.AgentId, call.Action, call.CustomerId, call.OccurredAt);
}

internal sealed class Call
{
    public Guid Id { get; set; }
    public string IdempotencyKey { get; set; } = "";
    public string AgentId { get; set; } = "";
    public string Action { get; set; } = "";
    public string CustomerId { get; set; } = "";
    public long TokensInput { get; set; }
    public long TokensOutput { get; set; }
    public string? Outcome { get; set; }
    public decimal BaseFee { get; set; }
    public decimal TokenCharge { get; set; }
    public decimal Bonus { get; set; }
    public string? Metadata { get; set; }
    public DateTime OccurredAt { get; set; }

    public static Call Of(MeterRequest request, string key, DateTime now) => new()
    {
        Id = Guid.CreateVersion7(),
        IdempotencyKey = key, AgentId = request.AgentId, Action = request.Action, CustomerId = request.CustomerId ?? "default",
        TokensInput = request.TokensInput, TokensOutput = request.TokensOutput, Outcome = request.Outcome,
        BaseFee = 0.005m, TokenCharge = (request.TokensInput + request.TokensOutput) * 3m / 1_000_000m,
        Bonus = request.Outcome == "success" ? 0.0025m : 0m, Metadata = request.Metadata?.GetRawText(), OccurredAt = now,
    };
}

internal sealed class Usage(DbContextOptions<Usage> options) : DbContext(options)
{
    public DbSet<Call> Calls => Set<Call>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Call>(call =>
    {
        call.ToTable("calls");
        call.HasIndex(c => c.IdempotencyKey).IsUnique();
        foreach (var amount in new[] { nameof(Call.BaseFee), nameof(Call.TokenCharge), nameof(Call.Bonus) }) call.Property(amount).HasPrecision(18, 9);
    });
}

/// <summary>SQLite as durable as Rev's.</summary>
internal sealed class WriteThrough : DbConnectionInterceptor
{
    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData) => Set(connection);

    public override Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
    {
        Set(connection);
        return Task.CompletedTask;
    }

    private static void Set(DbConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;";
        command.ExecuteNonQuery();
    }
}

/// <summary>As many calls with random keys as Rev's database holds.</summary>
internal static class Preload
{
    public static async Task Fill(Usage usage, int calls)
    {
        usage.Database.SetCommandTimeout(TimeSpan.FromMinutes(30));
        var missing = calls - await usage.Calls.LongCountAsync();
        for (; missing > 0; missing -= 50_000)
        {
            var rows = Math.Min(missing, 50_000);
            if (usage.Database.IsSqlite())
                await usage.Database.ExecuteSqlAsync($"""
                    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
                    INSERT INTO calls ("Id", "IdempotencyKey", "AgentId", "Action", "CustomerId", "TokensInput", "TokensOutput", "Outcome", "BaseFee", "TokenCharge", "Bonus", "Metadata", "OccurredAt")
                    SELECT upper(hex(randomblob(16))), lower(hex(randomblob(16))), 'agent-' || (i % 1000), 'email.sent', 'customer-' || (i % 200), 1200, 340, 'success',
                      '0.005', '0.00462', '0.0025', {"{}"}, datetime('now') FROM n
                    """);
            else
                await usage.Database.ExecuteSqlAsync($"""
                    INSERT INTO calls ("Id", "IdempotencyKey", "AgentId", "Action", "CustomerId", "TokensInput", "TokensOutput", "Outcome", "BaseFee", "TokenCharge", "Bonus", "Metadata", "OccurredAt")
                    SELECT gen_random_uuid(), replace(gen_random_uuid()::text, '-', ''), 'agent-' || (i % 1000), 'email.sent', 'customer-' || (i % 200), 1200, 340, 'success',
                      0.005, 0.00462, 0.0025, {"{}"}, now() FROM generate_series(1, {rows}) AS i
                    """);
        }
    }
}
