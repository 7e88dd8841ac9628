using Hangfire;
using MediatR;
using Rev.Application.Billing;

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

/// <summary>Has Hangfire run the work with Stripe now.</summary>
public sealed class BillingWakeUp(IBackgroundJobClient jobs) : IBillingWakeUp
{
    /// <inheritdoc/>
    public void Billing()
    {
        jobs.Enqueue<CloseBillingPeriodsJob>(job => job.Run(CancellationToken.None));
        jobs.Enqueue<ProcessStripeEventsJob>(job => job.Run(CancellationToken.None));
        jobs.Enqueue<SyncUsageToStripeJob>(job => job.Run(CancellationToken.None));
        jobs.Enqueue<SyncUsageToStripeJob>(job => job.Report(CancellationToken.None));
        jobs.Enqueue<DetectBillingDriftJob>(job => job.Run(CancellationToken.None));
        jobs.Enqueue<ReconcileMetersJob>(job => job.Run(CancellationToken.None));
    }
}
