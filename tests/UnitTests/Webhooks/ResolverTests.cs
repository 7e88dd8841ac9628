using Rev.Application.Common;
using Rev.Application.Webhooks;
using Rev.Domain.Common;
using Rev.Domain.Webhooks;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Webhooks;

public sealed class ResolverTests
{
    /// <summary>A resolver that says all it can.</summary>
    internal const string Whole = """
        {"name":"Replies","correlate":{"payload":"data.id","event":"metadata.id"},
         "success_when":{"all":[{"field":"payload.type","op":"eq","value":"reply"},{"not":{"field":"agent_id","op":"eq","value":"x"}}]},
         "failure_when":{"field":"payload.type","op":"in","value":["bounce","complaint"]},
         "signature":{"scheme":"hmac-sha256","header":"X-Sig","encoding":"base64","prefix":"v1="},
         "metadata":["data.subject","type"],"keep_unmatched_for":"PT24H"}
        """;

    private const string Least = """
        {"name":"n","correlate":{"payload":"id","event":"event_id"},"success_when":{"field":"payload.ok","op":"exists"},"signature":{"scheme":"none"}}
        """;

    [Theory]
    [InlineData(Whole)]
    [InlineData(Least)]
    public void What_a_resolver_says_is_read_back_from_its_text(string json)
    {
        var terms = Terms(json);
        var read = ResolverJson.FromText(ResolverJson.ToText(terms));
        read.ShouldBe(terms);
        ResolverJson.ToText(read).ShouldBe(ResolverJson.ToText(terms));
    }

    [Fact]
    public void What_is_absent_has_its_default()
    {
        var terms = Terms(Least);
        terms.FailureWhen.ShouldBeNull();
        terms.Metadata.ShouldBeNull();
        terms.KeepUnmatchedFor.ShouldBe(TimeSpan.FromHours(1));
        Terms(Least.Replace("none", "hmac-sha256", StringComparison.Ordinal)).Signature.ShouldBe(new(SignatureScheme.HmacSha256, "X-Signature", SignatureEncoding.Hex, "", TimeSpan.FromMinutes(5)));
        Terms(Least.Replace("none", "stripe", StringComparison.Ordinal)).Signature.Header.ShouldBe("Stripe-Signature");
        Terms(Least.Replace("none", "standard-webhooks", StringComparison.Ordinal)).Signature.Header.ShouldBeNull();
    }

    [Fact]
    public void The_payload_fields_that_conditions_read_are_known() =>
        Terms(Whole).PayloadFieldsRead.Select(path => string.Join('.', path)).ShouldBe(["type", "type"]);

    // What replaces what in the whole resolver, and which member is refused then.
    [Theory]
    [InlineData("\"name\":\"Replies\",", "", "name")]
    [InlineData("\"Replies\"", "\"a\\nb\"", "name")]
    [InlineData("\"payload\":\"data.id\",", "", "correlate.payload")]
    [InlineData("\"data.id\"", "\"data..id\"", "correlate.payload")]
    [InlineData("\"event\":\"metadata.id\"", "\"event\":\"agent_id\"", "correlate.event")]
    [InlineData("\"event\":\"metadata.id\"", "\"event\":null", "correlate.event")]
    [InlineData("\"success_when\":{", "\"success_when\":null,\"failure_when\":{", "failure_when")]
    [InlineData("payload.type\",\"op\":\"eq\"", "payload\",\"op\":\"eq\"", "success_when.all[0].field")]
    [InlineData("\"op\":\"in\",\"value\":[\"bounce\",\"complaint\"]", "\"op\":\"in\",\"value\":1", "failure_when.value")]
    [InlineData("hmac-sha256", "md5", "signature.scheme")]
    [InlineData("\"X-Sig\"", "\"X Sig\"", "signature.header")]
    [InlineData("\"base64\"", "\"base32\"", "signature.encoding")]
    [InlineData("\"v1=\"", "\"v1 =\"", "signature.prefix")]
    [InlineData("\"prefix\":\"v1=\"", "\"tolerance\":\"PT5M\"", "signature.tolerance")]
    [InlineData("\"prefix\":\"v1=\"", "\"secret\":\"short\"", "signature.secret")]
    [InlineData("\"prefix\":\"v1=\"", "\"algo\":\"x\"", "signature.algo")]
    [InlineData("\"type\"]", "\"a..b\"]", "metadata[1]")]
    [InlineData("\"type\"]", "7]", "metadata[1]")]
    [InlineData("PT24H", "PT25H", "keep_unmatched_for")]
    [InlineData("PT24H", "1 hour", "keep_unmatched_for")]
    public void What_is_wrong_is_named(string what, string with, string refused)
    {
        Whole.ShouldContain(what);
        Faults(Whole.Replace(what, with, StringComparison.Ordinal)).ShouldContain(refused);
    }

    [Theory]
    [InlineData("none", "\"header\":\"X\"", "signature.header")]
    [InlineData("none", "\"secret\":\"a-long-secret\"", "signature.secret")]
    [InlineData("none", "\"tolerance\":\"PT1M\"", "signature.tolerance")]
    [InlineData("standard-webhooks", "\"header\":\"X\"", "signature.header")]
    [InlineData("standard-webhooks", "\"prefix\":\"x\"", "signature.prefix")]
    [InlineData("standard-webhooks", "\"tolerance\":\"PT2H\"", "signature.tolerance")]
    [InlineData("standard-webhooks", "\"secret\":\"whsec_c2hvcnQ=\"", "signature.secret")]
    [InlineData("stripe", "\"encoding\":\"hex\"", "signature.encoding")]
    [InlineData("stripe", "\"tolerance\":\"PT0S\"", "signature.tolerance")]
    public void What_does_not_go_with_a_scheme_is_named(string scheme, string member, string refused) =>
        Faults(Least.Replace("\"none\"", $"\"{scheme}\",{member}", StringComparison.Ordinal)).ShouldBe([refused]);

    [Fact]
    public void A_replaced_secret_is_taken_for_a_day_unless_the_scheme_is_another()
    {
        var resolver = Resolver.Make(new(1), Given.Tenant, Terms(Whole), "first", Given.Noon);
        resolver.SecretCiphers(Given.Noon).ShouldBe(["first"]);

        resolver.Change(Terms(Whole), "second", Given.Noon).IsSuccess.ShouldBeTrue();
        resolver.SecretCiphers(Given.Noon.AddHours(24).AddTicks(-1)).ShouldBe(["second", "first"]);
        resolver.SecretCiphers(Given.Noon.AddHours(24)).ShouldBe(["second"]);
        resolver.Change(Terms(Whole), null, Given.Noon.AddHours(1)).IsSuccess.ShouldBeTrue();
        resolver.SecretCiphers(Given.Noon.AddHours(1)).ShouldBe(["second", "first"]);

        resolver.Change(Terms(Least), "token", Given.Noon.AddHours(2)).IsSuccess.ShouldBeTrue();
        resolver.SecretCiphers(Given.Noon.AddHours(2)).ShouldBe(["token"]);
        resolver.Change(Terms(Least), "other token", Given.Noon.AddHours(2)).IsSuccess.ShouldBeTrue();
        resolver.SecretCiphers(Given.Noon.AddHours(2)).ShouldBe(["other token"]);
    }

    [Fact]
    public void A_deleted_resolver_keeps_no_secret_and_is_not_changed()
    {
        var resolver = Resolver.Make(new(1), Given.Tenant, Terms(Whole), "first", Given.Noon);
        resolver.Delete(Given.Noon);
        resolver.Delete(Given.Noon.AddDays(1));
        resolver.DeletedAt.ShouldBe(Given.Noon);
        resolver.SecretCiphers(Given.Noon).ShouldBeEmpty();
        resolver.BackfillDueAt.ShouldBeNull();
        resolver.Change(Terms(Whole), null, Given.Noon).Error.ShouldBe(ResolverErrors.NotFound);
    }

    [Fact]
    public void Calls_from_before_are_looked_through_until_none_can_be_missed_and_again_when_the_field_is_another()
    {
        var resolver = Resolver.Make(new(1), Given.Tenant, Terms(Whole), null, Given.Noon);
        resolver.BackfillDueAt.ShouldBe(Given.Noon);
        resolver.TakeBackfill(Given.Noon, TimeSpan.FromMinutes(2));
        resolver.Backfilled(new(9));
        resolver.BackfilledTo.ShouldBe(new CallId(9));

        resolver.FinishBackfill(Given.Noon);
        (resolver.BackfillDueAt, resolver.BackfilledTo, resolver.BackfillsLate).ShouldBe((Given.Noon.AddSeconds(5), null, true));
        // A process whose store was slow commits what it had begun before it knew: that is looked for when it can be under way no more.
        resolver.FinishBackfill(Given.Noon.AddSeconds(5));
        (resolver.BackfillDueAt, resolver.BackfillsLate).ShouldBe((Given.Noon.AddMinutes(2), true));
        resolver.FinishBackfill(Given.Noon.AddMinutes(2));
        (resolver.BackfillDueAt, resolver.BackfillsLate).ShouldBe((null, false));

        resolver.Change(Terms(Whole), null, Given.Noon.AddDays(1)).IsSuccess.ShouldBeTrue();
        resolver.BackfillDueAt.ShouldBeNull();
        resolver.Change(Terms(Whole.Replace("metadata.id", "metadata.other", StringComparison.Ordinal)), null, Given.Noon.AddDays(2)).IsSuccess.ShouldBeTrue();
        (resolver.BackfillDueAt, resolver.CorrelatesSince).ShouldBe((Given.Noon.AddDays(2), Given.Noon.AddDays(2)));
        Resolver.Make(new(1), Given.Tenant, Terms(Least), null, Given.Noon).BackfillDueAt.ShouldBeNull();
    }

    [Fact]
    public void Of_several_results_the_one_that_says_most_is_told()
    {
        var delivery = Delivery();
        (delivery.Result, delivery.DueAt).ShouldBe((HookResult.Received, Given.Noon.AddMinutes(2)));

        delivery.Settle([Item(HookResult.NoMatch), Item(HookResult.Resolved), Item(HookResult.Resolved), Item(HookResult.AlreadyResolved)], Given.Noon.AddHours(1), Given.Noon);
        (delivery.Result, delivery.Resolved, delivery.Reason, delivery.WaitingUntil, delivery.DueAt).ShouldBe((HookResult.Resolved, 2, null, Given.Noon.AddHours(1), null));
        delivery.Settle([Item(HookResult.NoMatch), Item(HookResult.NoConditionMet)], null, Given.Noon);
        delivery.Result.ShouldBe(HookResult.NoConditionMet);
        delivery.Settle([Item(HookResult.NoMatch, "why")], null, Given.Noon);
        (delivery.Result, delivery.Reason).ShouldBe((HookResult.NoMatch, "why"));
        delivery.Settle([], null, Given.Noon);
        (delivery.Result, delivery.Resolved).ShouldBe((HookResult.NoMatch, 0));
        foreach (var result in Enum.GetValues<HookResult>()) HookDelivery.MostTellingOf([result]).ShouldBe(result);
    }

    [Fact]
    public void A_delivery_that_fails_comes_again_later_each_time_and_is_given_up()
    {
        var delivery = Delivery();
        foreach (var seconds in (int[])[5, 30, 300, 3600, 3600])
        {
            delivery.Fail("service.unavailable", Given.Noon);
            delivery.DueAt.ShouldBe(Given.Noon.AddSeconds(seconds));
        }
        delivery.Settle([Item(HookResult.NoMatch)], Given.Noon.AddHours(24), Given.Noon);
        while (delivery.Attempts < HookDelivery.MaxAttempts) delivery.Fail(new string('x', 1000), Given.Noon);
        (delivery.Result, delivery.DueAt, delivery.WaitingUntil).ShouldBe((HookResult.Failed, null, null));
        delivery.Reason!.Length.ShouldBe(HookDelivery.MaxReasonLength);
    }

    [Fact]
    public void A_delivery_that_cannot_be_worked_on_any_more_keeps_what_came_of_it()
    {
        var fresh = Delivery();
        fresh.Close("the resolver was deleted", Given.Noon);
        (fresh.Result, fresh.Reason, fresh.DueAt).ShouldBe((HookResult.Failed, "the resolver was deleted", null));
        var waiting = Delivery();
        waiting.Settle([Item(HookResult.NoMatch, "why")], Given.Noon.AddHours(1), Given.Noon);
        waiting.Close("its body was erased", Given.Noon);
        (waiting.Result, waiting.Reason, waiting.WaitingUntil).ShouldBe((HookResult.NoMatch, "why", null));
    }

    internal static ResolverTerms Terms(string json)
    {
        var errors = new List<FieldError>();
        var (spec, secret) = ResolverJson.Read(Given.Json(json), errors);
        errors.ShouldBeEmpty();
        new MakeResolverValidator().Refusal(new MakeResolver(null!, spec, secret, null)).ShouldBeNull();
        return spec.ToTerms();
    }

    private static IReadOnlyList<string> Faults(string json)
    {
        var errors = new List<FieldError>();
        var (spec, secret) = ResolverJson.Read(Given.Json(json), errors);
        if (errors.Count > 0) return errors.ConvertAll(e => e.Field);
        return [.. new MakeResolverValidator().Validate(new MakeResolver(null!, spec, secret, null)).Errors.Select(e => e.PropertyName)];
    }

    private static HookDelivery Delivery() =>
        HookDelivery.Receive(new(1), Resolver.Make(new(1), Given.Tenant, Terms(Whole), null, Given.Noon), null, 10, Given.Noon);

    private static HookItem Item(HookResult result, string? reason = null) => new("v", new(1), result, reason, KeptPayload.None);
}
