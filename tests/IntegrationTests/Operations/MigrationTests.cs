using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

public sealed class MigrationTests
{
    [Theory, EachProvider]
    public async Task Two_processes_starting_on_an_empty_database_migrate_it_once(Provider provider)
    {
        await using var database = await TestDatabase.CreateEmptyAsync(provider);
        var clock = new OffsetClock();

        var started = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => RevApp.Start(database, clock))));

        try
        {
            var account = await started[0].SignUpAsync();
            await account.Live.At(started[1]).Meter(Bodies.Call());
        }
        finally
        {
            foreach (var app in started) await app.DisposeAsync();
        }
    }

    [Theory, EachProvider]
    public async Task Migrate_alone_migrates_and_leaves(Provider provider)
    {
        await using var database = await TestDatabase.CreateEmptyAsync(provider);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["Database__Provider"] = provider.ToString(),
            ["ConnectionStrings__Rev"] = database.ConnectionString,
            ["DataDirectory"] = database.DataDirectory,
        };

        var (exitCode, output) = await RevProcess.Run(["--migrate"], settings);
        exitCode.ShouldBe(0, output);
        (await RevProcess.Run(["--migrate"], settings)).ExitCode.ShouldBe(0);

        await using var app = RevApp.Start(database);
        (await app.Count("calls")).ShouldBe(0);
    }

    [Fact]
    public async Task A_backup_of_SQLite_is_a_database_that_can_be_used()
    {
        await using var database = await TestDatabase.CreateAsync(Provider.Sqlite);
        await using var app = RevApp.Start(database);
        var account = await app.SignUpAsync();
        for (var i = 0; i < 10; i++) await account.Live.Meter(Bodies.Call());
        var folder = Repository.TemporaryFolder("backup");
        var file = Path.Combine(folder, "copy.db");

        var (exitCode, output) = await RevProcess.Run(["--backup", file], RevProcess.Settings(app));

        exitCode.ShouldBe(0, output);
        await using var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={file};Pooling=false");
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM calls";
        (await command.ExecuteScalarAsync()).ShouldBe(10L);
    }
}
