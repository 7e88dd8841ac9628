using System.Reflection;
using Xunit.Sdk;

namespace Rev.IntegrationTests.Common;

public enum Provider
{
    Sqlite,
    PostgreSql,
    SqlServer,
}

/// <summary>Runs a theory once on each database: SQL Server only where REV_TEST_SQLSERVER names one.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class EachProviderAttribute : DataAttribute
{
    public const string SqlServerVariable = "REV_TEST_SQLSERVER";

    /// <summary>Leaves SQLite out: for what several processes share.</summary>
    public bool ServersOnly { get; init; }

    public static string? SqlServer => Environment.GetEnvironmentVariable(SqlServerVariable) is { Length: > 0 } text ? text : null;

    public override IEnumerable<object[]> GetData(MethodInfo testMethod)
    {
        if (!ServersOnly) yield return [Provider.Sqlite];
        yield return [Provider.PostgreSql];
        if (SqlServer is not null) yield return [Provider.SqlServer];
    }
}

/// <summary>
/// Runs a theory on SQLite, and on every database where REV_TEST_ALL or a SQL Server is set: for what is the same on all of them, and
/// whose way through the store other tests walk on each.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OneProviderAttribute : DataAttribute
{
    /// <summary>The databases it runs on.</summary>
    public static IEnumerable<Provider> Providers =>
        EachProviderAttribute.SqlServer is not null || Environment.GetEnvironmentVariable("REV_TEST_ALL") is { Length: > 0 }
            ? new EachProviderAttribute().GetData(null!).Select(data => (Provider)data[0])
            : [Provider.Sqlite];

    public override IEnumerable<object[]> GetData(MethodInfo testMethod) => Providers.Select(provider => new object[] { provider });
}
