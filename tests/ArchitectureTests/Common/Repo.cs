using System.Reflection;
using System.Runtime.CompilerServices;

namespace Rev.ArchitectureTests.Common;

/// <summary>The repository: its assemblies and its sources.</summary>
internal static class Repo
{
    public static readonly Assembly Domain = typeof(Rev.Domain.Common.Money).Assembly;

    public static readonly Assembly Application = typeof(Rev.Application.DependencyInjection).Assembly;

    public static readonly Assembly Infrastructure = Assembly.Load("Rev.Infrastructure");

    public static readonly Assembly Api = Assembly.Load("Rev.Api");

    public static readonly Assembly Web = Assembly.Load("Rev.Web");

    public static readonly Assembly Tests = typeof(Repo).Assembly;

    public static readonly IReadOnlyList<Assembly> All = [Domain, Application, Infrastructure, Api, Web];

    public static readonly string Root = Find();

    /// <summary>The C# files below a folder, without what the build made and what the migrations tool wrote.</summary>
    public static IReadOnlyList<SourceFile> Sources(string folder = "src") =>
        Directory.EnumerateFiles(Path.Combine(Root, folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => new SourceFile(Path.GetRelativePath(Root, path).Replace('\\', '/'), File.ReadAllText(path)))
            .Where(file => !file.Path.Contains("/obj/", StringComparison.Ordinal) && !file.Path.Contains("/bin/", StringComparison.Ordinal)
                && !file.Path.Contains("/Migrations/", StringComparison.Ordinal))
            .ToArray();

    /// <summary>Types that a person wrote.</summary>
    public static IEnumerable<Type> Types(params IEnumerable<Assembly> assemblies) => assemblies.SelectMany(a => a.GetTypes())
        .Where(type => !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && !type.FullName!.Contains('<', StringComparison.Ordinal)
            && type.Namespace?.StartsWith("Rev.", StringComparison.Ordinal) == true);

    private static string Find()
    {
        var at = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(at, "Rev.sln"))) at = Path.GetDirectoryName(at) ?? throw new InvalidOperationException("Rev.sln is nowhere above the tests.");
        return at;
    }
}

/// <summary>A source text and where it stands.</summary>
internal sealed record SourceFile(string Path, string Text);

/// <summary>What a rule looked at, and what breaks it.</summary>
internal sealed record Verdict(int Looked, IReadOnlyList<string> Broken)
{
    public static Verdict Of<T>(IEnumerable<T> things, Func<T, IEnumerable<string>> complaints)
    {
        var all = things.ToArray();
        return new(all.Length, all.SelectMany(complaints).Order(StringComparer.Ordinal).ToArray());
    }

    /// <summary>The rule holds, and it looked at so many things at least: a rule that matches nothing proves nothing.</summary>
    public void Holds(int atLeast)
    {
        Broken.ShouldBeEmpty();
        Looked.ShouldBeGreaterThanOrEqualTo(atLeast);
    }

    /// <summary>The rule, given its known-bad twin, finds it.</summary>
    public void Fails(params string[] twins)
    {
        Broken.Count.ShouldBe(twins.Length, string.Join('\n', Broken));
        foreach (var twin in twins) Broken.ShouldContain(b => b.Contains(twin, StringComparison.Ordinal));
    }
}
