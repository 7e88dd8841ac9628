using CsCheck;
using Rev.Domain.Common;

namespace Rev.UnitTests.Common;

public sealed class IdTests
{
    private static readonly Gen<UInt128> Ids = Gen.Select(Gen.ULong, Gen.ULong, (high, low) => new UInt128(high, low));

    [Fact]
    public void Every_id_reads_back_as_it_was_written() =>
        Ids.Sample(id => UlidText.TryParse(UlidText.Format("evt_", id), "evt_", out var read) && read == id && UlidText.FromBytes(UlidText.ToBytes(id)) == id);

    [Fact]
    public void Texts_and_bytes_sort_as_the_ids_do() =>
        Gen.Select(Ids, Ids).Sample((a, b) =>
            Math.Sign(string.CompareOrdinal(UlidText.Format("", a), UlidText.Format("", b))) == a.CompareTo(b)
            && Math.Sign(UlidText.ToBytes(a).AsSpan().SequenceCompareTo(UlidText.ToBytes(b))) == a.CompareTo(b));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("evt_")]
    [InlineData("out_01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    [InlineData("evt_01ARZ3NDEKTSV4RRFFQ69G5FA")]
    [InlineData("evt_01ARZ3NDEKTSV4RRFFQ69G5FAVV")]
    [InlineData("evt_81ARZ3NDEKTSV4RRFFQ69G5FAV")]
    [InlineData("evt_01arz3ndektsv4rrffq69g5fav")]
    [InlineData("evt_01ARZ3NDEKTSV4RRFFQ69G5FAU")]
    [InlineData("EVT_01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    [InlineData(" evt_01ARZ3NDEKTSV4RRFFQ69G5FAV")]
    public void A_text_in_another_form_is_no_id(string? text) => CallId.TryParse(text, out _).ShouldBeFalse();

    [Fact]
    public void Each_kind_of_id_has_a_prefix_of_its_own()
    {
        var texts = new[]
        {
            new AccountId(5).ToString(), new ApiKeyId(5).ToString(), new CallId(5).ToString(), new OutcomeId(5).ToString(), new LedgerEntryId(5).ToString(),
            new RowId(5).ToString(),
        };
        texts.Select(t => t[..4]).ShouldBe(["acc_", "key_", "evt_", "out_", "led_", "row_"]);
        AccountId.TryParse(texts[0], out var account).ShouldBeTrue();
        ApiKeyId.TryParse(texts[1], out var key).ShouldBeTrue();
        CallId.TryParse(texts[2], out var call).ShouldBeTrue();
        OutcomeId.TryParse(texts[3], out var outcome).ShouldBeTrue();
        LedgerEntryId.TryParse(texts[4], out var entry).ShouldBeTrue();
        RowId.TryParse(texts[5], out var row).ShouldBeTrue();
        new[] { account.Value, key.Value, call.Value, outcome.Value, entry.Value, row.Value }.ShouldAllBe(value => value == 5);
        OutcomeId.TryParse(texts[2], out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData("a", true)]
    [InlineData("email.sent:v2_B@c+d-9", true)]
    [InlineData("...", true)]
    [InlineData("", false)]
    [InlineData(null, false)]
    [InlineData(".", false)]
    [InlineData("..", false)]
    [InlineData("a b", false)]
    [InlineData("a/b", false)]
    [InlineData("ä", false)]
    [InlineData("a\n", false)]
    public void A_caller_s_key_keeps_to_its_alphabet(string? key, bool valid) => CallerKey.IsValid(key).ShouldBe(valid);

    [Fact]
    public void A_caller_s_key_has_128_characters_at_most()
    {
        CallerKey.IsValid(new('a', 128)).ShouldBeTrue();
        CallerKey.IsValid(new('a', 129)).ShouldBeFalse();
    }

    [Fact]
    public void Lists_of_values_are_equal_by_content()
    {
        ValueList<int> a = [1, 2], b = [1, 2], c = [2, 1];
        a.ShouldBe(b);
        a.GetHashCode().ShouldBe(b.GetHashCode());
        a.Equals(c).ShouldBeFalse();
        a.Equals(null).ShouldBeFalse();
    }

    [Fact]
    public void A_refusal_has_no_value()
    {
        Result<int> refused = ServiceErrors.Overloaded;
        refused.IsSuccess.ShouldBeFalse();
        Should.Throw<InvalidOperationException>(() => refused.Value);
        ((Result<int>)5).Value.ShouldBe(5);
    }

    [Fact]
    public void Invalid_input_is_told_field_by_field()
    {
        var error = Error.Invalid([new("a", "is bad"), new("a", "is bad"), new("a", "is long"), new("b", "is missing")]);
        error.Code.ShouldBe("request.invalid");
        error.Fields!["a"].ShouldBe(["is bad", "is long"]);
        error.Fields["b"].ShouldBe(["is missing"]);
        error.Message.ShouldBe("a: is bad (and 3 more).");
    }
}
