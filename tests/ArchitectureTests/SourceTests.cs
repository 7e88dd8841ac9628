using System.Text.RegularExpressions;
using Rev.ArchitectureTests.Common;

namespace Rev.ArchitectureTests;

/// <summary>Rules over the sources: jobs, refusals, clocks, rounding, switches.</summary>
public sealed partial class SourceTests
{
    private const int JobLines = 15;

    private static readonly string[] Banned =
    [
        "M:System.Math.Round(System.Decimal)", "M:System.Math.Round(System.Decimal,System.Int32)", "M:System.Decimal.Round(System.Decimal)",
        "P:System.DateTime.Now", "P:System.DateTime.UtcNow", "P:System.DateTimeOffset.Now", "P:System.DateTimeOffset.UtcNow",
    ];

    [Fact]
    public void A_job_is_thin() => Verdict.Of(Jobs(Repo.Sources("src/Rev.Infrastructure")), Fat).Holds(3);

    [Fact]
    public void A_fat_job_is_found()
    {
        var body = string.Concat(Enumerable.Repeat("        Work();\n", 14));
        var bad = new SourceFile("src/Rev.Infrastructure/A.cs", $"public sealed class FatJob(int a)\n{{\n{body}}}\n\npublic sealed class ThinJob\n{{\n}}\n");
        Verdict.Of(Jobs([bad]), Fat).ShouldSatisfyAllConditions(v => v.Looked.ShouldBe(2), v => v.Fails("FatJob"));
    }

    [Fact]
    public void A_refusal_has_a_code_of_its_own() => Codes(Repo.Sources()).Holds(20);

    [Fact]
    public void A_refusal_without_a_code_of_its_own_is_found() =>
        Codes([new("A.cs", """
            new("call.not_found", ErrorKind.NotFound, "a"), new Error("call.not_found", ErrorKind.Conflict, "b"),
            new("Call.NotFound", ErrorKind.NotFound, "c"), new("notfound", ErrorKind.NotFound, "d"),
            """)]).Fails("call.not_found is declared as NotFound in A.cs and as Conflict in A.cs", "Call.NotFound", "notfound");

    [Fact]
    public void A_refusal_is_listed_in_the_documentation()
    {
        var list = Path.Combine(Repo.Root, "docs", "errors.md");
        if (File.Exists(list)) Listed(Repo.Sources(), File.ReadAllText(list)).Holds(20);
    }

    [Fact]
    public void A_refusal_that_is_not_listed_is_found() =>
        Listed([new("A.cs", """new("a.b", ErrorKind.NotFound, ""), new("a.bc", ErrorKind.NotFound, "")""")], "| `a.bc` | 404 |").Fails("a.b is");

    [Fact]
    public void Time_comes_from_the_TimeProvider_and_rounding_from_Rounding() => Verdict.Of(Repo.Sources(), BannedCalls).Holds(80);

    [Theory]
    [InlineData("var a = Math.Round(1.5m);")]
    [InlineData("var a = decimal.Round(1.5m);")]
    [InlineData("var a = DateTime.Now;")]
    [InlineData("var a = DateTimeOffset.UtcNow;")]
    public void A_banned_call_is_found(string text) => Verdict.Of([new SourceFile("A.cs", text)], BannedCalls).Fails("A.cs");

    [Fact]
    public void The_compiler_bans_them_too()
    {
        var list = File.ReadAllText(Path.Combine(Repo.Root, "BannedSymbols.txt"));
        foreach (var symbol in Banned) list.ShouldContain(symbol + ";");
        var props = File.ReadAllText(Path.Combine(Repo.Root, "Directory.Build.props"));
        props.ShouldContain("BannedApiAnalyzers");
        props.ShouldContain("BannedSymbols.txt");
        props.ShouldContain("<TreatWarningsAsErrors>true</TreatWarningsAsErrors>");
        File.ReadAllText(Path.Combine(Repo.Root, ".editorconfig")).ShouldContain("dotnet_diagnostic.CS8509.severity = error");
    }

    [Fact]
    public void A_switch_over_a_status_names_every_status() =>
        Verdict.Of(Repo.Sources("src/Rev.Domain/Outcomes"), DefaultArms).Holds(4);

    [Theory]
    [InlineData("return Status switch { OutcomeStatus.Pending => 1, _ => 2 };")]
    [InlineData("switch (Status) { case OutcomeStatus.Pending: return 1; default: return 2; }")]
    public void A_switch_with_a_default_arm_is_found(string text) => Verdict.Of([new SourceFile("A.cs", text)], DefaultArms).Fails("A.cs");

    private static IEnumerable<(string Name, int Lines)> Jobs(IEnumerable<SourceFile> files) =>
        from file in files
        from declaration in JobClass().Matches(file.Text)
        select (declaration.Groups["name"].Value, Lines(file.Text[declaration.Index..]));

    private static IEnumerable<string> Fat((string Name, int Lines) job) =>
        job.Lines > JobLines ? [$"{job.Name} has {job.Lines} lines"] : [];

    // From the declaration to its closing brace, or to its semicolon when it has no body.
    private static int Lines(string text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '{') depth++;
            if ((text[i] == '}' && --depth == 0) || (text[i] == ';' && depth == 0)) return text[..i].Count(c => c == '\n') + 1;
        }
        return text.Count(c => c == '\n');
    }

    private static IEnumerable<(string Code, string Place)> Declarations(IEnumerable<SourceFile> files) =>
        from file in files
        from declaration in ErrorCode().Matches(file.Text)
        select (declaration.Groups["code"].Value, $"{declaration.Groups["kind"].Value} in {file.Path}");

    private static string[] Declared(IEnumerable<SourceFile> files) => Declarations(files).Select(d => d.Code).Distinct(StringComparer.Ordinal).ToArray();

    // One refusal may have several messages, side by side and of one kind; two refusals never share a code.
    private static Verdict Codes(IReadOnlyList<SourceFile> files) => Verdict.Of(Declarations(files).GroupBy(d => d.Code, d => d.Place, StringComparer.Ordinal), code =>
    [
        .. code.Distinct(StringComparer.Ordinal).Count() == 1 ? Array.Empty<string>() : [$"{code.Key} is declared as {string.Join(" and as ", code)}"],
        .. CodeShape().IsMatch(code.Key) ? Array.Empty<string>() : [$"{code.Key} is not module.snake_case"],
    ]);

    private static Verdict Listed(IReadOnlyList<SourceFile> files, string list) =>
        Verdict.Of(Declared(files), code => list.Contains($"`{code}`", StringComparison.Ordinal) ? [] : [$"{code} is not listed in docs/errors.md"]);

    private static IEnumerable<string> BannedCalls(SourceFile file) =>
        BannedCall().Matches(file.Text).Select(m => $"{file.Path} uses {m.Value}");

    private static IEnumerable<string> DefaultArms(SourceFile file) =>
        DefaultArm().Matches(file.Text).Select(m => $"{file.Path} has a default arm: {m.Value}");

    [GeneratedRegex(@"\bclass\s+(?<name>\w+Job)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex JobClass();

    [GeneratedRegex(@"new(\s+Error)?\(\s*""(?<code>[^""]+)""\s*,\s*ErrorKind\.(?<kind>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex ErrorCode();

    [GeneratedRegex(@"^[a-z]+(_[a-z0-9]+)*\.[a-z]+(_[a-z0-9]+)*\z", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex CodeShape();

    [GeneratedRegex(@"\b(Math|decimal|Decimal)\.Round\(|\bDateTime(Offset)?\.(Utc)?Now\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex BannedCall();

    [GeneratedRegex(@"(?<![\w)])_\s*=>|\bdefault\s*:", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex DefaultArm();
}
