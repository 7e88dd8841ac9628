using System.Globalization;
using System.Text.Json;
using Rev.Application.Metering;
using Rev.Application.Telemetry;
using Rev.UnitTests.Common;

namespace Rev.UnitTests.Telemetry;

/// <summary>What becomes of spans, in every convention: told by each of them alone.</summary>
public sealed class SpanMappingTests
{
    private const string Trace = "5b8efff798038103d269b633813fc60c";
    private const string Id = "eee19b7ec3c1b174";
    private const string Service = "service.name=outreach-agent-v2";
    private const string Chat = "gen_ai.operation.name=chat;gen_ai.request.model=gpt-4o;gen_ai.usage.input_tokens=1200;gen_ai.usage.output_tokens=340";

    [Fact]
    public void A_models_span_is_a_call()
    {
        var call = Call(Span(Chat + ";gen_ai.provider.name=openai;gen_ai.response.model=gpt-4o-2024-08-06;gen_ai.conversation.id=conv_1"));

        call.Tenant.ShouldBe(Given.Tenant);
        call.AgentId.ShouldBe("outreach-agent-v2");
        call.Action.ShouldBe("gen_ai.chat");
        call.Model.ShouldBe("gpt-4o");
        (call.TokensInput, call.TokensOutput).ShouldBe((1200L, 340L));
        call.Outcome.ShouldBeNull();
        call.ExpiresAt.ShouldBeNull();
        call.CustomerId.ShouldBeNull();
        call.OccurredAt.ShouldBe(Given.Noon);
        call.IdempotencyKey.ShouldBe($"otlp:{Trace}:{Id}");
        call.KeySpace.ShouldBe("calls");
        call.Metadata!.Json.ShouldBe($$$"""
            {"otel":{"mapping":1,"trace_id":"{{{Trace}}}","span_id":"{{{Id}}}","operation":"chat","provider":"openai","response_model":"gpt-4o-2024-08-06","conversation_id":"conv_1"}}
            """.Trim());
    }

    [Theory]
    // OpenTelemetry, now and before.
    [InlineData("gen_ai.operation.name=chat;gen_ai.request.model=m;gen_ai.usage.input_tokens=7;gen_ai.usage.output_tokens=5", 7, 5, "m", "gen_ai.chat")]
    [InlineData("gen_ai.operation.name=generate_content;gen_ai.response.model=m;gen_ai.usage.input_tokens=7", 7, 0, "m", "gen_ai.generate_content")]
    [InlineData("gen_ai.operation.name=embeddings;gen_ai.request.model=m;gen_ai.usage.input_tokens=7", 7, 0, "m", "gen_ai.embeddings")]
    [InlineData("gen_ai.system=openai;gen_ai.request.model=m;gen_ai.usage.prompt_tokens=7;gen_ai.usage.completion_tokens=5", 7, 5, "m", "gen_ai.inference")]
    [InlineData("gen_ai.operation.name=text_completion;gen_ai.usage.prompt_tokens=7;gen_ai.usage.input_tokens=8;gen_ai.usage.output_tokens=5", 8, 5, null, "gen_ai.text_completion")]
    // What is cached, or reasoning, is part of the others.
    [InlineData("gen_ai.operation.name=chat;gen_ai.usage.input_tokens=7;gen_ai.usage.cache_read.input_tokens=6;gen_ai.usage.cache_creation.input_tokens=1", 7, 0, null, "gen_ai.chat")]
    [InlineData("gen_ai.operation.name=chat;gen_ai.usage.output_tokens=7;gen_ai.usage.reasoning.output_tokens=6", 0, 7, null, "gen_ai.chat")]
    // OpenLLMetry.
    [InlineData("llm.request.type=chat;llm.request.model=m;llm.usage.prompt_tokens=7;llm.usage.completion_tokens=5;llm.usage.total_tokens=12", 7, 5, "m", "gen_ai.chat")]
    [InlineData("llm.request.type=completion;gen_ai.request.model=m;gen_ai.usage.prompt_tokens=7;gen_ai.usage.completion_tokens=5;traceloop.workflow.name=w", 7, 5, "m", "gen_ai.completion")]
    // OpenInference.
    [InlineData("openinference.span.kind=LLM;llm.model_name=m;llm.token_count.prompt=7;llm.token_count.completion=5;llm.token_count.total=12", 7, 5, "m", "gen_ai.chat")]
    [InlineData("openinference.span.kind=EMBEDDING;embedding.model_name=m;llm.token_count.prompt=7", 7, 0, "m", "gen_ai.embeddings")]
    // The AI SDK of Vercel.
    [InlineData("ai.operationId=ai.generateText.doGenerate;ai.model.id=m;ai.usage.promptTokens=7;ai.usage.completionTokens=5", 7, 5, "m", "gen_ai.chat")]
    [InlineData("ai.operationId=ai.streamText.doStream;ai.model.id=m;ai.usage.inputTokens=7;gen_ai.usage.input_tokens=7;ai.usage.outputTokens=5", 7, 5, "m", "gen_ai.chat")]
    [InlineData("ai.operationId=ai.embed.doEmbed;ai.model.id=m;ai.usage.tokens=7", 7, 0, "m", "gen_ai.embeddings")]
    // Numbers as some exporters write them.
    [InlineData("gen_ai.operation.name=chat;gen_ai.usage.input_tokens=7.0;gen_ai.usage.output_tokens='5'", 7, 5, null, "gen_ai.chat")]
    public void Every_convention_is_read(string attributes, int input, int output, string? model, string action)
    {
        var call = Call(Span(attributes));
        (call.TokensInput, call.TokensOutput, call.Model, call.Action).ShouldBe(((long)input, (long)output, model, action));
    }

    [Theory]
    [InlineData("", SpanVerdict.NoUsage)]
    [InlineData("rev.customer_id=acme;rev.action=a;rev.agent_id=b;rev.metadata.x=1", SpanVerdict.NoUsage)]
    [InlineData("gen_ai.operation.name=chat;gen_ai.usage.input_tokens=0;gen_ai.usage.output_tokens=0", SpanVerdict.NoUsage)]
    [InlineData("gen_ai.operation.name=invoke_agent;gen_ai.request.model=m;gen_ai.usage.input_tokens=7", SpanVerdict.Sum)]
    [InlineData("gen_ai.operation.name=invoke_workflow;gen_ai.usage.input_tokens=7", SpanVerdict.Sum)]
    [InlineData("gen_ai.operation.name=execute_tool;gen_ai.usage.input_tokens=7", SpanVerdict.Sum)]
    [InlineData("gen_ai.operation.name=chat;traceloop.span.kind=workflow;gen_ai.usage.input_tokens=7", SpanVerdict.Sum)]
    [InlineData("gen_ai.operation.name=chat;openinference.span.kind=AGENT;llm.token_count.prompt=7", SpanVerdict.Sum)]
    [InlineData("openinference.span.kind=CHAIN;llm.token_count.prompt=7;llm.model_name=m", SpanVerdict.Sum)]
    [InlineData("ai.operationId=ai.generateText;ai.model.id=m;ai.usage.promptTokens=7", SpanVerdict.Sum)]
    [InlineData("ai.operationId=ai.toolCall;ai.usage.promptTokens=7", SpanVerdict.Sum)]
    [InlineData("gen_ai.operation.name=chat;ai.operationId=ai.streamText;gen_ai.usage.input_tokens=7", SpanVerdict.Sum)]
    [InlineData("gen_ai.operation.name=divine;gen_ai.usage.input_tokens=7", SpanVerdict.Unclear)]
    [InlineData("gen_ai.usage.input_tokens=7", SpanVerdict.Unclear)]
    [InlineData(Chat + ";rev.bill=false", SpanVerdict.Off)]
    [InlineData(Chat + ";rev.bill='false'", SpanVerdict.Off)]
    [InlineData(Chat + ";rev.bill=perhaps", SpanVerdict.Refused)]
    [InlineData(Chat + ";rev.bill_layer=both", SpanVerdict.Refused)]
    [InlineData("gen_ai.operation.name=chat;gen_ai.usage.input_tokens=many", SpanVerdict.Refused)]
    [InlineData("gen_ai.operation.name=chat;gen_ai.usage.input_tokens=7.5", SpanVerdict.Refused)]
    [InlineData(Chat, SpanVerdict.Call)]
    [InlineData("gen_ai.operation.name=invoke_agent;gen_ai.usage.input_tokens=7;rev.bill=true", SpanVerdict.Call)]
    [InlineData("gen_ai.operation.name=invoke_agent;gen_ai.usage.input_tokens=7;rev.outcome=success", SpanVerdict.Call)]
    // What would make it a call, misspelt.
    [InlineData("rev.outcom=success", SpanVerdict.Refused)]
    [InlineData("gen_ai.operation.name=invoke_agent;gen_ai.usage.input_tokens=7;rev.outcomes=success", SpanVerdict.Refused)]
    [InlineData("gen_ai.operation.name=invoke_agent;gen_ai.usage.input_tokens=7;rev.bil=true", SpanVerdict.Refused)]
    [InlineData("rev.outcom=success;rev.bill=false", SpanVerdict.Off)]
    public void What_becomes_of_a_span_is_told_by_itself(string attributes, SpanVerdict verdict) =>
        Map(Span(attributes)).Verdict.ShouldBe(verdict);

    [Theory]
    [InlineData("false", SpanVerdict.Off)]
    [InlineData("'false'", SpanVerdict.Off)]
    [InlineData("true", SpanVerdict.Call)]
    [InlineData("False", SpanVerdict.Refused)]
    [InlineData("no", SpanVerdict.Refused)]
    public void A_program_is_not_billed_when_its_resource_says_so(string bill, SpanVerdict verdict)
    {
        Map(Span(Chat, $"{Service};rev.bill={bill}")).Verdict.ShouldBe(verdict);
        Map(Span("http.route=/", $"{Service};rev.bill={bill}")).Verdict.ShouldBe(SpanVerdict.NoUsage);
    }

    [Theory]
    [InlineData("gen_ai.operation.name=divine;gen_ai.usage.input_tokens=7", "divine")]
    [InlineData("gen_ai.usage.input_tokens=7", "names neither")]
    [InlineData("gen_ai.operation.name=invoke_agent;gen_ai.usage.input_tokens=7", null)]
    [InlineData("http.route=/", null)]
    public void Usage_beside_an_outcome_that_is_not_billed_is_told_of(string attributes, string? told)
    {
        var mapped = Map(Span($"{attributes};rev.outcome=success"));

        mapped.Verdict.ShouldBe(SpanVerdict.Call);
        (mapped.Call!.Outcome, mapped.Call.TokensInput).ShouldBe(("success", 0L));
        if (told is null) mapped.Reason.ShouldBeNull();
        else mapped.Reason.ShouldNotBeNull().ShouldContain(told);
    }

    [Theory]
    [InlineData(SpanKind.Unspecified, SpanVerdict.Call)]
    [InlineData(SpanKind.Internal, SpanVerdict.Call)]
    [InlineData(SpanKind.Client, SpanVerdict.Call)]
    [InlineData(SpanKind.Server, SpanVerdict.Server)]
    [InlineData(SpanKind.Producer, SpanVerdict.Server)]
    [InlineData(SpanKind.Consumer, SpanVerdict.Server)]
    public void The_server_s_side_is_not_billed(SpanKind kind, SpanVerdict verdict) => Map(Span(Chat) with { Kind = kind }).Verdict.ShouldBe(verdict);

    [Theory]
    [InlineData("openinference.instrumentation.openai", null, SpanVerdict.Call)]
    [InlineData("openinference.instrumentation.google_genai", null, SpanVerdict.Call)]
    [InlineData("@arizeai/openinference-instrumentation-anthropic", null, SpanVerdict.Call)]
    [InlineData("openinference.instrumentation.langchain", null, SpanVerdict.OtherLayer)]
    [InlineData("@arizeai/openinference-instrumentation-langchain", null, SpanVerdict.OtherLayer)]
    [InlineData("openinference.instrumentation.litellm", null, SpanVerdict.OtherLayer)]
    [InlineData("openinference.instrumentation.langchain", "provider", SpanVerdict.OtherLayer)]
    [InlineData("openinference.instrumentation.langchain", "framework", SpanVerdict.Call)]
    [InlineData("openinference.instrumentation.openai", "framework", SpanVerdict.OtherLayer)]
    [InlineData("opentelemetry.instrumentation.langchain", null, SpanVerdict.Call)]
    public void Of_two_layers_of_OpenInference_one_is_billed(string scope, string? layer, SpanVerdict verdict)
    {
        const string llm = "openinference.span.kind=LLM;llm.model_name=m;llm.token_count.prompt=7";
        var mapped = Map(Span(llm, layer is null ? Service : $"{Service};rev.bill_layer={layer}") with { Scope = scope });

        mapped.Verdict.ShouldBe(verdict);
        if (verdict != SpanVerdict.Call && layer is null) mapped.Reason.ShouldNotBeNull().ShouldContain("rev.bill_layer");
        else mapped.Reason.ShouldBeNull();
    }

    [Fact]
    public void Spans_of_one_answer_have_one_key()
    {
        var outer = Span(Chat + ";gen_ai.response.id=chatcmpl-9J3uIL87gldCFtiIbyaOvTeY") with { SpanId = "00f067aa0ba902b7" };
        var inner = Span("gen_ai.request.model=m;gen_ai.usage.prompt_tokens=1201;ai.response.id=chatcmpl-9J3uIL87gldCFtiIbyaOvTeY");

        Call(outer).IdempotencyKey.ShouldBe($"otlp:{Trace}:response:chatcmpl-9J3uIL87gldCFtiIbyaOvTeY");
        Call(inner).IdempotencyKey.ShouldBe(Call(outer).IdempotencyKey);
        Call(inner with { TraceId = Trace.Replace('5', '6') }).IdempotencyKey.ShouldNotBe(Call(outer).IdempotencyKey);
    }

    [Theory]
    [InlineData("gen_ai.response.id=chatcmpl-9J3uIL87gldCFtiIbyaOvTeY;rev.outcome=success;rev.customer_id=acme;rev.metadata.a=1", "rev.customer_id, rev.outcome")]
    [InlineData("gen_ai.response.id=chatcmpl-9J3uIL87gldCFtiIbyaOvTeY;rev.metadata.a=1;rev.bill=true", null)]
    [InlineData("gen_ai.response.id=chatcmpl-9J3uIL87gldCFtiIbyaOvTeY", null)]
    [InlineData("rev.outcome=success", null)]
    public void What_the_second_span_of_an_answer_says_of_the_call_is_not_heard(string attributes, string? said)
    {
        var span = Span($"{Chat};{attributes}", Service + ";rev.action=mailed");
        var told = SpanMapping.NotHeard(span, Call(span));
        if (said is null) told.ShouldBeNull();
        else foreach (var name in said.Split(", ")) told.ShouldNotBeNull().ShouldContain(name);
        told?.ShouldNotContain("rev.action");
    }

    [Theory]
    [InlineData("chatcmpl-523")]
    [InlineData("                    ")]
    [InlineData("")]
    public void An_id_that_may_come_again_is_none(string id) => Call(Span($"{Chat};gen_ai.response.id={id}")).IdempotencyKey.ShouldBe($"otlp:{Trace}:{Id}");

    [Fact]
    public void An_outcome_makes_a_call_of_its_own_without_the_tokens_of_others()
    {
        var call = Call(Span("gen_ai.operation.name=invoke_agent;gen_ai.agent.name=Math Tutor;gen_ai.usage.input_tokens=2400;gen_ai.response.id=chatcmpl-9J3uIL87gldCFtiIbyaOvTeY;"
            + "rev.action=email.sent;rev.outcome=pending;rev.expires_at=2026-11-30T12:00:00.5Z;rev.customer_id=42;rev.model=mine"));

        (call.AgentId, call.Action, call.Outcome, call.CustomerId, call.Model).ShouldBe(("Math-Tutor", "email.sent", "pending", "42", "mine"));
        (call.TokensInput, call.TokensOutput).ShouldBe((0L, 0L));
        call.ExpiresAt.ShouldBe(new DateTimeOffset(2026, 11, 30, 12, 0, 0, 500, TimeSpan.Zero));
        call.IdempotencyKey.ShouldBe($"otlp:{Trace}:{Id}");
    }

    [Fact]
    public void A_span_that_is_to_be_billed_is_billed_by_its_own_usage()
    {
        var call = Call(Span("gen_ai.operation.name=invoke_agent;gen_ai.usage.input_tokens=2400;rev.bill=true"));
        (call.Action, call.TokensInput).ShouldBe(("gen_ai.invoke_agent", 2400L));
        Call(Span("rev.bill=true") with { Name = "POST /chat" }).Action.ShouldBe("POST-chat");
    }

    [Theory]
    [InlineData("rev.agent_id=mine;gen_ai.agent.name=a", Service, "mine")]
    [InlineData("gen_ai.agent.id=asst_5j66;gen_ai.agent.name=Math Tutor (v2)", Service, "Math-Tutor-v2")]
    [InlineData("gen_ai.agent.id=asst_5j66", Service, "asst_5j66")]
    [InlineData("traceloop.workflow.name=joke_generator", Service, "joke_generator")]
    [InlineData("ai.telemetry.functionId=my-function", Service, "my-function")]
    [InlineData("gen_ai.agent.name=客服", Service, "outreach-agent-v2")]
    [InlineData("gen_ai.agent.name=..", Service, "outreach-agent-v2")]
    [InlineData("", Service + ";rev.agent_id=of-the-resource", "of-the-resource")]
    [InlineData("", "service.name=unknown_service:node", "unknown_service:node")]
    public void The_agent_is_the_first_that_is_named(string attributes, string resource, string agent) => Call(Span($"{Chat};{attributes}", resource)).AgentId.ShouldBe(agent);

    [Fact]
    public void Own_attributes_of_the_resource_count_where_the_span_has_none()
    {
        const string resource = Service + ";rev.customer_id=acme;rev.action=mailed;rev.metadata.region=eu;rev.metadata.team=red;rev.outcome=success";
        var call = Call(Span(Chat + ";rev.customer_id=other;rev.metadata.region=us", resource));

        (call.CustomerId, call.Action, call.Outcome).ShouldBe(("other", "mailed", "success"));
        Metadata(call).ShouldBe("""{"region":"us","team":"red"}""");
        // An outcome of the resource says how calls end, and makes none of what is no call.
        Map(Span("http.route=/", resource)).Verdict.ShouldBe(SpanVerdict.NoUsage);
    }

    [Fact]
    public void Metadata_is_nested_by_its_dots()
    {
        var span = Span(Chat + ";rev.metadata.deal.value=1000;rev.metadata.deal.won=true;rev.metadata.share=1.5;rev.metadata.name=ä");
        span.Attributes.Add("rev.metadata.list", new SpanList([new SpanText("a"), new SpanInteger(1), null]));
        span.Attributes.Add("rev.metadata.map", new SpanMap([new("x.y", new SpanFlag(false)), new("n", new SpanReal(double.NaN))]));

        Metadata(Call(span)).ShouldBe("""{"deal":{"value":1000,"won":true},"share":1.5,"name":"ä","list":["a",1,null],"map":{"x.y":false,"n":null}}""");
    }

    [Theory]
    [InlineData("rev.custmer_id=acme", "did you mean rev.customer_id?")]
    [InlineData("rev.zzzzzzzzzzzz=1", "rev.zzzzzzzzzzzz: is no attribute")]
    [InlineData("rev.customer_id=true", "rev.customer_id: must be a string")]
    [InlineData("rev.outcome=pending;rev.expires_at=tomorrow", "rev.expires_at: must be an instant")]
    [InlineData("rev.metadata.=1", "names no member")]
    [InlineData("rev.metadata.a..b=1", "names no member")]
    [InlineData("rev.metadata.otel.trace_id=1", "Rev's own")]
    [InlineData("rev.metadata.a=1;rev.metadata.a.b=2", "a value and an object")]
    [InlineData("rev.metadata.a.b=2;rev.metadata.a=1", "a value and an object")]
    [InlineData("rev.metadata.a.b.c.d.e.f.g.h.i=1", "nested deeper")]
    public void What_is_wrong_is_said_by_name(string attributes, string reason)
    {
        var mapped = Map(Span($"{Chat};{attributes}"));
        mapped.Verdict.ShouldBe(SpanVerdict.Refused);
        mapped.Call.ShouldBeNull();
        mapped.Reason.ShouldNotBeNull().ShouldContain(reason);
        // It is no fault of a span that is not billed.
        if (!attributes.Contains("rev.outcome", StringComparison.Ordinal)) Map(Span(attributes)).Verdict.ShouldBe(SpanVerdict.NoUsage);
    }

    [Fact]
    public void What_is_too_much_is_refused()
    {
        var many = Span(Chat);
        for (var i = 0; i < SpanAttributes.MaxCount; i++) many.Attributes.Add(string.Create(CultureInfo.InvariantCulture, $"rev.metadata.a{i}"), new SpanInteger(i));
        Map(many).Reason.ShouldNotBeNull().ShouldContain("256 attributes");

        // Also when its usage is behind what was cut off.
        var cut = Span("");
        for (var i = 0; i < SpanAttributes.MaxCount; i++) cut.Attributes.Add(string.Create(CultureInfo.InvariantCulture, $"rev.metadata.a{i}"), new SpanInteger(i));
        Map(cut).Verdict.ShouldBe(SpanVerdict.NoUsage);
        cut.Attributes.Add("gen_ai.usage.input_tokens", new SpanInteger(7));
        Map(cut).Reason.ShouldNotBeNull().ShouldContain("256 attributes");

        var large = Span(Chat);
        large.Attributes.Add("rev.metadata.text", new SpanText(new string('x', 17 * 1024)));
        Map(large).Reason.ShouldNotBeNull().ShouldContain("16384 bytes");

        var deep = Span(Chat);
        deep.Attributes.Add("rev.metadata.deep", SpanValue.TooDeep);
        Map(deep).Reason.ShouldBe("rev.metadata.deep: is nested too deep");

        SpanValue nested = new SpanInteger(1);
        for (var i = 0; i < 6; i++) nested = new SpanMap([new("x", nested)]);
        var fits = Span(Chat);
        fits.Attributes.Add("rev.metadata.a", nested);
        Map(fits).Verdict.ShouldBe(SpanVerdict.Call);
        var beyond = Span(Chat);
        beyond.Attributes.Add("rev.metadata.a.b", new SpanMap([new("x", nested)]));
        Map(beyond).Reason.ShouldNotBeNull().ShouldContain("8 levels");
    }

    [Fact]
    public void A_name_of_many_parts_is_refused_without_taking_it_apart()
    {
        var span = Span(Chat);
        span.Attributes.Add(SpanConventions.Metadata + string.Join('.', Enumerable.Repeat("a", 500_000)), new SpanInteger(1));

        var before = GC.GetAllocatedBytesForCurrentThread();
        var mapped = Map(span);

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(1_000_000);
        mapped.Reason.ShouldNotBeNull().ShouldContain("nested deeper");
    }

    [Fact]
    public void Without_an_agent_or_ids_it_is_no_call()
    {
        Map(Span(Chat, "")).Reason.ShouldNotBeNull().ShouldContain("service.name");
        Map(Span(Chat) with { TraceId = null }).Reason.ShouldNotBeNull().ShouldContain("id");
        Map(Span(Chat) with { SpanId = null }).Verdict.ShouldBe(SpanVerdict.Refused);
    }

    [Fact]
    public void Only_what_the_mapping_reads_is_kept()
    {
        var attributes = Attributes("gen_ai.input.messages=long;http.route=/;rev.action=a;service.name=s;gen_ai.usage.input_tokens=1");
        attributes.Add("rev.action", new SpanText("second"));
        attributes.Add("rev.model", null);
        attributes.All.Select(a => a.Key).ShouldBe(["rev.action", "service.name", "gen_ai.usage.input_tokens"]);
        attributes["rev.action"].ShouldBe(new SpanText("a"));
    }

    private static MappedSpan Map(SpanRecord span) => SpanMapping.Map(Given.Tenant, span);

    private static MeterCall Call(SpanRecord span)
    {
        var mapped = Map(span);
        mapped.Verdict.ShouldBe(SpanVerdict.Call, mapped.Reason);
        mapped.Reason.ShouldBeNull();
        return mapped.Call.ShouldNotBeNull();
    }

    /// <summary>The metadata without what Rev adds.</summary>
    private static string Metadata(MeterCall call)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            foreach (var member in call.Metadata!.Root.EnumerateObject())
                if (member.Name != "otel") member.WriteTo(writer);
            writer.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static SpanRecord Span(string attributes, string resource = Service) =>
        new(Trace, Id, "span", SpanKind.Client, Given.Noon, "", Attributes(attributes), Attributes(resource));

    /// <summary>Attributes as name=value, apart by semicolons: numbers, true and false as what they are, all else as text, and what is in quotes too.</summary>
    private static SpanAttributes Attributes(string text)
    {
        var attributes = new SpanAttributes();
        foreach (var pair in text.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            attributes.Add(pair[..at], Value(pair[(at + 1)..]));
        }
        return attributes;
    }

    private static SpanValue Value(string text)
    {
        if (text is "true" or "false") return new SpanFlag(text == "true");
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return new SpanInteger(number);
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var real)) return new SpanReal(real);
        return new SpanText(text.Trim('\''));
    }
}
