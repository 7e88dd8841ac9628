// An agent that writes e-mails, and Rev that meters them. No model key is needed: the model is a fake one that answers as OpenAI's API does.
//
//   export REV_BASE_URL=http://localhost:5080 REV_API_KEY=rg_test_…
//   dotnet run --project examples/dotnet/Agent
using Rev.Client;
using Rev.Examples;

RevClient rev;
try
{
    rev = new RevClient();
}
catch (RevException missing) when (missing.Code == RevException.NotConfiguredCode)
{
    Console.Error.WriteLine(missing.Message);
    return 2;
}
const string Agent = "dotnet-outreach";
var model = new FakeModel();

try
{
    // 1. One line: a call whose outcome is known.
    var letter = model.Complete("Write to Ann about the offer.");
    var usage = TokenUsage.From(letter);
    var receipt = await rev.MeterAsync(new() { AgentId = Agent, Action = "email.drafted", TokensInput = usage.Input, TokensOutput = usage.Output, Outcome = Outcome.Success });
    Console.WriteLine($"1. A draft of {usage.Input} + {usage.Output} tokens: {receipt.PriceCharged} {receipt.Currency}");

    // 2. A call whose outcome only time will tell, and its resolution.
    var sent = await rev.MeterAsync(new()
    {
        AgentId = Agent, Action = "email.sent", TokensInput = usage.Input, TokensOutput = usage.Output,
        Outcome = Outcome.Pending, ExpiresAt = TimeProvider.System.GetUtcNow().AddDays(7), Metadata = new() { ["message_id"] = "<1@mail.example.com>" },
    });
    Console.WriteLine($"2. A mail is sent: {sent.PriceCharged} {sent.Currency} now, at most {sent.PotentialBonus} on success");
    var resolution = await rev.ResolveOutcomeAsync(sent.OutcomeId!, Outcome.Success, new() { ["reply_received"] = true });
    Console.WriteLine($"   Ann replied: {resolution.PriceCharged} {resolution.Currency}, since {resolution.Bonus?.Reason}");

    // 3. A run: its tokens add up, and an exception makes it a failure.
    var subject = await rev.RunAsync(Agent, "email.summarized", async run =>
    {
        var answer = await model.CompleteAsync("Sum it up.");
        run.Tokens(answer);
        run.Success(new() { ["words"] = 3 });
        return answer["choices"]![0]!["message"]!["content"]!.GetValue<string>();
    });
    Console.WriteLine($"3. A run: {subject}");
    try
    {
        await rev.RunAsync(Agent, "email.sent", async run =>
        {
            run.Tokens(await model.CompleteAsync("Write to nobody."));
            throw new InvalidOperationException("There is nobody to write to.");
        });
    }
    catch (InvalidOperationException exception)
    {
        Console.WriteLine($"   A run that failed, and was metered as that: {exception.Message}");
    }

    // 4. Many calls, in the background. They survive a Rev that is away, and a restart of this program.
    await using (var tracker = new RevTracker(rev))
    {
        for (var step = 1; step <= 100; step++)
        {
            using var run = tracker.Run(Agent, "email.classified");
            run.Tokens(model.Complete($"Is mail {step} spam?"));
            run.Success();
        }
        var isDelivered = await tracker.FlushAsync();
        var statistics = tracker.Statistics;
        Console.WriteLine($"4. Tracked {statistics.Tracked} calls: {statistics.Accepted} stored, {statistics.Spooled} on disk{(isDelivered ? "" : " until Rev is back")}");
    }

    // 5. What it came to.
    var spent = 0m;
    var calls = 0;
    await foreach (var call in rev.ListEventsAsync(new EventFilter { AgentId = Agent, PageSize = 200 }))
    {
        spent += call.PriceCharged;
        calls++;
    }
    Console.WriteLine($"5. {calls} calls of {Agent} so far: {spent} {receipt.Currency}");
    return 0;
}
catch (RevException refused)
{
    Console.Error.WriteLine($"{refused.Code}: {refused.Message}");
    return 1;
}
