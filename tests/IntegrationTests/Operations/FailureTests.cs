using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Rev.IntegrationTests.Operations;

/// <summary>What no endpoint answers.</summary>
public sealed class FailureTests
{
    [Fact]
    public async Task A_caller_that_hangs_up_amid_an_answer_is_no_fault()
    {
        var failures = typeof(Program).Assembly.GetType("Rev.Api.Common.Failures", throwOnError: true)!;
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0));
        await using var app = builder.Build();
        app.Use(async (HttpContext http, RequestDelegate next) => ended.SetResult(await Record.ExceptionAsync(() => next(http))));
        app.UseMiddleware(failures);
        app.Run(async http =>
        {
            await http.Response.WriteAsync("half of an answer");
            await http.Response.Body.FlushAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted);
        });
        await app.StartAsync();
        using var client = new HttpClient();

        var response = await client.GetAsync(new Uri(app.Urls.Single()), HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Dispose();

        (await ended.Task.WaitAsync(TimeSpan.FromSeconds(30))).ShouldBeNull("It is no error of Rev's, and must not be logged as one.");
    }
}
