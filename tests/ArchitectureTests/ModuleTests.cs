using System.Text.RegularExpressions;
using NetArchTest.Rules;
using Rev.ArchitectureTests.Common;

namespace Rev.ArchitectureTests;

/// <summary>Which module may know which: a new edge is a decision, made here.</summary>
public sealed partial class ModuleTests
{
    private static readonly Dictionary<string, string[]> Edges = new(StringComparer.Ordinal)
    {
        ["Accounts"] = [],
        ["Customers"] = ["Accounts", "Pricing"],
        ["Pricing"] = ["Accounts"],
        ["Metering"] = ["Pricing", "Outcomes"],
        ["Outcomes"] = ["Pricing"],
        ["Analytics"] = [],
        ["Billing"] = ["Accounts", "Customers", "Pricing", "Metering", "Outcomes"],
        ["Streaming"] = ["Metering", "Outcomes"],
        ["Telemetry"] = ["Metering"],
        ["Webhooks"] = ["Accounts", "Pricing", "Metering", "Outcomes", "Billing"],
        ["Operations"] = [],
        ["Demo"] = ["Accounts", "Pricing"],
        ["Common"] = [],
    };

    private static readonly string[] Layers = ["Rev.Domain", "Rev.Application"];

    private static readonly string[] ForbiddenFolders = ["Commands", "Queries", "Validators", "DTOs", "Dtos", "Interfaces", "Services", "Helpers"];

    [Fact]
    public void Types_keep_to_the_table()
    {
        foreach (var (module, may) in Edges)
        {
            var looked = 0;
            foreach (var assembly in new[] { Repo.Domain, Repo.Application })
            {
                var verdict = Depends(assembly, $"{assembly.GetName().Name}.{module}", module, may);
                verdict.Broken.ShouldBeEmpty(module);
                looked += verdict.Looked;
            }
            looked.ShouldBeGreaterThanOrEqualTo(5, module);
        }
    }

    [Fact]
    public void Sources_keep_to_the_table_even_where_only_a_constant_is_used() =>
        Verdict.Of(Layers.SelectMany(layer => Repo.Sources($"src/{layer}")), Uses).Holds(60);

    [Fact]
    public void A_type_that_looks_into_another_module_is_found()
    {
        Depends(Repo.Tests, "Rev.ArchitectureTests.Twins.Accounts", "Accounts", Edges["Accounts"]).Fails("LooksIntoOutcomes");
        Verdict.Of([new SourceFile("src/Rev.Domain/Pricing/Bad.cs", "using Rev.Domain.Metering;\nlong a = Domain.Outcomes.X;")], Uses).Fails("Metering", "Outcomes");
    }

    [Fact]
    public void Every_type_is_in_a_module() =>
        Verdict.Of(Repo.Types(Repo.Domain, Repo.Application), OutsideModules).Holds(150);

    [Fact]
    public void A_type_outside_the_modules_is_found() => Verdict.Of([typeof(Twins.Layers.UsesMediatR)], OutsideModules).Fails("UsesMediatR");

    [Fact]
    public void A_folder_is_a_module_and_not_a_kind_of_type() =>
        Verdict.Of(Repo.Sources(), Folders).Holds(80);

    [Theory]
    [InlineData("src/Rev.Application/Pricing/Commands/A.cs")]
    [InlineData("src/Rev.Application/Services/A.cs")]
    [InlineData("src/Rev.Domain/Helpers/A.cs")]
    [InlineData("src/Rev.Api/a/b/c/d/A.cs")]
    public void A_folder_of_a_kind_of_type_is_found(string path) => Verdict.Of([new SourceFile(path, "")], Folders).Fails(path);

    private static Verdict Depends(System.Reflection.Assembly assembly, string within, string module, string[] may)
    {
        var forbidden = Edges.Keys.Where(other => other != module && other != "Common" && !may.Contains(other))
            .SelectMany(other => Layers.Select(layer => $"{layer}.{other}")).ToArray();
        var types = NetArchTest.Rules.Types.InAssembly(assembly).That().ResideInNamespace(within);
        return new(types.GetTypes().Count(), (types.ShouldNot().HaveDependencyOnAny(forbidden).GetResult().FailingTypeNames ?? []).ToArray());
    }

    private static IEnumerable<string> Uses(SourceFile file)
    {
        var module = file.Path.Split('/')[2];
        if (!Edges.TryGetValue(module, out var may)) yield break;
        foreach (var other in ModuleName().Matches(file.Text).Select(m => m.Groups["module"].Value).Distinct(StringComparer.Ordinal))
            if (Edges.ContainsKey(other) && other != module && other != "Common" && !may.Contains(other)) yield return $"{file.Path} uses {other}";
    }

    private static IEnumerable<string> OutsideModules(Type type)
    {
        var parts = type.Namespace!.Split('.');
        if (type.Assembly != Repo.Tests && (parts.Length == 2 || (parts.Length == 3 && Edges.ContainsKey(parts[2])))) yield break;
        yield return $"{type.FullName} is in no module";
    }

    private static IEnumerable<string> Folders(SourceFile file)
    {
        var folders = file.Path.Split('/')[2..^1];
        if (folders.Length > 3) yield return $"{file.Path} lies deeper than three folders";
        foreach (var folder in folders.Intersect(ForbiddenFolders, StringComparer.OrdinalIgnoreCase)) yield return $"{file.Path} lies in {folder}";
    }

    [GeneratedRegex(@"\b(Domain|Application)\.(?<module>[A-Z][A-Za-z]+)\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex ModuleName();
}
