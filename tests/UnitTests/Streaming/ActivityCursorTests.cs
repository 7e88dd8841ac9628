using Rev.Application.Streaming;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Streaming;

public sealed class ActivityCursorTests
{
    [Theory]
    [InlineData(ActivityKind.Call)]
    [InlineData(ActivityKind.Outcome)]
    [InlineData(ActivityKind.Mark)]
    public void What_is_written_is_read_again(ActivityKind kind)
    {
        var cursor = new ActivityCursor(Given.Noon.AddTicks(1230), kind, UInt128.MaxValue - 5);

        ActivityCursor.TryParse(cursor.ToString(), out var read).ShouldBeTrue();

        read.ShouldBe(cursor);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("__________________________________")]
    [InlineData("AAAAAAAAAAD_AAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAA")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void What_is_no_cursor_is_not_read(string? text) => ActivityCursor.TryParse(text, out _).ShouldBeFalse();
}
