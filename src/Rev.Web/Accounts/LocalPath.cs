using System.Diagnostics.CodeAnalysis;
using Rev.Domain.Common;
using Rev.Web.Common;

namespace Rev.Web.Accounts;

/// <summary>Where a sign-in leads.</summary>
internal static class LocalPath
{
    private const int MaxLength = 2000;

    private static readonly Uri Anywhere = new("http://localhost/");

    /// <summary>Back to where somebody came from, if that is a page of this server which the session opens; else to the dashboard.</summary>
    /// <param name="wanted">What the address of the sign-in named; anybody may have written it.</param>
    /// <param name="keyMode">The mode of the key that was pasted; null by a mailed link.</param>
    public static string After(string? wanted, Mode? keyMode)
    {
        var isTest = keyMode == Mode.Test;
        return IsLocal(wanted) && !(isTest && AppPath.ModeOf(wanted) == Mode.Live) ? wanted : AppPath.Root(isTest ? Mode.Test : Mode.Live) + "/revenue";
    }

    /// <summary>
    /// One slash at its beginning and no backslash, blank or control character, which browsers read as other things: it stays on this
    /// server. So it must when its dots are resolved: <c>/..//elsewhere</c> comes to <c>//elsewhere</c>, which is another host.
    /// </summary>
    public static bool IsLocal([NotNullWhen(true)] string? path) =>
        path is ['/', ..] and not ['/', '/', ..] && path.Length <= MaxLength && path.All(c => c is > ' ' and <= '~' and not '\\')
        && Uri.TryCreate(Anywhere, path, out var resolved) && !resolved.AbsolutePath.StartsWith("//", StringComparison.Ordinal);
}
