using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Rev.Infrastructure.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Webhooks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "note",
                table: "mail_requests",
                type: "character varying(300)",
                maxLength: 300,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "hook_bodies",
                columns: table => new
                {
                    delivery_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    body = table.Column<byte[]>(type: "bytea", nullable: false),
                    items = table.Column<string>(type: "text", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hook_bodies", x => x.delivery_id);
                });

            migrationBuilder.CreateTable(
                name: "hook_deliveries",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    resolver_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    webhook_id = table.Column<string>(type: "character varying(255)", maxLength: 255, nullable: true),
                    bytes = table.Column<long>(type: "bigint", nullable: false),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    result = table.Column<short>(type: "smallint", nullable: false),
                    reason = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    resolved = table.Column<int>(type: "integer", nullable: false),
                    waiting_until = table.Column<long>(type: "bigint", nullable: true),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    settled_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hook_deliveries", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "hook_matches",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    call_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    delivery_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    result = table.Column<short>(type: "smallint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hook_matches", x => new { x.account_id, x.mode, x.call_id, x.delivery_id });
                });

            migrationBuilder.CreateTable(
                name: "outcome_correlations",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    field_hash = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    value_hash = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    call_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_outcome_correlations", x => new { x.account_id, x.mode, x.field_hash, x.value_hash, x.call_id });
                });

            migrationBuilder.CreateTable(
                name: "refused_hooks",
                columns: table => new
                {
                    resolver_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    hour = table.Column<long>(type: "bigint", nullable: false),
                    deliveries = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_refused_hooks", x => new { x.resolver_id, x.hour });
                });

            migrationBuilder.CreateTable(
                name: "resolvers",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    terms = table.Column<string>(type: "text", nullable: false),
                    event_field = table.Column<string>(type: "character varying(256)", maxLength: 256, nullable: false),
                    keeps_unmatched = table.Column<bool>(type: "boolean", nullable: false),
                    secret_cipher = table.Column<string>(type: "character varying(1000)", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_cipher = table.Column<string>(type: "character varying(1000)", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_until = table.Column<long>(type: "bigint", nullable: true),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    deleted_at = table.Column<long>(type: "bigint", nullable: true),
                    correlates_since = table.Column<long>(type: "bigint", nullable: false),
                    backfill_due_at = table.Column<long>(type: "bigint", nullable: true),
                    backfilled_to = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: true),
                    backfills_late = table.Column<bool>(type: "boolean", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_resolvers", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "waiting_payloads",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    field_hash = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    value_hash = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    delivery_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    until = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_waiting_payloads", x => new { x.account_id, x.mode, x.field_hash, x.value_hash, x.delivery_id });
                });

            migrationBuilder.CreateTable(
                name: "webhook_attempts",
                columns: table => new
                {
                    delivery_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    number = table.Column<int>(type: "integer", nullable: false),
                    at = table.Column<long>(type: "bigint", nullable: false),
                    milliseconds = table.Column<int>(type: "integer", nullable: false),
                    signature = table.Column<string>(type: "character varying(100)", unicode: false, maxLength: 100, nullable: false),
                    status = table.Column<int>(type: "integer", nullable: true),
                    error = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    body = table.Column<string>(type: "character varying(4096)", maxLength: 4096, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_attempts", x => new { x.delivery_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    endpoint_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    message_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    type = table.Column<string>(type: "character varying(40)", unicode: false, maxLength: 40, nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    attempts = table.Column<int>(type: "integer", nullable: false),
                    tries = table.Column<int>(type: "integer", nullable: false),
                    first_try_at = table.Column<long>(type: "bigint", nullable: true),
                    last_attempt_at = table.Column<long>(type: "bigint", nullable: true),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    delivered_at = table.Column<long>(type: "bigint", nullable: true),
                    last_status = table.Column<int>(type: "integer", nullable: true),
                    last_error = table.Column<string>(type: "character varying(500)", maxLength: 500, nullable: true),
                    fence = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_endpoints",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    url = table.Column<string>(type: "character varying(2000)", maxLength: 2000, nullable: false),
                    events = table.Column<string>(type: "character varying(820)", unicode: false, maxLength: 820, nullable: false),
                    description = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: true),
                    secret_cipher = table.Column<string>(type: "character varying(1000)", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_cipher = table.Column<string>(type: "character varying(1000)", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_until = table.Column<long>(type: "bigint", nullable: true),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    disabled_reason = table.Column<short>(type: "smallint", nullable: true),
                    disabled_at = table.Column<long>(type: "bigint", nullable: true),
                    failing_since = table.Column<long>(type: "bigint", nullable: true),
                    failures = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_endpoints", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_messages",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "bytea", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    sequence = table.Column<long>(type: "bigint", nullable: false),
                    type = table.Column<string>(type: "character varying(40)", unicode: false, maxLength: 40, nullable: false),
                    data = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_messages", x => x.id);
                });

            migrationBuilder.CreateIndex(
                name: "IX_hook_deliveries_due_at",
                table: "hook_deliveries",
                column: "due_at",
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_hook_deliveries_resolver_id_id",
                table: "hook_deliveries",
                columns: new[] { "resolver_id", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_hook_deliveries_resolver_id_result_id",
                table: "hook_deliveries",
                columns: new[] { "resolver_id", "result", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_hook_deliveries_resolver_id_webhook_id",
                table: "hook_deliveries",
                columns: new[] { "resolver_id", "webhook_id" },
                unique: true,
                filter: "webhook_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_hook_matches_delivery_id",
                table: "hook_matches",
                column: "delivery_id");

            migrationBuilder.CreateIndex(
                name: "IX_outcome_correlations_until",
                table: "outcome_correlations",
                column: "until");

            migrationBuilder.CreateIndex(
                name: "IX_refused_hooks_hour",
                table: "refused_hooks",
                column: "hour");

            migrationBuilder.CreateIndex(
                name: "IX_resolvers_account_id_mode_id",
                table: "resolvers",
                columns: new[] { "account_id", "mode", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_resolvers_backfill_due_at",
                table: "resolvers",
                column: "backfill_due_at",
                filter: "backfill_due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_waiting_payloads_until",
                table: "waiting_payloads",
                column: "until");

            migrationBuilder.CreateIndex(
                name: "IX_webhook_deliveries_endpoint_id_due_at_id",
                table: "webhook_deliveries",
                columns: new[] { "endpoint_id", "due_at", "id" },
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_webhook_deliveries_endpoint_id_id",
                table: "webhook_deliveries",
                columns: new[] { "endpoint_id", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_webhook_deliveries_endpoint_id_message_id",
                table: "webhook_deliveries",
                columns: new[] { "endpoint_id", "message_id" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_webhook_deliveries_endpoint_id_status_id",
                table: "webhook_deliveries",
                columns: new[] { "endpoint_id", "status", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_webhook_endpoints_account_id_mode_id",
                table: "webhook_endpoints",
                columns: new[] { "account_id", "mode", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_webhook_messages_account_id_mode_id",
                table: "webhook_messages",
                columns: new[] { "account_id", "mode", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_webhook_messages_due_at_id",
                table: "webhook_messages",
                columns: new[] { "due_at", "id" },
                filter: "due_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "hook_bodies");

            migrationBuilder.DropTable(
                name: "hook_deliveries");

            migrationBuilder.DropTable(
                name: "hook_matches");

            migrationBuilder.DropTable(
                name: "outcome_correlations");

            migrationBuilder.DropTable(
                name: "refused_hooks");

            migrationBuilder.DropTable(
                name: "resolvers");

            migrationBuilder.DropTable(
                name: "waiting_payloads");

            migrationBuilder.DropTable(
                name: "webhook_attempts");

            migrationBuilder.DropTable(
                name: "webhook_deliveries");

            migrationBuilder.DropTable(
                name: "webhook_endpoints");

            migrationBuilder.DropTable(
                name: "webhook_messages");

            migrationBuilder.DropColumn(
                name: "note",
                table: "mail_requests");
        }
    }
}
