using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

/// <summary>A closed month goes to files, out of the database and back, and the books stay as they are.</summary>
public sealed class ArchiveTests(Apps apps) : IClassFixture<Apps>
{
    private static readonly ArchiveMonth Month = ArchiveMonths.Closed;
    private static readonly string[] Books = ["rollups", "ledger_entries", "idempotency_keys", "bonus_claims", "open_outcomes"];

    [Theory, OneProvider]
    public async Task A_month_is_archived_removed_and_brought_back(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await app.Fill(Month);
        var folder = Repository.TemporaryFolder("archive");
        var events = await live.All("/v1/events");
        var archived = (await app.Query("SELECT id, effective_at FROM calls")).Count - 2;
        var (calls, outcomes) = (await app.Dump("calls"), await app.Dump("outcomes"));
        await app.Services.GetRequiredService<StoreAdmin>().RebuildRollups(CancellationToken.None);
        var books = await Dumped(app, Books);

        var written = await Program(app, "--archive", Month.ToString(), folder);
        written.ExitCode.ShouldBe(0, written.Output);
        written.Output.ShouldContain($"{archived} rows in calls.csv.gz");
        await app.IsVerified();
        Record(folder, "calls.csv.gz").ShouldBe(ArchiveTable.Calls.Columns.Select(c => c.Name));
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, Month.ToString(), ArchiveManifest.Name)))!;
        manifest["sums"]!["usd"]!["calls.base_nanos"]!.GetValue<string>().ShouldBe((archived * 10_000_000L - 5_000_000).ToString(System.Globalization.CultureInfo.InvariantCulture));

        var removed = await Program(app, "--archive-remove", Month.ToString(), folder);
        removed.ExitCode.ShouldBe(0, removed.Output);
        (await app.CallsOf(Month)).ShouldBe(0);
        (await app.Count("calls")).ShouldBe(2);
        (await Dumped(app, Books)).ShouldBe(books);
        await app.IsVerified();
        (await Program(app, "--rebuild-rollups")).ExitCode.ShouldBe(0);
        (await Dumped(app, Books)).ShouldBe(books);
        (await live.All("/v1/events")).Count.ShouldBe(2);
        (await live.Event(events[^1]["event_id"]!.GetValue<string>())).Refused(404, "event.not_found");
        (await Program(app, "--archive-remove", Month.ToString(), folder)).Output.ShouldContain("0 calls");
        (await Program(app, "--archive", Month.ToString(), folder)).ExitCode.ShouldBe(1);

        var restored = await Program(app, "--archive-restore", Path.Combine(folder, Month.ToString()));
        restored.ExitCode.ShouldBe(0, restored.Output);
        restored.Output.ShouldContain($"{archived} calls were brought back");
        (await app.Dump("calls")).ShouldBe(calls);
        (await app.Dump("outcomes")).ShouldBe(outcomes);
        (await Dumped(app, Books)).ShouldBe(books);
        (await app.Count("archived_rollups")).ShouldBe(0);
        (await live.All("/v1/events")).Select(e => e.ToJsonString()).ShouldBe(events.Select(e => e.ToJsonString()));
        await app.IsVerified();
    }

    [Theory, EachProvider]
    public async Task A_key_of_an_archived_call_is_told_so_and_nothing_is_charged(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await app.Fill(Month);
        var call = Bodies.Call().With("metadata", JsonNode.Parse("""{"who":"a, \"quoted\" ü\r\n,line","empty":""}""")).With("model", " a model, with a comma ");
        (await live.TryMeter(call, ("Idempotency-Key", "first success"))).Is(201).Replayed.ShouldBeTrue();
        var folder = Repository.TemporaryFolder("archive");
        await app.Archive().Write(Month, folder, CancellationToken.None);
        await app.Archive().Remove(Month, folder, force: false, progress: null, CancellationToken.None);
        var before = await app.Counts();

        (await live.TryMeter(call, ("Idempotency-Key", "first success"))).Refused(409, "event.archived");
        (await live.TryMeter(call.With("outcome", "pending").With("expires_at", "2020-01-01T00:00:00Z"), ("Idempotency-Key", "first success"))).Refused(409, "idempotency.key_reused");
        var batch = (await live.Post("/v1/meter/batch", new JsonObject { ["events"] = new JsonArray(call.With("idempotency_key", "first success"), Bodies.Call().With("idempotency_key", "new")) })).Is(200);
        batch["results.0.status"].ShouldBe("409");
        batch["results.0.error.code"].ShouldBe("event.archived");
        batch["results.1.status"].ShouldBe("201");
        (await live.Post("/v1/outcomes/resolve", new { idempotency_key = "pending", outcome = "success" })).Refused(404, "outcome.not_found");
        (await live.TryMeter(call.With("action", "another"), ("Idempotency-Key", "first success"))).Refused(409, "idempotency.key_reused");

        (await app.Query("SELECT 1 AS one FROM calls")).Count.ShouldBe(3);
        before.ShouldContain("calls=2");
        await app.IsVerified();
        await app.Archive().Restore(Path.Combine(folder, Month.ToString()), progress: null, CancellationToken.None);
        (await live.TryMeter(call, ("Idempotency-Key", "first success"))).Is(201).Replayed.ShouldBeTrue();
    }

    [Theory, EachProvider]
    public async Task What_is_stopped_in_the_middle_is_right_and_goes_on(Provider provider)
    {
        var app = await apps.On(provider);
        await app.Fill(Month);
        await app.Multiply(Month, (ArchiveTable.ChunkSize * 2) + 100);
        await app.IsVerified();
        var (calls, rollups) = (await app.Dump("calls"), await app.Dump("rollups"));
        var all = await app.CallsOf(Month);
        var folder = Repository.TemporaryFolder("archive");
        var place = Path.Combine(folder, Month.ToString());
        await app.Archive().Write(Month, folder, CancellationToken.None);

        (await Stopped(token => app.Archive().Remove(Month, folder, force: false, token, token.Token))).ShouldBeInRange(1, all - 1);
        await Between(app, all);
        (await Stopped(token => app.Archive().Restore(place, token, token.Token))).ShouldBeInRange(1, all - 1);
        await app.IsVerified();
        (await Stopped(token => app.Archive().Remove(Month, folder, force: false, token, token.Token))).ShouldBeInRange(1, all - 1);
        await Between(app, all);
        await app.Archive().Remove(Month, folder, force: false, progress: null, CancellationToken.None);
        (await app.CallsOf(Month)).ShouldBe(0);
        await app.IsVerified();
        (await Stopped(token => app.Archive().Restore(place, token, token.Token))).ShouldBeInRange(1, all - 1);
        await Between(app, all);
        (await app.Archive().Restore(place, progress: null, CancellationToken.None)).ShouldBeGreaterThan(0);

        (await app.Dump("calls")).ShouldBe(calls);
        (await app.Dump("rollups")).ShouldBe(rollups);
        (await app.Count("archived_rollups")).ShouldBe(0);
        await app.IsVerified();
    }

    [Theory, EachProvider]
    public async Task A_month_that_is_open_is_not_archived(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await app.Fill(Month);
        app.At(Month.Start.AddDays(20));
        var open = await live.Meter(Bodies.Call("pending").With("expires_at", Bodies.Instant(Month.End.AddDays(200))));
        var folder = Repository.TemporaryFolder("archive");

        await Refused(() => app.Archive().Write(Month, folder, CancellationToken.None), "is not over");
        app.At(Month.End.AddMinutes(30));
        await Refused(() => app.Archive().Write(Month, folder, CancellationToken.None), "is not over");
        app.At(Month.End.AddHours(2));
        await Refused(() => app.Archive().Write(Month, folder, CancellationToken.None), "are open");
        (await live.Resolve(open["outcome_id"]!, "success")).Is(200);
        await app.Archive().Write(Month, folder, CancellationToken.None);
        await Refused(() => app.Archive().Write(Month, folder, CancellationToken.None), "exists already");

        await Refused(() => app.Archive().Remove(Month, folder, force: false, progress: null, CancellationToken.None), "can be reversed until");
        (await app.CallsOf(Month)).ShouldBeGreaterThan(5);
        await app.Archive().Remove(Month, folder, force: true, progress: null, CancellationToken.None);
        (await app.CallsOf(Month)).ShouldBe(0);
        await app.IsVerified();
        app.Today();
    }

    [Theory, EachProvider]
    public async Task Files_that_are_not_the_months_remove_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        await app.Fill(Month);
        var folder = Repository.TemporaryFolder("archive");
        var place = Path.Combine(folder, Month.ToString());
        Task Remove(ArchiveMonth month) => app.Archive().Remove(month, folder, force: false, progress: null, CancellationToken.None);
        var calls = await app.Dump("calls");

        await Refused(() => Remove(Month), "There is no");
        await app.Archive().Write(Month, folder, CancellationToken.None);
        var next = ArchiveMonth.Of(Month.End);
        Copy(place, Path.Combine(folder, next.ToString()));
        await Refused(() => Remove(next), $"The files are those of {Month}");

        // One digit of one amount, with and without a manifest that agrees.
        var file = Path.Combine(place, ArchiveTable.Calls.File);
        var (bytes, manifest) = (await File.ReadAllBytesAsync(file), await File.ReadAllTextAsync(Path.Combine(place, ArchiveManifest.Name)));
        var checksum = await ArchiveFolder.Checksum(file, CancellationToken.None);
        await Rewrite(file, text => text.Replace(",10000000,", ",10000001,", StringComparison.Ordinal));
        await Refused(() => Remove(Month), "SHA-256");
        await File.WriteAllTextAsync(Path.Combine(place, ArchiveManifest.Name), manifest.Replace(checksum, await ArchiveFolder.Checksum(file, CancellationToken.None), StringComparison.Ordinal));
        await Refused(() => Remove(Month), "not those that");
        await File.WriteAllBytesAsync(file, bytes);
        await File.WriteAllTextAsync(Path.Combine(place, ArchiveManifest.Name), manifest);
        File.Delete(Path.Combine(place, ArchiveTable.Entries.File));
        await Refused(() => Remove(Month), "There is no");
        Directory.Delete(place, recursive: true);

        // The database goes on after the archive.
        await app.Archive().Write(Month, folder, CancellationToken.None);
        await app.Execute("UPDATE outcomes SET decided_by = 'another'");
        await Refused(() => Remove(Month), "Archive the month again");
        Directory.Delete(place, recursive: true);
        await app.Archive().Write(Month, folder, CancellationToken.None);
        await app.Execute("UPDATE ledger_entries SET reason = 'another'");
        await Refused(() => Remove(Month), "Archive the month again");

        (await app.Dump("calls")).ShouldBe(calls);
        (await app.Count("archived_rollups")).ShouldBe(0);
        (await app.Query("SELECT 1 AS one FROM archives WHERE removed_at IS NOT NULL")).ShouldBeEmpty();
        var other = apps.Second(app);
        await app.Execute("DELETE FROM archives");
        await Refused(() => other.Archive().Restore(place, progress: null, CancellationToken.None), "was not archived from this database");
    }

    [Theory, EachProvider]
    public async Task Who_was_erased_meanwhile_is_blanked_when_the_month_comes_back(Provider provider)
    {
        var app = await apps.On(provider);
        var live = await app.Fill(Month);
        app.At(Month.Start.AddDays(5));
        var call = await live.Meter(Bodies.Call().With("customer_id", "acme").With("metadata", new JsonObject { ["who"] = "jane@acme.example" }));
        (await live.Reverse(call["outcome_id"]!, "jane complained")).Is(200);
        app.Today();
        var folder = Repository.TemporaryFolder("archive");
        await app.Archive().Write(Month, folder, CancellationToken.None);
        await app.Archive().Remove(Month, folder, force: false, progress: null, CancellationToken.None);

        (await live.Post("/v1/customers/acme/erase")).Is(200);
        (await app.Query("SELECT 1 AS one FROM ledger_entries WHERE reason = 'jane complained'")).ShouldBeEmpty();
        app.Clock.Advance(TimeSpan.FromMinutes(2));
        await app.FinishErasures();
        await app.Archive().Restore(Path.Combine(folder, Month.ToString()), progress: null, CancellationToken.None);
        (await app.FinishErasures()).ShouldBe(1);

        (await live.Event(call["event_id"]!)).Is(200).Body.ShouldNotContain("jane");
        (await live.Outcome(call["outcome_id"]!)).Is(200).Body.ShouldNotContain("jane");
        await app.IsVerified();
        app.Today();
    }

    [Fact]
    public void A_record_keeps_every_text()
    {
        string?[] texts = ["plain", "", null, "a,b", "say \"so\"", "two\r\nlines", " spaced ", "ü€😀", "\"", ",", "\n"];
        var record = new StringBuilder();
        foreach (var (i, text) in texts.Index())
        {
            if (i > 0) record.Append(',');
            if (text is not null) Csv.Append(record, text);
        }
        using var reader = new StringReader($"{record}\r\nnext,\"1\"\r\n");
        Csv.Split(Csv.Read(reader)!).ShouldBe(texts);
        Csv.Split(Csv.Read(reader)!).ShouldBe(["next", "1"]);
        Csv.Read(reader).ShouldBeNull();
        Should.Throw<FormatException>(() => Csv.Split("\"open"));
        Should.Throw<FormatException>(() => Csv.Split("\"a\"b"));
    }

    [Theory]
    [InlineData("2026-01", true)]
    [InlineData("2026-13", false)]
    [InlineData("2026-1", false)]
    [InlineData("january", false)]
    public void A_month_is_read_as_it_is_written(string text, bool good)
    {
        ArchiveMonth.TryParse(text, out var month).ShouldBe(good);
        if (good) month.ToString().ShouldBe(text);
    }

    private static async Task Between(RevApp app, int all)
    {
        (await app.CallsOf(Month)).ShouldBeInRange(1, all - 1);
        (await app.Count("archived_rollups")).ShouldBeGreaterThan(0);
        (await app.Query("SELECT 1 AS one FROM archives WHERE removed_at IS NULL")).ShouldBeEmpty("A month that is not whole counts as removed.");
        await app.IsVerified();
    }

    /// <summary>Runs until the first progress that is told; answers it.</summary>
    private static async Task<long> Stopped(Func<StopAtOnce, Task> run)
    {
        using var stop = new StopAtOnce();
        await Should.ThrowAsync<OperationCanceledException>(() => run(stop));
        return stop.Told;
    }

    private static async Task Refused(Func<Task> run, string why) => (await Should.ThrowAsync<SettingException>(run)).Message.ShouldContain(why);

    private static async Task<List<string>> Dumped(RevApp app, string[] tables)
    {
        var rows = new List<string>();
        foreach (var table in tables) rows.AddRange(await app.Dump(table));
        return rows;
    }

    private static List<string?> Record(string folder, string file)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(Path.Combine(folder, Month.ToString(), file)), CompressionMode.Decompress));
        return Csv.Split(Csv.Read(reader)!);
    }

    private static async Task Rewrite(string file, Func<string, string> change)
    {
        string text;
        using (var reader = new StreamReader(new GZipStream(File.OpenRead(file), CompressionMode.Decompress))) text = await reader.ReadToEndAsync();
        var changed = change(text);
        changed.ShouldNotBe(text);
        await using var writer = new StreamWriter(new GZipStream(File.Create(file), CompressionLevel.Optimal));
        await writer.WriteAsync(changed);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private static Task<(int ExitCode, string Output)> Program(RevApp app, params string[] arguments) => RevProcess.Run(arguments, RevProcess.Settings(app));

    private sealed class StopAtOnce : IProgress<long>, IDisposable
    {
        private readonly CancellationTokenSource _source = new();

        public CancellationToken Token => _source.Token;

        public long Told { get; private set; }

        public void Report(long value)
        {
            if (value == 0) return;
            Told = value;
            _source.Cancel();
        }

        public void Dispose() => _source.Dispose();
    }
}
