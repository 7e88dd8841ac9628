using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Rev.IntegrationTests.Common;

namespace Rev.IntegrationTests.Telemetry;

/// <summary>Spans that are exported are calls that are priced, each once.</summary>
public sealed class OtlpTests(Apps apps) : IClassFixture<Apps>
{
    [Theory, EachProvider]
    public async Task A_models_span_is_priced_as_a_call_of_the_API_is(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"n","base_fee":"0.005","token_rates":{"input_per_million":"3","output_per_million":"3","models":{"gpt-4o*":{"input_per_million":"5","output_per_million":"15"}}}}
            """))).Is(200);
        var metered = await live.Meter(new { agent_id = "outreach-agent-v2", action = "gen_ai.chat", model = "gpt-4o", tokens_input = 1200, tokens_output = 340 });

        foreach (var json in Otlp.Encodings)
        {
            var span = Otlp.Chat(app.Now.AddDays(-2)).With(("gen_ai.conversation.id", "conv_1"), ("gen_ai.usage.cache_read.input_tokens", 1000L));
            (await Otlp.Export(live, json, span)).Done();

            var call = (await live.Get("/v1/events?limit=1")).Is(200);
            foreach (var field in new[] { "price_charged", "price.token_charge", "agent_id", "action", "model", "customer_id", "tokens_input", "tokens_output", "tier.key" })
                call[$"data.0.{field}"].ShouldBe(metered[field], field);
            call["data.0.price_charged"].ShouldBe("0.0161");
            call["data.0.outcome_id"].ShouldBeNull();
            call["data.0.metadata.otel.trace_id"].ShouldBe(span.Trace);
            call["data.0.metadata.otel.span_id"].ShouldBe(span.Id);
            call["data.0.metadata.otel.conversation_id"].ShouldBe("conv_1");
            call["data.0.metadata.otel.tokens_cached"].ShouldBe("1000");
            DateTimeOffset.Parse(call["data.0.occurred_at"]!, CultureInfo.InvariantCulture).ShouldBe(span.At, TimeSpan.FromMilliseconds(0.001));
        }
        (await app.Count("calls")).ShouldBe(3);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task The_official_exporter_exports_real_spans_and_they_are_priced(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        using var source = new ActivitySource($"agent-{Guid.NewGuid():N}");
        using (Sdk.CreateTracerProviderBuilder().ConfigureResource(resource => resource.AddService("billing-agent")).AddSource(source.Name).AddOtlpExporter(exporter =>
        {
            exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
            exporter.Endpoint = new Uri(app.Http.BaseAddress!, Otlp.Path);
            exporter.Headers = $"Authorization=Bearer {live.Key}";
            // Each span is a request of its own, the inner before the outer.
            exporter.ExportProcessorType = ExportProcessorType.Simple;
        }).Build())
        {
            using var agent = source.StartActivity("invoke_agent");
            agent.ShouldNotBeNull();
            agent.SetTag("gen_ai.operation.name", "invoke_agent");
            agent.SetTag("gen_ai.usage.input_tokens", 2400);
            agent.SetTag("gen_ai.usage.output_tokens", 680);
            agent.SetTag("rev.action", "email.sent");
            agent.SetTag("rev.outcome", "success");
            for (var i = 0; i < 2; i++)
            {
                using var chat = source.StartActivity("chat gpt-4o", ActivityKind.Client);
                chat!.SetTag("gen_ai.operation.name", "chat");
                chat.SetTag("gen_ai.request.model", "gpt-4o");
                chat.SetTag("gen_ai.usage.input_tokens", 1200);
                chat.SetTag("gen_ai.usage.output_tokens", 340);
            }
        }

        var calls = await live.All("/v1/events");
        calls.Select(call => call["action"]!.GetValue<string>()).Order(StringComparer.Ordinal).ShouldBe(["email.sent", "gen_ai.chat", "gen_ai.chat"]);
        calls.ShouldAllBe(call => call["agent_id"]!.GetValue<string>() == "billing-agent");
        // The run of docs/telemetry.md: 0.0075 for the agent's span, 0.00962 for each of the model's.
        calls.Sum(call => Rows.Nanos(call["price_charged"]!.GetValue<string>())).ShouldBe(Rows.Nanos("0.02674"));
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task A_request_that_comes_again_changes_nothing(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        Emitted[] spans =
        [
            Otlp.Chat(app.Now), Otlp.Chat(app.Now).With(("gen_ai.response.id", "chatcmpl-9J3uIL87gldCFtiIbyaOvTeY")), Otlp.Agent(app.Now).With(("rev.outcome", "success")),
        ];

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Otlp.Export(live, json: i % 2 == 0, spans)));

        foreach (var answer in answers) answer.Done();
        (await app.Count("calls")).ShouldBe(3);
        // A collector on the way may add to a span: it is the same span all the same.
        (await Otlp.Export(live, json: false, spans[0].With(("rev.metadata.added", "later")))).Done();
        (await app.Count("calls")).ShouldBe(3);
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task Spans_that_nest_are_charged_once_in_every_order_and_however_they_are_split(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var traces = 0;

        foreach (var order in Orders(4))
        {
            foreach (var cut in new[] { 1, 2, 3, 4 })
            {
                var spans = Run(app.Now);
                foreach (var request in order.Select(i => spans[i]).Chunk(cut)) (await Otlp.Export(live, json: cut % 2 == 0, request)).Done();
                if (cut == 2) (await Otlp.Export(live, json: true, spans)).Done();
                traces++;
            }
        }

        (await app.Count("calls")).ShouldBe(2 * traces);
        var sums = (await app.Query("SELECT SUM(tokens_input) AS i, SUM(tokens_output) AS o FROM calls"))[0];
        sums.Long("i").ShouldBe(2400L * traces);
        sums.Long("o").ShouldBe(680L * traces);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Spans_that_nest_are_charged_once_when_they_come_at_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var runs = Enumerable.Range(0, 20).Select(_ => Run(app.Now)).ToArray();

        var answers = await Task.WhenAll(runs.SelectMany(spans => spans.Concat(spans)).Select(span => Otlp.Export(live, json: false, span)));

        foreach (var answer in answers) answer.Done();
        (await app.Count("calls")).ShouldBe(40);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task Two_spans_of_one_answer_are_charged_once(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var requests = new List<Emitted>();
        for (var i = 0; i < 20; i++)
        {
            var answer = ("gen_ai.response.id", (object)$"chatcmpl-{Guid.NewGuid():N}");
            var outer = Otlp.Chat(app.Now).With(answer, ("rev.metadata.layer", "framework"));
            var inner = Otlp.Chat(app.Now, outer.Trace).With(answer) with { Parent = outer.Id };
            Emitted[] pair = i % 2 == 0 ? [inner, outer] : [outer, inner];
            requests.AddRange(pair);
        }

        // One after the other, then both at once.
        foreach (var span in requests.Take(20)) (await Otlp.Export(live, json: true, span)).Done();
        foreach (var answer in await Task.WhenAll(requests.Skip(20).Select(span => Otlp.Export(live, json: false, span)))) answer.Done();
        (await Otlp.Export(live, json: false, [.. requests])).Done();

        (await app.Count("calls")).ShouldBe(20);
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task What_the_second_span_of_an_answer_says_is_not_lost_in_silence(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        foreach (var json in Otlp.Encodings)
        {
            var inner = Otlp.Chat(app.Now).With(("gen_ai.response.id", $"chatcmpl-{Guid.NewGuid():N}"));
            var outer = inner.With(("rev.outcome", "success"), ("rev.customer_id", "acme")) with { Id = Otlp.NewId() };

            (await Otlp.Export(live, json, inner)).Done();
            var told = (await Otlp.Export(live, json, outer)).Is(200);
            told.Rejected.ShouldBe(0);
            told.Message.ShouldNotBeNull().ShouldStartWith("1 of 1 spans have usage that was not billed.");
            told.Message!.ShouldContain("rev.outcome, rev.customer_id");

            // One that comes first is heard, and comes again without a word.
            var first = outer with { Trace = Otlp.NewTrace() };
            for (var i = 0; i < 2; i++) (await Otlp.Export(live, json, first)).Done();
            (await Otlp.Export(live, json, inner with { Trace = first.Trace })).Done();
        }
        (await app.Count("calls")).ShouldBe(4);
        (await live.All("/v1/events?customer_id=acme")).Count.ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task Usage_that_an_outcome_does_not_bill_is_told_of(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var span = Otlp.Agent(app.Now).With(("rev.outcome", "success"));
        (await Otlp.Export(live, json: false, span)).Done();

        var unclear = span with { Id = Otlp.NewId(), Attributes = [.. span.Attributes.Select(a => a.Name == "gen_ai.operation.name" ? (a.Name, "divine") : a)] };
        foreach (var json in Otlp.Encodings)
        {
            var told = (await Otlp.Export(live, json, unclear)).Is(200);
            told.Rejected.ShouldBe(0);
            told.Message.ShouldNotBeNull().ShouldContain("'divine' is none that Rev bills by itself");
        }
        var misspelt = (await Otlp.Export(live, json: false, new Emitted(Otlp.NewTrace(), Otlp.NewId(), "invoke_agent", app.Now, ("rev.outcom", "success")))).Is(200);
        misspelt.Rejected.ShouldBe(1);
        misspelt.Message.ShouldNotBeNull().ShouldContain("did you mean rev.outcome?");
        (await app.Count("calls")).ShouldBe(2);
        (await app.Query("SELECT SUM(tokens_input) AS i FROM calls"))[0].Long("i").ShouldBe(0);
    }

    [Theory, OneProvider]
    public async Task A_kind_may_be_named(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        string Named(string kind) => Otlp.Json([Otlp.Chat(app.Now)], [("service.name", "s")], "").ToJsonString().Replace("\"kind\":3", $"\"kind\":{kind}", StringComparison.Ordinal);

        foreach (var kind in new[] { "\"SPAN_KIND_SERVER\"", "\"SPAN_KIND_CONSUMER\"", "2" }) (await live.Post(Otlp.Path, Named(kind))).Is(200).Body.ShouldBe("{}");
        (await app.Count("calls")).ShouldBe(0);
        foreach (var kind in new[] { "\"SPAN_KIND_CLIENT\"", "\"SPAN_KIND_NEW\"", "\"\"", "17", "-1", "null" }) (await live.Post(Otlp.Path, Named(kind))).Is(200).Body.ShouldBe("{}");
        (await app.Count("calls")).ShouldBe(6);
    }

    [Theory, OneProvider]
    public async Task Of_the_spans_of_the_AI_SDK_the_steps_are_charged(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var trace = Otlp.NewTrace();
        var whole = new Emitted(trace, Otlp.NewId(), "ai.generateText", app.Now, ("ai.operationId", "ai.generateText"), ("operation.name", "ai.generateText my-function"),
            ("ai.model.id", "gpt-4o"), ("ai.telemetry.functionId", "my-function"), ("ai.usage.promptTokens", 1200L), ("ai.usage.completionTokens", 340L)) { Kind = 1 };
        var step = new Emitted(trace, Otlp.NewId(), "ai.generateText.doGenerate", app.Now, ("ai.operationId", "ai.generateText.doGenerate"), ("gen_ai.system", "openai.chat"),
            ("gen_ai.request.model", "gpt-4o"), ("ai.telemetry.functionId", "my-function"), ("ai.usage.promptTokens", 1200L), ("ai.usage.completionTokens", 340L),
            ("gen_ai.usage.input_tokens", 1200L), ("gen_ai.usage.output_tokens", 340L)) { Kind = 1, Parent = whole.Id };

        (await Otlp.Export(live, json: false, step)).Done();
        (await Otlp.Export(live, json: false, whole)).Done();

        var call = (await live.All("/v1/events")).ShouldHaveSingleItem();
        call["agent_id"]!.GetValue<string>().ShouldBe("my-function");
        call["price_charged"]!.GetValue<string>().ShouldBe("0.00962");
    }

    [Theory, OneProvider]
    public async Task Of_two_layers_of_instrumentation_one_is_charged_and_the_other_told_of(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (string Name, object Value)[] service = [("service.name", "s")];
        Emitted Llm() => new(Otlp.NewTrace(), Otlp.NewId(), "ChatOpenAI", app.Now, ("openinference.span.kind", "LLM"), ("llm.model_name", "gpt-4o"),
            ("llm.token_count.prompt", 1200L), ("llm.token_count.completion", 340L)) { Kind = 1 };

        var told = (await Otlp.Export(live, json: true, [Llm(), Llm()], service, "openinference.instrumentation.langchain")).Is(200);
        told.Rejected.ShouldBe(0);
        told.Message.ShouldNotBeNull().ShouldContain("rev.bill_layer");
        (await Otlp.Export(live, json: true, [Llm()], service, "openinference.instrumentation.openai")).Done();
        (await app.Count("calls")).ShouldBe(1);

        (string Name, object Value)[] framework = [.. service, ("rev.bill_layer", "framework")];
        (await Otlp.Export(live, json: false, [Llm(), Llm()], framework, "openinference.instrumentation.langchain")).Done();
        (await Otlp.Export(live, json: false, [Llm()], framework, "openinference.instrumentation.openai")).Done();
        (await app.Count("calls")).ShouldBe(3);
    }

    [Theory, OneProvider]
    public async Task Own_attributes_of_span_and_resource_say_what_the_call_is(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        (await live.Put("/v1/tiers/default", Bodies.Parse("""
            {"name":"n","base_fee":"0.01","outcome_bonuses":[{"name":"deal share","when":{"field":"metadata.deal.value","op":"gte","value":1000},"percent":"5","of":"metadata.deal.value"}]}
            """))).Is(200);
        (string Name, object Value)[] resource = [("service.name", "sales"), ("rev.customer_id", "acme"), ("rev.metadata.region", "eu")];

        foreach (var json in Otlp.Encodings)
        {
            var run = Otlp.Agent(app.Now).With(
                ("rev.action", "deal.closed"), ("rev.outcome", "pending"), ("rev.expires_at", Bodies.Instant(app.Now.AddDays(3))), ("rev.metadata.deal.value", 2000L),
                ("rev.metadata.deal.share", 0.5), ("rev.metadata.won", true), ("rev.metadata.tags", new object[] { "a", 1L, new KeyValuePair<string, object>[] { new("k", "v") } }));
            (await Otlp.Export(live, json, [run], resource)).Done();

            var call = (await live.Get("/v1/events?limit=1")).Is(200).Node("data.0")!.AsObject();
            (Text(call, "agent_id"), Text(call, "action"), Text(call, "customer_id"), Text(call, "outcome_status")).ShouldBe(("outreach", "deal.closed", "acme", "pending"));
            var metadata = call["metadata"]!.AsObject();
            metadata.Remove("otel").ShouldBeTrue();
            JsonNode.DeepEquals(metadata, JsonNode.Parse("""{"deal":{"value":2000,"share":0.5},"won":true,"tags":["a",1,{"k":"v"}],"region":"eu"}""")).ShouldBeTrue(metadata.ToJsonString());

            // Resolved by what the agent knows: its trace and span.
            var resolved = (await live.Post("/v1/outcomes/resolve", new { idempotency_key = $"otlp:{run.Trace}:{run.Id}", outcome = "success" })).Is(200);
            resolved["outcome_bonus"].ShouldBe("100");
            (await Otlp.Export(live, json, [run], resource)).Done();
        }
        (await app.Count("calls")).ShouldBe(2);
        await app.RollupsAddUp();
    }

    [Theory, EachProvider]
    public async Task What_is_wrong_with_a_span_refuses_it_alone(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;

        foreach (var json in Otlp.Encodings)
        {
            var wrong = Otlp.Chat(app.Now).With(("rev.outcome", "won"));
            Emitted[] spans =
            [
                Otlp.Chat(app.Now), wrong, Otlp.Chat(app.Now).With(("rev.custmer_id", "acme")), Otlp.Chat(app.Now.AddDays(-36)), Otlp.Chat(app.Now).With(("rev.customer_id", "a b")),
                Otlp.Chat(app.Now) with { Trace = new string('0', 32) }, Otlp.Agent(app.Now), Otlp.Chat(app.Now),
            ];

            var answer = (await Otlp.Export(live, json, spans)).Is(200);

            answer.ContentType.ShouldBe(json ? "application/json" : "application/x-protobuf");
            answer.Rejected.ShouldBe(5);
            // What the mapping refuses is found before what the meter does.
            answer.Message.ShouldNotBeNull().ShouldStartWith("5 of 8 spans were refused.");
            answer.Message!.ShouldContain("did you mean rev.customer_id?");
            (await Otlp.Export(live, json, wrong)).Message.ShouldNotBeNull().ShouldContain($"span {wrong.Id} of trace {wrong.Trace}: outcome: must be success, failure or pending");
        }
        (await app.Count("calls")).ShouldBe(4);
        await app.RollupsAddUp();
    }

    [Theory, OneProvider]
    public async Task Spans_without_usage_are_ignored_and_counted(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        Emitted[] spans =
        [
            new(Otlp.NewTrace(), Otlp.NewId(), "GET /", app.Now, ("http.route", "/"), ("rev.customer_id", "acme")), Otlp.Agent(app.Now), Otlp.Chat(app.Now),
            Otlp.Chat(app.Now) with { Kind = 2 }, Otlp.Chat(app.Now).With(("rev.bill", false)),
        ];

        foreach (var json in Otlp.Encodings) (await Otlp.Export(live, json, spans)).Done();
        (await Otlp.Send(live, [], json: false)).Done();
        (await Otlp.Send(live, "{}"u8.ToArray(), json: true)).Done();

        (await app.Count("calls")).ShouldBe(1);
        var metrics = (await app.Anonymous.Get("/metrics")).Is(200).Body;
        foreach (var result in new[] { "stored", "repeated", "no_usage", "sum", "server", "off" }) metrics.ShouldContain($"result=\"{result}\"");
        metrics.ShouldContain("rev_telemetry_spans");
        metrics.ShouldNotContain(spans[2].Trace);
    }

    [Theory, EachProvider]
    public async Task More_spans_than_a_batch_holds_are_metered_in_one_request(Provider provider)
    {
        var app = await apps.On(provider);
        var live = (await app.SignUpAsync()).Live;
        var trace = Otlp.NewTrace();
        var spans = Enumerable.Range(0, 2500).Select(_ => Otlp.Chat(app.Now, trace)).ToArray();

        (await Otlp.Export(live, json: false, spans, [("service.name", "busy")], gzip: true)).Done();
        (await Otlp.Export(live, json: true, spans, [("service.name", "busy")], gzip: true)).Done();

        (await app.Count("calls")).ShouldBe(2500);
        await app.RollupsAddUp();
    }

    /// <summary>A run of an agent: its span, two of models, one of a tool; the agent's sums up the models'.</summary>
    private static Emitted[] Run(DateTimeOffset at)
    {
        var agent = Otlp.Agent(at);
        var tool = new Emitted(agent.Trace, Otlp.NewId(), "execute_tool send_email", at, ("gen_ai.operation.name", "execute_tool")) { Kind = 1, Parent = agent.Id };
        return [agent, Otlp.Chat(at, agent.Trace) with { Parent = agent.Id }, tool, Otlp.Chat(at, agent.Trace) with { Parent = agent.Id }];
    }

    private static string? Text(JsonObject call, string name) => call[name]?.GetValue<string>();

    /// <summary>All orders of so many things.</summary>
    private static IEnumerable<int[]> Orders(int count) =>
        count == 0 ? [[]] : Orders(count - 1).SelectMany(rest => Enumerable.Range(0, count).Select(at => (int[])[.. rest[..at], count - 1, .. rest[at..]]));
}
