using System.Runtime.InteropServices;

namespace Rev.CrashLoad;

/// <summary>
/// <c>load</c> keeps a Rev server busy and journals every answer it got, whatever happens to the server;
/// <c>check</c> asks the server afterwards whether every journalled answer is still true.
/// Used by <c>scripts/crash.sh</c> and <c>scripts/nginx.sh</c>.
/// </summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        var options = Options(args);
        if (args.Length == 0 || options is null
            || !options.TryGetValue("--url", out var url)
            || !options.TryGetValue("--key", out var key)
            || !options.TryGetValue("--journal", out var folder))
            return Usage();

        using var api = new RevApi(new Uri(url), key);
        switch (args[0])
        {
            case "load" when options.TryGetValue("--stop", out var stopFile):
                using (var stop = new CancellationTokenSource())
                using (PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop)))
                using (PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop)))
                {
                    var workers = options.TryGetValue("--workers", out var n) ? int.Parse(n) : 32;
                    var others = options.TryGetValue("--repeat", out var urls)
                        ? urls.Split(',').Select(other => new RevApi(new Uri(other), key)).ToList()
                        : [];
                    await Load.Run(api, others, folder, stopFile, workers, stop);
                    others.ForEach(other => other.Dispose());
                    return 0;
                }
            case "check":
                return await Check.Run(api, folder);
            default:
                return Usage();
        }
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = true;
        stop.Cancel();
    }

    private static Dictionary<string, string>? Options(string[] args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 1; i < args.Length; i += 2)
        {
            if (i + 1 == args.Length)
                return null;
            options[args[i]] = args[i + 1];
        }

        return options;
    }

    private static int Usage()
    {
        Console.Error.WriteLine("usage: CrashLoad load --url URL --key KEY --journal FOLDER --stop FILE [--workers N] [--repeat URL,URL]");
        Console.Error.WriteLine("       --repeat sends some calls to these servers of the same database too, at the same time");
        Console.Error.WriteLine("       CrashLoad check --url URL --key KEY --journal FOLDER");
        return 2;
    }
}
