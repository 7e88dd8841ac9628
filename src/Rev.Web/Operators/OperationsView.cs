using Rev.Application.Operations;

namespace Rev.Web.Operators;

/// <summary>How something is, from well to worst.</summary>
public enum LineState
{
    /// <summary>As it should be.</summary>
    Well,
    /// <summary>Somebody should keep an eye on it.</summary>
    Late,
    /// <summary>Somebody must do something.</summary>
    Broken,
}

/// <summary>A line of the operators' page.</summary>
/// <param name="Key">What programs know it by.</param>
/// <param name="Name">What it is called.</param>
/// <param name="What">What it does.</param>
/// <param name="Due">How much is due now; null where nothing is counted.</param>
/// <param name="Oldest">How long the oldest has been due.</param>
/// <param name="Failing">How much failed.</param>
/// <param name="LastRun">When its job last began.</param>
/// <param name="State">How it is.</param>
/// <param name="Advice">What to do; null when it is well.</param>
public sealed record OperationsLine(string Key, string Name, string What, string? Due, string Oldest, string Failing, string LastRun, LineState State, string? Advice);

/// <summary>A figure of the process, with what to do when it is not well.</summary>
/// <param name="Key">What programs know it by.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Figure">The figure.</param>
/// <param name="Note">What belongs to it.</param>
/// <param name="State">How it is.</param>
/// <param name="Advice">What to do; null when it is well.</param>
public sealed record OperationsFigure(string Key, string Name, string Figure, string Note, LineState State, string? Advice);

/// <summary>What the operators' page shows.</summary>
/// <param name="At">When that was so.</param>
/// <param name="Program">What runs.</param>
/// <param name="Figures">The process.</param>
/// <param name="Lines">Work that waits, and the jobs that do it.</param>
/// <param name="State">The worst of all of it.</param>
/// <param name="Summary">All of it in a sentence.</param>
public sealed record OperationsView(
    DateTimeOffset At, ProgramState Program, IReadOnlyList<OperationsFigure> Figures, IReadOnlyList<OperationsLine> Lines, LineState State, string Summary)
{
    private const int Half = 2;
    private const int MostNamed = 3;

    private static readonly TimeSpan SlowWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TooLongWait = TimeSpan.FromSeconds(4);

    /// <summary>Processes that run jobs tell so every 30 seconds.</summary>
    private static readonly TimeSpan Silent = TimeSpan.FromMinutes(2);

    /// <summary>A job that should have begun so long ago has nobody to run it, or is behind.</summary>
    private static readonly TimeSpan LateJob = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LostJob = TimeSpan.FromMinutes(10);

    /// <summary>The view of a state.</summary>
    public static OperationsView Of(OperationsState state)
    {
        OperationsFigure[] figures = [Ready(state), Queue(state.Writer), Commit(state.Writer), Jobs(state)];
        var lines = LinesOf(state);
        var worst = figures.Select(f => f.State).Concat(lines.Select(l => l.State)).Max();
        string[] names = [.. figures.Where(f => f.State == worst).Select(f => f.Name), .. lines.Where(l => l.State == worst).Select(l => l.Name)];
        var isOne = names.Length == 1;
        var summary = worst switch
        {
            LineState.Well => "All is well.",
            LineState.Late => isOne ? $"One thing is late: {names[0]}." : $"{names.Length} things are late: {Named(names)}.",
            LineState.Broken => isOne ? $"One thing needs you: {names[0]}." : $"{names.Length} things need you: {Named(names)}.",
        };
        return new(state.At, state.Program, figures, lines, worst, summary);
    }

    /// <summary>The first of many, and how many more there are.</summary>
    private static string Named(string[] names) =>
        names.Length <= MostNamed ? string.Join(", ", names) : $"{string.Join(", ", names[..MostNamed])} and {names.Length - MostNamed} more";

    private static OperationsFigure Ready(OperationsState state) => state.NotReady is { } reason
        ? new("ready", "This process", "Not ready", reason, LineState.Broken, reason switch
        {
            "migrations are pending" => "Start it with --migrate once, or restart it: a process migrates when it starts.",
            "the writer is stalled" => "A commit takes far longer than any should. Look at the database: its disk, its locks, its log.",
            _ => "Look whether the database runs, and whether Database__Provider and ConnectionStrings__Rev lead to it.",
        })
        : new("ready", "This process", "Ready", $"up for {OperationsText.Span(state.Program.Up)}", LineState.Well, null);

    private static OperationsFigure Queue(WriterState writer)
    {
        var state = writer.LongestWait > TooLongWait || writer.Waiting >= writer.Capacity ? LineState.Broken
            : writer.LongestWait > SlowWait || writer.Waiting > writer.Capacity / Half ? LineState.Late
            : LineState.Well;
        return new("queue", "Waiting for the writer", OperationsText.Count(writer.Waiting), $"of {Common.Figures.Number(writer.Capacity)}; the oldest waits {OperationsText.Span(writer.LongestWait)}", state,
            state == LineState.Well ? null : "Calls come faster than they are stored, or a commit takes long. Look at the database's disk, and spread the calls over more processes.");
    }

    private static OperationsFigure Commit(WriterState writer)
    {
        var (figure, note) = writer.LastCommit is { } last
            ? (OperationsText.Span(last.Took), $"{Common.Figures.Number(last.Items)} {(last.Items == 1 ? "item" : "items")}, {OperationsText.Span(last.Ago)} ago")
            : ("–", "nothing was written since the start");
        return new("commit", "Last commit", figure, note, writer.IsStalled ? LineState.Broken : LineState.Well,
            writer.IsStalled ? "One has been under way for more than 10 seconds. Look at the database: its disk, its locks, its log." : null);
    }

    private static OperationsFigure Jobs(OperationsState state)
    {
        const string name = "Processes that run jobs";
        if (state.Jobs is not { } jobs) return new("jobs", name, "–", "the store of the jobs did not answer", LineState.Broken, "Look whether the database runs; the jobs lie in it.");
        var note = $"{Common.Figures.Number(jobs.Waiting)} runs wait, {Common.Figures.Number(jobs.Failed)} failed";
        if (jobs.Servers == 0)
            return new("jobs", name, "0", note, LineState.Broken, "Nothing is swept, invoiced or tried again. Start a process with Jobs__Enabled=true.");
        var isSilent = jobs.LastSeen is not { } seen || state.At - seen > Silent;
        return new("jobs", name, Common.Figures.Number(jobs.Servers), note, isSilent ? LineState.Broken : LineState.Well,
            isSilent ? $"Their last sign of life: {OperationsText.Ago(jobs.LastSeen, state.At)}. Restart one with Jobs__Enabled=true." : null);
    }

    private static OperationsLine[] LinesOf(OperationsState state)
    {
        if (state.Work is not { } work)
            return [new("store", "The store", "What waits is read from it", null, "–", "–", "–", LineState.Broken, "It did not answer within four seconds. Look whether the database runs, and what burdens it.")];
        var jobs = (state.Jobs?.Jobs ?? []).ToDictionary(j => j.Id, StringComparer.Ordinal);
        var lines = work.Select(w => Line(w, jobs, state.At)).ToList();
        var shown = work.Select(w => WorkFacts.Of(w.Kind).Job).ToHashSet(StringComparer.Ordinal);
        lines.AddRange(jobs.Values.Where(j => !shown.Contains(j.Id)).Select(j => Line(j, state.At)));
        return [.. lines];
    }

    private static OperationsLine Line(WorkState work, Dictionary<string, JobState> jobs, DateTimeOffset now)
    {
        var facts = WorkFacts.Of(work.Kind);
        var waits = work.Since is { } since ? now - since : TimeSpan.Zero;
        var state = waits > facts.Broken ? LineState.Broken : waits > facts.Late ? LineState.Late : LineState.Well;
        var advice = state == LineState.Well ? null : facts.Advice;
        var job = jobs.GetValueOrDefault(facts.Job);
        if (job is not null && OfJob(job, now) is var (ofJob, what) && ofJob > state) (state, advice) = (ofJob, what);
        if (work.GivenUp > 0 && state == LineState.Well) (state, advice) = (LineState.Late, facts.Advice);
        var failing = OperationsText.Count(work.Failing) + (work.GivenUp > 0 ? $", {OperationsText.Count(work.GivenUp)} given up" : "");
        return new(
            facts.Key, facts.Name, facts.What, OperationsText.Count(work.Due), work.Since is null ? "–" : OperationsText.Span(waits), failing,
            OperationsText.Ago(job?.LastRun, now), state, advice);
    }

    private static OperationsLine Line(JobState job, DateTimeOffset now)
    {
        var (state, advice) = OfJob(job, now);
        return new(job.Id, job.Id, "Job", null, "–", job.HasFailed ? "failed" : "–", OperationsText.Ago(job.LastRun, now), state, advice);
    }

    private static (LineState State, string? Advice) OfJob(JobState job, DateTimeOffset now)
    {
        if (job.HasFailed) return (LineState.Broken, $"The job {job.Id} failed last time. Read why on /hangfire/recurring; it is tried again by itself.");
        var late = job.NextRun is { } next ? now - next : TimeSpan.Zero;
        if (late <= LateJob) return (LineState.Well, null);
        var what = $"The job {job.Id} should have begun {OperationsText.Span(late)} ago.";
        return late <= LostJob ? (LineState.Late, what)
            : (LineState.Broken, what + " Start a process with Jobs__Enabled=true, or look what its run does on /hangfire/jobs/processing.");
    }
}

/// <summary>What is told of a sort of work.</summary>
/// <param name="Key">What programs know it by.</param>
/// <param name="Job">The job that does it.</param>
/// <param name="Name">What it is called.</param>
/// <param name="What">What is done.</param>
/// <param name="Late">From when on it is late.</param>
/// <param name="Broken">From when on somebody must do something.</param>
/// <param name="Advice">What to do then.</param>
internal sealed record WorkFacts(string Key, string Job, string Name, string What, TimeSpan Late, TimeSpan Broken, string Advice)
{
    private const string NoJobs = "Look whether a process runs jobs (Jobs__Enabled=true) and what it logs.";
    private const string NoStripe = "Look below whether Stripe's keys are refused, whether this server reaches api.stripe.com, and at https://status.stripe.com.";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>The facts of a sort.</summary>
    public static WorkFacts Of(WorkKind kind) => kind switch
    {
        WorkKind.Expiries => new("expiries", "expire-outcomes", "Expiries", "Pending outcomes whose time is over", Minute, 5 * Minute, NoJobs),
        WorkKind.Settlements => new("settlements", "settle-outcomes", "Settlements", "Successes whose review is over", Minute, 5 * Minute, NoJobs),
        WorkKind.Mails => new("mails", "send-mails", "Mails", "Keys, links and notices that are owed", Minute, 5 * Minute,
            "Look whether the mail server takes mail (Mail__Smtp__…) and what the log says of it. A mail is tried for three days, and then given up: whoever waits for it signs up again."),
        WorkKind.Messages => new("messages", "deliver-webhooks", "Webhook messages", "To be queued for endpoints", Minute, 5 * Minute, NoJobs),
        WorkKind.Deliveries => new("deliveries", "deliver-webhooks", "Webhook deliveries", "To be sent to endpoints; failing counts endpoints, which is their owners' matter", Minute, 5 * Minute,
            "Look whether this server reaches the internet and its name servers, and whether a process runs jobs."),
        WorkKind.Hooks => new("hooks", "process-hooks", "Deliveries to resolvers", "Payloads that are worked on", 3 * Minute, 10 * Minute, NoJobs),
        WorkKind.Backfills => new("backfills", "process-hooks", "Resolver backfills", "Calls from before a resolver", 5 * Minute, 30 * Minute, NoJobs),
        WorkKind.Days => new("days", "fold-days", "Folding", "Days whose hours are to be summed", 30 * Minute, 120 * Minute, "Until they are folded, long times are read by hours, which is slower. " + NoJobs),
        WorkKind.Erasures => new("erasures", "finish-erasures", "Erasures", "Erased customers with outcomes that were open; they may wait as long as those do", TimeSpan.MaxValue, TimeSpan.MaxValue, NoJobs),
        WorkKind.Invoices => new("invoices", "sync-usage-to-stripe", "Invoices", "On their way to Stripe", 3 * Minute, 10 * Minute, NoStripe),
        WorkKind.CreditNotes => new("credit-notes", "sync-usage-to-stripe", "Credit notes", "On their way to Stripe", 3 * Minute, 10 * Minute, NoStripe),
        WorkKind.StripeEvents => new("stripe-events", "process-stripe-events", "Stripe's events", "To be worked on", 3 * Minute, 10 * Minute, NoStripe),
        WorkKind.MeterItems => new("meter-items", "sync-meters", "Usage for meters", "Hours on their way to Stripe", 3 * Minute, 10 * Minute, NoStripe),
    };
}
