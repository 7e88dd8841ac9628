using System.Globalization;

namespace Rev.IntegrationTests.Common;

public static class Repository
{
    public static string Root { get; } = Find();

    /// <summary>The program itself, as the tests' build left it.</summary>
    public static string ApiAssembly
    {
        get
        {
            var beside = Path.Combine(AppContext.BaseDirectory, "Rev.Api.dll");
            if (File.Exists(beside) && File.Exists(Path.ChangeExtension(beside, ".runtimeconfig.json"))) return beside;
            var configuration = AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                ? "Release"
                : "Debug";
            return Path.Combine(Root, "src", "Rev.Api", "bin", configuration, "net10.0", "Rev.Api.dll");
        }
    }

    /// <summary>A folder that is removed when the tests are over.</summary>
    public static string TemporaryFolder(string name)
    {
        var path = Path.Combine(Scratch.Value, string.Create(CultureInfo.InvariantCulture, $"{name}-{Guid.NewGuid():N}"));
        Directory.CreateDirectory(path);
        return path;
    }

    private static readonly Lazy<string> Scratch = new(() =>
    {
        var path = Directory.CreateTempSubdirectory("rev-tests-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Remove(path);
        return path;
    });

    public static void Remove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (IOException)
        {
            // A temporary folder that stays is not worth a failed test.
        }
        catch (UnauthorizedAccessException)
        {
            // The same.
        }
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "Rev.sln"))) return folder.FullName;
        throw new InvalidOperationException("Rev.sln lies in no folder above the tests.");
    }
}
