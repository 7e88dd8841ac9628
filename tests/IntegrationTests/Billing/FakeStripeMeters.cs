using System.Globalization;
using System.Text.Json.Nodes;

namespace Rev.IntegrationTests.Billing;

/// <content>Billing meters.</content>
public sealed partial class FakeStripe
{
    private const int MostDigits = 15;

    /// <summary>How long it takes until usage shows in the summaries.</summary>
    public TimeSpan SummaryLag { get; set; }

    /// <summary>Why usage that was taken in is rejected later, by its identifier: the code of an error report; null when it is not.</summary>
    public Func<string, string?>? RejectUsage { get; set; }

    private JsonObject RouteMeters(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments[2..]) switch
        {
            ("POST", ["meters"]) => CreateMeter(world, form),
            ("GET", ["meters"]) => List(world, "billing.meter", form, "/v1/billing/meters", "status"),
            ("GET", ["meters", var id]) => Get(world, "billing.meter", id).Copy(),
            ("POST", ["meters", var id]) => RenameMeter(world, Get(world, "billing.meter", id), form),
            ("POST", ["meters", var id, "deactivate"]) => SwitchMeter(world, Get(world, "billing.meter", id), isActive: false),
            ("POST", ["meters", var id, "reactivate"]) => SwitchMeter(world, Get(world, "billing.meter", id), isActive: true),
            ("GET", ["meters", var id, "event_summaries"]) => Summaries(world, Get(world, "billing.meter", id), form, request.Path),
            ("POST", ["meter_events"]) => TakeUsage(world, form),
            ("POST", ["meter_event_adjustments"]) => CancelUsage(world, form),
            _ => throw Unknown(request),
        };
    }

    private JsonObject RouteV2(FakeWorld world, FakeRequest request)
    {
        var form = request.Form;
        return (request.Method, request.Segments[1..]) switch
        {
            ("POST", ["billing", "meter_events"]) => TakeUsageV2(world, form),
            ("POST", ["billing", "meter_event_adjustments"]) => CancelUsage(world, form),
            ("GET", ["core", "events", var id]) => Get(world, "v2.core.event", id).Copy(),
            _ => throw Unknown(request),
        };
    }

    private JsonObject CreateMeter(FakeWorld world, JsonObject form)
    {
        var name = form.Required("event_name");
        form.Required("display_name");
        form.Limited("event_name", 100);
        var formula = form.Child("default_aggregation").Required("formula");
        if (formula is not ("sum" or "count" or "last")) throw FakeStripeException.Invalid("parameter_invalid", $"Invalid formula: {formula}", "default_aggregation[formula]");
        if (MeterOf(world, name) is not null)
            throw FakeStripeException.Refused("resource_already_exists", $"An active meter with event name '{name}' already exists.", "event_name");
        var meter = Insert(world, "billing.meter", "mtr", new JsonObject
        {
            ["customer_mapping"] = new JsonObject { ["event_payload_key"] = form.Child("customer_mapping").Given("event_payload_key") ?? "stripe_customer_id", ["type"] = "by_id" },
            ["default_aggregation"] = new JsonObject { ["formula"] = formula }, ["display_name"] = form.Given("display_name"), ["event_name"] = name,
            ["event_time_window"] = form.Given("event_time_window"), ["status"] = "active", ["status_transitions"] = new JsonObject { ["deactivated_at"] = null },
            ["updated"] = Now,
            ["value_settings"] = new JsonObject { ["event_payload_key"] = form.Child("value_settings").Given("event_payload_key") ?? "value" },
        });
        meter.Remove("metadata");
        Emit(world, "billing.meter.created", meter);
        return meter.Copy();
    }

    private JsonObject RenameMeter(FakeWorld world, JsonObject meter, JsonObject form)
    {
        if (form.Any(member => member.Key is not ("display_name" or "expand")))
            throw FakeStripeException.Invalid("parameter_unknown", "Only the display name of a meter can be changed.", "display_name");
        meter["display_name"] = form.Required("display_name");
        meter["updated"] = Now;
        Emit(world, "billing.meter.updated", meter);
        return meter.Copy();
    }

    private JsonObject SwitchMeter(FakeWorld world, JsonObject meter, bool isActive)
    {
        meter["status"] = isActive ? "active" : "inactive";
        meter["updated"] = Now;
        meter.Child("status_transitions")!["deactivated_at"] = isActive ? null : Now;
        Emit(world, isActive ? "billing.meter.reactivated" : "billing.meter.deactivated", meter);
        return meter.Copy();
    }

    private static JsonObject? MeterOf(FakeWorld world, string eventName) =>
        world.Table("billing.meter").Find(meter => meter.Text("event_name") == eventName && meter.Text("status") == "active");

    private JsonObject TakeUsage(FakeWorld world, JsonObject form)
    {
        var usage = Take(world, form, form.Whole("timestamp") ?? Now);
        return new JsonObject
        {
            ["object"] = "billing.meter_event", ["created"] = Now, ["event_name"] = usage.EventName, ["identifier"] = usage.Identifier, ["livemode"] = world.Live,
            ["payload"] = form["payload"]!.DeepClone(), ["timestamp"] = usage.Timestamp,
        };
    }

    private JsonObject TakeUsageV2(FakeWorld world, JsonObject form)
    {
        var timestamp = Now;
        if (form.Given("timestamp") is { } text)
        {
            if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at))
                throw FakeStripeException.Invalid("invalid_timestamp", $"Invalid timestamp: {text}", "timestamp");
            timestamp = at.ToUnixTimeSeconds();
        }
        var usage = Take(world, form, timestamp);
        return new JsonObject
        {
            ["object"] = "v2.billing.meter_event", ["created"] = Iso(Now), ["event_name"] = usage.EventName, ["identifier"] = usage.Identifier, ["livemode"] = world.Live,
            ["payload"] = form["payload"]!.DeepClone(), ["timestamp"] = Iso(usage.Timestamp),
        };
    }

    private static string Iso(long unix) => DateTimeOffset.FromUnixTimeSeconds(unix).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private FakeUsage Take(FakeWorld world, JsonObject form, long timestamp)
    {
        var name = form.Required("event_name");
        form.Limited("event_name", 100);
        var identifier = form.Limited("identifier", 100) ?? Guid.NewGuid().ToString("N");
        if (form.Child("payload") is not { } payload) throw FakeStripeException.Invalid("parameter_missing", "Missing required param: payload.", "payload");
        var meter = MeterOf(world, name);
        if (meter is null && world.Table("billing.meter").Exists(other => other.Text("event_name") == name))
            throw FakeStripeException.Invalid("archived_meter", $"The meter of {name} is deactivated.", "event_name");
        if (meter is null) throw FakeStripeException.Invalid("no_meter", $"No active meter found with event name {name}.", "event_name");
        var customerKey = meter.Child("customer_mapping").Text("event_payload_key")!;
        var valueKey = meter.Child("value_settings").Text("event_payload_key")!;
        var customer = payload.Given(customerKey) ?? throw FakeStripeException.Invalid("meter_event_no_customer_defined", $"The payload has no {customerKey}.", "payload");
        var text = payload.Given(valueKey) ?? throw FakeStripeException.Invalid("meter_event_invalid_value", $"The payload has no {valueKey}.", "payload");
        var digits = text.StartsWith('-') ? text[1..] : text;
        if (digits.Length == 0 || !digits.All(char.IsAsciiDigit))
            throw FakeStripeException.Invalid("meter_event_invalid_value", $"The value must be a whole number: {text}", "payload");
        if (digits.TrimStart('0').Length > MostDigits)
            throw FakeStripeException.Invalid("meter_event_value_too_many_digits", $"The value can have at most 15 digits: {text}", "payload");
        if (timestamp > Now + 300)
            throw FakeStripeException.Invalid("timestamp_in_future", "The timestamp must be within the past 35 calendar days or up to 5 minutes in the future.", "timestamp");
        if (timestamp < Now - (35 * 86_400))
            throw FakeStripeException.Invalid("timestamp_too_far_in_past", "The timestamp must be within the past 35 calendar days or up to 5 minutes in the future.", "timestamp");
        if (world.Usage.Exists(known => known.Identifier == identifier && Now - known.ReceivedAt < 86_400))
        {
            throw new FakeStripeException(400, "duplicate_meter_event", $"An event already exists with identifier {identifier}.", "identifier", remembered: true)
            {
                ShouldRetry = false,
            };
        }
        var usage = new FakeUsage
        {
            Identifier = identifier, EventName = name, Customer = customer, Value = long.Parse(text, CultureInfo.InvariantCulture), Timestamp = timestamp, ReceivedAt = Now,
        };
        world.Usage.Add(usage);
        var isKnown = world.ById.TryGetValue(customer, out var row) && row.Text("object") == "customer" && !row.Flag("deleted");
        usage.Rejected = isKnown ? RejectUsage?.Invoke(identifier) : "meter_event_customer_not_found";
        if (usage.Rejected is not null) ReportUsage(world, meter, usage);
        return usage;
    }

    private JsonObject CancelUsage(FakeWorld world, JsonObject form)
    {
        var name = form.Required("event_name");
        if (form.Required("type") != "cancel") throw FakeStripeException.Invalid("parameter_invalid", "The type must be cancel.", "type");
        var identifier = form.Child("cancel").Required("identifier");
        var usage = world.Usage.FindLast(known => known.Identifier == identifier && known.EventName == name)
            ?? throw FakeStripeException.Refused("resource_missing", $"No meter event with identifier {identifier}.", "cancel[identifier]");
        if (Now - usage.ReceivedAt > 86_400)
            throw FakeStripeException.Refused(code: null, "Meter events can only be cancelled within 24 hours of being received.", "cancel[identifier]");
        usage.IsCancelled = true;
        return new JsonObject
        {
            ["object"] = "billing.meter_event_adjustment", ["cancel"] = new JsonObject { ["identifier"] = identifier }, ["event_name"] = name, ["livemode"] = world.Live,
            ["status"] = "pending", ["type"] = "cancel",
        };
    }

    private JsonObject Summaries(FakeWorld world, JsonObject meter, JsonObject query, string url)
    {
        var customer = query.Required("customer");
        Get(world, "customer", customer, "customer");
        query.Required("start_time");
        query.Required("end_time");
        var (start, end) = (query.Whole("start_time")!.Value, query.Whole("end_time")!.Value);
        long step = query.Given("value_grouping_window") switch
        {
            null => 0,
            "hour" => 3600,
            "day" => 86_400,
            var other => throw FakeStripeException.Invalid("parameter_invalid", $"Invalid value_grouping_window: {other}", "value_grouping_window"),
        };
        var boundary = Math.Max(60, step);
        if (start % boundary != 0 || end % boundary != 0)
            throw FakeStripeException.Invalid("parameter_invalid_integer", "start_time and end_time must lie on boundaries of the window, or of minutes.", "start_time");
        if (end <= start) throw FakeStripeException.Invalid("parameter_invalid_integer", "end_time must be after start_time.", "end_time");
        var visible = Now - (long)SummaryLag.TotalSeconds;
        var counted = world.Usage.Where(usage => usage.Counts && usage.EventName == meter.Text("event_name") && usage.Customer == customer
            && usage.ReceivedAt <= visible && usage.Timestamp >= start && usage.Timestamp < end);
        var formula = meter.Child("default_aggregation").Text("formula")!;
        var rows = counted.GroupBy(usage => step == 0 ? start : usage.Timestamp - (usage.Timestamp % step)).OrderByDescending(group => group.Key).Select(group => new JsonObject
        {
            ["id"] = $"mtrusg_{meter.Text("id")}_{customer}_{group.Key}_{step}", ["object"] = "billing.meter_event_summary", ["aggregated_value"] = Aggregated(formula, group),
            ["end_time"] = step == 0 ? end : group.Key + step, ["livemode"] = world.Live, ["meter"] = meter.Text("id"), ["start_time"] = group.Key,
        });
        return StripeJson.Page(rows, query, url, row => row.Copy());
    }

    private static long Aggregated(string formula, IEnumerable<FakeUsage> usage) => formula switch
    {
        "count" => usage.LongCount(),
        "last" => usage.MaxBy(one => one.Timestamp)?.Value ?? 0,
        _ => usage.Sum(one => one.Value),
    };

    /// <summary>Tells of usage that was taken in and did not count: a thin event, with a sample.</summary>
    private void ReportUsage(FakeWorld world, JsonObject meter, FakeUsage usage)
    {
        var sample = new JsonObject { ["error_message"] = usage.Rejected, ["request"] = new JsonObject { ["identifier"] = usage.Identifier } };
        var types = StripeJson.ArrayOf([new JsonObject { ["code"] = usage.Rejected, ["error_count"] = 1L, ["sample_errors"] = StripeJson.ArrayOf([sample]) }]);
        EmitThin(
            world, "v1.billing.meter.error_report_triggered",
            new JsonObject { ["id"] = meter.Text("id"), ["type"] = "billing.meter", ["url"] = $"/v1/billing/meters/{meter.Text("id")}" },
            new JsonObject
            {
                ["developer_message_summary"] = "There is 1 invalid event", ["reason"] = new JsonObject { ["error_count"] = 1L, ["error_types"] = types },
                ["validation_end"] = Iso(Now), ["validation_start"] = Iso(Now),
            });
    }
}
