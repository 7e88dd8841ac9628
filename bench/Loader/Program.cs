using System.Diagnostics;
using System.Globalization;
using MediatR;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging;
using Rev.Application;
using Rev.Application.Analytics;
using Rev.Bench.Loader;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Domain.Pricing;
using Rev.Infrastructure;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.Infrastructure.Pricing;
using Calendar = Rev.Bench.Loader.Calendar;

// Fills a database that Rev has made with calls of the sixty days before --end, through the domain and the writer of metering.
var options = new ConfigurationBuilder().AddCommandLine(args).Build();
string Option(string name) => options[name] ?? throw new InvalidOperationException($"--{name} is missing.");
if (!AccountId.TryParse(Option("account"), out var account)) throw new InvalidOperationException("--account is no account.");
var tenant = new Tenant(account, Mode.Live);
var end = DateTimeOffset.Parse(Option("end"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
var (calls, window) = (int.Parse(Option("calls")), int.Parse(Option("window")));
var customers = int.Parse(options["customers"] ?? "200");

var clock = new SetClock();
var services = new ServiceCollection();
services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Warning));
services.AddSingleton<TimeProvider>(clock);
services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = Environments.Development, ContentRootPath = AppContext.BaseDirectory });
services.AddApplication();
services.AddInfrastructure(
    new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
    {
        ["Database:Provider"] = Option("provider"), ["ConnectionStrings:Rev"] = Option("connection"), ["DataDirectory"] = Option("data"),
        ["Security:Secret"] = new string('-', 64),
    }).Build(),
    services.BuildServiceProvider().GetRequiredService<IHostEnvironment>());
await using var container = services.BuildServiceProvider();

clock.Now = end.AddDays(-Calendar.Days);
var tier = await container.GetRequiredService<PriceBook>().Current(tenant, TierKey.Default, CancellationToken.None)
    ?? throw new InvalidOperationException("The account has no default tier.");
// The ids of calls rise by themselves: they are made ahead of the writer, whose own ids must stay near its clock.
var calendar = new Calendar(tenant, tier, new IdFactory(), end, calls, window, customers);
var indexes = new Indexes(container.GetRequiredService<StoreFactory>());
var dropped = await indexes.Drop();
var writer = container.GetRequiredService<BatchWriter>();
var started = Stopwatch.StartNew();
var written = 0;
// While a batch is written the next one is priced.
using var batches = calendar.Batches().GetEnumerator();
Task<Batch?> Price() => Task.Run(() => batches.MoveNext() ? batches.Current : null);
for (var next = Price(); await next is { } batch;)
{
    next = Price();
    clock.Now = batch.At;
    var tell = await writer.Write(batch.Items, suspect: false, CancellationToken.None);
    tell();
    foreach (var item in batch.Items)
    {
        var stored = item switch
        {
            CallItem call => (await call.Done).Value.Stored is not null,
            StepItem step => (await step.Done).Value is not null,
            _ => throw new UnreachableException(),
        };
        if (!stored) throw new InvalidOperationException("An item of a batch was not stored.");
    }
    var before = written / 250_000;
    written += batch.Items.OfType<CallItem>().Count();
    if (written / 250_000 != before) Console.WriteLine($"{written} calls in {started.Elapsed.TotalSeconds:0} s");
}
Console.WriteLine($"{written} calls, {calendar.Decided} decided and {calendar.Expired} expired outcomes in {started.Elapsed.TotalSeconds:0.0} s");
await indexes.Make(dropped);
Console.WriteLine($"{dropped.Count} indexes made again after {started.Elapsed.TotalSeconds:0.0} s");

// The job that sums days that are over does so within minutes; here it is done before anything is read.
clock.Now = end.AddHours(2);
await using var scope = container.CreateAsyncScope();
var folded = await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new FoldDays());
Console.WriteLine($"{folded.Value} days folded");
return written == calls ? 0 : 1;

namespace Rev.Bench.Loader
{
    /// <summary>A clock that stands where it was put.</summary>
    internal sealed class SetClock : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
