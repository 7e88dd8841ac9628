namespace Rev.Infrastructure.Common;

/// <summary>The view <c>ledger</c>: every amount ever charged or given back, those at the call and those after it.</summary>
public static class LedgerView
{
    /// <summary>Makes the view on SQLite and PostgreSQL.</summary>
    public const string Create = """
        CREATE VIEW ledger AS
        SELECT account_id, mode, id AS call_id, customer_id, agent_id, action, 0 AS component, base_nanos AS amount_nanos, currency, tier_key, tier_version,
          tokens_input + tokens_output AS tokens, occurred_at AS service_at, effective_at FROM calls
        UNION ALL
        SELECT account_id, mode, id, customer_id, agent_id, action, 1, token_nanos, currency, tier_key, tier_version,
          tokens_input + tokens_output, occurred_at, effective_at FROM calls
        UNION ALL
        SELECT account_id, mode, id, customer_id, agent_id, action, 2, bonus_nanos, currency, tier_key, tier_version,
          0, occurred_at, effective_at FROM calls WHERE bonus_nanos <> 0
        UNION ALL
        SELECT account_id, mode, call_id, customer_id, agent_id, action, component, amount_nanos, currency, tier_key, tier_version,
          0, service_at, effective_at FROM ledger_entries
        """;

    /// <summary>Makes the view on SQL Server, where it must stand alone in its batch.</summary>
    public const string CreateOnSqlServer = $"EXEC('{Create}')";

    /// <summary>Removes the view.</summary>
    public const string Drop = "DROP VIEW ledger";
}
