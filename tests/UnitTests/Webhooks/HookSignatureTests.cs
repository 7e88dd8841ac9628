using System.Text;
using Rev.Domain.Webhooks;

namespace Rev.UnitTests.Webhooks;

/// <summary>Signatures that were made elsewhere (Python's hmac) are taken, and nothing else is.</summary>
public sealed class HookSignatureTests
{
    private const string StandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string PlainSecret = "a-secret-of-the-sender";
    private const string StripeSecret = "whsec_stripelike";
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const string Time = "1614265330";
    private const string StandardSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private const string Hex = "d2f2b8fc398d7eff3a09db0488ee20d33e7125bec5966057ad521779751510c8";
    private const string Base64 = "0vK4/DmNfv86CdsEiO4g0z5xJb7FlmBXrVIXeXUVEMg=";
    private const string StripeSignature = "526bd54630849d9ab864efd635588dd0dcae204f279e7ebb21d0bc85356ac7a6";

    private static readonly byte[] Body = Encoding.UTF8.GetBytes("""{"test": 2432232314}""");

    private static readonly DateTimeOffset Signed = DateTimeOffset.FromUnixTimeSeconds(1614265330);

    private static readonly SignatureRule Standard = new(SignatureScheme.StandardWebhooks, null, SignatureEncoding.Hex, "", SignatureRule.DefaultTolerance);

    private static readonly SignatureRule Stripe = Standard with { Scheme = SignatureScheme.Stripe, Header = "Stripe-Signature" };

    private static readonly SignatureRule Hmac = Standard with { Scheme = SignatureScheme.HmacSha256, Header = "X-Hub-Signature-256", Prefix = "sha256=" };

    [Fact]
    public void A_delivery_of_Standard_Webhooks_is_taken_within_its_tolerance()
    {
        Fault(Standard, StandardSecret, Given(StandardSignature)).ShouldBeNull();
        Fault(Standard, StandardSecret["whsec_".Length..], Given(StandardSignature)).ShouldBeNull();
        Fault(Standard, StandardSecret, Given($"v1,bm9uZQ== v2,{StandardSignature[3..]} {StandardSignature}")).ShouldBeNull();
        Fault(Standard, StandardSecret, Given(StandardSignature), Signed.AddMinutes(5)).ShouldBeNull();
        Fault(Standard, StandardSecret, Given(StandardSignature), Signed.AddMinutes(-5)).ShouldBeNull();

        Fault(Standard, StandardSecret, Given(StandardSignature), Signed.AddSeconds(301))!.ShouldContain("stale");
        Fault(Standard, StandardSecret, Given(StandardSignature), Signed.AddSeconds(-301))!.ShouldContain("to come");
        Fault(Standard with { Tolerance = TimeSpan.FromSeconds(10) }, StandardSecret, Given(StandardSignature), Signed.AddSeconds(11))!.ShouldContain("stale");
    }

    [Fact]
    public void A_forged_delivery_is_not_taken_and_is_not_called_stale()
    {
        Fault(Standard, "whsec_" + Convert.ToBase64String(new byte[32]), Given(StandardSignature)).ShouldBe("no signature matches");
        Fault(Standard, StandardSecret, Given($"v2,{StandardSignature[3..]}")).ShouldBe("no signature matches");
        Fault(Standard, StandardSecret, Given("v1,")).ShouldBe("no signature matches");
        Fault(Standard, StandardSecret, Given(StandardSignature, id: "msg_other")).ShouldBe("no signature matches");
        Fault(Standard, StandardSecret, Given(StandardSignature, time: "1614265331")).ShouldBe("no signature matches");
        Fault(Standard, StandardSecret, Given("v1,bm9uZQ=="), Signed.AddDays(1)).ShouldBe("no signature matches");
        HookSignature.Fault(Standard, Keys(Standard, StandardSecret), Given(StandardSignature), "{}"u8, Signed).ShouldBe("no signature matches");
    }

    [Theory]
    [InlineData("webhook-id")]
    [InlineData("webhook-timestamp")]
    [InlineData("webhook-signature")]
    public void Of_Standard_Webhooks_every_header_is_needed(string missing)
    {
        var all = Given(StandardSignature);
        Fault(Standard, StandardSecret, name => name == missing ? null : all(name))!.ShouldContain(missing);
        Fault(Standard, StandardSecret, name => name == missing ? " " : all(name))!.ShouldContain(missing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1614265330.5")]
    [InlineData("99999999999999999")]
    [InlineData("soon")]
    public void A_time_that_is_none_is_not_taken(string time)
    {
        Fault(Standard, StandardSecret, Given(StandardSignature, time: time))!.ShouldContain("webhook-timestamp");
        Fault(Stripe, StripeSecret, _ => $"t={time},v1={StripeSignature}")!.ShouldContain("no time");
    }

    [Fact]
    public void A_delivery_signed_as_Stripe_does_is_taken_within_its_tolerance()
    {
        Fault(Stripe, StripeSecret, Only("Stripe-Signature", $"t={Time},v1={StripeSignature}")).ShouldBeNull();
        Fault(Stripe, StripeSecret, Only("Stripe-Signature", $"t={Time}, v0=00, v1={new string('0', 64)}, v1={StripeSignature}")).ShouldBeNull();
        Fault(Stripe with { Header = "X-Other" }, StripeSecret, Only("X-Other", $"t={Time},v1={StripeSignature}")).ShouldBeNull();

        Fault(Stripe, StripeSecret, Only("Stripe-Signature", $"t={Time},v1={StripeSignature}"), Signed.AddSeconds(301))!.ShouldContain("stale");
        Fault(Stripe, StripeSecret, Only("Stripe-Signature", $"t=1614265331,v1={StripeSignature}")).ShouldBe("no signature matches");
        Fault(Stripe, StripeSecret, Only("Stripe-Signature", $"t={Time},v1={new string('0', 64)}")).ShouldBe("no signature matches");
        Fault(Stripe, StripeSecret, Only("Stripe-Signature", $"t={Time},v0={StripeSignature}")).ShouldBe("no signature matches");
        Fault(Stripe, StripeSecret, Only("X-Other", $"t={Time},v1={StripeSignature}"))!.ShouldContain("Stripe-Signature is missing");
    }

    [Fact]
    public void An_HMAC_is_taken_in_its_encoding_after_its_prefix_only()
    {
        Fault(Hmac, PlainSecret, Only("X-Hub-Signature-256", "sha256=" + Hex)).ShouldBeNull();
        Fault(Hmac, PlainSecret, Only("X-Hub-Signature-256", "sha256=" + Hex.ToUpperInvariant())).ShouldBeNull();
        Fault(Hmac with { Encoding = SignatureEncoding.Base64, Prefix = "" }, PlainSecret, Only("X-Hub-Signature-256", Base64)).ShouldBeNull();

        Fault(Hmac, PlainSecret, Only("X-Hub-Signature-256", Hex))!.ShouldContain("does not begin with sha256=");
        Fault(Hmac, PlainSecret, Only("X-Hub-Signature-256", "sha256=" + Base64))!.ShouldContain("no signature in hexadecimal");
        Fault(Hmac, PlainSecret, Only("X-Hub-Signature-256", "sha256=" + Hex[..62]))!.ShouldContain("no signature in hexadecimal");
        Fault(Hmac, PlainSecret, Only("X-Hub-Signature-256", "sha256=" + new string('0', 64))).ShouldBe("the signature does not match");
        Fault(Hmac, "another-secret", Only("X-Hub-Signature-256", "sha256=" + Hex)).ShouldBe("the signature does not match");
        Fault(Hmac, PlainSecret, Only("X-Other", "sha256=" + Hex))!.ShouldContain("missing");
    }

    [Fact]
    public void One_of_several_keys_is_enough_and_none_is_not()
    {
        IReadOnlyList<byte[]> both = [new byte[24], .. Keys(Standard, StandardSecret)];
        HookSignature.Fault(Standard, both, Given(StandardSignature), Body, Signed).ShouldBeNull();
        HookSignature.Fault(Standard, [], Given(StandardSignature), Body, Signed).ShouldBe("no signature matches");
        HookSignature.Fault(Standard with { Scheme = SignatureScheme.None }, [], _ => null, Body, Signed).ShouldBeNull();
    }

    [Theory]
    [InlineData(SignatureScheme.StandardWebhooks, StandardSecret, true)]
    [InlineData(SignatureScheme.StandardWebhooks, "whsec_c2hvcnQ=", false)]
    [InlineData(SignatureScheme.StandardWebhooks, "whsec_not base 64!", false)]
    [InlineData(SignatureScheme.StandardWebhooks, "", false)]
    [InlineData(SignatureScheme.HmacSha256, PlainSecret, true)]
    [InlineData(SignatureScheme.HmacSha256, "short", false)]
    [InlineData(SignatureScheme.HmacSha256, "with a blank", false)]
    [InlineData(SignatureScheme.Stripe, StripeSecret, true)]
    [InlineData(SignatureScheme.Stripe, "ünïcödé-secret", false)]
    [InlineData(SignatureScheme.None, PlainSecret, false)]
    public void A_secret_fits_its_scheme_or_is_refused(SignatureScheme scheme, string secret, bool fits) =>
        (HookSecret.Fault(scheme, secret) is null).ShouldBe(fits);

    private static string? Fault(SignatureRule rule, string secret, Func<string, string?> headers, DateTimeOffset? now = null) =>
        HookSignature.Fault(rule, Keys(rule, secret), headers, Body, now ?? Signed);

    private static byte[][] Keys(SignatureRule rule, string secret) => [HookSecret.KeyOf(rule.Scheme, secret)];

    private static Func<string, string?> Given(string signature, string id = Id, string time = Time) => name => name switch
    {
        "webhook-id" => id,
        "webhook-timestamp" => time,
        "webhook-signature" => signature,
        _ => null,
    };

    private static Func<string, string?> Only(string header, string value) => name => name == header ? value : null;
}
