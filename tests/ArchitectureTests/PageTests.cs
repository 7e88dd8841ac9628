using System.Reflection;
using Microsoft.AspNetCore.Components;
using Rev.ArchitectureTests.Common;
using Rev.Web.Accounts;

namespace Rev.ArchitectureTests;

/// <summary>Pages that show an account's data ask who looks.</summary>
public sealed class PageTests
{
    [Fact]
    public void A_page_below_a_mode_asks_for_a_session_and_is_there_in_both_modes() => Verdict.Of(Routed(Repo.Web), Unguarded).Holds(5);

    [Fact]
    public void A_page_that_anybody_may_see_is_found() => Verdict.Of(Routed(Repo.Tests), Unguarded).Fails("OpenPage is for anybody", "HalfPage has no /test/half");

    private static IEnumerable<Type> Routed(Assembly assembly) => assembly.GetTypes().Where(type => Routes(type).Length > 0);

    private static string[] Routes(Type page) => page.GetCustomAttributes<RouteAttribute>().Select(route => route.Template).ToArray();

    private static IEnumerable<string> Unguarded(Type page)
    {
        var routes = Routes(page);
        var (live, test) = (Below(routes, "/live"), Below(routes, "/test"));
        if (live.Length + test.Length > 0 && page.GetCustomAttribute<SignedInAttribute>() is null) yield return $"{page.Name} is for anybody";
        foreach (var path in live.Except(test, StringComparer.OrdinalIgnoreCase)) yield return $"{page.Name} has no /test{path}";
        foreach (var path in test.Except(live, StringComparer.OrdinalIgnoreCase)) yield return $"{page.Name} has no /live{path}";
    }

    private static string[] Below(string[] routes, string root) =>
        routes.Where(route => route.Equals(root, StringComparison.OrdinalIgnoreCase) || route.StartsWith(root + "/", StringComparison.OrdinalIgnoreCase))
            .Select(route => route[root.Length..]).ToArray();
}
