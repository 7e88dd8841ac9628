using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Rev.Infrastructure.Migrations.Sqlite
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
                type: "TEXT",
                maxLength: 300,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "hook_bodies",
                columns: table => new
                {
                    delivery_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    body = table.Column<byte[]>(type: "BLOB", nullable: false),
                    items = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hook_bodies", x => x.delivery_id);
                });

            migrationBuilder.CreateTable(
                name: "hook_deliveries",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    resolver_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    webhook_id = table.Column<string>(type: "TEXT", maxLength: 255, nullable: true),
                    bytes = table.Column<long>(type: "INTEGER", nullable: false),
                    received_at = table.Column<long>(type: "INTEGER", nullable: false),
                    result = table.Column<short>(type: "INTEGER", nullable: false),
                    reason = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    resolved = table.Column<int>(type: "INTEGER", nullable: false),
                    waiting_until = table.Column<long>(type: "INTEGER", nullable: true),
                    due_at = table.Column<long>(type: "INTEGER", nullable: true),
                    attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    settled_at = table.Column<long>(type: "INTEGER", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hook_deliveries", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "hook_matches",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    call_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    delivery_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    result = table.Column<short>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_hook_matches", x => new { x.account_id, x.mode, x.call_id, x.delivery_id });
                });

            migrationBuilder.CreateTable(
                name: "outcome_correlations",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    field_hash = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    value_hash = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    call_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_outcome_correlations", x => new { x.account_id, x.mode, x.field_hash, x.value_hash, x.call_id });
                });

            migrationBuilder.CreateTable(
                name: "refused_hooks",
                columns: table => new
                {
                    resolver_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    hour = table.Column<long>(type: "INTEGER", nullable: false),
                    deliveries = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_refused_hooks", x => new { x.resolver_id, x.hour });
                });

            migrationBuilder.CreateTable(
                name: "resolvers",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    terms = table.Column<string>(type: "TEXT", nullable: false),
                    event_field = table.Column<string>(type: "TEXT", maxLength: 256, nullable: false),
                    keeps_unmatched = table.Column<bool>(type: "INTEGER", nullable: false),
                    secret_cipher = table.Column<string>(type: "TEXT", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_cipher = table.Column<string>(type: "TEXT", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_until = table.Column<long>(type: "INTEGER", nullable: true),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    deleted_at = table.Column<long>(type: "INTEGER", nullable: true),
                    correlates_since = table.Column<long>(type: "INTEGER", nullable: false),
                    backfill_due_at = table.Column<long>(type: "INTEGER", nullable: true),
                    backfilled_to = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: true),
                    backfills_late = table.Column<bool>(type: "INTEGER", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_resolvers", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "waiting_payloads",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    field_hash = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    value_hash = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    delivery_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    until = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_waiting_payloads", x => new { x.account_id, x.mode, x.field_hash, x.value_hash, x.delivery_id });
                });

            migrationBuilder.CreateTable(
                name: "webhook_attempts",
                columns: table => new
                {
                    delivery_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    number = table.Column<int>(type: "INTEGER", nullable: false),
                    at = table.Column<long>(type: "INTEGER", nullable: false),
                    milliseconds = table.Column<int>(type: "INTEGER", nullable: false),
                    signature = table.Column<string>(type: "TEXT", unicode: false, maxLength: 100, nullable: false),
                    status = table.Column<int>(type: "INTEGER", nullable: true),
                    error = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    body = table.Column<string>(type: "TEXT", maxLength: 4096, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_attempts", x => new { x.delivery_id, x.number });
                });

            migrationBuilder.CreateTable(
                name: "webhook_deliveries",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    endpoint_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    message_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    type = table.Column<string>(type: "TEXT", unicode: false, maxLength: 40, nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    status = table.Column<short>(type: "INTEGER", nullable: false),
                    attempts = table.Column<int>(type: "INTEGER", nullable: false),
                    tries = table.Column<int>(type: "INTEGER", nullable: false),
                    first_try_at = table.Column<long>(type: "INTEGER", nullable: true),
                    last_attempt_at = table.Column<long>(type: "INTEGER", nullable: true),
                    due_at = table.Column<long>(type: "INTEGER", nullable: true),
                    delivered_at = table.Column<long>(type: "INTEGER", nullable: true),
                    last_status = table.Column<int>(type: "INTEGER", nullable: true),
                    last_error = table.Column<string>(type: "TEXT", maxLength: 500, nullable: true),
                    fence = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_deliveries", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_endpoints",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    url = table.Column<string>(type: "TEXT", maxLength: 2000, nullable: false),
                    events = table.Column<string>(type: "TEXT", unicode: false, maxLength: 820, nullable: false),
                    description = table.Column<string>(type: "TEXT", maxLength: 200, nullable: true),
                    secret_cipher = table.Column<string>(type: "TEXT", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_cipher = table.Column<string>(type: "TEXT", unicode: false, maxLength: 1000, nullable: true),
                    previous_secret_until = table.Column<long>(type: "INTEGER", nullable: true),
                    status = table.Column<short>(type: "INTEGER", nullable: false),
                    disabled_reason = table.Column<short>(type: "INTEGER", nullable: true),
                    disabled_at = table.Column<long>(type: "INTEGER", nullable: true),
                    failing_since = table.Column<long>(type: "INTEGER", nullable: true),
                    failures = table.Column<int>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false),
                    version = table.Column<int>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_webhook_endpoints", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "webhook_messages",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "BLOB", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "INTEGER", nullable: false),
                    sequence = table.Column<long>(type: "INTEGER", nullable: false),
                    type = table.Column<string>(type: "TEXT", unicode: false, maxLength: 40, nullable: false),
                    data = table.Column<string>(type: "TEXT", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    due_at = table.Column<long>(type: "INTEGER", nullable: true)
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
