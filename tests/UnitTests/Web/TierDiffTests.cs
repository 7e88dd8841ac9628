using CsCheck;
using Rev.Web.Pricing;

namespace Rev.UnitTests.Web;

public sealed class TierDiffTests
{
    [Fact]
    public void A_changed_line_is_removed_and_added_in_its_place() =>
        Drawn(TierDiff.Lines("a\nb\nc", "a\nx\nc")).ShouldBe(" a|-b|+x| c");

    [Theory]
    [InlineData("a", "a", " a")]
    [InlineData("a", "b", "-a|+b")]
    [InlineData("a\nb", "b", "-a| b")]
    [InlineData("a", "a\nb", " a|+b")]
    [InlineData("a\nb\nc\nd", "a\nc\nd\ne", " a|-b| c| d|+e")]
    [InlineData("a\na", "a", " a|-a")]
    [InlineData("x\na\ny\nb", "a\nz\nb", "-x| a|-y|+z| b")]
    public void Lines_in_common_are_kept(string before, string after, string drawn) => Drawn(TierDiff.Lines(before, after)).ShouldBe(drawn);

    [Fact]
    public void Kept_and_removed_lines_are_the_first_text_and_kept_and_added_ones_the_second()
    {
        var text = Gen.OneOf("a", "b", "c", "").List[1, 12].Select(lines => string.Join('\n', lines));
        Gen.Select(text, text).Sample((before, after) =>
        {
            var lines = TierDiff.Lines(before, after);
            return Of(lines, TierDiffKind.Removed) == before && Of(lines, TierDiffKind.Added) == after && TierDiff.Differs(lines) == (before != after);
        });
    }

    [Fact]
    public void As_many_lines_are_kept_as_two_texts_can_have_in_common()
    {
        var text = Gen.OneOf("a", "b", "c").List[1, 7];
        Gen.Select(text, text).Sample((before, after) =>
            TierDiff.Lines(string.Join('\n', before), string.Join('\n', after)).Count(line => line.Kind == TierDiffKind.Same) == Common(before, after));
    }

    [Fact]
    public void Texts_too_long_to_compare_are_shown_as_replaced()
    {
        var (before, after) = (string.Join('\n', Enumerable.Range(0, 2_500)), string.Join('\n', Enumerable.Range(10_000, 2_500)));
        var lines = TierDiff.Lines("same\n" + before + "\nend", "same\n" + after + "\nend");
        lines.Count.ShouldBe(5_002);
        (lines[0].Kind, lines[1].Kind, lines[2_501].Kind, lines[^1].Kind).ShouldBe((TierDiffKind.Same, TierDiffKind.Removed, TierDiffKind.Added, TierDiffKind.Same));
    }

    [Fact]
    public void Long_runs_of_kept_lines_are_folded()
    {
        var before = string.Join('\n', Enumerable.Range(1, 20));
        var folded = TierDiff.Folded(TierDiff.Lines(before, before.Replace("\n10\n", "\nten\n", StringComparison.Ordinal)));
        Drawn(folded).ShouldBe("~… 6 lines alike| 7| 8| 9|-10|+ten| 11| 12| 13|~… 7 lines alike");
        // One line alone is not folded.
        Drawn(TierDiff.Folded(TierDiff.Lines("1\n2\n3\n4\n5", "1\n2\n3\n4\nfive"))).ShouldBe(" 1| 2| 3| 4|-5|+five");
        TierDiff.Folded(TierDiff.Lines(before, before)).Single().Text.ShouldBe("… 20 lines alike");
    }

    private static string Of(IEnumerable<TierDiffLine> lines, TierDiffKind kind) =>
        string.Join('\n', lines.Where(line => line.Kind == TierDiffKind.Same || line.Kind == kind).Select(line => line.Text));

    private static string Drawn(IEnumerable<TierDiffLine> lines) => string.Join('|', lines.Select(line => Sign(line.Kind) + line.Text));

    private static string Sign(TierDiffKind kind) => kind switch
    {
        TierDiffKind.Same => " ",
        TierDiffKind.Removed => "-",
        TierDiffKind.Added => "+",
        TierDiffKind.Folded => "~",
    };

    private static int Common(List<string> a, List<string> b) =>
        a.Count == 0 || b.Count == 0 ? 0
        : a[0] == b[0] ? 1 + Common(a[1..], b[1..])
        : Math.Max(Common(a[1..], b), Common(a, b[1..]));
}
