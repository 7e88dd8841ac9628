using Rev.Application.Common;
using Rev.Application.Metering;
using Rev.Domain.Common;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Metering;

public sealed class CallContentTests
{
    private static readonly MeterCall Call =
        new(Given.Tenant, "a", "email.sent", 1200, 340, "success", null, Given.Metadata("""{"a":1,"b":{"c":[1,2]}}"""), "c", "m", Given.Noon, null);

    [Theory]
    [InlineData("""{"b":{"c":[1,2]},"a":1}""", true)]
    [InlineData("""{"a":1.0,"b":{"c":[1.00,2]}}""", true)]
    [InlineData("""{"a":1e0,"b":{"c":[10e-1,2]}}""", true)]
    [InlineData("""{"a":1,"b":{"c":[2,1]}}""", false)]
    [InlineData("""{"a":"1","b":{"c":[1,2]}}""", false)]
    [InlineData("""{"a":1,"b":{"c":[1,2]},"d":null}""", false)]
    [InlineData("""{"a":1,"b":{"c":[1,2,3]}}""", false)]
    [InlineData("""{"a":1}""", false)]
    [InlineData("""{}""", false)]
    public void The_order_of_members_and_the_spelling_of_numbers_do_not_count(string metadata, bool same) =>
        (CallContent.Hash(Call with { Metadata = Given.Metadata(metadata) }) == CallContent.Hash(Call)).ShouldBe(same);

    [Fact]
    public void Numbers_outside_decimal_s_range_count_as_they_were_sent()
    {
        Hash("1e400").ShouldBe(Hash("1e400"));
        Hash("1e400").ShouldNotBe(Hash("1e401"));

        static UInt128 Hash(string number) => CallContent.Hash(Call with { Metadata = Given.Metadata($$"""{"n":{{number}} }""") });
    }

    [Fact]
    public void Every_field_counts_but_the_key()
    {
        var same = CallContent.Hash(Call);
        CallContent.Hash(Call with { IdempotencyKey = "k" }).ShouldBe(same);
        CallContent.Hash(Call with { OccurredAt = Given.Noon.ToOffset(TimeSpan.FromHours(2)) }).ShouldBe(same);
        var others = new[]
        {
            Call with { AgentId = "b" }, Call with { Action = "b" }, Call with { TokensInput = 1 }, Call with { TokensOutput = 1 }, Call with { Outcome = null },
            Call with { Outcome = "pending" }, Call with { ExpiresAt = Given.Noon }, Call with { Metadata = null }, Call with { CustomerId = null },
            Call with { CustomerId = "d" }, Call with { Model = null }, Call with { OccurredAt = null }, Call with { OccurredAt = Given.Noon.AddMicroseconds(1) },
        };
        others.Select(CallContent.Hash).Append(same).Distinct().Count().ShouldBe(others.Length + 1);
    }

    [Fact]
    public void A_value_in_another_field_is_another_content() =>
        CallContent.Hash(Call with { CustomerId = "m", Model = "c" }).ShouldNotBe(CallContent.Hash(Call));

    /// <summary>Hashes are stored for ever: another text would make every retry of a stored call a refusal.</summary>
    [Fact]
    public void The_hashed_text_never_changes() =>
        CallContent.Hash(Call with { Metadata = Given.Metadata("""{"é":"ü","b":{"d":[1.50,"x"],"c":null},"A":true}""") }).ShouldBe(IdempotencyHash.Content(
            """["a","email.sent",1200,340,"success",null,__OCCURRED__,"c","m",{"A":true,"b":{"c":null,"d":[1.5,"x"]},"é":"ü"}]"""
                .Replace("__OCCURRED__", Given.Noon.UtcTicks.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal)));

    [Fact]
    public void A_long_key_is_hashed_as_a_short_one_is()
    {
        var key = new string('é', IdempotencyHash.MaxKeyLength * 3);
        IdempotencyHash.Key(Given.Tenant, "calls", key).ShouldBe(IdempotencyHash.Content($"{Given.Tenant.Account}\n{(int)Given.Tenant.Mode}\ncalls\n{key}"));
        IdempotencyHash.Key(Given.Tenant, "calls", "k").ShouldBe(IdempotencyHash.Content($"{Given.Tenant.Account}\n{(int)Given.Tenant.Mode}\ncalls\nk"));
    }
}
