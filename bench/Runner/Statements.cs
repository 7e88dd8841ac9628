using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Rev.Bench.Runner;

/// <summary>The statement of a customer that all calls are of, down to each of them: whether memory stays flat, and the sum is right.</summary>
internal static class Statements
{
    public const int Customers = 1;

    private const string Path = "/v1/customers/customer-0/statement";
    private const int LinesBetweenLooks = 10_000;

    public static string GroupOf(Databases databases) => $"statement {databases.Name}";

    public static async Task Run(Bench bench, Databases databases) => await bench.Once(GroupOf(databases), async group =>
    {
        var preload = await bench.Revs.Preload(databases, bench.Plan.StatementCalls, bench.Plan.GrowthWindow, Customers);
        await using var rev = await bench.Revs.Start(databases, preload.Database);
        var (from, to) = preload.Window60;
        var whole = $"{Path}?from={from}&to={to}";
        // What any statement needs, be it short, is there before memory is looked at.
        _ = await Read(rev, $"{Path}?from={preload.LastDay.From}&to={preload.LastDay.To}", preload.Key);
        var total = Total((await rev.Send(HttpMethod.Get, whole, preload.Key)).Body);
        await bench.Sample(group, Bench.RevCell, async () =>
        {
            var before = Cpu.Memory(rev.Id).Now;
            var at = Stopwatch.StartNew();
            var csv = await Read(rev, whole, preload.Key);
            return new(StringComparer.Ordinal)
            {
                [Reads.Missing] = csv.Status, ["seconds"] = at.Elapsed.TotalSeconds, ["lines"] = csv.Lines, ["bytes"] = csv.Bytes,
                ["memory_before"] = before, ["memory_most"] = csv.Memory, ["memory_after"] = Cpu.Memory(rev.Id).Now,
                ["equal"] = csv.Status == 200 && csv.Sum == total ? 1 : 0,
            };
        });
    });

    /// <summary>Reads a statement as CSV and keeps nothing of it: lines below the head, bytes, the sum of the amounts, Rev's memory at most.</summary>
    private static async Task<(int Status, int Lines, long Bytes, decimal Sum, double Memory)> Read(Server rev, string path, string key)
    {
        var (lines, bytes, sum, memory) = (-1, 0L, 0m, 0d);
        var status = await rev.Lines($"{path}&format=csv", key, line =>
        {
            lines++;
            bytes += Encoding.UTF8.GetByteCount(line) + 2;
            if (lines % LinesBetweenLooks == 0) memory = Math.Max(memory, Cpu.Memory(rev.Id).Now);
            if (lines > 0) sum += Amount(line);
        });
        return (status, lines, bytes, sum, Math.Max(memory, Cpu.Memory(rev.Id).Now));
    }

    /// <summary>The last column but the currency.</summary>
    private static decimal Amount(ReadOnlySpan<char> line)
    {
        line = line[..line.LastIndexOf(',')];
        return decimal.Parse(line[(line.LastIndexOf(',') + 1)..], NumberStyles.Number, CultureInfo.InvariantCulture);
    }

    private static decimal Total(string statement)
    {
        using var answer = JsonDocument.Parse(statement);
        var currency = answer.RootElement.GetProperty("currencies").EnumerateArray().Single();
        return decimal.Parse(currency.GetProperty("total").GetString()!, NumberStyles.Number, CultureInfo.InvariantCulture);
    }
}
