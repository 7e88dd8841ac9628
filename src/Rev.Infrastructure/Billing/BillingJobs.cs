using System.Linq.Expressions;
using Hangfire;
using MediatR;
using Rev.Application.Billing;
using Rev.Application.Common;

namespace Rev.Infrastructure.Billing;

/// <summary>Computes the invoices of billing periods that are over.</summary>
public sealed class CloseBillingPeriodsJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new CloseBillingPeriods(), cancellationToken);
}

/// <summary>Brings usage to Stripe: as invoices and credit notes, or to meters.</summary>
public sealed class SyncUsageToStripeJob(IMediator mediator)
{
    /// <summary>Brings invoices and credit notes.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new SyncInvoices(), cancellationToken);

    /// <summary>Turns hours that are over into items for meters.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Collect(CancellationToken cancellationToken) => mediator.Send(new CollectMeterUsage(), cancellationToken);

    /// <summary>Reports items to meters.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Report(CancellationToken cancellationToken) => mediator.Send(new SyncMeters(), cancellationToken);
}

/// <summary>Compares meters' sums with what was reported.</summary>
public sealed class ReconcileMetersJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new ReconcileMeters(), cancellationToken);
}

/// <summary>Works through Stripe's events.</summary>
public sealed class ProcessStripeEventsJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new ProcessStripeEvents(), cancellationToken);

    /// <summary>Catches up with what was not delivered.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task CatchUp(CancellationToken cancellationToken) => mediator.Send(new CatchUpWithStripe(), cancellationToken);
}

/// <summary>Compares invoices with Stripe's.</summary>
public sealed class DetectBillingDriftJob(IMediator mediator)
{
    /// <summary>Runs once.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task Run(CancellationToken cancellationToken) => mediator.Send(new DetectBillingDrift(), cancellationToken);
}

/// <summary>
/// Has Hangfire run the work with Stripe now. Each job goes over all accounts, and any account may ask for it as often as it
/// likes: one that ran a moment ago runs again a little later, once for everybody who asked meanwhile.
/// </summary>
public sealed class BillingWakeUp(IBackgroundJobClient jobs, TimeProvider clock) : IBillingWakeUp
{
    /// <summary>As often as the jobs run by themselves.</summary>
    public static readonly TimeSpan WorkApart = TimeSpan.FromSeconds(15);

    /// <summary>They read everybody's invoices and sums at Stripe.</summary>
    public static readonly TimeSpan ComparisonsApart = TimeSpan.FromMinutes(5);

    private readonly Turns _work = new(WorkApart);
    private readonly Turns _comparisons = new(ComparisonsApart);

    /// <inheritdoc/>
    public void Billing()
    {
        var now = clock.Now();
        if (_work.Next(now) is { } wait)
        {
            Run<CloseBillingPeriodsJob>(job => job.Run(CancellationToken.None), wait);
            Run<ProcessStripeEventsJob>(job => job.Run(CancellationToken.None), wait);
            Run<SyncUsageToStripeJob>(job => job.Run(CancellationToken.None), wait);
            Run<SyncUsageToStripeJob>(job => job.Report(CancellationToken.None), wait);
        }
        if (_comparisons.Next(now) is { } longer)
        {
            Run<DetectBillingDriftJob>(job => job.Run(CancellationToken.None), longer);
            Run<ReconcileMetersJob>(job => job.Run(CancellationToken.None), longer);
        }
    }

    private void Run<TJob>(Expression<Func<TJob, Task>> job, TimeSpan wait)
    {
        if (wait > TimeSpan.Zero) jobs.Schedule(job, wait);
        else jobs.Enqueue(job);
    }

    /// <summary>Turns that are some time apart, of which one at most is given away ahead.</summary>
    private sealed class Turns(TimeSpan apart)
    {
        private readonly Lock _gate = new();
        private DateTimeOffset _next;

        /// <summary>How long to wait for the next turn; null when it was given away already.</summary>
        public TimeSpan? Next(DateTimeOffset now)
        {
            lock (_gate)
            {
                if (_next - now > apart) return null;
                var at = _next > now ? _next : now;
                _next = at + apart;
                return at - now;
            }
        }
    }
}
