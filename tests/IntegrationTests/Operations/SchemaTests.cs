using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.SqlServer.Dac;
using Microsoft.SqlServer.Dac.Model;
using Microsoft.SqlServer.TransactSql.ScriptDom;
using Rev.Domain.Common;
using Rev.Infrastructure.Billing;
using Rev.Infrastructure.Common;
using Rev.Infrastructure.Metering;
using Rev.Infrastructure.Webhooks;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Operations;

/// <summary>The three schemas, without a server: what is migrated is the model, and what SQL Server gets is T-SQL.</summary>
public sealed partial class SchemaTests
{
    [Fact]
    public void No_model_has_changes_without_a_migration()
    {
        using var sqlite = Sqlite();
        using var postgres = Postgres();
        using var sqlServer = SqlServer();
        foreach (var context in new DbContext[] { sqlite, postgres, sqlServer })
        {
            context.Database.GetMigrations().ShouldNotBeEmpty();
            context.Database.HasPendingModelChanges().ShouldBeFalse(context.GetType().Name);
        }
    }

    [Fact]
    public void The_SQL_Server_migrations_parse()
    {
        using var context = SqlServer();
        foreach (var options in new[] { MigrationsSqlGenerationOptions.Default, MigrationsSqlGenerationOptions.Idempotent })
        {
            var script = context.GetService<IMigrator>().GenerateScript(options: options);
            script.ShouldContain("CREATE TABLE");

            new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(script), out var errors);

            errors.Select(error => $"{error.Line}: {error.Message}").ShouldBeEmpty();
        }
    }

    [Fact]
    public void A_broken_script_does_not_parse()
    {
        new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader("CREATE TABLE calls (id binary(16) NOT NULL,, amount bigint)"), out var errors);
        errors.ShouldNotBeEmpty();
    }

    [Fact]
    public void The_SQL_Server_schema_is_a_valid_model()
    {
        using var context = SqlServer();
        Validate(context.Database.GenerateCreateScript()).ShouldBeEmpty();
    }

    [Fact]
    public void A_schema_with_a_dangling_key_is_not_a_valid_model() =>
        Validate("CREATE TABLE a (id int NOT NULL PRIMARY KEY, b_id int NOT NULL REFERENCES b (id));").ShouldNotBeEmpty();

    [Fact]
    public void What_is_run_on_SQL_Server_by_hand_fits_its_schema()
    {
        var slice = new RollupSlice(new(new(1), Mode.Live), "usd", DateTimeOffset.UnixEpoch.AddHours(5), DateTimeOffset.UnixEpoch.AddHours(80));
        var script = Schema() + View("ledger_", LedgerView.Create[LedgerView.Create.IndexOf("SELECT", StringComparison.Ordinal)..]) + View("expected_", RollupSql.Expected) + View("open_", OpenOutcomesSql.Expected)
            + Reads("days_", DayRollupSql.Expected, DayRollupSql.Actual, DayRollupSql.Fits, DayRollupSql.Fold) + Reads("ledger_sums_", StatementOf.LedgerSums)
            + Reads("revenue_", RollupReads.Sql(slice, slice.To, column => column, [RollupReads.Part, "agent_id"])!)
            + Reads("statement_", RollupReads.Sql(slice with { CustomerId = "c", AgentId = "a", Action = "b" }, slice.From.AddDays(2), _ => "0", ["agent_id", "action"])!)
            + Procedure("idempotency_keys_", BulkTables.IdempotencyKeys) + Procedure("bonus_claims_", BulkTables.BonusClaims) + Procedure("calls_", BulkTables.Calls)
            + Procedure("outcomes_", BulkTables.Outcomes) + Procedure("ledger_entries_", BulkTables.LedgerEntries) + Procedure("agents_", BulkTables.Agents)
            + Procedure("correlations_", HookTables.Correlations) + Procedure("customers_", BulkTables.Customers) + Update("updates_", BulkTables.OutcomeUpdates) + Update("locks_", BulkTables.OutcomeLocks)
            + Ranged("of_calls_", RollupSql.OfCalls) + Ranged("of_all_calls_", RollupSql.OfAllCalls)
            + string.Concat(ArchiveTable.All.Select(table => Ranged($"select_{table.Name}_", table.Select) + Ranged($"first_{table.Name}_", table.SelectFirst(sqlServer: true))))
            + Ranged("delete_outcomes_", ArchiveTable.DeleteOutcomes) + Ranged("delete_calls_", ArchiveTable.DeleteCalls)
            + Ranged("count_moved_", ArchiveTable.CountMoved) + Ranged("delete_nothings_", ArchiveTable.DeleteNothings.Replace("{0}", "@month", StringComparison.Ordinal))
            + string.Concat(ArchiveTable.All.Take(2).Select(table => Filled($"insert_{table.Name}_", table.Insert, [.. table.Stored])))
            + Ranged("move_", ArchivedRollupSql.MoveOnSqlServer)
            + Add("rollups_", BulkTables.Rollups) + Add("open_outcomes_", BulkTables.OpenOutcomes)
            + Body("recorded_ @account binary(16), @mode smallint, @after binary(16), @until binary(16), @from bigint, @to bigint, @currency char(3), @agent varchar(128), @customer varchar(128)",
                RecordedCallsSql.Page(StoreProvider.SqlServer, new(Action: true, Customer: true, Model: true, Metadata: true), claims: true, ofAgent: true, ofCustomer: true))
            + Body("recorded_few_ @account binary(16), @mode smallint, @after binary(16), @until binary(16), @from bigint, @to bigint, @currency char(3)",
                RecordedCallsSql.Page(StoreProvider.SqlServer, new(Action: false, Customer: false, Model: false, Metadata: false), claims: false, ofAgent: false, ofCustomer: false));

        Validate(script).ShouldBeEmpty();
        new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(script), out var errors);
        errors.Select(error => $"{error.Line}: {error.Message}").ShouldBeEmpty();
        Validate(Schema() + View("ledger_", "SELECT no_such_column FROM calls")).ShouldNotBeEmpty();

        static string View(string name, string query) => $"\nGO\nCREATE VIEW {name} AS {query}\nGO\n";
        static string Body(string name, params string[] statements) => $"\nGO\nCREATE PROCEDURE {name} AS\n{string.Join(";\n", statements)};\nGO\n";
        static string Ranged(string name, string statement) =>
            $"\nGO\nCREATE PROCEDURE {name} @account binary(16), @mode smallint, @from binary(16), @to binary(16), @month bigint, @sign bigint AS\n{statement};\nGO\n";
        static string Filled(string name, string statement, IReadOnlyList<ArchiveColumn> columns) =>
            $"\nGO\nCREATE PROCEDURE {name} {string.Join(", ", columns.Select((column, i) => $"@p{i} {Type(column.Type)}"))} AS\n{statement};\nGO\n";
        static string Type(BulkType type) => type switch
        {
            BulkType.Id => "varbinary(16)",
            BulkType.Small => "smallint",
            BulkType.Int => "int",
            BulkType.Long => "bigint",
            BulkType.Flag => "bit",
            BulkType.Key => "varchar(128)",
            BulkType.Text => "nvarchar(max)",
        };
        static string Reads(string name, params string[] queries) => Body(
            $"{name} @account varbinary(16), @mode smallint, @currency varchar(3), @customer varchar(128), @agent varchar(128), @action varchar(128), "
            + "@first varbinary(16), @end varbinary(16), @from bigint, @to bigint, @until bigint", queries);
        static string Procedure<T>(string name, BulkTable<T> table) => Body(name,
            SqlServerBulkSql.CreateStage(table, "#s"), SqlServerBulkSql.InsertMissing(table, "#s"), SqlServerBulkSql.Delete(table, "#s"));
        static string Update<T>(string name, BulkTable<T> table) => Body(name, SqlServerBulkSql.CreateStage(table, "#s"), SqlServerBulkSql.UpdateExpected(table, "#s"));
        static string Add<T>(string name, BulkTable<T> table) => Body(name,
            SqlServerBulkSql.CreateStage(table, "#s"), SqlServerBulkSql.AddToThose(table, "#s"), SqlServerBulkSql.InsertTheRest(table, "#s"));
    }

    [Fact]
    public async Task The_partitions_for_SQL_Server_parse_and_fit_its_schema()
    {
        var script = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "scripts", "sql", "partition-sqlserver.sql"));
        new TSql160Parser(initialQuotedIdentifiers: true).Parse(new StringReader(script), out var errors);
        errors.Select(error => $"{error.Line}: {error.Message}").ShouldBeEmpty();

        // What stands in a model: partitions, functions and procedures, and the tables on their new schemes.
        var made = Batch().Split(script).Select(Code).Where(batch => batch.StartsWith("CREATE OR ALTER", StringComparison.Ordinal)).ToList();
        made.Count.ShouldBe(4);
        var partitions = PartitionStatement().Matches(script).Select(match => match.Value).ToList();
        partitions.Count.ShouldBe(4);
        var schema = Schema();
        foreach (var (table, scheme, key) in new[] { ("calls", "rev_by_id", "id"), ("outcomes", "rev_by_id", "id"), ("rollups", "rev_by_hour", "hour") })
        {
            script.ShouldContain($"PRIMARY KEY CLUSTERED ({PrimaryKey(schema, table)}) ON {scheme} ({key});");
            foreach (var (index, columns) in Indexes(schema, table)) script.ShouldContain($"CREATE INDEX [{index}] ON dbo.{table} ({columns})");
        }
        var partitioned = PrimaryKeys().Replace(schema, match => match.Groups["table"].Value is "calls" or "outcomes"
            ? match.Value + " ON rev_by_id ([id])"
            : match.Groups["table"].Value == "rollups" ? match.Value + " ON rev_by_hour ([hour])" : match.Value);
        Validate(string.Join("\nGO\n", partitions) + "\nGO\n" + partitioned + "\nGO\n" + string.Join("\nGO\n", made.Select(batch => batch.Replace("CREATE OR ALTER", "CREATE", StringComparison.Ordinal))))
            .ShouldBeEmpty();

        static string Code(string batch) => string.Join('\n', batch.Split('\n').Where(line => !line.StartsWith("--", StringComparison.Ordinal))).Trim();
        static string PrimaryKey(string schema, string table) =>
            PrimaryKeys().Matches(schema).Single(match => match.Groups["table"].Value == table).Groups["columns"].Value.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal);
        static IEnumerable<(string Index, string Columns)> Indexes(string schema, string table) => CreateIndex().Matches(schema)
            .Where(match => match.Groups["table"].Value == table)
            .Select(match => (match.Groups["index"].Value, match.Groups["columns"].Value.Replace("[", "", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_provider_has_the_same_tables_and_columns()
    {
        using var sqlite = Sqlite();
        using var postgres = Postgres();
        using var sqlServer = SqlServer();
        Columns(postgres).ShouldBe(Columns(sqlite));
        Columns(sqlServer).ShouldBe(Columns(sqlite));
        Columns(sqlite).ShouldAllBe(column => SnakeCase().IsMatch(column));
    }

    private static string Schema()
    {
        using var context = SqlServer();
        return context.Database.GenerateCreateScript();
    }

    private static List<string> Columns(DbContext context) =>
    [
        .. context.Model.GetEntityTypes()
            .Where(entity => entity.GetTableName() is not null)
            .SelectMany(entity => entity.GetProperties().Select(property => $"{entity.GetTableName()}.{property.GetColumnName()}"))
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    private static List<string> Validate(string script)
    {
        using var model = new TSqlModel(SqlServerVersion.Sql160, new TSqlModelOptions());
        foreach (var batch in Batch().Split(script))
            if (batch.Trim().Length > 0) model.AddObjects(batch);
        return [.. model.Validate().Where(message => message.MessageType == DacMessageType.Error).Select(message => message.Message)];
    }

    private static SqliteRevDbContext Sqlite() =>
        (SqliteRevDbContext)Activator.CreateInstance(typeof(SqliteRevDbContext), new DbContextOptionsBuilder<SqliteRevDbContext>().UseSqlite("Data Source=:memory:").Options)!;

    private static PostgresRevDbContext Postgres() =>
        (PostgresRevDbContext)Activator.CreateInstance(typeof(PostgresRevDbContext), new DbContextOptionsBuilder<PostgresRevDbContext>().UseNpgsql("Host=nowhere").Options)!;

    private static SqlServerRevDbContext SqlServer() =>
        (SqlServerRevDbContext)Activator.CreateInstance(typeof(SqlServerRevDbContext), new DbContextOptionsBuilder<SqlServerRevDbContext>().UseSqlServer("Server=nowhere").Options)!;

    [GeneratedRegex(@"^\s*GO\s*$", RegexOptions.Multiline | RegexOptions.CultureInvariant, 5000)]
    private static partial Regex Batch();

    [GeneratedRegex(@"CREATE PARTITION [^;]+;", RegexOptions.CultureInvariant, 5000)]
    private static partial Regex PartitionStatement();

    [GeneratedRegex(@"CONSTRAINT \[PK_(?<table>\w+)\] PRIMARY KEY \((?<columns>[^)]*)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex PrimaryKeys();

    [GeneratedRegex(@"CREATE INDEX \[(?<index>\w+)\] ON \[(?<table>\w+)\] \((?<columns>[^)]*)\)", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex CreateIndex();

    [GeneratedRegex(@"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex SnakeCase();
}
