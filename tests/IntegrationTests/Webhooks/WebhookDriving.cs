using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Rev.Application.Webhooks;
using Rev.Infrastructure.Webhooks;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Webhooks;

/// <summary>What tests of webhooks do again and again.</summary>
internal static class WebhookDriving
{
    /// <summary>Runs the job, and waits until nothing is being sent.</summary>
    public static async Task Deliver(this RevApp app)
    {
        using (var scope = app.Services.CreateScope())
            (await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new DeliverWebhooks())).IsSuccess.ShouldBeTrue();
        await app.Quiet();
    }

    /// <summary>Waits until nothing is being sent.</summary>
    public static async Task Quiet(this RevApp app)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(120));
        await app.Services.GetRequiredService<WebhookDispatcher>().Quiet(limit.Token);
    }

    public static async Task<int> PurgeWebhooks(this RevApp app)
    {
        using var scope = app.Services.CreateScope();
        return (await scope.ServiceProvider.GetRequiredService<IMediator>().Send(new PurgeWebhooks())).Value;
    }

    /// <summary>Adds an endpoint; the answer holds its secret.</summary>
    public static async Task<Answer> Listen(this Caller caller, string url, params string[] events) =>
        (await caller.Post("/v1/webhook_endpoints", new { url, events = events.Length == 0 ? ["*"] : events })).Is(201);

    public static Task<Answer> Endpoint(this Caller caller, string id) => caller.Get($"/v1/webhook_endpoints/{id}");

    public static Task<List<JsonObject>> Deliveries(this Caller caller, string endpoint, string query = "") => caller.All($"/v1/webhook_endpoints/{endpoint}/deliveries{query}");

    /// <summary>The only delivery to an endpoint, with its attempts.</summary>
    public static async Task<Answer> Delivery(this Caller caller, string endpoint)
    {
        var id = (await caller.Deliveries(endpoint)).ShouldHaveSingleItem()["id"]!.GetValue<string>();
        return (await caller.Get($"/v1/webhook_endpoints/{endpoint}/deliveries/{id}")).Is(200);
    }

    /// <summary>Waits until something holds.</summary>
    public static async Task Until(Func<Task<bool>> holds, string what, double seconds = 30)
    {
        var watch = Stopwatch.StartNew();
        while (!await holds())
        {
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(seconds), what);
            await Task.Delay(50);
        }
    }
}

/// <summary>The npm package <c>standardwebhooks</c>, run by Node: it verifies what Rev signed, and signs what Rev is to verify.</summary>
internal static class StandardWebhooks
{
    private static readonly Lazy<Task<string>> Folder = new(Install);

    /// <summary>What is wrong with each message; null when its signature is right.</summary>
    public static async Task<IReadOnlyList<string?>> Verify(params (string Secret, IReadOnlyDictionary<string, string> Headers, string Body)[] messages)
    {
        var asked = new JsonObject
        {
            ["verify"] = new JsonArray([.. messages.Select(m => new JsonObject
            {
                ["secret"] = m.Secret, ["body"] = m.Body, ["headers"] = JsonSerializer.SerializeToNode(m.Headers),
            })]),
        };
        return [.. (await Ask(asked))["verify"]!.AsArray().Select(v => v?.GetValue<string>())];
    }

    /// <summary>The signature of a message.</summary>
    public static async Task<string> Sign(string secret, string id, DateTimeOffset at, string body)
    {
        var asked = new JsonObject
        {
            ["sign"] = new JsonArray(new JsonObject { ["secret"] = secret, ["id"] = id, ["timestamp"] = at.ToUnixTimeSeconds(), ["body"] = body }),
        };
        return (await Ask(asked))["sign"]![0]!.GetValue<string>();
    }

    private static async Task<JsonNode> Ask(JsonObject asked) =>
        JsonNode.Parse(await Run("node", ["verify.mjs"], await Folder.Value, asked.ToJsonString()))!;

    private static async Task<string> Install()
    {
        var folder = Repository.TemporaryFolder("node");
        var source = Path.Combine(Repository.Root, "tests", "IntegrationTests", "Webhooks", "node");
        foreach (var name in new[] { "package.json", "package-lock.json", "verify.mjs", ".npmrc" }) File.Copy(Path.Combine(source, name), Path.Combine(folder, name));
        await Run("npm", ["ci", "--ignore-scripts"], folder, "");
        return folder;
    }

    private static async Task<string> Run(string program, string[] arguments, string folder, string input)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false, WorkingDirectory = folder,
        };
        Process process;
        try
        {
            process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            throw new ShouldAssertException($"{program} is missing: scripts/test.sh installs nodejs and npm.", exception);
        }
        using (process)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(3));
            var (output, errors) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
            await process.WaitForExitAsync(limit.Token);
            if (process.ExitCode != 0) throw new ShouldAssertException($"{program} {string.Join(' ', arguments)} left with {process.ExitCode}:\n{await output}\n{await errors}");
            return await output;
        }
    }
}
