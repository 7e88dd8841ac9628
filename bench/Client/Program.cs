using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Rev.Bench.Client;

// pace: meters at a fixed rate. resolve: decides outcomes that it opened before. bulk: the database's own floor. watch: looks at the live demo.
// Each writes one line of JSON.
var options = new ConfigurationBuilder().AddCommandLine(args).Build();
string Option(string name) => options[name] ?? throw new InvalidOperationException($"--{name} is missing.");
int Number(string name) => int.Parse(Option(name));
object answer = options["do"] switch
{
    "pace" => await Pace.Run(new(Option("url")), Option("key"), Number("connections"), Number("rate"), TimeSpan.FromSeconds(Number("seconds"))),
    "resolve" => await Resolves.Run(new(Option("url")), Option("key"), Number("connections"), Number("count")),
    "bulk" => await Bulk.Run(Option("provider"), Option("connection"), Number("batch"), TimeSpan.FromSeconds(Number("seconds"))),
    "watch" => await Watch.Run(new(Option("url")), Number("viewers"), TimeSpan.FromSeconds(Number("seconds"))),
    _ => throw new InvalidOperationException("--do must be pace, resolve, bulk or watch."),
};
Console.WriteLine("RESULT " + JsonSerializer.Serialize(answer, JsonSerializerOptions.Web));
