using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Rev.Application.Demo;

/// <summary>How a pending outcome of the demo is decided.</summary>
/// <param name="After">How long after the call.</param>
/// <param name="Outcome">success or failure.</param>
/// <param name="Metadata">The result payload.</param>
public sealed record DemoResolution(TimeSpan After, string Outcome, JsonObject Metadata)
{
    /// <summary>The body of <c>POST /v1/outcomes/{id}/resolve</c>.</summary>
    public byte[] Body() => Encoding.UTF8.GetBytes(new JsonObject { ["outcome"] = Outcome, ["metadata"] = Metadata.DeepClone() }.ToJsonString());
}

/// <summary>One call of the demo.</summary>
/// <param name="Agent">Who does it.</param>
/// <param name="Action">What it does.</param>
/// <param name="Customer">For whom.</param>
/// <param name="Model">By which model.</param>
/// <param name="TokensInput">Tokens read.</param>
/// <param name="TokensOutput">Tokens written.</param>
public sealed record DemoCall(string Agent, string Action, string Customer, string Model, long TokensInput, long TokensOutput)
{
    /// <summary>success, failure or pending; null when none is tracked.</summary>
    public string? Outcome { get; init; }

    /// <summary>How long a pending outcome may be decided.</summary>
    public TimeSpan? ExpiresAfter { get; init; }

    /// <summary>What goes with it.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>How a pending outcome is decided; null when it is left to expire.</summary>
    public DemoResolution? Resolution { get; init; }

    /// <summary>The body of <c>POST /v1/meter</c>. A repeat under the same idempotency key sends the same bytes.</summary>
    public byte[] Body(DateTimeOffset now)
    {
        var body = new JsonObject
        {
            ["agent_id"] = Agent, ["action"] = Action, ["customer_id"] = Customer, ["model"] = Model,
            ["tokens_input"] = TokensInput, ["tokens_output"] = TokensOutput,
        };
        if (Outcome is not null) body["outcome"] = Outcome;
        if (ExpiresAfter is { } after) body["expires_at"] = (now + after).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        if (Metadata is not null) body["metadata"] = Metadata.DeepClone();
        return Encoding.UTF8.GetBytes(body.ToJsonString());
    }
}

/// <summary>Makes up what the demo's agents do: by chance, in plausible shares.</summary>
/// <param name="random">The chance.</param>
public sealed class DemoScript(Random random)
{
    private const string Small = "small-2";
    private const string Large = "large-2";

    /// <summary>How soon, and how late, a pending outcome is decided; most are soon.</summary>
    private static readonly (TimeSpan Least, TimeSpan Most) Decided = (TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(40));

    private static readonly string[] Customers = ["alder-dental", "birch-logistics", "cedar-schools", "dune-travel", "elm-insurance", "fjord-energy"];

    private static readonly string[] Campaigns = ["q4-renewals", "spring-launch", "win-back"];

    private static readonly string[] Channels = ["chat", "email", "phone"];

    private static readonly string[] Topics = ["competitors", "pricing", "regulation", "suppliers"];

    /// <summary>The next call.</summary>
    public DemoCall Next() => random.Next(4) switch
    {
        0 => DoOutreach(),
        1 => DoSupport(),
        2 => DoBooking(),
        _ => DoResearch(),
    };

    private DemoCall DoOutreach()
    {
        if (Chance(.2)) return Call(DemoAgents.Outreach, "lead.researched", Small, 2_600, 300);
        var sent = Pending(Call(DemoAgents.Outreach, "email.sent", Large, 1_200, 340), new() { ["campaign"] = OneOf(Campaigns) });
        if (Chance(.2)) return sent;
        if (Chance(.3)) return sent with { Resolution = Failed(new() { ["bounced"] = true }) };
        // An answer by a machine is a success too, but no reply.
        return sent with { Resolution = Succeeded(new() { ["reply_received"] = Chance(.7) }) };
    }

    private DemoCall DoSupport()
    {
        if (Chance(.3)) return Call(DemoAgents.Support, "ticket.triaged", Small, 900, 120);
        var closed = Call(DemoAgents.Support, "ticket.closed", Large, 2_100, 420);
        var channel = OneOf(Channels);
        if (Chance(.1)) return closed with { Outcome = "failure", Metadata = new() { ["channel"] = channel, ["reopened"] = true } };
        return closed with { Outcome = "success", Metadata = new() { ["channel"] = channel, ["escalated"] = Chance(.2) } };
    }

    private DemoCall DoBooking()
    {
        if (Chance(.25)) return Call(DemoAgents.Booking, "calendar.checked", Small, 700, 90);
        var asked = Pending(Call(DemoAgents.Booking, "meeting.requested", Small, 1_050, 260), new() { ["minutes"] = Chance(.5) ? 30 : 60 });
        if (Chance(.2)) return asked;
        if (Chance(.35)) return asked with { Resolution = Failed(new() { ["accepted"] = false }) };
        return asked with { Resolution = Succeeded(new() { ["accepted"] = true, ["attendees"] = random.Next(2, 7) }) };
    }

    private DemoCall DoResearch()
    {
        if (Chance(.65)) return Call(DemoAgents.Research, "page.read", Small, 5_200, 180);
        var written = Call(DemoAgents.Research, "report.written", Large, 18_000, 2_900);
        var topic = OneOf(Topics);
        if (Chance(.12)) return written with { Outcome = "failure", Metadata = new() { ["topic"] = topic } };
        return written with { Outcome = "success", Metadata = new() { ["topic"] = topic, ["sources"] = random.Next(3, 25) } };
    }

    private DemoCall Call(DemoAgent agent, string action, string model, double input, double output) =>
        new(agent.Id, action, OneOf(Customers), model, Tokens(input), Tokens(output));

    /// <summary>Pending for a minute or some, longer than any result takes.</summary>
    private DemoCall Pending(DemoCall call, JsonObject metadata) =>
        call with { Outcome = "pending", ExpiresAfter = TimeSpan.FromSeconds(random.Next(75, 180)), Metadata = metadata };

    private DemoResolution Succeeded(JsonObject metadata) => new(Later(), "success", metadata);

    private DemoResolution Failed(JsonObject metadata) => new(Later(), "failure", metadata);

    private TimeSpan Later()
    {
        var share = random.NextDouble();
        return Decided.Least + ((Decided.Most - Decided.Least) * (share * share));
    }

    /// <summary>Lognormal, as lengths of texts are: around a median, now and then much more.</summary>
    private long Tokens(double median)
    {
        const double spread = .45;
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (long)Math.Clamp(median * Math.Exp(spread * normal), 1, 200_000);
    }

    private bool Chance(double share) => random.NextDouble() < share;

    private string OneOf(string[] among) => among[random.Next(among.Length)];
}
