using System.Text;

namespace Rev.Client.Tests;

/// <summary>Signatures that were made elsewhere (Python's hmac) are taken, and nothing else is.</summary>
public sealed class WebhookTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string OtherSecret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    private const string Payload = """{"id":"msg_1","type":"outcome.succeeded","timestamp":"2021-02-25T17:15:30Z","sequence":1614273330000000,"mode":"live","data":{"outcome_id":"out_1","status":"succeeded","outcome_bonus":"2.5","note":"ä"}}""";

    private static readonly DateTimeOffset Signed = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    [Fact]
    public void The_vector_of_Standard_Webhooks_is_signed_right()
    {
        RevWebhooks.Sign("""{"test": 2432232314}"""u8, "msg_p5jXN8AQM9LWM0D4loKWxJek", Signed, Secret).ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

        var refused = Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(
            """{"test": 2432232314}""", Headers("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", "msg_p5jXN8AQM9LWM0D4loKWxJek"), [Secret], clock: new StillClock(Signed)));
        refused.Reason.ShouldBe("unreadable");
        refused.Code.ShouldBe("client.webhook_invalid");
    }

    [Fact]
    public void A_message_is_verified_and_read()
    {
        var message = RevWebhooks.Verify(Payload, Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M="), [Secret], clock: new StillClock(Signed));

        message.Id.ShouldBe("msg_1");
        message.Type.ShouldBe("outcome.succeeded");
        message.Sequence.ShouldBe(1614273330000000);
        message.Mode.ShouldBe("live");
        message.GetOutcome()!.OutcomeBonus.ShouldBe(2.5m);
        message.GetOutcome()!.Status.ShouldBe(OutcomeStatus.Succeeded);
        message.Data.GetProperty("note").GetString().ShouldBe("ä");
    }

    [Fact]
    public void While_a_secret_is_replaced_either_will_do()
    {
        var clock = new StillClock(Signed.AddMinutes(5));
        var both = RevWebhooks.Sign(Encoding.UTF8.GetBytes(Payload), "msg_1", Signed, OtherSecret) + " v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M=";

        RevWebhooks.Verify(Payload, Headers(both), [Secret], clock: clock).Id.ShouldBe("msg_1");
        RevWebhooks.Verify(Payload, Headers(both), [OtherSecret], clock: clock).Id.ShouldBe("msg_1");
        RevWebhooks.Verify(Payload, Headers("v2,bm9uZQ== v1,bm9uZQ== v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M="), [OtherSecret, Secret["whsec_".Length..]], clock: clock).Id.ShouldBe("msg_1");
    }

    [Theory]
    [InlineData("v1,bm9uZQ==")]
    [InlineData("v1,")]
    [InlineData("v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")]
    [InlineData("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void A_forged_message_is_refused(string signature) =>
        Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(Payload, Headers(signature), [Secret, OtherSecret], clock: new StillClock(Signed))).Reason.ShouldBe("bad_signature");

    [Fact]
    public void Another_body_id_or_time_is_refused()
    {
        var clock = new StillClock(Signed);

        Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(Payload + " ", Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M="), [Secret], clock: clock)).Reason.ShouldBe("bad_signature");
        Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(Payload, Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M=", "msg_2"), [Secret], clock: clock)).Reason.ShouldBe("bad_signature");
        Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(Payload, Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M=", time: "1614265331"), [Secret], clock: clock)).Reason.ShouldBe("bad_signature");
    }

    [Theory]
    [InlineData(301)]
    [InlineData(-301)]
    public void A_stale_message_is_refused(int seconds)
    {
        var clock = new StillClock(Signed.AddSeconds(seconds));

        Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(Payload, Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M="), [Secret], clock: clock)).Reason.ShouldBe("stale");
        RevWebhooks.Verify(Payload, Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M="), [Secret], TimeSpan.FromMinutes(6), clock).Id.ShouldBe("msg_1");
    }

    [Theory]
    [InlineData("webhook-id")]
    [InlineData("webhook-timestamp")]
    [InlineData("webhook-signature")]
    public void Every_header_is_needed(string missing)
    {
        var headers = Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M=");
        headers.Remove(missing).ShouldBeTrue();

        Should.Throw<RevWebhookException>(() => RevWebhooks.Verify(Payload, headers, [Secret], clock: new StillClock(Signed))).Reason.ShouldBe("missing_header");
    }

    [Fact]
    public void Headers_can_be_looked_up_and_without_a_secret_nothing_is_taken()
    {
        var headers = Headers("v1,/RT1zXsPrrKoKxtCNf8QygdMHTdDfSQvhMh4KYl9X2M=");
        var body = Encoding.UTF8.GetBytes(Payload);

        RevWebhooks.Verify(body, name => headers.GetValueOrDefault(name), [Secret], clock: new StillClock(Signed)).Id.ShouldBe("msg_1");
        Should.Throw<ArgumentException>(() => RevWebhooks.Verify(body, headers, [], clock: new StillClock(Signed)));
        Should.Throw<ArgumentException>(() => RevWebhooks.Verify(body, headers, ["whsec_"], clock: new StillClock(Signed)));
        Should.Throw<ArgumentException>(() => RevWebhooks.Verify(body, headers, ["not base 64!"], clock: new StillClock(Signed)));
        var upper = headers.Select(h => KeyValuePair.Create(h.Key.ToUpperInvariant(), h.Value));
        RevWebhooks.Verify(body, upper, [Secret], clock: new StillClock(Signed)).Id.ShouldBe("msg_1");
    }

    private static Dictionary<string, string> Headers(string signature, string id = "msg_1", string time = "1614265330") => new(StringComparer.Ordinal)
    {
        ["webhook-id"] = id,
        ["webhook-timestamp"] = time,
        ["webhook-signature"] = signature,
    };
}
