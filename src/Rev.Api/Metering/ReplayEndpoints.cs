using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Threading.Channels;
using MediatR;
using Rev.Api.Common;
using Rev.Api.Pricing;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Accounts;
using Rev.Domain.Common;
using Rev.Infrastructure.Common;

namespace Rev.Api.Metering;

/// <summary>Which recorded calls to price anew, and under which tier.</summary>
/// <param name="Tier">A tier as in PUT /v1/tiers/{key}, or the key of one of the account's.</param>
/// <param name="From">Only calls committed at or after this instant; default 30 days before to, at most 366.</param>
/// <param name="To">Only calls committed before this instant; default now.</param>
/// <param name="AgentId">Only calls of this agent.</param>
/// <param name="CustomerId">Only calls of this customer.</param>
internal sealed record ReplayRequest([property: Required] TierRequest? Tier, DateTimeOffset? From, DateTimeOffset? To, string? AgentId, string? CustomerId)
{
    public static Func<Tenant, ReplayCalls> Read(JsonElement body, List<FieldError> errors)
    {
        var fields = JsonFields.Of(body, "", errors, "tier", "from", "to", "agent_id", "customer_id");
        var (spec, key) = SimulationRequest.ReadTier(fields, errors);
        var (from, to) = (fields.Instant("from"), fields.Instant("to"));
        var (agent, customer) = (fields.Text("agent_id"), fields.Text("customer_id"));
        return tenant => new(tenant, spec, key, from, to, agent, customer);
    }
}

/// <summary>The replay of recorded calls under another tier.</summary>
internal static class ReplayEndpoints
{
    /// <summary>Maps the route.</summary>
    public static void MapReplay(this IEndpointRouteBuilder app) =>
        app.MapPost("/v1/simulations/replay", Replay).RequireScope(Scopes.Read).Document(ReplayDocs.Replay);

    private static async Task<IResult> Replay(HttpContext http, IMediator mediator, CancellationToken token)
    {
        var replay = await http.Body(ReplayRequest.Read).Then<Func<Tenant, ReplayCalls>, ReplayCalls>(r => r(http.Caller().Tenant));
        return replay.IsSuccess && ServerSentEvents.IsAccepted(http.Request)
            ? new ReplayAnswer(replay.Value, mediator)
            : (await replay.Send(r => mediator.Send(r, token))).ToHttp();
    }

    /// <summary>Tells how far it is while it runs, then the result; a refusal before anything was told is an ordinary one.</summary>
    private sealed class ReplayAnswer(ReplayCalls replay, IMediator mediator) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var told = Channel.CreateBounded<ReplayProgress>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted);
            var running = Task.Run(() => Run(told.Writer, ended.Token), CancellationToken.None);
            try
            {
                await foreach (var progress in told.Reader.ReadAllAsync(httpContext.RequestAborted)) await Tell(httpContext, "progress", progress);
                var result = await running;
                if (result.IsSuccess) await Tell(httpContext, "result", result.Value);
                else if (httpContext.Response.HasStarted) await Tell(httpContext, "error", result.Error.ToProblem(httpContext));
                else await Problems.Write(httpContext, result.Error);
            }
            catch (Exception exception) when (exception is not OperationCanceledException && httpContext.Response.HasStarted)
            {
                await Tell(httpContext, "error", (StoreFaults.IsUnavailable(exception) ? ServiceErrors.StoreUnavailable : ApiErrors.Internal).ToProblem(httpContext));
                throw;
            }
            finally
            {
                await ended.CancelAsync();
                await ((Task)running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        private async Task<Result<ReplayReport>> Run(ChannelWriter<ReplayProgress> told, CancellationToken token)
        {
            try
            {
                return await mediator.Send(replay with { Progress = new Teller(told) }, token);
            }
            finally
            {
                told.TryComplete();
            }
        }

        private static async Task Tell<T>(HttpContext http, string name, T data)
        {
            if (!http.Response.HasStarted) ServerSentEvents.Begin(http);
            await http.Response.Body.WriteAsync(ServerSentEvents.Frame(name, data), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }

        private sealed class Teller(ChannelWriter<ReplayProgress> told) : IProgress<ReplayProgress>
        {
            public void Report(ReplayProgress value) => told.TryWrite(value);
        }
    }
}

/// <summary>What the reference says of the replay.</summary>
internal static class ReplayDocs
{
    private const string Amounts = """
        "actual":{"base_fees":"50","token_charges":"46.2","outcome_bonuses":"25","total":"121.2"},
        "replayed":{"base_fees":"50","token_charges":"87","outcome_bonuses":"250","total":"387"},"difference":"265.8"
        """;

    public static readonly Doc Replay = new("Pricing", "replay", "Replay recorded calls under a tier", """
        Prices the account's recorded calls under another tier, by the same pricing as metered calls: what was charged against what the tier would have charged, in total, per day
        (UTC, of the commit) and per agent. Of agents the 1,000 with the largest differences are listed; the others are summed in `other_agents`.

        Every call counts with what it came to until now, whenever that was charged. Base fee and tokens are those of the replayed tier for the call's model. Every outcome keeps
        where it stands: a success gets the bonus that the tier gives for the call's metadata and that of its resolution; an expiry what the tier's `on_expiry` says; one that is
        pending, in review, failed or reversed gets none. The tier's clocks (`expires_after`, `review_window`, `reversal_window`) do not count. With `one_bonus_per` the bonus goes to
        the earliest decision among the replayed calls, and a reversal frees it; what was paid before the window is not known here.
        At most 2,000,000 outcomes can be decided about so; beyond that choose a shorter window.

        Only calls in the tier's currency are compared; `other_currencies` counts the others. An erasure takes metadata for good: `calls_erased` counts the calls whose bonus had to be
        decided without it.

        `archived_months` lists the months (UTC, of receipt) of which calls in this time, of this agent and customer, were moved to an archive: `actual`, `replayed` and `days` cover only
        what is there. It is empty when nothing is missing; hours at the ends of the time count whole for it. An operator can bring a month back.

        With `Accept: text/event-stream` the answer is a stream: about twice a second an event `progress` with `{"calls":n,"percent":p}`, then `result` with the answer, or `error` with a
        problem. When the caller goes away the replay ends. One replay of an account runs at a time, and two of all accounts on one server; more are refused with `service.overloaded`.
        """)
    {
        Request = typeof(ReplayRequest), RequestExample = """{"tier":"outreach","from":"2026-10-24T00:00:00Z","to":"2026-11-23T00:00:00Z"}""",
        Errors = ["tier.unknown", "service.overloaded"], MediaTypes = ["application/json", ServerSentEvents.MediaType],
        Answers = [(200, typeof(ReplayReport), "Actual against replayed.")],
        StreamExample = """
            event: progress
            data: {"calls":10000,"percent":41}

            event: result
            data: {"tier":{"key":"outreach","version":3},"currency":"usd","archived_months":[],"difference":"265.8"}


            """,
        AnswerExample = $$"""
            {"tier":{"key":"outreach","version":3},"currency":"usd","from":"2026-10-24T00:00:00Z","to":"2026-11-23T00:00:00Z","archived_months":[],"calls":10000,{{Amounts}},
             "days":[{"day":"2026-11-22","calls":10000,{{Amounts}}}],"agents":[{"agent_id":"outreach-agent-v2","calls":10000,{{Amounts}}}],"other_agents":null,
             "other_currencies":[{"currency":"eur","calls":12}],"calls_erased":0}
            """,
    };
}
