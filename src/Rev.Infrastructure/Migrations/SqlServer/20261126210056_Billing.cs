using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Rev.Infrastructure.Migrations.SqlServer
{
    /// <inheritdoc />
    public partial class Billing : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "credit_notes",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    invoice_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    line_number = table.Column<int>(type: "int", nullable: false),
                    minor = table.Column<long>(type: "bigint", nullable: false),
                    reversed_nanos = table.Column<long>(type: "bigint", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    stripe_credit_note_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    sent_at = table.Column<long>(type: "bigint", nullable: true),
                    epoch = table.Column<int>(type: "int", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_credit_notes", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "credited_entries",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    entry_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    credit_note_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_credited_entries", x => new { x.account_id, x.mode, x.entry_id });
                });

            migrationBuilder.CreateTable(
                name: "customer_balances",
                columns: table => new
                {
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    customer_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    billed_until = table.Column<long>(type: "bigint", nullable: false),
                    closed_until = table.Column<long>(type: "bigint", nullable: false),
                    carry_nanos = table.Column<long>(type: "bigint", nullable: false),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_customer_balances", x => new { x.account_id, x.mode, x.customer_id, x.currency });
                });

            migrationBuilder.CreateTable(
                name: "data_protection_keys",
                columns: table => new
                {
                    name = table.Column<string>(type: "varchar(100)", unicode: false, maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    xml = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_data_protection_keys", x => x.name);
                });

            migrationBuilder.CreateTable(
                name: "drift_reports",
                columns: table => new
                {
                    connection_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    compared_at = table.Column<long>(type: "bigint", nullable: false),
                    report = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_drift_reports", x => x.connection_id);
                });

            migrationBuilder.CreateTable(
                name: "invoices",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    connection_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    customer_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    from = table.Column<long>(type: "bigint", nullable: false),
                    period_start = table.Column<long>(type: "bigint", nullable: false),
                    period_end = table.Column<long>(type: "bigint", nullable: false),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    total_minor = table.Column<long>(type: "bigint", nullable: false),
                    charged_nanos = table.Column<long>(type: "bigint", nullable: false),
                    carried_in_nanos = table.Column<long>(type: "bigint", nullable: false),
                    carried_out_nanos = table.Column<long>(type: "bigint", nullable: false),
                    stripe_invoice_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    stripe_customer_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    number = table.Column<string>(type: "nvarchar(100)", maxLength: 100, nullable: true, collation: "Latin1_General_100_BIN2"),
                    hosted_url = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    pdf_url = table.Column<string>(type: "nvarchar(2000)", maxLength: 2000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    is_disputed = table.Column<bool>(type: "bit", nullable: false),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    finalized_at = table.Column<long>(type: "bigint", nullable: true),
                    has_free_charges = table.Column<bool>(type: "bit", nullable: false),
                    step = table.Column<short>(type: "smallint", nullable: false),
                    step_at = table.Column<long>(type: "bigint", nullable: true),
                    epoch = table.Column<int>(type: "int", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    dead_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_invoices", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "meter_checks",
                columns: table => new
                {
                    connection_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_meter_checks", x => x.connection_id);
                });

            migrationBuilder.CreateTable(
                name: "meter_items",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    connection_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    customer_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    bucket_start = table.Column<long>(type: "bigint", nullable: false),
                    sequence = table.Column<int>(type: "int", nullable: false),
                    micro = table.Column<long>(type: "bigint", nullable: false),
                    remainder_nanos = table.Column<long>(type: "bigint", nullable: false),
                    identifier = table.Column<string>(type: "varchar(100)", unicode: false, maxLength: 100, nullable: false, collation: "Latin1_General_100_BIN2"),
                    corrects_day = table.Column<long>(type: "bigint", nullable: true),
                    corrects_stripe_customer_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    status = table.Column<short>(type: "smallint", nullable: false),
                    stripe_account_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    stripe_customer_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    fence = table.Column<long>(type: "bigint", nullable: false),
                    last_error = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    sent_at = table.Column<long>(type: "bigint", nullable: true),
                    accepted_at = table.Column<long>(type: "bigint", nullable: true),
                    confirmed_at = table.Column<long>(type: "bigint", nullable: true),
                    expired_at = table.Column<long>(type: "bigint", nullable: true),
                    invoice_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: true),
                    seen = table.Column<long>(type: "bigint", nullable: true),
                    seen_at = table.Column<long>(type: "bigint", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_meter_items", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "meter_readings",
                columns: table => new
                {
                    connection_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    stripe_customer_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: false, collation: "Latin1_General_100_BIN2"),
                    currency = table.Column<string>(type: "char(3)", unicode: false, fixedLength: true, maxLength: 3, nullable: false, collation: "Latin1_General_100_BIN2"),
                    day = table.Column<long>(type: "bigint", nullable: false),
                    theirs = table.Column<long>(type: "bigint", nullable: false),
                    ours = table.Column<long>(type: "bigint", nullable: false),
                    read_at = table.Column<long>(type: "bigint", nullable: false),
                    reported_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_meter_readings", x => new { x.connection_id, x.stripe_customer_id, x.currency, x.day });
                });

            migrationBuilder.CreateTable(
                name: "stripe_connections",
                columns: table => new
                {
                    id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    account_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    mode = table.Column<short>(type: "smallint", nullable: false),
                    stripe_account_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: false, collation: "Latin1_General_100_BIN2"),
                    live = table.Column<bool>(type: "bit", nullable: false),
                    key_cipher = table.Column<string>(type: "varchar(1000)", unicode: false, maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    key_hint = table.Column<string>(type: "nvarchar(32)", maxLength: 32, nullable: true, collation: "Latin1_General_100_BIN2"),
                    is_restricted = table.Column<bool>(type: "bit", nullable: false),
                    connected_account = table.Column<bool>(type: "bit", nullable: false),
                    webhook_secret_cipher = table.Column<string>(type: "varchar(1000)", unicode: false, maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    previous_webhook_secret_cipher = table.Column<string>(type: "varchar(1000)", unicode: false, maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    previous_webhook_secret_until = table.Column<long>(type: "bigint", nullable: true),
                    thin_webhook_secret_cipher = table.Column<string>(type: "varchar(1000)", unicode: false, maxLength: 1000, nullable: true, collation: "Latin1_General_100_BIN2"),
                    billing_mode = table.Column<short>(type: "smallint", nullable: false),
                    billing_day = table.Column<int>(type: "int", nullable: true),
                    billing_weekday = table.Column<short>(type: "smallint", nullable: true),
                    time_zone = table.Column<string>(type: "varchar(64)", unicode: false, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    collection_method = table.Column<short>(type: "smallint", nullable: false),
                    days_until_due = table.Column<int>(type: "int", nullable: false),
                    automatic_tax = table.Column<bool>(type: "bit", nullable: false),
                    minimum_minor = table.Column<long>(type: "bigint", nullable: true),
                    bill_from = table.Column<long>(type: "bigint", nullable: false),
                    closed_until = table.Column<long>(type: "bigint", nullable: true),
                    paused_at = table.Column<long>(type: "bigint", nullable: true),
                    pause_reason = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2"),
                    created_at = table.Column<long>(type: "bigint", nullable: false),
                    updated_at = table.Column<long>(type: "bigint", nullable: false),
                    disconnected_at = table.Column<long>(type: "bigint", nullable: true),
                    version = table.Column<int>(type: "int", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stripe_connections", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "stripe_events",
                columns: table => new
                {
                    connection_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    event_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: false, collation: "Latin1_General_100_BIN2"),
                    type = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: false, collation: "Latin1_General_100_BIN2"),
                    api_version = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    livemode = table.Column<bool>(type: "bit", nullable: false),
                    object_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    invoice_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2"),
                    raw = table.Column<string>(type: "nvarchar(max)", nullable: false, collation: "Latin1_General_100_BIN2"),
                    received_at = table.Column<long>(type: "bigint", nullable: false),
                    state = table.Column<short>(type: "smallint", nullable: false),
                    attempts = table.Column<int>(type: "int", nullable: false),
                    due_at = table.Column<long>(type: "bigint", nullable: true),
                    error = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_stripe_events", x => new { x.connection_id, x.event_id });
                });

            migrationBuilder.CreateTable(
                name: "invoice_charges",
                columns: table => new
                {
                    invoice_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    line_number = table.Column<int>(type: "int", nullable: false),
                    agent_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    action = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    component = table.Column<short>(type: "smallint", nullable: false),
                    tier_key = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: false, collation: "Latin1_General_100_BIN2"),
                    tier_version = table.Column<int>(type: "int", nullable: false),
                    service_start = table.Column<long>(type: "bigint", nullable: false),
                    service_end = table.Column<long>(type: "bigint", nullable: false),
                    quantity = table.Column<long>(type: "bigint", nullable: false),
                    exact_nanos = table.Column<long>(type: "bigint", nullable: false),
                    is_free = table.Column<bool>(type: "bit", nullable: false),
                    moved_to = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_invoice_charges", x => new { x.invoice_id, x.number });
                    table.ForeignKey(
                        name: "FK_invoice_charges_invoices_invoice_id",
                        column: x => x.invoice_id,
                        principalTable: "invoices",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "invoice_lines",
                columns: table => new
                {
                    invoice_id = table.Column<byte[]>(type: "binary(16)", fixedLength: true, maxLength: 16, nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    key = table.Column<string>(type: "char(64)", unicode: false, fixedLength: true, maxLength: 64, nullable: false, collation: "Latin1_General_100_BIN2"),
                    description = table.Column<string>(type: "nvarchar(500)", maxLength: 500, nullable: false, collation: "Latin1_General_100_BIN2"),
                    agent_id = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: true, collation: "Latin1_General_100_BIN2"),
                    action = table.Column<string>(type: "varchar(128)", unicode: false, maxLength: 128, nullable: true, collation: "Latin1_General_100_BIN2"),
                    component = table.Column<short>(type: "smallint", nullable: true),
                    quantity = table.Column<long>(type: "bigint", nullable: false),
                    exact_nanos = table.Column<long>(type: "bigint", nullable: false),
                    minor = table.Column<long>(type: "bigint", nullable: false),
                    credited_minor = table.Column<long>(type: "bigint", nullable: false),
                    service_start = table.Column<long>(type: "bigint", nullable: false),
                    service_end = table.Column<long>(type: "bigint", nullable: false),
                    stripe_line_id = table.Column<string>(type: "varchar(255)", unicode: false, maxLength: 255, nullable: true, collation: "Latin1_General_100_BIN2")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_invoice_lines", x => new { x.invoice_id, x.number });
                    table.ForeignKey(
                        name: "FK_invoice_lines_invoices_invoice_id",
                        column: x => x.invoice_id,
                        principalTable: "invoices",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateIndex(
                name: "IX_credit_notes_due_at",
                table: "credit_notes",
                column: "due_at",
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_credit_notes_invoice_id",
                table: "credit_notes",
                column: "invoice_id");

            migrationBuilder.CreateIndex(
                name: "IX_customer_balances_account_id_mode_closed_until",
                table: "customer_balances",
                columns: new[] { "account_id", "mode", "closed_until" });

            migrationBuilder.CreateIndex(
                name: "IX_invoice_lines_invoice_id_key",
                table: "invoice_lines",
                columns: new[] { "invoice_id", "key" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_invoices_account_id_mode_customer_id_currency_period_end",
                table: "invoices",
                columns: new[] { "account_id", "mode", "customer_id", "currency", "period_end" });

            migrationBuilder.CreateIndex(
                name: "IX_invoices_account_id_mode_id",
                table: "invoices",
                columns: new[] { "account_id", "mode", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_invoices_connection_id_stripe_invoice_id",
                table: "invoices",
                columns: new[] { "connection_id", "stripe_invoice_id" },
                unique: true,
                filter: "stripe_invoice_id IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_invoices_due_at",
                table: "invoices",
                column: "due_at",
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_meter_items_connection_id_customer_id_currency_bucket_start_sequence",
                table: "meter_items",
                columns: new[] { "connection_id", "customer_id", "currency", "bucket_start", "sequence" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_meter_items_connection_id_identifier",
                table: "meter_items",
                columns: new[] { "connection_id", "identifier" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_meter_items_connection_id_stripe_customer_id_currency_bucket_start",
                table: "meter_items",
                columns: new[] { "connection_id", "stripe_customer_id", "currency", "bucket_start" });

            migrationBuilder.CreateIndex(
                name: "IX_meter_items_due_at",
                table: "meter_items",
                column: "due_at",
                filter: "due_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_meter_items_expired_at",
                table: "meter_items",
                column: "expired_at",
                filter: "expired_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_stripe_connections_account_id_mode",
                table: "stripe_connections",
                columns: new[] { "account_id", "mode" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_stripe_connections_stripe_account_id_mode",
                table: "stripe_connections",
                columns: new[] { "stripe_account_id", "mode" },
                unique: true,
                filter: "disconnected_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_stripe_events_due_at",
                table: "stripe_events",
                column: "due_at",
                filter: "due_at IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "credit_notes");

            migrationBuilder.DropTable(
                name: "credited_entries");

            migrationBuilder.DropTable(
                name: "customer_balances");

            migrationBuilder.DropTable(
                name: "data_protection_keys");

            migrationBuilder.DropTable(
                name: "drift_reports");

            migrationBuilder.DropTable(
                name: "invoice_charges");

            migrationBuilder.DropTable(
                name: "invoice_lines");

            migrationBuilder.DropTable(
                name: "meter_checks");

            migrationBuilder.DropTable(
                name: "meter_items");

            migrationBuilder.DropTable(
                name: "meter_readings");

            migrationBuilder.DropTable(
                name: "stripe_connections");

            migrationBuilder.DropTable(
                name: "stripe_events");

            migrationBuilder.DropTable(
                name: "invoices");
        }
    }
}
