using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Rev.Domain.Common;
using Rev.Domain.Metering;
using Rev.Domain.Outcomes;
using Rev.Domain.Pricing;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Pricing;

namespace Rev.Infrastructure.Metering;

/// <summary>
/// Writes closed months of calls to files, removes them from the database, and brings them back. Each step is made of
/// transactions that leave the rollups equal to what calls, ledger and archive say; after a kill it is run again.
/// </summary>
public sealed class MonthArchive(StoreFactory store, RevSettings settings, PriceBook prices, TimeProvider clock)
{
    /// <summary>How long after its end nothing can be received in a month any more: the writer refuses ids that are ten minutes old.</summary>
    public static readonly TimeSpan Settling = TimeSpan.FromHours(1);

    private const int LongRead = 3600;

    /// <summary>Writes a month to <c>folder/yyyy-MM</c>. Answers its manifest.</summary>
    /// <exception cref="SettingException">The month is not over, has open outcomes, or cannot be archived for another reason.</exception>
    public async Task<ArchiveManifest> Write(ArchiveMonth month, string folder, CancellationToken cancellationToken)
    {
        var now = Now();
        if (now < month.End + Settling) throw new SettingException($"{month} is not over; it can be archived from {month.End + Settling:u}.");
        var place = Path.Combine(folder, month.ToString());
        if (Directory.Exists(place)) throw new SettingException($"{place} exists already.");
        await using var db = store.Create();
        var known = await db.Archives.SingleOrDefaultAsync(a => a.Month == month.Start, cancellationToken);
        if (known?.RemovedAt is not null) throw new SettingException($"{month} was removed from the database; restore it first.");
        await RefuseOpen(db, month, cancellationToken);

        PrivateDirectory.Create(folder);
        await using var files = new ArchiveWriter(place);
        await using var connection = await Connect(db, cancellationToken);
        var accounts = await db.Accounts.AsNoTracking().Select(a => a.Id).ToListAsync(cancellationToken);
        foreach (var account in accounts.Order())
            foreach (var mode in Enum.GetValues<Mode>())
                await Write(connection, new(account, mode), month, files, cancellationToken);

        var (manifest, checksum) = await files.Finish(month, now, cancellationToken);
        if (known is null) db.Archives.Add(known = new() { Month = month.Start });
        (known.ArchivedAt, known.Checksum) = (now, checksum);
        (known.Calls, known.Outcomes, known.Entries) = (manifest.Files[0].Rows, manifest.Files[1].Rows, manifest.Files[2].Rows);
        await db.SaveChangesAsync(cancellationToken);
        return manifest;
    }

    /// <summary>
    /// Removes the calls and outcomes of an archived month, when the database holds exactly what the files do. Answers how
    /// many calls this removed.
    /// </summary>
    /// <param name="month">The month.</param>
    /// <param name="folder">The folder that holds the month's.</param>
    /// <param name="force">Whether successes that could still be reversed may go; then they cannot be.</param>
    /// <param name="progress">Told of the calls removed so far.</param>
    /// <param name="cancellationToken">Stops between two transactions.</param>
    /// <exception cref="SettingException">The files are not those of the month, or the database says otherwise.</exception>
    public async Task<long> Remove(ArchiveMonth month, string folder, bool force, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var files = await ArchiveFolder.Open(Path.Combine(folder, month.ToString()), cancellationToken);
        if (files.Manifest.Month != month) throw new SettingException($"The files are those of {files.Manifest.Month}, not of {month}.");
        var row = await Recorded(db, files, cancellationToken);
        await using var connection = await Connect(db, cancellationToken);
        if (!force && await ReversibleUntil(files, cancellationToken) is var until && until > Now())
            throw new SettingException($"Successes of {month} can be reversed until {until:u}; remove it then, or with --force now.");
        await Compare(connection, files, cancellationToken);

        if (row.RemovedAt is null)
        {
            row.RemovedAt = Now();
            await db.SaveChangesAsync(cancellationToken);
        }
        if (store.Provider == StoreProvider.PostgreSql && await DropPartitions(files, cancellationToken)) return files.Manifest.Files[0].Rows;
        var removed = 0L;
        foreach (var chunk in files.Chunks())
        {
            removed += await Remove(connection, month, chunk, cancellationToken);
            progress?.Report(removed);
            cancellationToken.ThrowIfCancellationRequested();
        }
        return removed;
    }

    /// <summary>Brings a removed month back from its folder. Answers how many calls this inserted.</summary>
    /// <param name="folder">The month's folder.</param>
    /// <param name="progress">Told of the calls inserted so far.</param>
    /// <param name="cancellationToken">Stops between two transactions.</param>
    /// <exception cref="SettingException">The files are not those that were archived from this database.</exception>
    public async Task<long> Restore(string folder, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        await using var db = store.Create();
        var files = await ArchiveFolder.Open(folder, cancellationToken);
        var month = files.Manifest.Month;
        var row = await Recorded(db, files, cancellationToken);
        foreach (var _ in files.Chunks()) cancellationToken.ThrowIfCancellationRequested();
        if (store.Provider == StoreProvider.PostgreSql) await MakePartitions(month, cancellationToken);

        await using var connection = await Connect(db, cancellationToken);
        var restored = 0L;
        foreach (var chunk in files.Chunks())
        {
            restored += await Restore(connection, month, chunk, cancellationToken);
            progress?.Report(restored);
            cancellationToken.ThrowIfCancellationRequested();
        }
        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        await db.Database.ExecuteSqlRawAsync(ArchiveTable.DeleteNothings, [Micros.Of(month.Start)], cancellationToken);
        row.RemovedAt = null;
        await db.SaveChangesAsync(cancellationToken);
        // What was erased while it was away is blanked by the job.
        await db.Customers.Where(c => c.ErasedAt != null && c.ErasedAt > month.Start)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.ErasureOpen, valueExpression: true), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return restored;
    }

    private async Task Write(DbConnection connection, Tenant tenant, ArchiveMonth month, ArchiveWriter files, CancellationToken cancellationToken)
    {
        var from = month.From;
        while (from < month.To)
        {
            List<object?[]> calls;
            await using (var first = Range(connection.CreateCommand(), ArchiveTable.Calls.SelectFirst(store.Provider == StoreProvider.SqlServer), tenant, from, month.To))
                calls = await ArchiveTable.Calls.Read(first, cancellationToken);
            if (calls.Count == 0) return;
            var to = calls.Count < ArchiveTable.ChunkSize ? month.To : Id(calls[^1]) + 1;
            await files.Write(ArchiveTable.Calls, calls);
            foreach (var table in ArchiveTable.All.Skip(1))
            {
                await using var command = Range(connection.CreateCommand(), table.Select, tenant, from, to);
                await files.Write(table, await table.Read(command, cancellationToken));
            }
            from = to;
        }
    }

    private static async Task RefuseOpen(RevDbContext db, ArchiveMonth month, CancellationToken cancellationToken)
    {
        var (from, to) = (new CallId(month.From), new CallId(month.To));
        var due = await db.Outcomes.AsNoTracking()
            .Where(o => (o.Status == OutcomeStatus.Pending || o.Status == OutcomeStatus.InReview) && o.DueAt != null && o.Id >= from && o.Id < to)
            .OrderByDescending(o => o.DueAt).Select(o => o.DueAt).FirstOrDefaultAsync(cancellationToken);
        if (due is { } at) throw new SettingException($"Outcomes of {month} are open; the last one closes by itself at {at:u}.");
    }

    private static async Task<ArchiveRow> Recorded(RevDbContext db, ArchiveFolder files, CancellationToken cancellationToken)
    {
        var month = files.Manifest.Month;
        var row = await db.Archives.SingleOrDefaultAsync(a => a.Month == month.Start, cancellationToken)
            ?? throw new SettingException($"{month} was not archived from this database.");
        return row.Checksum == files.ManifestChecksum ? row : throw new SettingException($"The files are not those that {month} was last archived to.");
    }

    /// <summary>
    /// Compares the files with the database: what is there must be in the files, to the letter; what is not there must have
    /// been removed before.
    /// </summary>
    private static async Task Compare(DbConnection connection, ArchiveFolder files, CancellationToken cancellationToken)
    {
        var month = files.Manifest.Month;
        var missing = 0L;
        foreach (var chunk in files.Chunks())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var present = await Present(sql => Ranged(connection, sql, chunk), month, chunk, cancellationToken);
            missing += chunk.Rows[0].Count - present.Calls;
            await using var command = Ranged(connection, ArchiveTable.Entries.Select, chunk);
            var entries = await ArchiveTable.Entries.Read(command, cancellationToken);
            if (!entries.Select(ArchiveTable.Entries.Format).SequenceEqual(chunk.Rows[2].Select(ArchiveTable.Entries.Format), StringComparer.Ordinal)) throw Differs(month, ArchiveTable.Entries);
        }
        await using var moved = Command(connection, ArchiveTable.CountMoved, ("@month", Micros.Of(month.Start)));
        var count = await moved.ExecuteScalarAsync(cancellationToken) is { } sum and not DBNull ? Convert.ToInt64(sum, CultureInfo.InvariantCulture) : 0;
        if (missing != count) throw new SettingException($"{missing} calls of the files are not in the database, and {count} were removed before.");
    }

    /// <summary>How many calls and outcomes of a chunk the database has, each as the files have it, and each call with its outcome.</summary>
    private static async Task<(int Calls, int Outcomes)> Present(Func<string, DbCommand> command, ArchiveMonth month, ArchiveChunk chunk, CancellationToken cancellationToken)
    {
        var calls = await Subset(0);
        var outcomes = await Subset(1);
        if (chunk.Rows[1].Select(Id).Count(calls.Contains) != outcomes.Count) throw Differs(month, ArchiveTable.Outcomes);
        return (calls.Count, outcomes.Count);

        async Task<HashSet<UInt128>> Subset(int table)
        {
            var there = ArchiveTable.All[table];
            await using var select = command(there.Select);
            var found = await there.Read(select, cancellationToken);
            var filed = chunk.Rows[table].Select(there.Format).ToHashSet(StringComparer.Ordinal);
            return found.TrueForAll(row => filed.Contains(there.Format(row))) ? found.Select(Id).ToHashSet() : throw Differs(month, there);
        }
    }

    private async Task<long> Remove(DbConnection connection, ArchiveMonth month, ArchiveChunk chunk, CancellationToken cancellationToken)
    {
        // What is read here is what is deleted here; on SQLite there is one writer anyhow.
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var present = await Present(sql => Ranged(connection, sql, chunk, transaction), month, chunk, cancellationToken);
        if (present.Calls == 0) return 0;
        await Move(transaction, month, chunk.Tenant, chunk.From, chunk.To, 1, cancellationToken);
        await Delete(ArchiveTable.DeleteOutcomes, present.Outcomes);
        await Delete(ArchiveTable.DeleteCalls, present.Calls);
        await transaction.CommitAsync(cancellationToken);
        return present.Calls;

        async Task Delete(string sql, int expected)
        {
            await using var command = Ranged(connection, sql, chunk, transaction);
            if (await command.ExecuteNonQueryAsync(cancellationToken) != expected) throw new InvalidOperationException("The month changed while it was removed; nothing of this part was removed.");
        }
    }

    private async Task<long> Restore(DbConnection connection, ArchiveMonth month, ArchiveChunk chunk, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        HashSet<UInt128> there;
        await using (var select = Ranged(connection, ArchiveTable.Calls.Select, chunk, transaction))
            there = (await ArchiveTable.Calls.Read(select, cancellationToken)).Select(Id).ToHashSet();
        var missing = chunk.Rows[0].Where(row => !there.Contains(Id(row))).ToList();
        if (missing.Count == 0) return 0;
        await RowByRow.Run(transaction, ArchiveTable.Calls.Insert, [.. ArchiveTable.Calls.Stored], missing, cancellationToken);
        await RowByRow.Run(transaction, ArchiveTable.Outcomes.Insert, [.. ArchiveTable.Outcomes.Stored], chunk.Rows[1].FindAll(row => !there.Contains(Id(row))), cancellationToken);
        foreach (var (from, to) in Runs(chunk.Rows[0].ConvertAll(Id), there))
            await Move(transaction, month, chunk.Tenant, from, to, -1, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return missing.Count;
    }

    /// <summary>The ranges of ids that were not there, with none between them that was.</summary>
    private static IEnumerable<(UInt128 From, UInt128 To)> Runs(List<UInt128> ids, HashSet<UInt128> there)
    {
        UInt128? from = null;
        foreach (var id in ids)
        {
            if (!there.Contains(id)) from ??= id;
            else if (from is { } start)
            {
                yield return (start, id);
                from = null;
            }
        }
        if (from is { } last) yield return (last, ids[^1] + 1);
    }

    /// <summary>Adds what the calls and outcomes of a range have added to the rollups to the archived ones, or takes it off them.</summary>
    private async Task Move(DbTransaction transaction, ArchiveMonth month, Tenant tenant, UInt128 from, UInt128 to, long sign, CancellationToken cancellationToken)
    {
        var sql = store.Provider == StoreProvider.SqlServer ? ArchivedRollupSql.MoveOnSqlServer : ArchivedRollupSql.Move;
        await using var command = Range(transaction.Connection!.CreateCommand(), sql, tenant, from, to, transaction);
        Give(command, "@month", Micros.Of(month.Start));
        Give(command, "@sign", sign);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>When the last success of the month can no longer be reversed.</summary>
    private async Task<DateTimeOffset> ReversibleUntil(ArchiveFolder files, CancellationToken cancellationToken)
    {
        var (call, outcome) = (ArchiveTable.Calls, ArchiveTable.Outcomes);
        var until = DateTimeOffset.MinValue;
        foreach (var chunk in files.Chunks())
        {
            var outcomes = chunk.Rows[1].ToDictionary(Id);
            foreach (var row in chunk.Rows[0])
            {
                if (ChargedAt(row, outcomes.GetValueOrDefault(Id(row))) is not { } micros) continue;
                var tier = await prices.Version(chunk.Tenant, new TierKey((string)row[call.At("tier_key")]!), (int)row[call.At("tier_version")]!, cancellationToken);
                var end = Micros.ToInstant(micros) + tier.Terms.ReversalWindow;
                if (end > until) until = end;
            }
        }
        return until;

        long? ChargedAt(object?[] row, object?[]? changed) => changed is null
            ? (short)row[call.At("outcome")]! == (short)ReportedOutcome.Success ? (long)row[call.At("received_at")]! : null
            : (OutcomeStatus)(short)changed[outcome.At("status")]! switch
            {
                OutcomeStatus.Succeeded => (long?)changed[outcome.At("settles_at")] ?? (long?)changed[outcome.At("decided_at")],
                OutcomeStatus.Expired => (long)changed[outcome.At("bonus_nanos")]! == 0 ? null : (long?)changed[outcome.At("expires_at")],
                OutcomeStatus.Pending or OutcomeStatus.InReview => throw Differs(ArchiveMonth.Of(IdWindow.TimeOf(Id(row))), outcome),
                OutcomeStatus.Failed or OutcomeStatus.Reversed => null,
            };
    }

    /// <summary>
    /// On PostgreSQL the month goes with its partitions, where they hold exactly it: in one transaction, without a
    /// row deleted.
    /// </summary>
    private async Task<bool> DropPartitions(ArchiveFolder files, CancellationToken cancellationToken)
    {
        var month = files.Manifest.Month;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        string[] partitions = [PostgresPartitions.Name("calls", month), PostgresPartitions.Name("outcomes", month)];
        await using (var look = Command(connection, PostgresPartitions.CountThose, ("@calls", partitions[0]), ("@outcomes", partitions[1])))
            if (Convert.ToInt32(await look.ExecuteScalarAsync(cancellationToken), CultureInfo.InvariantCulture) != partitions.Length) return false;

        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await Execute(PostgresPartitions.Hold(partitions));
        foreach (var (partition, rows) in partitions.Zip(files.Manifest.Files.Select(f => f.Rows)))
        {
            await using var count = Command(connection, PostgresPartitions.Count(partition), ("@from", UlidText.ToBytes(month.From)), ("@to", UlidText.ToBytes(month.To)));
            await using var reader = await count.ExecuteReaderAsync(cancellationToken);
            await reader.ReadAsync(cancellationToken);
            if (reader.GetInt64(0) != rows || reader.GetInt64(1) != rows) return false;
        }
        // Nobody changes a row of it now: what the files say is compared once more with what goes.
        await Compare(connection, files, cancellationToken);
        await using (var move = Command(connection, PostgresPartitions.Move,
            ("@month", Micros.Of(month.Start)), ("@from", UlidText.ToBytes(month.From)), ("@to", UlidText.ToBytes(month.To))))
            await move.ExecuteNonQueryAsync(cancellationToken);
        await Execute(PostgresPartitions.Drop(partitions));
        await transaction.CommitAsync(cancellationToken);
        return true;

        async Task Execute(string sql)
        {
            await using var command = Command(connection, sql);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    /// <summary>Where tables are partitioned, what is restored gets its partition back.</summary>
    private async Task MakePartitions(ArchiveMonth month, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var look = Command(connection, PostgresPartitions.IsPartitioned);
        if (await look.ExecuteScalarAsync(cancellationToken) is not true) return;
        await using var make = Command(connection, PostgresPartitions.Make, ("@month", month.Start.UtcDateTime));
        await make.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<DbConnection> Connect(RevDbContext db, CancellationToken cancellationToken)
    {
        await db.Database.OpenConnectionAsync(cancellationToken);
        return db.Database.GetDbConnection();
    }

    private static DbCommand Ranged(DbConnection connection, string sql, ArchiveChunk chunk, DbTransaction? transaction = null) =>
        Range(connection.CreateCommand(), sql, chunk.Tenant, chunk.From, chunk.To, transaction);

    private static DbCommand Range(DbCommand command, string sql, Tenant tenant, UInt128 from, UInt128 to, DbTransaction? transaction = null)
    {
        (command.CommandText, command.CommandTimeout, command.Transaction) = (sql, LongRead, transaction);
        Give(command, "@account", UlidText.ToBytes(tenant.Account.Value));
        Give(command, "@mode", (short)tenant.Mode);
        Give(command, "@from", UlidText.ToBytes(from));
        Give(command, "@to", UlidText.ToBytes(to));
        return command;
    }

    private static DbCommand Command(DbConnection connection, string sql, params (string Name, object Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        command.CommandTimeout = LongRead;
        foreach (var (name, value) in parameters) Give(command, name, value);
        return command;
    }

    private static void Give(DbCommand command, string name, object value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value);
        command.Parameters.Add(parameter);
    }

    private static UInt128 Id(object?[] row) => UlidText.FromBytes((byte[])row[2]!);

    private static SettingException Differs(ArchiveMonth month, ArchiveTable table) =>
        new($"The {table.Name} of {month} in the database are not those of the files: something changed since they were archived. Archive the month again.");

    private DateTimeOffset Now() => Micros.ToInstant(Micros.Of(clock.GetUtcNow()));
}

/// <summary>One statement for each of many rows, in one message where the database takes that.</summary>
internal static class RowByRow
{
    private const int MessageSize = 500;

    /// <summary>Runs a statement for each row; <c>@p0</c> is its first value.</summary>
    public static async Task Run(DbTransaction transaction, string sql, IReadOnlyList<ArchiveColumn> columns, IReadOnlyList<object?[]> rows, CancellationToken cancellationToken)
    {
        var connection = transaction.Connection!;
        if (connection.CanCreateBatch)
        {
            foreach (var chunk in rows.Chunk(MessageSize))
            {
                await using var batch = connection.CreateBatch();
                batch.Transaction = transaction;
                foreach (var row in chunk)
                {
                    var statement = batch.CreateBatchCommand();
                    statement.CommandText = sql;
                    for (var i = 0; i < columns.Count; i++) statement.Parameters.Add(Filled(statement.CreateParameter(), columns[i], i, row[i]));
                    batch.BatchCommands.Add(statement);
                }
                if (batch is NpgsqlBatch) await batch.PrepareAsync(cancellationToken);
                await batch.ExecuteNonQueryAsync(cancellationToken);
            }
            return;
        }
        await using var command = connection.CreateCommand();
        (command.CommandText, command.Transaction) = (sql, transaction);
        for (var i = 0; i < columns.Count; i++) command.Parameters.Add(Filled(command.CreateParameter(), columns[i], i, null));
        foreach (var row in rows)
        {
            for (var i = 0; i < columns.Count; i++) command.Parameters[i].Value = row[i] ?? DBNull.Value;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private static DbParameter Filled(DbParameter parameter, ArchiveColumn column, int place, object? value)
    {
        (parameter.ParameterName, parameter.DbType, parameter.Value) = ($"@p{place}", column.Type switch
        {
            BulkType.Id => DbType.Binary,
            BulkType.Small => DbType.Int16,
            BulkType.Int => DbType.Int32,
            BulkType.Long => DbType.Int64,
            BulkType.Flag => DbType.Boolean,
            BulkType.Key => DbType.AnsiString,
            BulkType.Text => DbType.String,
        }, value ?? DBNull.Value);
        return parameter;
    }
}
