using Rev.Api.Common;
using Rev.Application.Common;
using Rev.Application.Customers;

namespace Rev.Api.Customers;

/// <summary>What the reference says of agents and customers.</summary>
internal static class CustomersDocs
{
    private const string Tag = "Agents and customers";

    private const string Agent = """{"agent_id":"outreach-agent-v2","name":"Outreach","tier":"outreach","customer_id":"acme","created_at":"2026-11-23T12:00:00Z"}""";

    private const string Customer = """
        {"customer_id":"acme","name":"Acme Inc","email":"billing@acme.example","tier":null,"stripe_customer_id":null,"metadata":{"segment":"enterprise"},"created_at":"2026-11-23T12:00:00Z","erased_at":null}
        """;

    private const string Put = "An absent field stays as it is, null clears it. It prices the next call on this server at once, and on others within two seconds.";

    public static readonly Doc ListAgents = new(Tag, "list_agents", "List agents", "Agents, newest first. An agent is registered by its first call.")
    {
        IsList = true, Answers = [(200, typeof(Page<AgentDetails>), "A page of agents.")], AnswerExample = $$"""{"data":[{{Agent}}],"next_cursor":null}""",
    };

    public static readonly Doc GetAgent = new(Tag, "get_agent", "Get an agent", "One agent.")
    {
        Errors = ["agent.not_found"], Answers = [(200, typeof(AgentDetails), "The agent.")], AnswerExample = Agent,
    };

    public static readonly Doc PutAgent = new(Tag, "configure_agent", "Make or change an agent", Put)
    {
        Request = typeof(AgentRequest), RequestExample = """{"name":"Outreach","tier":"outreach","customer_id":"acme"}""",
        Errors = ["agent.not_found", "tier.unknown", "service.overloaded"],
        Answers = [(200, typeof(AgentDetails), "The agent as it is now."), (201, typeof(AgentDetails), "The new agent.")], AnswerExample = Agent,
    };

    public static readonly Doc ListCustomers = new(Tag, "list_customers", "List customers", "Customers, newest first. A customer is registered by its first call.")
    {
        IsList = true, Answers = [(200, typeof(Page<CustomerDetails>), "A page of customers.")], AnswerExample = $$"""{"data":[{{Customer}}],"next_cursor":null}""",
    };

    public static readonly Doc GetCustomer = new(Tag, "get_customer", "Get a customer", "One customer.")
    {
        Errors = ["customer.not_found"], Answers = [(200, typeof(CustomerDetails), "The customer.")], AnswerExample = Customer,
    };

    public static readonly Doc PutCustomer = new(Tag, "configure_customer", "Make or change a customer", Put)
    {
        Request = typeof(CustomerRequest), RequestExample = """{"name":"Acme Inc","email":"billing@acme.example","metadata":{"segment":"enterprise"}}""",
        Errors = ["customer.not_found", "tier.unknown", "service.overloaded"],
        Answers = [(200, typeof(CustomerDetails), "The customer as it is now."), (201, typeof(CustomerDetails), "The new customer.")], AnswerExample = Customer,
    };

    public static readonly Doc Erase = new(Tag, "erase_customer", "Erase a customer's personal data", """
        Blanks the customer's name, e-mail address, Stripe id and metadata, the metadata of its calls and outcomes, and the reasons given for reversals. Amounts, rules and outcomes stay. It cannot be undone.
        """)
    {
        Errors = ["customer.not_found"], Answers = [(200, typeof(CustomerDetails), "The customer as it is now.")],
        AnswerExample = """
            {"customer_id":"acme","name":null,"email":null,"tier":null,"stripe_customer_id":null,"metadata":null,"created_at":"2026-11-23T12:00:00Z","erased_at":"2026-12-01T08:00:00Z"}
            """,
    };
}
