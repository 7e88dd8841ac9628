using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Rev.Client.Tests;

/// <summary>What is tracked arrives once, or is told of.</summary>
public sealed class TrackerTests
{
    private static readonly TimeSpan Never = TimeSpan.FromHours(1);

    [Fact]
    public async Task Calls_are_sent_in_batches_each_once()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder, o => o.MaxBatchItems = 100);

        var keys = Track(tracker, 250);
        var isDelivered = await tracker.FlushAsync();

        isDelivered.ShouldBeTrue();
        server.Stored.Keys.Order(StringComparer.Ordinal).ShouldBe(keys.Order(StringComparer.Ordinal));
        server.Requests.Count.ShouldBeInRange(3, 20);
        (await Adds(tracker)).Accepted.ShouldBe(250);
        folder.Files("*.jsonl").ShouldBeEmpty();
    }

    [Fact]
    public async Task The_flush_interval_sends_without_being_asked()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder, o => o.FlushInterval = TimeSpan.FromMilliseconds(50));

        Track(tracker, 3);
        await Wait.Until(() => server.Stored.Count == 3);

        await Wait.Until(() => tracker.Statistics.Accepted == 3);
    }

    [Fact]
    public async Task A_tracked_call_says_when_it_was_and_keeps_its_key()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder);
        var before = DateTimeOffset.FromUnixTimeMilliseconds(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds());

        tracker.Track(new MeterCall { AgentId = "a", Action = "b", IdempotencyKey = "job-1" }).ShouldBe("job-1");
        await tracker.FlushAsync();

        var call = server.Requests.Single().Json["events"]![0]!;
        call["idempotency_key"]!.GetValue<string>().ShouldBe("job-1");
        DateTimeOffset.Parse(call["occurred_at"]!.GetValue<string>()).ShouldBeInRange(before, before.AddMinutes(1));
    }

    [Fact]
    public async Task Of_a_batch_one_is_refused_and_told_of_and_one_is_sent_again()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        var told = new ConcurrentQueue<(MeterCall? Call, RevError Error)>();
        await using var tracker = Tracker(server, folder, o => o.OnRejected = (call, error) => told.Enqueue((call, error)));

        Track(tracker, 2);
        var bad = tracker.Track(new MeterCall { AgentId = "bad", Action = "b", TokensInput = 7 });
        tracker.Track(new MeterCall { AgentId = "busy", Action = "b" });
        tracker.Track(new MeterCall { AgentId = "archived", Action = "b" });
        await tracker.FlushAsync();
        await Wait.Until(() => tracker.Statistics.Accepted == 3);

        var statistics = await Adds(tracker);
        statistics.Rejected.ShouldBe(1);
        statistics.Duplicates.ShouldBe(1);
        server.Stored.Count.ShouldBe(3);
        var rejected = told.ShouldHaveSingleItem();
        rejected.Error.Code.ShouldBe("request.invalid");
        rejected.Call!.IdempotencyKey.ShouldBe(bad);
        rejected.Call!.TokensInput.ShouldBe(7);
        File.ReadAllText(folder.Files("rejected-*.jsonl").ShouldHaveSingleItem()).ShouldContain(bad);
        await using var next = Tracker(server, folder);
        (await next.FlushAsync()).ShouldBeTrue();
        next.Statistics.Recovered.ShouldBe(0);
    }

    [Fact]
    public async Task A_time_that_the_tracker_gave_and_Rev_refuses_is_left_out_and_the_callers_own_is_not()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder);

        var key = tracker.Track(new MeterCall { AgentId = "late", Action = "b" });
        tracker.Track(new MeterCall { AgentId = "late", Action = "b", OccurredAt = DateTimeOffset.UnixEpoch });
        Track(tracker, 1);

        (await tracker.FlushAsync()).ShouldBeTrue();
        var statistics = await Adds(tracker);
        statistics.Accepted.ShouldBe(2);
        statistics.Rejected.ShouldBe(1);
        server.Stored[key].ShouldNotContain("occurred_at");
    }

    [Fact]
    public async Task A_batch_that_is_too_large_is_halved()
    {
        await using var server = new FakeRev { LargestBatch = 3 };
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder);

        Track(tracker, 20);

        (await tracker.FlushAsync()).ShouldBeTrue();
        server.Stored.Count.ShouldBe(20);
        (await Adds(tracker)).Accepted.ShouldBe(20);
    }

    [Fact]
    public async Task While_the_service_is_away_calls_wait_on_disk_and_the_next_process_sends_them()
    {
        var server = new FakeRev();
        using var folder = new TestFolder();
        await server.StopAsync();
        IReadOnlyList<string> keys;
        await using (var tracker = Tracker(server, folder))
        {
            keys = Track(tracker, 30);
            (await tracker.FlushAsync()).ShouldBeFalse();
            var statistics = await Adds(tracker);
            statistics.Spooled.ShouldBe(30);
            statistics.LastError.ShouldNotBeNull();
        }
        folder.Files("*.jsonl").Count.ShouldBe(1);

        server.Start();
        await using (server)
        await using (var next = Tracker(server, folder))
        {
            await Wait.Until(() => next.Statistics.Accepted == 30);

            (await Adds(next)).Recovered.ShouldBe(30);
            server.Stored.Keys.Order(StringComparer.Ordinal).ShouldBe(keys.Order(StringComparer.Ordinal));
            folder.Files("*.jsonl").ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_file_that_was_sent_and_not_removed_counts_once()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        server.Always = Fault.DropAfter;
        await using (var tracker = Tracker(server, folder))
        {
            Track(tracker, 10);
            (await tracker.FlushAsync()).ShouldBeFalse();
        }
        server.Stored.Count.ShouldBe(10);

        server.Always = null;
        await using var next = Tracker(server, folder);
        await Wait.Until(() => next.Statistics.Duplicates == 10);

        server.Stored.Count.ShouldBe(10);
        (await Adds(next)).Duplicates.ShouldBe(10);
    }

    [Fact]
    public async Task What_a_killed_process_left_of_a_line_is_told_of_and_spoils_nothing()
    {
        var server = new FakeRev();
        using var folder = new TestFolder();
        await server.StopAsync();
        await using (var tracker = Tracker(server, folder))
        {
            Track(tracker, 3);
            await tracker.FlushAsync();
        }
        await File.AppendAllTextAsync(folder.Files("*.jsonl").ShouldHaveSingleItem(), "\n\0\0\0\n{\"agent_id\":\"a\",\"acti");

        server.Start();
        await using (server)
        {
            var told = new ConcurrentQueue<(MeterCall? Call, RevError Error)>();
            await using var next = Tracker(server, folder, o => o.OnRejected = (call, error) => told.Enqueue((call, error)));
            await Wait.Until(() => next.Statistics.Rejected == 2);

            await Wait.Until(() => next.Statistics.Accepted == 3);
            (await Adds(next)).Recovered.ShouldBe(5);
            told.Select(t => t.Error.Code).Distinct().ShouldBe(["spool.corrupt"]);
            told.ShouldAllBe(t => t.Call == null);
        }
    }

    [Fact]
    public async Task A_file_that_a_process_holds_is_left_to_it()
    {
        var server = new FakeRev();
        using var folder = new TestFolder();
        await server.StopAsync();
        await using var first = Tracker(server, folder);
        Track(first, 5);
        await first.FlushAsync();

        await using var second = Tracker(server, folder);
        Track(second, 5);
        await second.FlushAsync();

        second.Statistics.Recovered.ShouldBe(0);
        folder.Files("*.jsonl").Count.ShouldBe(2);
        server.Start();
        await using (server)
        {
            (await first.FlushAsync()).ShouldBeTrue();
            (await second.FlushAsync()).ShouldBeTrue();
            server.Stored.Count.ShouldBe(10);
            (await Adds(first)).Accepted.ShouldBe(5);
            (await Adds(second)).Accepted.ShouldBe(5);
        }
    }

    [Fact]
    public async Task Calls_tracked_while_the_service_is_killed_and_started_again_arrive_once()
    {
        const int Calls = 5000;
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder, o => (o.MaxBatchItems, o.FlushInterval) = (50, TimeSpan.FromMilliseconds(5)));
        var keys = new List<string>();

        for (var i = 0; i < Calls; i++)
        {
            if (i is 1000 or 3000) await server.StopAsync();
            if (i is 2000 or 4000) server.Start();
            if (i % 100 == 0)
            {
                server.Next(Fault.DropAfter);
                await Task.Delay(2);
            }
            keys.Add(tracker.Track(new MeterCall { AgentId = "a", Action = "b", TokensInput = i }));
        }
        var end = Environment.TickCount64 + 60_000;
        while (!await tracker.FlushAsync() && Environment.TickCount64 < end) await Task.Delay(20);

        var statistics = await Adds(tracker);
        (statistics.Accepted + statistics.Duplicates).ShouldBe(Calls);
        statistics.Rejected.ShouldBe(0);
        server.Stored.Keys.Order(StringComparer.Ordinal).ShouldBe(keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task With_a_wrong_key_calls_are_kept_for_the_right_one()
    {
        await using var server = new FakeRev { Always = Fault.Unauthorized };
        using var folder = new TestFolder();
        await using (var tracker = Tracker(server, folder))
        {
            Track(tracker, 4);
            (await tracker.FlushAsync()).ShouldBeFalse();

            var statistics = await Adds(tracker);
            statistics.Spooled.ShouldBe(4);
            statistics.LastError!.ShouldContain("auth.invalid_key");
        }
        server.Always = null;
        await using var other = Tracker(server, folder, key: "rg_test_new");
        await other.FlushAsync();
        other.Statistics.Recovered.ShouldBe(0);

        await using var renamed = Tracker(server, folder, o => o.PreviousApiKeys.Add("rg_test_key"), "rg_test_new");
        await Wait.Until(() => renamed.Statistics.Accepted == 4);
    }

    [Fact]
    public async Task Always_on_disk_means_before_Track_returns()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder, o => (o.Spool, o.FlushInterval) = (RevSpoolMode.Always, Never));
        await tracker.FlushAsync();

        Track(tracker, 1);
        await tracker.FlushAsync();
        Track(tracker, 5);

        tracker.Statistics.Spooled.ShouldBe(5);
        new FileInfo(folder.Files("*.jsonl").ShouldHaveSingleItem()).Length.ShouldBeGreaterThan(5 * 60);
        (await tracker.FlushAsync()).ShouldBeTrue();
        server.Stored.Count.ShouldBe(6);
        (await Adds(tracker)).Accepted.ShouldBe(6);
    }

    [Fact]
    public async Task A_full_queue_spills_to_disk()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder, o => (o.MaxQueueItems, o.FlushInterval) = (10, Never));

        Track(tracker, 25);

        tracker.Statistics.WrittenToSpool.ShouldBe(15);
        (await tracker.FlushAsync()).ShouldBeTrue();
        server.Stored.Count.ShouldBe(25);
        (await Adds(tracker)).Accepted.ShouldBe(25);
    }

    [Fact]
    public async Task A_full_queue_throws_where_that_is_asked_for()
    {
        var server = new FakeRev();
        await server.StopAsync();
        await using var tracker = Tracker(server, null, o => (o.MaxQueueItems, o.ShutdownTimeout) = (10, TimeSpan.Zero));
        Track(tracker, 10);

        Should.Throw<RevException>(() => Track(tracker, 1)).Code.ShouldBe("client.queue_full");

        tracker.Statistics.Tracked.ShouldBe(10);
    }

    [Fact]
    public async Task A_full_queue_counts_in_bytes_too()
    {
        var server = new FakeRev();
        await server.StopAsync();
        await using var tracker = Tracker(server, null, o => (o.MaxQueueBytes, o.ShutdownTimeout) = (300, TimeSpan.Zero));

        Should.Throw<RevException>(() => Track(tracker, 10)).Code.ShouldBe("client.queue_full");

        tracker.Statistics.Queued.ShouldBeInRange(1, 4);
    }

    [Fact]
    public async Task A_full_queue_drops_where_that_is_asked_for_and_says_so()
    {
        var server = new FakeRev();
        await server.StopAsync();
        var told = new ConcurrentQueue<(MeterCall? Call, RevError Error)>();
        var tracker = Tracker(server, null, o =>
        {
            o.MaxQueueItems = 10;
            o.WhenFull = RevFullMode.Drop;
            o.OnRejected = (call, error) => told.Enqueue((call, error));
            o.ShutdownTimeout = TimeSpan.Zero;
        });

        Track(tracker, 12);
        told.Select(t => t.Error.Code).ShouldBe(["client.queue_full", "client.queue_full"]);
        await tracker.DisposeAsync();

        (await Adds(tracker)).Lost.ShouldBe(12);
        told.Count.ShouldBe(12);
        told.Last().Error.Code.ShouldBe("client.closed");
        Should.Throw<ObjectDisposedException>(() => Track(tracker, 1));
    }

    [Fact]
    public async Task A_full_queue_makes_wait_where_that_is_asked_for()
    {
        var server = new FakeRev();
        await server.StopAsync();
        await using var tracker = Tracker(server, null, o => (o.MaxQueueItems, o.WhenFull) = (10, RevFullMode.Wait));
        Track(tracker, 10);

        var waiting = tracker.TrackAsync(new MeterCall { AgentId = "a", Action = "b" }).AsTask();
        await Task.Delay(50);
        waiting.IsCompleted.ShouldBeFalse();
        server.Start();
        await using (server)
        {
            await tracker.FlushAsync();
            await waiting;
            await tracker.FlushAsync();
            server.Stored.Count.ShouldBe(11);
        }
    }

    [Fact]
    public async Task Where_the_spool_cannot_be_written_calls_stay_in_memory()
    {
        var server = new FakeRev();
        using var folder = new TestFolder();
        await server.StopAsync();
        var occupied = Path.Combine(folder.Path, "occupied");
        await File.WriteAllTextAsync(occupied, "no folder");
        await using var tracker = new RevTracker(server.Client(o => o.MaxRetries = 0), new RevTrackerOptions { SpoolDirectory = occupied });

        Track(tracker, 3);
        (await tracker.FlushAsync()).ShouldBeFalse();
        tracker.Statistics.Queued.ShouldBe(3);

        server.Start();
        await using (server)
        {
            (await tracker.FlushAsync()).ShouldBeTrue();
            server.Stored.Count.ShouldBe(3);
        }
    }

    [Fact]
    public async Task Disposing_sends_what_is_left()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        var tracker = Tracker(server, folder, o => o.FlushInterval = Never);
        Track(tracker, 7);

        await tracker.DisposeAsync();
        await tracker.DisposeAsync();

        server.Stored.Count.ShouldBe(7);
        (await tracker.FlushAsync()).ShouldBeTrue();
    }

    [Fact]
    public async Task After_calls_were_given_up_a_flush_does_not_say_that_all_arrived()
    {
        var server = new FakeRev();
        await server.StopAsync();
        var tracker = Tracker(server, null, o => o.ShutdownTimeout = TimeSpan.Zero);
        Track(tracker, 2);

        await tracker.DisposeAsync();

        (await Adds(tracker)).Lost.ShouldBe(2);
        (await tracker.FlushAsync()).ShouldBeFalse();
    }

    [Fact]
    public async Task Whatever_a_handler_throws_calls_wait_on_disk()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        using var http = new HttpClient(new Broken());
        await using (var tracker = new RevTracker(
            new RevClient(http, server.Options()), new RevTrackerOptions { SpoolDirectory = folder.Path, FlushInterval = TimeSpan.FromMilliseconds(20) }))
        {
            Track(tracker, 3);

            (await tracker.FlushAsync()).ShouldBeFalse();
            var statistics = await Adds(tracker);
            statistics.Spooled.ShouldBe(3);
            statistics.LastError!.ShouldContain("The circuit is open.");
        }
        await using var next = Tracker(server, folder);
        await Wait.Until(() => next.Statistics.Accepted == 3);
    }

    [Fact]
    public async Task Of_calls_that_go_to_disk_while_a_flush_waits_it_says_so_each_time_and_one_file_holds_them()
    {
        var server = new FakeRev();
        using var folder = new TestFolder();
        await server.StopAsync();
        await using var tracker = Tracker(server, folder, o => o.FlushInterval = Never);
        for (var i = 1; i <= 5; i++)
        {
            Track(tracker, 1);
            (await tracker.FlushAsync()).ShouldBeFalse();
            (await Adds(tracker)).Spooled.ShouldBe(i);
        }
        (await tracker.FlushAsync()).ShouldBeFalse();
        folder.Files("*.jsonl").Count.ShouldBeLessThanOrEqualTo(2);

        server.Start();
        await using (server)
        {
            (await tracker.FlushAsync()).ShouldBeTrue();
            server.Stored.Count.ShouldBe(5);
            folder.Files("*.jsonl").ShouldBeEmpty();
        }
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_still_counted_and_a_flush_says_that_it_waits()
    {
        // There nobody can shorten a file that is held.
        if (OperatingSystem.IsWindows()) return;
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder, o => (o.Spool, o.FlushInterval) = (RevSpoolMode.Always, Never));
        await tracker.FlushAsync();
        Track(tracker, 1);
        await tracker.FlushAsync();
        Track(tracker, 4);
        using (var shell = System.Diagnostics.Process.Start("/bin/sh", ["-c", ": > \"$0\"", folder.Files("*.jsonl").ShouldHaveSingleItem()])) await shell.WaitForExitAsync();

        (await tracker.FlushAsync()).ShouldBeFalse();

        var statistics = await Adds(tracker);
        statistics.Spooled.ShouldBe(4);
        statistics.Accepted.ShouldBe(1);
        Track(tracker, 1);
        await tracker.FlushAsync();
        server.Stored.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_call_that_Rev_never_takes_keeps_no_other_on_disk_waiting()
    {
        var server = new FakeRev();
        using var folder = new TestFolder();
        await server.StopAsync();
        await using var tracker = Tracker(server, folder, o => o.MaxBatchItems = 2);
        tracker.Track(new MeterCall { AgentId = "poison", Action = "b" });
        Track(tracker, 9);
        (await tracker.FlushAsync()).ShouldBeFalse();

        server.Start();
        await using (server)
        {
            await Wait.Until(() => tracker.Statistics.Accepted == 9);

            (await tracker.FlushAsync()).ShouldBeFalse();
            var statistics = await Adds(tracker);
            statistics.Pending.ShouldBe(1);
            statistics.Recovered.ShouldBe(0);
        }
    }

    [Fact]
    public async Task A_call_that_Rev_never_takes_keeps_no_other_in_memory_waiting()
    {
        await using var server = new FakeRev();
        await using var tracker = Tracker(server, null, o => (o.MaxBatchItems, o.ShutdownTimeout) = (2, TimeSpan.Zero));

        tracker.Track(new MeterCall { AgentId = "poison", Action = "b" });
        Track(tracker, 10);

        await Wait.Until(() => tracker.Statistics.Accepted == 10);
    }

    [Fact]
    public async Task A_receipt_that_cannot_be_read_is_one_nevertheless()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder);

        tracker.Track(new MeterCall { AgentId = "odd", Action = "b" });
        Track(tracker, 2);

        (await tracker.FlushAsync()).ShouldBeTrue();
        (await Adds(tracker)).Accepted.ShouldBe(3);
    }

    [Fact]
    public async Task A_proxy_that_finds_every_call_too_large_refuses_none()
    {
        await using var server = new FakeRev { Always = Fault.TooLarge };
        using var folder = new TestFolder();
        await using var tracker = Tracker(server, folder);
        Track(tracker, 3);
        (await tracker.FlushAsync()).ShouldBeFalse();
        (await Adds(tracker)).Rejected.ShouldBe(0);

        server.Always = null;

        (await tracker.FlushAsync()).ShouldBeTrue();
        (await Adds(tracker)).Accepted.ShouldBe(3);
    }

    [Fact]
    public async Task A_logger_that_throws_ends_nothing()
    {
        await using var server = new FakeRev { Always = Fault.Broken };
        using var folder = new TestFolder();
        await using var tracker = new RevTracker(
            server.Client(), new RevTrackerOptions { SpoolDirectory = folder.Path, FlushInterval = TimeSpan.FromMilliseconds(20) }, new BrokenLogger());
        Track(tracker, 3);
        (await tracker.FlushAsync()).ShouldBeFalse();

        server.Always = null;

        (await tracker.FlushAsync()).ShouldBeTrue();
        server.Stored.Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_handler_that_does_not_hear_of_the_end_does_not_hold_it_up()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        using var http = new HttpClient(new Deaf());
        var tracker = new RevTracker(
            new RevClient(http, server.Options()), new RevTrackerOptions { SpoolDirectory = folder.Path, FlushInterval = TimeSpan.Zero, ShutdownTimeout = TimeSpan.FromMilliseconds(200) });
        Track(tracker, 3);

        await tracker.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        (await Adds(tracker)).Spooled.ShouldBe(3);
    }

    [Fact]
    public async Task Who_is_told_of_a_refusal_may_dispose_the_tracker()
    {
        await using var server = new FakeRev();
        using var folder = new TestFolder();
        RevTracker? tracker = null;
        tracker = Tracker(server, folder, o => o.OnRejected = (_, _) => tracker!.Dispose());
        tracker.Track(new MeterCall { AgentId = "bad", Action = "b" });

        await Wait.Until(() => tracker.Statistics.Rejected == 1);
        await tracker.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        (await Adds(tracker)).Pending.ShouldBe(0);
    }

    [Fact]
    public async Task A_key_that_can_be_none_is_refused_at_once()
    {
        await using var server = new FakeRev();
        await using var tracker = Tracker(server, null);

        Should.Throw<ArgumentException>(() => tracker.Track(new MeterCall { AgentId = "a", Action = "b", IdempotencyKey = " " })).Message.ShouldContain("idempotency key");
        Should.Throw<ArgumentException>(() => tracker.Track(new MeterCall { AgentId = "a", Action = "b", IdempotencyKey = "a\r\nb" }));
        Should.Throw<ArgumentException>(() => tracker.Track(new MeterCall { AgentId = "a", Action = "b", IdempotencyKey = new string('k', 256) }));
        tracker.Statistics.Tracked.ShouldBe(0);
    }

    [Fact]
    public void Options_are_checked()
    {
        var rev = new RevClient(new RevOptions { ApiKey = "rg_live_k", BaseUrl = new Uri("http://rev.test") });

        Should.Throw<ArgumentOutOfRangeException>(() => new RevTracker(rev, new RevTrackerOptions { MaxBatchItems = 1001 }));
        Should.Throw<ArgumentOutOfRangeException>(() => new RevTracker(rev, new RevTrackerOptions { ShutdownTimeout = TimeSpan.MaxValue }));
        var tested = new RevTrackerOptions();
        tested.PreviousApiKeys.Add("rg_test_k");
        Should.Throw<ArgumentException>(() => new RevTracker(rev, tested)).Message.ShouldContain("PreviousApiKeys");
    }

    private static RevTracker Tracker(FakeRev server, TestFolder? folder, Action<RevTrackerOptions>? configure = null, string key = "rg_test_key")
    {
        var options = new RevTrackerOptions { FlushInterval = TimeSpan.FromMilliseconds(20), ShutdownTimeout = TimeSpan.FromSeconds(2) };
        if (folder is null) (options.Spool, options.WhenFull) = (RevSpoolMode.Off, RevFullMode.Throw);
        else options.SpoolDirectory = folder.Path;
        configure?.Invoke(options);
        return new RevTracker(server.Client(o => o.ApiKey = key), options);
    }

    private static List<string> Track(RevTracker tracker, int calls) =>
        [.. Enumerable.Range(0, calls).Select(i => tracker.Track(new MeterCall { AgentId = "a", Action = "b", TokensInput = i }))];

    private sealed class Broken : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("The circuit is open.");
    }

    private sealed class Deaf : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, CancellationToken.None);
            throw new InvalidOperationException();
        }
    }

    private sealed class BrokenLogger : ILogger<RevTracker>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("The log is full.");
    }

    /// <summary>Nothing vanished, once nothing moves.</summary>
    private static async Task<RevTrackerStatistics> Adds(RevTracker tracker)
    {
        await Wait.Until(() => tracker.Statistics is var s && s.Accepted + s.Duplicates + s.Rejected + s.Lost + s.Pending == s.Tracked + s.Recovered);
        return tracker.Statistics;
    }
}
