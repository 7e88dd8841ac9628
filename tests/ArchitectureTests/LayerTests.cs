using System.Reflection;
using System.Xml.Linq;
using NetArchTest.Rules;
using Rev.ArchitectureTests.Common;

namespace Rev.ArchitectureTests;

public sealed class LayerTests
{
    private static readonly string[] Frameworks =
    [
        "MediatR", "FluentValidation", "Mapster", "MapsterMapper", "Microsoft.EntityFrameworkCore", "Microsoft.Data", "Npgsql", "Hangfire", "Stripe", "MailKit",
        "MimeKit", "Microsoft.AspNetCore", "Microsoft.Extensions", "Serilog", "OpenTelemetry", "Newtonsoft.Json",
    ];

    private static readonly string[] Allowed = ["MediatR", "FluentValidation", "Mapster", "MapsterMapper", "Microsoft.Extensions"];

    // What a project may refer to: projects, then packages (null: any).
    private static readonly (string Project, string[] Projects, string[]? Packages)[] Projects =
    [
        ("Rev.Domain", [], []),
        ("Rev.Application", ["Rev.Domain"], ["MediatR", "FluentValidation", "Mapster", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Logging"]),
        ("Rev.Infrastructure", ["Rev.Application"], null),
        ("Rev.Web", ["Rev.Application"], ["Microsoft.AspNetCore.App", "Markdig"]),
        ("Rev.Api", ["Rev.Application", "Rev.Infrastructure", "Rev.Web"], null),
    ];

    [Fact]
    public void Domain_knows_no_framework_and_no_other_layer() =>
        Depends(Repo.Domain, "Rev.Domain", [.. Frameworks, "Rev.Application", "Rev.Infrastructure", "Rev.Api", "Rev.Web"]).Holds(60);

    [Fact]
    public void Application_knows_only_its_own_tools_and_Domain() =>
        Depends(Repo.Application, "Rev.Application", [.. Frameworks.Except(Allowed), "Rev.Infrastructure", "Rev.Api", "Rev.Web"]).Holds(100);

    [Fact]
    public void Infrastructure_does_not_know_the_API_or_the_pages() =>
        Depends(Repo.Infrastructure, "Rev.Infrastructure", ["Rev.Api", "Rev.Web"]).Holds(20);

    [Fact]
    public void The_pages_ask_Application_and_know_no_store_job_runner_or_provider() =>
        Depends(Repo.Web, "Rev.Web", [
            "Microsoft.EntityFrameworkCore", "Microsoft.Data", "Npgsql", "Hangfire", "Stripe", "MailKit", "MimeKit", "System.Net.Http", "Rev.Infrastructure", "Rev.Api",
        ]).Holds(40);

    [Fact]
    public void The_API_leaves_the_store_to_Infrastructure() =>
        Depends(Repo.Api, "Rev.Api", ["Microsoft.EntityFrameworkCore", "Microsoft.Data", "Npgsql"]).Holds(5);

    [Fact]
    public void A_type_that_uses_a_framework_is_found() =>
        Depends(Repo.Tests, "Rev.ArchitectureTests.Twins.Layers", Frameworks).Fails("UsesMediatR", "UsesEntityFramework");

    [Fact]
    public void Projects_refer_to_what_the_table_says() =>
        Verdict.Of(Projects, p => References(p.Project, File.ReadAllText(Path.Combine(Repo.Root, "src", p.Project, p.Project + ".csproj")))).Holds(5);

    [Fact]
    public void Every_project_is_in_the_table() =>
        Directory.GetDirectories(Path.Combine(Repo.Root, "src")).Select(Path.GetFileName).Except(Projects.Select(p => p.Project)).ShouldBeEmpty();

    [Fact]
    public void A_project_that_refers_to_more_is_found()
    {
        const string bad = """
            <Project Sdk="Microsoft.NET.Sdk"><ItemGroup>
              <ProjectReference Include="..\Rev.Infrastructure\Rev.Infrastructure.csproj" />
              <PackageReference Include="MediatR" /><PackageReference Include="Hangfire.Core" />
              <FrameworkReference Include="Microsoft.AspNetCore.App" />
            </ItemGroup></Project>
            """;
        Verdict.Of(["Rev.Domain"], p => References(p, bad)).Fails("Rev.Infrastructure", "MediatR", "Hangfire.Core", "Microsoft.AspNetCore.App");
        Verdict.Of(["Rev.Application"], p => References(p, bad)).Fails("Rev.Infrastructure", "Hangfire.Core", "Microsoft.AspNetCore.App");
        Verdict.Of(["Rev.Domain"], p => References(p, """<Project Sdk="Microsoft.NET.Sdk.Web" />""")).Fails("Microsoft.NET.Sdk.Web");
    }

    private static Verdict Depends(Assembly assembly, string within, string[] on)
    {
        var types = NetArchTest.Rules.Types.InAssembly(assembly).That().ResideInNamespace(within);
        var result = types.ShouldNot().HaveDependencyOnAny(on).GetResult();
        return new(types.GetTypes().Count(), (result.FailingTypeNames ?? []).ToArray());
    }

    private static IEnumerable<string> References(string project, string text)
    {
        var (_, projects, packages) = Projects.Single(p => p.Project == project);
        var root = XDocument.Parse(text).Root!;
        var sdk = root.Attribute("Sdk")!.Value;
        if (packages is not null && sdk != (project == "Rev.Web" ? "Microsoft.NET.Sdk.Razor" : "Microsoft.NET.Sdk")) yield return $"{project} is built by {sdk}";
        foreach (var reference in root.Descendants("ProjectReference").Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value.Replace('\\', '/'))))
            if (!projects.Contains(reference)) yield return $"{project} refers to the project {reference}";
        if (packages is null) yield break;
        foreach (var reference in root.Descendants("PackageReference").Concat(root.Descendants("FrameworkReference")).Select(r => r.Attribute("Include")!.Value))
            if (!packages.Contains(reference)) yield return $"{project} refers to the package {reference}";
    }
}
