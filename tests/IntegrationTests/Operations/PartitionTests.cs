using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

/// <summary>The scripts that partition PostgreSQL by month lose no row, and Rev works on what they leave.</summary>
public sealed class PartitionTests
{
    private static readonly ArchiveMonth Month = ArchiveMonths.Closed;
    private static readonly string[] Tables = ["calls", "outcomes", "rollups", "ledger_entries", "ledger"];

    [Fact]
    public async Task PostgreSQL_is_partitioned_by_month_and_Rev_goes_on()
    {
        await using var database = await TestDatabase.CreateAsync(Provider.PostgreSql);
        await using var app = RevApp.Start(database);
        var live = await app.Fill(Month);
        await app.Multiply(Month, 400);
        await app.Multiply(ArchiveMonth.Of(Month.End), 300);
        var before = await Dumps(app);
        var indexes = await Indexes(app);
        await app.Execute("CREATE ROLE reader_of_rev; GRANT SELECT ON calls, ledger TO reader_of_rev");

        await Partition(database);

        (await Dumps(app)).ShouldBe(before);
        (await Indexes(app)).ShouldBe(indexes);
        (await app.Query("SELECT 1 AS one WHERE has_table_privilege('reader_of_rev', 'calls', 'SELECT') AND has_table_privilege('reader_of_rev', 'ledger', 'SELECT')")).Count.ShouldBe(1);
        await app.Execute("DROP OWNED BY reader_of_rev; DROP ROLE reader_of_rev");
        (await app.Query("SELECT 1 AS one FROM calls_default UNION ALL SELECT 1 FROM outcomes_default UNION ALL SELECT 1 FROM rollups_default")).ShouldBeEmpty();
        (await app.Services.GetRequiredService<StoreAdmin>().NotReady(CancellationToken.None)).ShouldBeNull();
        await using (var db = app.Services.GetRequiredService<StoreFactory>().Create()) db.Database.HasPendingModelChanges().ShouldBeFalse();
        await app.IsVerified();

        // All that servers do, on partitions.
        var call = (await live.Meter(Bodies.Call(), ("Idempotency-Key", "after")))["event_id"]!;
        (await live.TryMeter(Bodies.Call(), ("Idempotency-Key", "after"))).Is(201).Replayed.ShouldBeTrue();
        var pending = await live.Meter(Bodies.Call("pending"));
        (await live.Resolve(pending["outcome_id"]!, "success")).Is(200);
        (await live.Reverse(pending["outcome_id"]!)).Is(200);
        await live.Meter(Bodies.Call("pending"));
        app.Clock.Advance(TimeSpan.FromDays(3));
        (await app.Sweep()).ShouldBe(1);
        (await live.Post("/v1/customers/default/erase")).Is(200);
        (await live.Event(call)).Is(200);
        (await live.All("/v1/events")).Count.ShouldBe(before.Count(row => row.StartsWith("calls ", StringComparison.Ordinal) && row.Contains("mode=0", StringComparison.Ordinal)) + 3);
        (await live.Get("/v1/outcomes?status=reversed")).Is(200).Array("data").Count.ShouldBeGreaterThan(0);
        await app.IsVerified();
        app.Today();

        // Again, it changes nothing.
        var now = await Dumps(app);
        await Partition(database);
        (await Dumps(app)).ShouldBe(now);
    }

    [Fact]
    public async Task A_range_of_ids_looks_into_its_month_only()
    {
        await using var database = await TestDatabase.CreateAsync(Provider.PostgreSql);
        await using var app = RevApp.Start(database);
        await app.Fill(Month);
        await Partition(database);

        var plan = await app.Query($"""
            EXPLAIN SELECT count(*) FROM calls
            WHERE id >= '\x{Convert.ToHexString(Bytes(Month.From))}' AND id < '\x{Convert.ToHexString(Bytes(Month.To))}'
            """);

        var text = string.Join('\n', plan.Select(row => row.Values.Single()));
        text.ShouldContain(PostgresPartitions.Name("calls", Month));
        text.ShouldNotContain(PostgresPartitions.Name("calls", ArchiveMonth.Of(Month.End)));
        text.ShouldNotContain("calls_default");
    }

    [Fact]
    public async Task A_call_beyond_the_last_partition_is_stored_and_moves_into_its_own()
    {
        await using var database = await TestDatabase.CreateAsync(Provider.PostgreSql);
        await using var app = RevApp.Start(database);
        var account = await app.SignUpAsync();
        await account.Live.Meter(Bodies.Call());
        await Partition(database);
        app.Clock.Advance(TimeSpan.FromDays(200));
        for (var i = 0; i < 3; i++) await account.Live.Meter(Bodies.Call("pending"));
        (await app.Count("calls_default")).ShouldBe(3);
        (await app.Count("outcomes_default")).ShouldBe(3);
        (await app.Count("rollups_default")).ShouldBe(1);
        var rows = await Dumps(app);

        (await app.Query("SELECT rev_make_partitions(8) AS made"))[0].Long("made").ShouldBe(15);

        foreach (var table in new[] { "calls", "outcomes", "rollups" }) (await app.Count($"{table}_default")).ShouldBe(0);
        (await Dumps(app)).ShouldBe(rows);
        (await app.Query("SELECT rev_make_partitions(8) AS made"))[0].Long("made").ShouldBe(0);
        await account.Live.Meter(Bodies.Call());
        await app.IsVerified();
    }

    [Fact]
    public async Task Removing_an_archived_month_drops_its_partitions_and_bringing_it_back_makes_them()
    {
        await using var database = await TestDatabase.CreateAsync(Provider.PostgreSql);
        await using var app = RevApp.Start(database);
        await app.Fill(Month);
        await app.Multiply(Month, 3000);
        await Partition(database);
        var before = await Dumps(app);
        var folder = Repository.TemporaryFolder("archive");
        await app.Archive().Write(Month, folder, CancellationToken.None);
        var all = await app.CallsOf(Month);

        (await app.Archive().Remove(Month, folder, force: false, progress: null, CancellationToken.None)).ShouldBe(all);

        (await Exists(app, "calls")).ShouldBeFalse();
        (await Exists(app, "outcomes")).ShouldBeFalse();
        (await app.CallsOf(Month)).ShouldBe(0);
        (await app.CallsOf(ArchiveMonth.Of(Month.End))).ShouldBe(2);
        await app.IsVerified();
        (await app.Archive().Remove(Month, folder, force: false, progress: null, CancellationToken.None)).ShouldBe(0);

        (await app.Archive().Restore(Path.Combine(folder, Month.ToString()), progress: null, CancellationToken.None)).ShouldBe(all);
        (await Exists(app, "calls")).ShouldBeTrue();
        (await app.Count("calls_default")).ShouldBe(0);
        (await Dumps(app)).ShouldBe(before);
        await app.IsVerified();
    }

    [Fact]
    public async Task The_shell_script_partitions_over_psql()
    {
        await using var database = await TestDatabase.CreateAsync(Provider.PostgreSql);
        await using var app = RevApp.Start(database);
        await app.Fill(Month);
        var before = await Dumps(app);

        (await Shell(database, "5")).ShouldContain("calls has ");
        (await Dumps(app)).ShouldBe(before);
        (await Shell(database, "5")).ShouldContain("0 more partitions were made");
        await app.IsVerified();
    }

    private static async Task<string> Shell(TestDatabase database, string months)
    {
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var start = new ProcessStartInfo("bash", [Path.Combine(Repository.Root, "scripts", "partition.sh"), months]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        (start.Environment["PGHOST"], start.Environment["PGPORT"]) = (connection.Host, connection.Port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        (start.Environment["PGUSER"], start.Environment["PGDATABASE"]) = (connection.Username, connection.Database);
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, await errors);
        return await output;
    }

    private static async Task Partition(TestDatabase database)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "scripts", "sql", "partition-postgres.sql"));
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<List<string>> Dumps(RevApp app)
    {
        var rows = new List<string>();
        foreach (var table in Tables) rows.AddRange((await app.Dump(table)).Select(row => $"{table} {row}"));
        return rows;
    }

    /// <summary>Names, columns and conditions, as the migrations made them.</summary>
    private static async Task<List<string>> Indexes(RevApp app) =>
    [
        .. (await app.Query("SELECT indexdef FROM pg_indexes WHERE tablename IN ('calls', 'outcomes', 'rollups') ORDER BY indexname"))
            .Select(row => row.Text("indexdef").Replace(" ON ONLY ", " ON ", StringComparison.Ordinal)),
    ];

    private static async Task<bool> Exists(RevApp app, string table) =>
        (await app.Query($"SELECT 1 AS one FROM pg_class WHERE relname = '{PostgresPartitions.Name(table, Month)}'")).Count > 0;

    private static byte[] Bytes(UInt128 id) => Rev.Domain.Common.UlidText.ToBytes(id);
}
