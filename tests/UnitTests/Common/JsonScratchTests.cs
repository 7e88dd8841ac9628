using System.Text;
using System.Text.Json;
using Rev.Domain.Common;

namespace Rev.UnitTests.Common;

public sealed class JsonScratchTests
{
    [Fact]
    public void One_that_is_begun_within_another_is_another()
    {
        using var outer = JsonScratch.Begin();
        outer.Writer.WriteStartArray();
        using (var inner = JsonScratch.Begin())
        {
            inner.ShouldNotBeSameAs(outer);
            inner.Writer.WriteNumberValue(1);
            Text(inner).ShouldBe("1");
        }
        outer.Writer.WriteEndArray();
        Text(outer).ShouldBe("[]");
    }

    [Fact]
    public void One_that_was_left_half_written_begins_empty()
    {
        using (var first = JsonScratch.Begin()) first.Writer.WriteStartObject();
        using var second = JsonScratch.Begin();
        second.Written.Length.ShouldBe(0);
        second.Writer.WriteStringValue("é<");
        Text(second).ShouldBe("\"é<\"");
    }

    [Fact]
    public void A_large_text_is_whole_and_is_not_kept()
    {
        JsonScratch large;
        using (large = JsonScratch.Begin())
        {
            JsonSerializer.Serialize(large.Writer, new string('a', 200_000));
            large.Written.Length.ShouldBe(200_002);
        }
        using var next = JsonScratch.Begin();
        next.ShouldNotBeSameAs(large);
    }

    private static string Text(JsonScratch scratch) => Encoding.UTF8.GetString(scratch.Written);
}
