using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Rev.Infrastructure.Migrations.SqlServer
{
    /// <inheritdoc />
    public partial class Reads : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "bonuses",
                table: "rollups",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "reversals",
                table: "rollups",
                type: "bigint",
                nullable: false,
                defaultValue: 0L);

            migrationBuilder.AddColumn<long>(
                name: "changed_at",
                table: "outcomes",
                type: "bigint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "archived_rollups",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    action = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    month = table.Column<long>(type: "bigint", nullable: false),
                    hour = table.Column<long>(type: "bigint", nullable: false),
                    calls = table.Column<long>(type: "bigint", nullable: false),
                    tokens_input = table.Column<long>(type: "bigint", nullable: false),
                    tokens_output = table.Column<long>(type: "bigint", nullable: false),
                    base_nanos = table.Column<long>(type: "bigint", nullable: false),
                    token_nanos = table.Column<long>(type: "bigint", nullable: false),
                    bonus_nanos = table.Column<long>(type: "bigint", nullable: false),
                    reversal_nanos = table.Column<long>(type: "bigint", nullable: false),
                    successes = table.Column<long>(type: "bigint", nullable: false),
                    failures = table.Column<long>(type: "bigint", nullable: false),
                    pending = table.Column<long>(type: "bigint", nullable: false),
                    expired = table.Column<long>(type: "bigint", nullable: false),
                    bonuses = table.Column<long>(type: "bigint", nullable: false),
                    reversals = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_archived_rollups", x => new { x.month, x.account_id, x.mode, x.currency, x.hour, x.customer_id, x.agent_id, x.action });
                });

            migrationBuilder.CreateTable(
                name: "archives",
                columns: table => new
                {
                    month = table.Column<long>(type: "bigint", nullable: false),
                    archived_at = table.Column<long>(type: "bigint", nullable: false),
                    removed_at = table.Column<long>(type: "bigint", nullable: true),
                    calls = table.Column<long>(type: "bigint", nullable: false),
                    outcomes = table.Column<long>(type: "bigint", nullable: false),
                    entries = table.Column<long>(type: "bigint", nullable: false),
                    checksum = table.Column<string>(type: "char(64)", unicode: false, fixedLength: true, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_archives", x => x.month);
                });

            migrationBuilder.CreateTable(
                name: "day_rollups",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    customer_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    action = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    day = table.Column<long>(type: "bigint", nullable: false),
                    calls = table.Column<long>(type: "bigint", nullable: false),
                    tokens_input = table.Column<long>(type: "bigint", nullable: false),
                    tokens_output = table.Column<long>(type: "bigint", nullable: false),
                    base_nanos = table.Column<long>(type: "bigint", nullable: false),
                    token_nanos = table.Column<long>(type: "bigint", nullable: false),
                    bonus_nanos = table.Column<long>(type: "bigint", nullable: false),
                    reversal_nanos = table.Column<long>(type: "bigint", nullable: false),
                    successes = table.Column<long>(type: "bigint", nullable: false),
                    failures = table.Column<long>(type: "bigint", nullable: false),
                    pending = table.Column<long>(type: "bigint", nullable: false),
                    expired = table.Column<long>(type: "bigint", nullable: false),
                    bonuses = table.Column<long>(type: "bigint", nullable: false),
                    reversals = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_day_rollups", x => new { x.account_id, x.mode, x.currency, x.day, x.customer_id, x.agent_id, x.action });
                });

            migrationBuilder.CreateTable(
                name: "open_outcomes",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    outcomes = table.Column<long>(type: "bigint", nullable: false),
                    potential_units = table.Column<long>(type: "bigint", nullable: false),
                    potential_nanos = table.Column<long>(type: "bigint", nullable: false),
                    unbounded = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_open_outcomes", x => new { x.account_id, x.mode, x.currency, x.agent_id, x.status });
                });

            migrationBuilder.CreateTable(
                name: "watermarks",
                columns: table => new
                {
                    name = table.Column<string>(type: "varchar(40)", unicode: false, maxLength: 40, nullable: false, collation: "Latin1_General_100_BIN2"),
                    until = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_watermarks", x => x.name);
                });

            migrationBuilder.CreateIndex(
                name: "IX_outcomes_account_id_mode_changed_at_id",
                table: "outcomes",
                columns: new[] { "account_id", "mode", "changed_at", "id" },
                filter: "changed_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_calls_account_id_mode_agent_id_id",
                table: "calls",
                columns: new[] { "account_id", "mode", "agent_id", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_calls_account_id_mode_customer_id_id",
                table: "calls",
                columns: new[] { "account_id", "mode", "customer_id", "id" });

            // What later writes add to begins with what is there now.
            migrationBuilder.Sql("DELETE FROM rollups");
            migrationBuilder.Sql(Common.RollupSql.Fill);
            migrationBuilder.Sql(Common.OpenOutcomesSql.Fill);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "archived_rollups");

            migrationBuilder.DropTable(
                name: "archives");

            migrationBuilder.DropTable(
                name: "day_rollups");

            migrationBuilder.DropTable(
                name: "open_outcomes");

            migrationBuilder.DropTable(
                name: "watermarks");

            migrationBuilder.DropIndex(
                name: "IX_outcomes_account_id_mode_changed_at_id",
                table: "outcomes");

            migrationBuilder.DropIndex(
                name: "IX_calls_account_id_mode_agent_id_id",
                table: "calls");

            migrationBuilder.DropIndex(
                name: "IX_calls_account_id_mode_customer_id_id",
                table: "calls");

            migrationBuilder.DropColumn(
                name: "bonuses",
                table: "rollups");

            migrationBuilder.DropColumn(
                name: "reversals",
                table: "rollups");

            migrationBuilder.DropColumn(
                name: "changed_at",
                table: "outcomes");
        }
    }
}
