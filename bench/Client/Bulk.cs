using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Rev.Bench.Client;

/// <summary>Rows that were inserted.</summary>
internal sealed record Inserted(long Rows, double Seconds);

/// <summary>The floor of a group commit: one connection that inserts batch after batch, each in one transaction, each flushed to the disk.</summary>
internal static class Bulk
{
    public static async Task<Inserted> Run(string provider, string connection, int batch, TimeSpan length) =>
        provider == "Sqlite" ? OnSqlite(connection, batch, length) : await OnPostgres(connection, batch, length);

    private static async Task<Inserted> OnPostgres(string connectionString, int batch, TimeSpan length)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using (var create = new NpgsqlCommand(FloorTable("uuid", "timestamptz", "text"), connection)) await create.ExecuteNonQueryAsync();
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO floor_calls (id, key, agent, action, customer, tokens_input, tokens_output, amount, metadata, at)
            SELECT id, key, agent, 'email.sent', 'customer-1', 1200, 340, 12120000, '{"recipient":"prospect@company.com","campaign":"q2"}', now()
            FROM unnest(@ids, @keys, @agents) AS v(id, key, agent) ON CONFLICT (key) DO NOTHING
            """, connection);
        insert.Parameters.Add(new("ids", new Guid[batch]));
        insert.Parameters.Add(new("keys", new Guid[batch]));
        insert.Parameters.Add(new("agents", new string[batch]));
        await insert.PrepareAsync();
        var (rows, started) = (0L, Stopwatch.StartNew());
        for (; started.Elapsed < length; rows += batch)
        {
            insert.Parameters[0].Value = Fill(batch, Guid.CreateVersion7);
            insert.Parameters[1].Value = Fill(batch, Guid.NewGuid);
            insert.Parameters[2].Value = Fill(batch, Agent);
            await insert.ExecuteNonQueryAsync();
        }
        return new(rows, started.Elapsed.TotalSeconds);
    }

    private static Inserted OnSqlite(string connectionString, int batch, TimeSpan length)
    {
        using var connection = new SqliteConnection(connectionString);
        connection.Open();
        Run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;" + FloorTable("blob", "integer", "text"));
        using var insert = connection.CreateCommand();
        insert.CommandText = """
            INSERT INTO floor_calls (id, key, agent, action, customer, tokens_input, tokens_output, amount, metadata, at)
            VALUES (@id, @key, @agent, 'email.sent', 'customer-1', 1200, 340, 12120000, '{"recipient":"prospect@company.com","campaign":"q2"}', 0) ON CONFLICT (key) DO NOTHING
            """;
        var id = insert.Parameters.Add("@id", SqliteType.Blob);
        var key = insert.Parameters.Add("@key", SqliteType.Blob);
        var agent = insert.Parameters.Add("@agent", SqliteType.Text);
        var (rows, started) = (0L, Stopwatch.StartNew());
        for (; started.Elapsed < length; rows += batch)
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            insert.Transaction = transaction;
            for (var i = 0; i < batch; i++)
            {
                id.Value = Guid.CreateVersion7().ToByteArray(bigEndian: true);
                key.Value = Guid.NewGuid().ToByteArray();
                agent.Value = Agent();
                insert.ExecuteNonQuery();
            }
            transaction.Commit();
        }
        return new(rows, started.Elapsed.TotalSeconds);

        void Run(string sql)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
    }

    private static string Agent() => $"agent-{Random.Shared.Next(1_000)}";

    private static T[] Fill<T>(int count, Func<T> one)
    {
        var all = new T[count];
        for (var i = 0; i < count; i++) all[i] = one();
        return all;
    }

    private static string FloorTable(string id, string time, string text) => $"""
        CREATE TABLE IF NOT EXISTS floor_calls (id {id} PRIMARY KEY, key {id} NOT NULL UNIQUE, agent {text} NOT NULL, action {text} NOT NULL, customer {text} NOT NULL,
          tokens_input bigint NOT NULL, tokens_output bigint NOT NULL, amount bigint NOT NULL, metadata {text}, at {time} NOT NULL)
        """;
}
