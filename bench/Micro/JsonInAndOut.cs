using System.Reflection;
using System.Text;
using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.Domain.Metering;

namespace Rev.Bench.Micro;

/// <summary>
/// The body of a metered call in, and its answer out, by the very code of the API: it is internal there, so it is bound once
/// to delegates, which cost nothing that the figures would show.
/// </summary>
public class JsonInAndOut
{
    private const BindingFlags Any = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    private readonly byte[] _body = Encoding.UTF8.GetBytes(
        """{"agent_id":"agent-7","action":"email.sent","tokens_input":1200,"tokens_output":340,"outcome":"success","customer_id":"customer-7","metadata":{"recipient":"prospect@company.com","campaign":"q2"},"idempotency_key":"0123456789abcdef0123456789abcdef"}""");

    private Func<JsonElement, List<FieldError>, object> _read = null!;
    private Func<MeterReceipt, byte[]> _write = null!;
    private MeterReceipt _receipt = null!;

    [GlobalSetup]
    public void Setup()
    {
        var api = Assembly.Load("Rev.Api");
        _read = api.GetType("Rev.Api.Metering.MeterCallRequest", throwOnError: true)!.GetMethod("Read", Any)!.CreateDelegate<Func<JsonElement, List<FieldError>, object>>();
        _write = api.GetType("Rev.Api.Common.RevJson", throwOnError: true)!.GetMethod("Write", Any)!.MakeGenericMethod(typeof(MeterReceipt))
            .CreateDelegate<Func<MeterReceipt, byte[]>>();
        var tier = Given.Tier("""{"name":"Default","currency":"usd","base_fee":"0.005","outcome_bonuses":[{"name":"any success","amount":"0.0025"}]}""");
        _receipt = MeterReceipt.Of(MeteredCall.Record(
            new(new(1), Mode.Live), new(7), new(Given.Facts(), ReportedOutcome.Success, HasMetadata: true, null, null), tier,
            new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero)).Value);
    }

    [Benchmark]
    public object In()
    {
        using var document = JsonDocument.Parse(_body);
        return _read(document.RootElement, []);
    }

    [Benchmark]
    public byte[] Out() => _write(_receipt);
}
