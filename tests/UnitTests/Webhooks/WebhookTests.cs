using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Rev.Domain.Common;
using Rev.Domain.Outcomes;
using Rev.Domain.Webhooks;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Webhooks;

public sealed class WebhookTests
{
    private static readonly WebhookSecret Secret = Parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");

    private static WebhookSecret Parse(string text)
    {
        WebhookSecret.TryParse(text, out var secret).ShouldBeTrue();
        return secret!;
    }

    private static EventPatterns Patterns(params string[] names)
    {
        EventPatterns.TryParse(names, out var patterns).ShouldBeTrue();
        return patterns!;
    }

    private static WebhookEndpoint Endpoint() => WebhookEndpoint.Add(new(1), Given.Tenant, "https://example.com/", Patterns("*"), null, "sealed", Given.Noon);

    private static WebhookDelivery Delivery() => WebhookDelivery.Queue(new(2), Endpoint(), new(3), WebhookTypes.OutcomeSucceeded, Given.Noon);

    private static readonly WebhookResult Taken = new(204, null, null, null);

    private static readonly WebhookResult Refused = new(500, null, "no", null);

    private static WebhookAttempt Attempt(WebhookDelivery delivery, WebhookResult result, DateTimeOffset at, double jitter = 0.5) =>
        delivery.Attempted(result, at, TimeSpan.FromMilliseconds(120), "v1,x", jitter);

    // --- patterns ---

    [Theory]
    [InlineData("*", "outcome.succeeded invoice.paid stripe.sync_failed")]
    [InlineData("outcome.*", "outcome.succeeded outcome.failed outcome.expired outcome.in_review outcome.reversed")]
    [InlineData("invoice.*", "invoice.finalized invoice.paid invoice.payment_failed")]
    [InlineData("invoice.paid", "invoice.paid")]
    [InlineData("stripe.*", "stripe.sync_failed")]
    public void A_pattern_matches_its_types(string pattern, string types)
    {
        var patterns = Patterns(pattern);
        foreach (var type in types.Split(' ')) patterns.Match(type).ShouldBeTrue(type);
        if (pattern != "*") WebhookTypes.All.Where(patterns.Match).ShouldBe(types.Split(' '), ignoreOrder: true);
        EventPatterns.Stored(patterns.ToString()).ShouldBe(patterns);
    }

    [Fact]
    public void Patterns_are_different_and_known()
    {
        EventPatterns.TryParse(null, out _).ShouldBeFalse();
        EventPatterns.TryParse([], out _).ShouldBeFalse();
        EventPatterns.TryParse(["outcome.*", "outcome.*"], out _).ShouldBeFalse();
        EventPatterns.TryParse(["outcome.succeded"], out _).ShouldBeFalse();
        EventPatterns.TryParse(["outcome"], out _).ShouldBeFalse();
        EventPatterns.TryParse(["out*"], out _).ShouldBeFalse();
        EventPatterns.TryParse([null], out _).ShouldBeFalse();
        EventPatterns.TryParse([WebhookTypes.Test], out _).ShouldBeFalse();
        Patterns("outcome.*", "invoice.paid").Names.ShouldBe(["outcome.*", "invoice.paid"]);
        WebhookTypes.All.ShouldAllBe(t => t.Length <= WebhookTypes.MaxLength);
    }

    [Fact]
    public void Every_status_but_pending_is_told() =>
        Enum.GetValues<OutcomeStatus>().Select(WebhookTypes.Of).ShouldBe(
            [null, "outcome.in_review", "outcome.succeeded", "outcome.failed", "outcome.expired", "outcome.reversed"], ignoreOrder: true);

    // --- signatures ---

    [Fact]
    public void A_message_is_signed_as_the_specification_s_own_example()
    {
        // Source: the test vectors of the libraries of Standard Webhooks.
        var at = DateTimeOffset.FromUnixTimeSeconds(1614265330);
        WebhookSignature.Of(Secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, """{"test": 2432232314}"""u8).ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    [Fact]
    public void While_a_secret_is_replaced_there_are_two_signatures()
    {
        var other = WebhookSecret.Of(RandomNumberGenerator.GetBytes(64));
        var body = "{}"u8.ToArray();
        var header = WebhookSignature.Header([other, Secret], "msg_1", Given.Noon, body);
        header.Split(' ').ShouldBe([WebhookSignature.Of(other, "msg_1", Given.Noon, body), WebhookSignature.Of(Secret, "msg_1", Given.Noon, body)]);
        header.Length.ShouldBeLessThanOrEqualTo(WebhookSignature.MaxLength);
    }

    [Theory]
    [InlineData(23, false)]
    [InlineData(24, true)]
    [InlineData(64, true)]
    [InlineData(65, false)]
    public void A_secret_has_24_to_64_bytes(int bytes, bool valid) =>
        WebhookSecret.TryParse(WebhookSecret.Prefix + Convert.ToBase64String(new byte[bytes]), out _).ShouldBe(valid);

    [Fact]
    public void A_secret_is_not_told_by_accident()
    {
        Secret.ToString().ShouldNotContain("MfKQ");
        Secret.Reveal().ShouldBe("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        foreach (var text in new[] { null, "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!", "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" })
            WebhookSecret.TryParse(text, out _).ShouldBeFalse(text);
    }

    [Fact]
    public void A_body_is_JSON_and_the_same_at_every_try()
    {
        var message = new WebhookMessage(new(5), new(new(1), Mode.Test), WebhookTypes.InvoicePaid, 1_795_512_600_000_001, Given.Noon.AddTicks(1_234_560), """{"id":"inv_1"}""");
        var body = JsonDocument.Parse(message.Body()).RootElement;
        message.Body().ShouldBe(message.Body());
        body.EnumerateObject().Select(m => m.Name).ShouldBe(["id", "type", "timestamp", "sequence", "mode", "data"]);
        body.GetProperty("id").GetString().ShouldBe(new WebhookMessageId(5).ToString());
        body.GetProperty("timestamp").GetString().ShouldBe("2026-11-23T12:00:00.123456Z");
        body.GetProperty("sequence").GetInt64().ShouldBe(1_795_512_600_000_001);
        body.GetProperty("mode").GetString().ShouldBe("test");
        body.GetProperty("data").GetProperty("id").GetString().ShouldBe("inv_1");
        (message with { CreatedAt = Given.Noon }).Body().ShouldContain("\"2026-11-23T12:00:00Z\"");
    }

    // --- addresses ---

    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("1.1.1.1", true)]
    [InlineData("172.15.255.255", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("100.63.255.255", true)]
    [InlineData("100.128.0.1", true)]
    [InlineData("2606:4700:4700::1111", true)]
    [InlineData("2002:808:808::1", true)]
    [InlineData("64:ff9b::8.8.8.8", true)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("0.0.0.0", false)]
    [InlineData("0.1.2.3", false)]
    [InlineData("10.0.0.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("100.100.100.200", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.255.255.254", false)]
    [InlineData("168.63.129.16", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.31.255.255", false)]
    [InlineData("192.0.0.8", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("198.18.0.1", false)]
    [InlineData("198.19.255.255", false)]
    [InlineData("198.51.100.1", false)]
    [InlineData("203.0.113.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("239.1.1.1", false)]
    [InlineData("240.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::", false)]
    [InlineData("::1", false)]
    [InlineData("::127.0.0.1", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:169.254.169.254", false)]
    [InlineData("64:ff9b::10.0.0.1", false)]
    [InlineData("64:ff9b:1::8.8.8.8", false)]
    [InlineData("2002:7f00:1::1", false)]
    [InlineData("2002:a9fe:a9fe::1", false)]
    [InlineData("2001:0:53aa:64c::1", false)]
    [InlineData("2001:db8::1", false)]
    [InlineData("3fff::1", false)]
    [InlineData("2606:4700::5efe:10.0.0.1", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fec0::1", false)]
    [InlineData("ff02::1", false)]
    [InlineData("100::1", false)]
    public void An_address_is_of_the_internet_or_not(string text, bool isPublic) => PublicAddress.Is(IPAddress.Parse(text)).ShouldBe(isPublic);

    [Theory]
    [InlineData("https://example.com", true)]
    [InlineData("https://example.com:8443/a?b=c", true)]
    [InlineData("https://8.8.8.8/", true)]
    [InlineData("https://localhost.example.com/", true)]
    [InlineData("http://example.com", false)]
    [InlineData("https://127.0.0.1/", false)]
    [InlineData("https://127.1/", false)]
    [InlineData("https://2130706433/", false)]
    [InlineData("https://0x7f.0.0.1/", false)]
    [InlineData("https://017700000001/", false)]
    [InlineData("https://[::1]/", false)]
    [InlineData("https://[::ffff:10.0.0.1]/", false)]
    [InlineData("https://[fe80::1%25eth0]/", false)]
    [InlineData("https://169.254.169.254/latest/meta-data", false)]
    [InlineData("https://localhost/", false)]
    [InlineData("https://LOCALHOST./", false)]
    [InlineData("https://rev.localhost/", false)]
    [InlineData("https://intranet/", false)]
    [InlineData("https://intranet./", false)]
    [InlineData("https://metadata.google.internal/", false)]
    [InlineData("https://printer.LOCAL./", false)]
    [InlineData("https://router.home.arpa/", false)]
    [InlineData("https://internal.example.com/", true)]
    [InlineData("https://ann:secret@example.com/", false)]
    [InlineData("https://ann@example.com/", false)]
    [InlineData("https://example.com/#a", false)]
    [InlineData("https://example.com/#", false)]
    [InlineData("https:// example.com/", false)]
    [InlineData("https://example.com/\n", false)]
    [InlineData("https:///", false)]
    [InlineData("//example.com/", false)]
    [InlineData("/hook", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("gopher://example.com/", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Messages_go_to_the_internet_encrypted(string? url, bool allowed) => (WebhookUrl.Fault(url, privateAllowed: false) is null).ShouldBe(allowed, WebhookUrl.Fault(url, privateAllowed: false));

    [Theory]
    [InlineData("http://127.0.0.1:5000/", true)]
    [InlineData("http://[::1]/", true)]
    [InlineData("http://localhost/", true)]
    [InlineData("http://ann@localhost/", false)]
    [InlineData("ftp://localhost/", false)]
    public void Where_the_operator_allows_it_they_go_anywhere_by_HTTP(string url, bool allowed) => (WebhookUrl.Fault(url, privateAllowed: true) is null).ShouldBe(allowed);

    [Fact]
    public void A_host_is_no_longer_than_a_name_can_be()
    {
        static string Of(int labels) => $"https://{string.Join('.', Enumerable.Repeat(new string('a', 60), labels))}.com/";
        WebhookUrl.Fault(Of(4), privateAllowed: true).ShouldBeNull();
        WebhookUrl.Fault(Of(5), privateAllowed: true).ShouldNotBeNull();
    }

    // --- deliveries ---

    [Fact]
    public void A_failure_is_tried_again_later_each_time_for_three_days()
    {
        var delivery = Delivery();
        var at = Given.Noon;
        var waits = new List<double>();
        while (delivery.Status == WebhookDeliveryStatus.Pending)
        {
            var attempt = Attempt(delivery, Refused, at);
            attempt.Number.ShouldBe(waits.Count + 1);
            attempt.Error.ShouldBe("The endpoint answered 500.");
            if (delivery.DueAt is not { } next) break;
            waits.Add((next - at).TotalSeconds);
            at = next;
            waits.Count.ShouldBeLessThan(50);
        }
        waits.Take(9).ShouldBe([5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800]);
        waits.Skip(9).SkipLast(1).ShouldAllBe(w => w == 28_800);
        waits.Sum().ShouldBe(TimeSpan.FromDays(3).TotalSeconds);
        delivery.Status.ShouldBe(WebhookDeliveryStatus.Failed);
        delivery.Attempts.ShouldBe(waits.Count + 1);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 6)]
    public void Waits_are_scattered(double jitter, double seconds)
    {
        var delivery = Delivery();
        Attempt(delivery, Refused, Given.Noon, jitter);
        (delivery.DueAt!.Value - Given.Noon).TotalSeconds.ShouldBe(seconds, 0.001);
    }

    [Theory]
    [InlineData(1, 5)]
    [InlineData(90, 90)]
    [InlineData(7_200, 3_600)]
    public void An_endpoint_may_ask_for_a_longer_wait_of_an_hour_at_most(int asked, double seconds)
    {
        var delivery = Delivery();
        Attempt(delivery, new(429, null, null, TimeSpan.FromSeconds(asked)), Given.Noon);
        (delivery.DueAt!.Value - Given.Noon).TotalSeconds.ShouldBe(seconds, 0.001);
    }

    [Fact]
    public void What_was_taken_is_not_sent_again()
    {
        var delivery = Delivery();
        Attempt(delivery, Refused, Given.Noon);
        Attempt(delivery, Taken, Given.Noon.AddSeconds(5)).Error.ShouldBeNull();
        delivery.ShouldSatisfyAllConditions(
            d => d.Status.ShouldBe(WebhookDeliveryStatus.Delivered), d => d.DueAt.ShouldBeNull(), d => d.LastError.ShouldBeNull(), d => d.LastStatus.ShouldBe(204),
            d => d.DeliveredAt.ShouldBe(Given.Noon.AddSeconds(5.12)), d => d.Attempts.ShouldBe(2));
    }

    [Theory]
    [InlineData(200, true)]
    [InlineData(299, true)]
    [InlineData(199, false)]
    [InlineData(301, false)]
    [InlineData(410, false)]
    public void Only_2xx_takes_a_message(int status, bool taken) => new WebhookResult(status, null, null, null).IsSuccess.ShouldBe(taken);

    [Fact]
    public void A_redirect_says_that_it_is_not_followed() => new WebhookResult(302, null, null, null).Fault.ShouldBe("The endpoint answered 302; redirects are not followed.");

    [Fact]
    public void Of_what_went_wrong_every_database_keeps_the_text()
    {
        var quoted = Attempt(Delivery(), new(null, "It said: 2\0\0\r\nSet-Cookie", null, null), Given.Noon);
        quoted.Error.ShouldBe("It said: 2    Set-Cookie");
        // The last character would be cut in two.
        var delivery = Delivery();
        Attempt(delivery, new(null, new string('a', WebhookDelivery.MaxErrorLength - 1) + "😀", null, null), Given.Noon);
        delivery.LastError.ShouldBe(new string('a', WebhookDelivery.MaxErrorLength - 1));
    }

    [Fact]
    public void Gone_and_a_failed_test_are_not_tried_again()
    {
        var gone = Delivery();
        Attempt(gone, new(410, null, null, null), Given.Noon);
        gone.Status.ShouldBe(WebhookDeliveryStatus.Failed);
        var test = WebhookDelivery.Test(new(2), Endpoint(), new(3), Given.Noon);
        test.DueAt.ShouldBeNull();
        Attempt(test, Refused, Given.Noon);
        test.Status.ShouldBe(WebhookDeliveryStatus.Failed);
    }

    [Fact]
    public void A_retry_begins_anew_and_its_attempts_count_on()
    {
        var delivery = Delivery();
        Attempt(delivery, Refused, Given.Noon);
        delivery.GiveUp("why");
        var fence = delivery.Fence;
        delivery.Retry(Given.Noon.AddDays(9));
        delivery.ShouldSatisfyAllConditions(
            d => d.Status.ShouldBe(WebhookDeliveryStatus.Pending), d => d.DueAt.ShouldBe(Given.Noon.AddDays(9)), d => d.Fence.ShouldBeGreaterThan(fence),
            d => d.IsOver(Given.Noon.AddDays(20)).ShouldBeFalse());
        Attempt(delivery, Refused, Given.Noon.AddDays(9)).Number.ShouldBe(2);
        (delivery.DueAt!.Value - Given.Noon.AddDays(9)).TotalSeconds.ShouldBe(5);
        delivery.IsOver(Given.Noon.AddDays(12).AddHours(1)).ShouldBeFalse("The last attempt may be late.");
        delivery.IsOver(Given.Noon.AddDays(12).AddHours(1.01)).ShouldBeTrue();
    }

    // --- endpoints ---

    [Fact]
    public void An_endpoint_that_fails_for_a_day_and_five_times_is_disabled()
    {
        var endpoint = Endpoint();
        for (var i = 0; i < 20; i++) endpoint.Failed(Given.Noon.AddHours(i)).ShouldBeFalse();
        endpoint.Failed(Given.Noon.AddHours(24)).ShouldBeTrue();
        endpoint.ShouldSatisfyAllConditions(
            e => e.Status.ShouldBe(WebhookEndpointStatus.Disabled), e => e.DisabledReason.ShouldBe(WebhookDisabledReason.Failing), e => e.DisabledAt.ShouldBe(Given.Noon.AddHours(24)));
        endpoint.Failed(Given.Noon.AddHours(25)).ShouldBeFalse();
    }

    [Fact]
    public void Four_failures_do_not_disable_it_however_long_they_take()
    {
        var endpoint = Endpoint();
        for (var i = 0; i < 4; i++) endpoint.Failed(Given.Noon.AddDays(i)).ShouldBeFalse();
        endpoint.Failed(Given.Noon.AddDays(4)).ShouldBeTrue();
    }

    [Fact]
    public void One_success_begins_the_day_anew()
    {
        var endpoint = Endpoint();
        for (var i = 0; i < 10; i++) endpoint.Failed(Given.Noon.AddHours(i)).ShouldBeFalse();
        endpoint.Succeeded();
        endpoint.FailingSince.ShouldBeNull();
        for (var i = 0; i < 10; i++) endpoint.Failed(Given.Noon.AddHours(23 + i)).ShouldBeFalse();
        endpoint.FailingSince.ShouldBe(Given.Noon.AddHours(23));
    }

    [Fact]
    public void A_rotated_secret_signs_beside_the_new_one_for_its_grace()
    {
        var endpoint = Endpoint();
        endpoint.Rotate("second", TimeSpan.FromHours(1), Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.SecretCiphers(Given.Noon.AddMinutes(59)).ShouldBe(["second", "sealed"]);
        endpoint.SecretCiphers(Given.Noon.AddHours(1)).ShouldBe(["second"]);
        endpoint.Rotate("third", TimeSpan.FromHours(1), Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.SecretCiphers(Given.Noon).ShouldBe(["third", "second"]);
        endpoint.Rotate("fourth", TimeSpan.Zero, Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.SecretCiphers(Given.Noon).ShouldBe(["fourth"]);
    }

    [Fact]
    public void Enabling_and_disabling_are_done_once()
    {
        var endpoint = Endpoint();
        endpoint.Enable(Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.Version.ShouldBe(0);
        endpoint.Failed(Given.Noon);
        endpoint.Disable(WebhookDisabledReason.Manual, Given.Noon.AddHours(1)).IsSuccess.ShouldBeTrue();
        endpoint.Disable(WebhookDisabledReason.Gone, Given.Noon.AddHours(2)).IsSuccess.ShouldBeTrue();
        endpoint.ShouldSatisfyAllConditions(e => e.DisabledReason.ShouldBe(WebhookDisabledReason.Manual), e => e.DisabledAt.ShouldBe(Given.Noon.AddHours(1)));
        endpoint.Enable(Given.Noon.AddHours(3)).IsSuccess.ShouldBeTrue();
        endpoint.ShouldSatisfyAllConditions(e => e.IsEnabled.ShouldBeTrue(), e => e.DisabledReason.ShouldBeNull(), e => e.DisabledAt.ShouldBeNull(), e => e.FailingSince.ShouldBeNull());
    }

    [Fact]
    public void A_change_leaves_what_it_does_not_name_and_another_address_begins_without_failures()
    {
        var endpoint = Endpoint();
        endpoint.Failed(Given.Noon);
        endpoint.Change(null, Patterns("invoice.*"), null, Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.ShouldSatisfyAllConditions(e => e.Url.ShouldBe("https://example.com/"), e => e.Events.ShouldBe("invoice.*"), e => e.FailingSince.ShouldBe(Given.Noon));
        endpoint.Change("https://example.com/", null, "CRM", Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.ShouldSatisfyAllConditions(e => e.Events.ShouldBe("invoice.*"), e => e.Description.ShouldBe("CRM"), e => e.FailingSince.ShouldBe(Given.Noon));
        endpoint.Change("https://example.org/", null, null, Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.ShouldSatisfyAllConditions(e => e.Url.ShouldBe("https://example.org/"), e => e.Description.ShouldBe("CRM"), e => e.FailingSince.ShouldBeNull());
    }

    [Fact]
    public void A_deleted_endpoint_has_no_secret_and_takes_no_change()
    {
        var endpoint = Endpoint();
        endpoint.Rotate("second", TimeSpan.FromHours(1), Given.Noon).IsSuccess.ShouldBeTrue();
        endpoint.Delete(Given.Noon);
        var version = endpoint.Version;
        endpoint.Delete(Given.Noon.AddHours(1));
        endpoint.Version.ShouldBe(version);
        endpoint.SecretCiphers(Given.Noon).ShouldBeEmpty();
        endpoint.Change("https://example.org/", null, null, Given.Noon).Error.ShouldBe(WebhookErrors.EndpointNotFound);
        endpoint.Enable(Given.Noon).Error.ShouldBe(WebhookErrors.EndpointNotFound);
        endpoint.Disable(WebhookDisabledReason.Manual, Given.Noon).Error.ShouldBe(WebhookErrors.EndpointNotFound);
        endpoint.Rotate("third", TimeSpan.Zero, Given.Noon).Error.ShouldBe(WebhookErrors.EndpointNotFound);
        endpoint.Failed(Given.Noon).ShouldBeFalse();
    }

    [Fact]
    public void The_log_shows_the_headers_as_they_were_sent() =>
        WebhookHeaders.Of(new(5), DateTimeOffset.FromUnixTimeSeconds(1_614_265_330).AddMilliseconds(900), "v1,x").ShouldBe(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["content-type"] = "application/json", ["user-agent"] = "Rev/1", ["webhook-id"] = new WebhookMessageId(5).ToString(), ["webhook-timestamp"] = "1614265330",
                ["webhook-signature"] = "v1,x",
            }, ignoreOrder: true);

    [Fact]
    public void A_signature_is_HMAC_SHA_256_over_id_second_and_body()
    {
        var expected = HMACSHA256.HashData(Secret.Key, Encoding.UTF8.GetBytes($"msg_1.{Given.Noon.ToUnixTimeSeconds()}.{{}}"));
        WebhookSignature.Of(Secret, "msg_1", Given.Noon, "{}"u8).ShouldBe("v1," + Convert.ToBase64String(expected));
    }
}
