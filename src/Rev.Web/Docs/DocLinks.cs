namespace Rev.Web.Docs;

/// <summary>Links of the files, which lead to other files of the repository, to a Rev on this machine, or elsewhere.</summary>
public static class DocLinks
{
    /// <summary>The address of a Rev in the files; on the pages it is the server that shows them.</summary>
    public const string Local = "http://localhost:5080";

    private const string OpenApi = "docs/api/openapi.json";

    /// <summary>Where a link leads on the pages; null when it is to a file that is not shown.</summary>
    /// <param name="file">The file that the link stands in, from the root of the repository.</param>
    /// <param name="target">Its target, as written.</param>
    public static string? Of(string file, string target)
    {
        if (target.StartsWith('#')) return target;
        if (target.StartsWith(Local, StringComparison.Ordinal)) return target.Length == Local.Length ? "/" : target[Local.Length..];
        if (IsElsewhere(target)) return target;
        var hash = target.IndexOf('#', StringComparison.Ordinal);
        var (path, fragment) = hash < 0 ? (target, "") : (target[..hash], target[hash..]);
        var found = Resolve(file, path);
        if (found == OpenApi) return DocCatalog.Root + "/api";
        return DocCatalog.OfFile(found) is { } entry ? entry.Address + fragment : null;
    }

    /// <summary>Whether a target is on another server.</summary>
    public static bool IsElsewhere(string target) =>
        target.StartsWith("https://", StringComparison.Ordinal) || target.StartsWith("http://", StringComparison.Ordinal);

    /// <summary>A path that is relative to a file, from the root of the repository.</summary>
    public static string Resolve(string file, string path)
    {
        var parts = file.Split('/').SkipLast(1).ToList();
        foreach (var part in path.Split('/'))
        {
            if (part == ".." && parts.Count > 0) parts.RemoveAt(parts.Count - 1);
            else if (part is not ("" or "." or "..")) parts.Add(part);
        }
        return string.Join('/', parts);
    }
}
