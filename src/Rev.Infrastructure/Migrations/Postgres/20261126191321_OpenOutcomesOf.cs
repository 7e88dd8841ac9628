using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Rev.Infrastructure.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class OpenOutcomesOf : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "agent_id",
                table: "outcomes",
                type: "character varying(128)",
                unicode: false,
                maxLength: 128,
                nullable: false,
                defaultValue: "");

            migrationBuilder.AddColumn<string>(
                name: "customer_id",
                table: "outcomes",
                type: "character varying(128)",
                unicode: false,
                maxLength: 128,
                nullable: false,
                defaultValue: "");

            migrationBuilder.Sql(Common.OpenOutcomesSql.TakeOver);

            migrationBuilder.CreateIndex(
                name: "IX_outcomes_account_id_mode_agent_id_status_id",
                table: "outcomes",
                columns: new[] { "account_id", "mode", "agent_id", "status", "id" },
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_outcomes_account_id_mode_customer_id_status_id",
                table: "outcomes",
                columns: new[] { "account_id", "mode", "customer_id", "status", "id" },
                filter: "due_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "IX_outcomes_account_id_mode_agent_id_status_id",
                table: "outcomes");

            migrationBuilder.DropIndex(
                name: "IX_outcomes_account_id_mode_customer_id_status_id",
                table: "outcomes");

            migrationBuilder.DropColumn(
                name: "agent_id",
                table: "outcomes");

            migrationBuilder.DropColumn(
                name: "customer_id",
                table: "outcomes");
        }
    }
}
