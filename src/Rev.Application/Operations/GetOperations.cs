using MediatR;
using Rev.Domain.Common;

namespace Rev.Application.Operations;

/// <summary>How this Rev runs, for its operators: the process that answers, and the work of all of them. It answers also when the store is away.</summary>
public sealed record GetOperations : IRequest<Result<OperationsState>>;

/// <summary>How Rev runs.</summary>
/// <param name="At">When that was so.</param>
/// <param name="NotReady">Why this process cannot take calls; null when it can.</param>
/// <param name="Program">What runs here.</param>
/// <param name="Writer">The writer of this process.</param>
/// <param name="Work">What waits in the store, for all processes; null when the store did not answer in time.</param>
/// <param name="Jobs">The jobs of all processes; null when their store did not answer.</param>
public sealed record OperationsState(DateTimeOffset At, string? NotReady, ProgramState Program, WriterState Writer, IReadOnlyList<WorkState>? Work, JobsState? Jobs);

/// <summary>What runs here.</summary>
/// <param name="Version">The version of Rev.</param>
/// <param name="Runtime">The runtime that it runs on.</param>
/// <param name="Provider">The database.</param>
/// <param name="Migration">The last migration that the database has; null when it could not be read.</param>
/// <param name="MigrationsPending">How many it lacks; null when it could not be read.</param>
/// <param name="Up">How long the process has been running.</param>
/// <param name="RunsJobs">Whether this process runs jobs.</param>
public sealed record ProgramState(string Version, string Runtime, string Provider, string? Migration, int? MigrationsPending, TimeSpan Up, bool RunsJobs);

/// <summary>The writer of a process, through which all calls and outcomes go.</summary>
/// <param name="Waiting">How many items wait to be written.</param>
/// <param name="Capacity">How many may; what comes then is refused.</param>
/// <param name="LongestWait">How long the oldest of those that are not answered yet waits; zero when there is none.</param>
/// <param name="IsStalled">Whether a commit has been under way for longer than any should.</param>
/// <param name="LastCommit">Its last commit; null before the first.</param>
public sealed record WriterState(int Waiting, int Capacity, TimeSpan LongestWait, bool IsStalled, WriterCommit? LastCommit);

/// <summary>A commit of the writer.</summary>
/// <param name="Ago">How long ago it ended.</param>
/// <param name="Took">How long it took.</param>
/// <param name="Items">How many items it wrote.</param>
public sealed record WriterCommit(TimeSpan Ago, TimeSpan Took, int Items);

/// <summary>Sorts of work that waits in the store.</summary>
public enum WorkKind
{
    /// <summary>Pending outcomes whose time is over.</summary>
    Expiries,
    /// <summary>Successes whose review is over.</summary>
    Settlements,
    /// <summary>Mails that are owed.</summary>
    Mails,
    /// <summary>Messages that are to be queued for webhook endpoints.</summary>
    Messages,
    /// <summary>Messages that are to be sent to an endpoint.</summary>
    Deliveries,
    /// <summary>Deliveries to resolvers.</summary>
    Hooks,
    /// <summary>Resolvers for which the calls from before them are looked through.</summary>
    Backfills,
    /// <summary>Days whose hours are to be folded.</summary>
    Days,
    /// <summary>Erased customers of whom something is left to blank.</summary>
    Erasures,
    /// <summary>Invoices on their way to Stripe.</summary>
    Invoices,
    /// <summary>Credit notes on their way to Stripe.</summary>
    CreditNotes,
    /// <summary>Events of Stripe's.</summary>
    StripeEvents,
    /// <summary>Hours of usage on their way to meters.</summary>
    MeterItems,
}

/// <summary>Work of one sort.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Due">How many are due now; <see cref="MostCounted"/> and one stands for more.</param>
/// <param name="Since">Since when the oldest is; null when none is, or waiting is no fault.</param>
/// <param name="Failing">How many failed last time and are tried again; <see cref="MostCounted"/> and one stands for more.</param>
/// <param name="GivenUp">How many were given up within a week.</param>
public sealed record WorkState(WorkKind Kind, long Due, DateTimeOffset? Since, long Failing = 0, long GivenUp = 0)
{
    /// <summary>What is more is not counted: the page must not burden a store that is behind.</summary>
    public const int MostCounted = 10_000;
}

/// <summary>The jobs of all processes on the store.</summary>
/// <param name="Jobs">Those that recur.</param>
/// <param name="Servers">How many processes run them.</param>
/// <param name="LastSeen">When one of those was last alive.</param>
/// <param name="Waiting">Runs that wait for a process.</param>
/// <param name="Failed">Runs that failed and are kept to be looked at.</param>
public sealed record JobsState(IReadOnlyList<JobState> Jobs, int Servers, DateTimeOffset? LastSeen, long Waiting, long Failed);

/// <summary>A job that recurs.</summary>
/// <param name="Id">Its name.</param>
/// <param name="LastRun">When it last began; null before the first time.</param>
/// <param name="NextRun">When it begins next; null when it does not.</param>
/// <param name="HasFailed">Whether it failed last time, or cannot begin.</param>
public sealed record JobState(string Id, DateTimeOffset? LastRun, DateTimeOffset? NextRun, bool HasFailed);

/// <summary>Looks at the jobs.</summary>
public interface IJobMonitor
{
    /// <summary>How they go; null when their store does not answer.</summary>
    JobsState? Look();
}
