using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Rev.Infrastructure.Common;

namespace Rev.Bench.Loader;

/// <summary>
/// The indexes, other than those of keys, of the tables that grow with the calls. Loading does not need them: each costs a walk
/// for every row, and a single sort when it is made over all rows at the end.
/// </summary>
internal sealed class Indexes(StoreFactory store)
{
    private const string Tables = "('calls', 'outcomes', 'ledger_entries')";

    private const string OnSqlite = $"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN {Tables}";

    private const string OnPostgres = $"""
        SELECT indexname, indexdef FROM pg_indexes
        WHERE schemaname = current_schema() AND tablename IN {Tables}
          AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = format('%I.%I', schemaname, indexname)::regclass)
        """;

    /// <summary>Drops them; answers the statements that make them again.</summary>
    public async Task<IReadOnlyList<string>> Drop()
    {
        var (drops, makes) = (new List<string>(), new List<string>());
        await using var db = store.Create();
        await db.Database.OpenConnectionAsync();
        var connection = db.Database.GetDbConnection();
        await using (var command = connection.CreateCommand())
        {
            command.CommandText = store.Provider == StoreProvider.Sqlite ? OnSqlite : OnPostgres;
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                drops.Add($"DROP INDEX \"{reader.GetString(0)}\"");
                makes.Add(reader.GetString(1));
            }
        }
        await Execute(connection, drops);
        return makes;
    }

    /// <summary>Makes them as they were.</summary>
    public async Task Make(IReadOnlyList<string> statements)
    {
        await using var db = store.Create();
        await db.Database.OpenConnectionAsync();
        await Execute(db.Database.GetDbConnection(), statements);
    }

    private static async Task Execute(DbConnection connection, IReadOnlyList<string> statements)
    {
        foreach (var statement in statements)
        {
            await using var command = connection.CreateCommand();
            (command.CommandText, command.CommandTimeout) = (statement, 0);
            await command.ExecuteNonQueryAsync();
        }
    }
}
