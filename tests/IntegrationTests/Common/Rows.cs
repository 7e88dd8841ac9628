using System.Globalization;
using System.Numerics;
using Microsoft.Extensions.DependencyInjection;
using Rev.Infrastructure.Common;

namespace Rev.IntegrationTests.Common;

/// <summary>What the database holds, read past the application.</summary>
public static class Rows
{
    private static readonly string[] Tables =
    [
        "accounts", "api_keys", "tiers", "tier_versions", "agents", "customers",
        "calls", "outcomes", "ledger_entries", "rollups", "idempotency_keys", "bonus_claims",
    ];

    /// <summary>How many rows each table has, as one text to compare.</summary>
    public static async Task<string> Counts(this RevApp app)
    {
        var counts = new List<string>();
        foreach (var table in Tables)
            counts.Add($"{table}={(await app.Count(table)).ToString(CultureInfo.InvariantCulture)}");
        return string.Join(' ', counts);
    }

    public static async Task<long> Count(this RevApp app, string table) =>
        Convert.ToInt64((await app.Query($"SELECT COUNT(*) AS n FROM {table}"))[0]["n"], CultureInfo.InvariantCulture);

    public static async Task<List<Dictionary<string, object?>>> Query(this RevApp app, string sql)
    {
        await using var connection = app.Database.Connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, object?>>();
        while (await reader.ReadAsync())
        {
            var row = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
            for (var i = 0; i < reader.FieldCount; i++) row[reader.GetName(i)] = await reader.IsDBNullAsync(i) ? null : reader.GetValue(i);
            rows.Add(row);
        }
        return rows;
    }

    public static async Task<int> Execute(this RevApp app, string sql)
    {
        await using var connection = app.Database.Connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteNonQueryAsync();
    }

    public static long Long(this Dictionary<string, object?> row, string column) => Convert.ToInt64(row[column], CultureInfo.InvariantCulture);

    /// <summary>A column of any type as text: bytes in hexadecimal.</summary>
    public static string Text(this Dictionary<string, object?> row, string column) => row[column] switch
    {
        null => "",
        byte[] bytes => Convert.ToHexString(bytes),
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    /// <summary>The id's 16 bytes in hexadecimal, as <see cref="Text"/> writes the column.</summary>
    public static string Hex(string id)
    {
        const string alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        var value = id[(id.IndexOf('_', StringComparison.Ordinal) + 1)..]
            .Aggregate(UInt128.Zero, (sum, c) => (sum << 5) | (UInt128)(uint)alphabet.IndexOf(c, StringComparison.Ordinal));
        var bytes = new byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return Convert.ToHexString(bytes);
    }

    /// <summary>Nanos of an amount on the wire.</summary>
    public static long Nanos(string? amount) => (long)(decimal.Parse(amount!, NumberStyles.Number, CultureInfo.InvariantCulture) * 1_000_000_000m);

    /// <summary>
    /// The rollups must say what calls and ledger entries say, for each account, mode, currency, customer, agent and action,
    /// and <c>--verify</c> finds no difference in any table that sums others.
    /// </summary>
    public static async Task RollupsAddUp(this RevApp app)
    {
        const string key = "account_id, mode, currency, customer_id, agent_id, action";
        string Key(Dictionary<string, object?> row) => string.Join('|', key.Split(", ").Select(column => row.Text(column)));

        var expected = new Dictionary<string, Sums>(StringComparer.Ordinal);
        Sums Of(Dictionary<string, object?> row) => expected.TryGetValue(Key(row), out var sums) ? sums : expected[Key(row)] = new();

        foreach (var call in await app.Query($"SELECT {key}, tokens_input, tokens_output, base_nanos, token_nanos, bonus_nanos FROM calls"))
        {
            var sums = Of(call);
            sums.Calls++;
            sums.TokensInput += call.Long("tokens_input");
            sums.TokensOutput += call.Long("tokens_output");
            sums.Base += call.Long("base_nanos");
            sums.Token += call.Long("token_nanos");
            sums.Bonus += call.Long("bonus_nanos");
        }
        foreach (var archived in await app.Query($"SELECT {key}, calls, tokens_input, tokens_output, base_nanos, token_nanos, bonus_nanos FROM archived_rollups"))
        {
            var sums = Of(archived);
            sums.Calls += archived.Long("calls");
            sums.TokensInput += archived.Long("tokens_input");
            sums.TokensOutput += archived.Long("tokens_output");
            sums.Base += archived.Long("base_nanos");
            sums.Token += archived.Long("token_nanos");
            sums.Bonus += archived.Long("bonus_nanos");
        }
        foreach (var entry in await app.Query($"SELECT {key}, amount_nanos FROM ledger_entries"))
        {
            var sums = Of(entry);
            var amount = entry.Long("amount_nanos");
            if (amount < 0) sums.Reversal += amount;
            else sums.Bonus += amount;
        }

        var actual = new Dictionary<string, Sums>(StringComparer.Ordinal);
        foreach (var rollup in await app.Query($"SELECT {key}, calls, tokens_input, tokens_output, base_nanos, token_nanos, bonus_nanos, reversal_nanos FROM rollups"))
        {
            if (!actual.TryGetValue(Key(rollup), out var sums)) actual[Key(rollup)] = sums = new();
            sums.Calls += rollup.Long("calls");
            sums.TokensInput += rollup.Long("tokens_input");
            sums.TokensOutput += rollup.Long("tokens_output");
            sums.Base += rollup.Long("base_nanos");
            sums.Token += rollup.Long("token_nanos");
            sums.Bonus += rollup.Long("bonus_nanos");
            sums.Reversal += rollup.Long("reversal_nanos");
        }
        actual.Keys.Order(StringComparer.Ordinal).ShouldBe(expected.Keys.Order(StringComparer.Ordinal));
        foreach (var (group, sums) in expected) actual[group].ToString().ShouldBe(sums.ToString(), group);
        (await app.Services.GetRequiredService<StoreAdmin>().Verify(CancellationToken.None)).ShouldBeEmpty();
    }

    private sealed class Sums
    {
        public BigInteger Calls, TokensInput, TokensOutput, Base, Token, Bonus, Reversal;

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"calls {Calls} in {TokensInput} out {TokensOutput} base {Base} token {Token} bonus {Bonus} reversal {Reversal}");
    }
}
