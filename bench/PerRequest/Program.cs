using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Rev.Bench.PerRequest;

// What a user would write instead of Rev: one SaveChanges per request on the same database, as durable as Rev.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.SetMinimumLevel(LogLevel.Error);
var connection = builder.Configuration["Connection"] ?? throw new InvalidOperationException("Connection is missing.");
var sqlite = builder.Configuration["Provider"] == "Sqlite";
builder.Services.AddDbContext<Usage>(options => _ = sqlite
    ? options.UseSqlite(connection).AddInterceptors(new WriteThrough())
    : options.UseNpgsql(connection));
builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
await using var app = builder.Build();

await using (var scope = app.Services.CreateAsyncScope())
{
    var usage = scope.ServiceProvider.GetRequiredService<Usage>();
    await usage.Database.EnsureCreatedAsync();
    if (int.TryParse(builder.Configuration["Preload"], out var calls)) await Preload.Fill(usage, calls);
}

app.MapPost("/v1/meter", async (MeterRequest request, Usage usage, CancellationToken token) =>
{
    var key = request.IdempotencyKey ?? Guid.NewGuid().ToString("N");
    var call = Call.Of(request, key, TimeProvider.System.GetUtcNow().UtcDateTime);
    usage.Calls.Add(call);
    try
    {
        await usage.SaveChangesAsync(token);
    }
    catch (DbUpdateException)
    {
        usage.ChangeTracker.Clear();
        var first = await usage.Calls.AsNoTracking().FirstOrDefaultAsync(c => c.IdempotencyKey == key, token);
        if (first is null) throw;
        call = first;
    }
    return Results.Json(Receipt.Of(call), statusCode: StatusCodes.Status201Created);
});
await app.RunAsync();
