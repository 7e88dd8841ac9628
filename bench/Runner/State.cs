using System.Text.Json;

namespace Rev.Bench.Runner;

/// <summary>One measurement.</summary>
/// <param name="Cell">What was measured: A, Rev, C or a read's name.</param>
/// <param name="Others">Share of the machine that other processes used meanwhile.</param>
/// <param name="Marked">Kept although others used too much, after the repeats were used up.</param>
/// <param name="Values">The figures by name.</param>
internal sealed record Sample(string Cell, double Others, bool Marked, Dictionary<string, double> Values);

/// <summary>Measurements that belong together, finished and kept as one.</summary>
internal sealed record Group(string Name, string Commit, DateTimeOffset At, List<Sample> Samples, List<string> Notes)
{
    /// <summary>The figure of every sample of a cell.</summary>
    public double[] Of(string cell, string value) =>
        [.. Samples.Where(s => s.Cell == cell && s.Values.ContainsKey(value)).Select(s => s.Values[value])];
}

/// <summary>What is measured already, in a folder that outlives this process.</summary>
internal sealed class State
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly string _groups;

    public State(string folder)
    {
        Folder = folder;
        _groups = Directory.CreateDirectory(Path.Combine(folder, "groups")).FullName;
    }

    public string Folder { get; }

    public string In(params ReadOnlySpan<string> parts) => Path.Combine([Folder, .. parts]);

    public Group? Find(string name) => Read<Group>(PathOf(name));

    public void Keep(Group group) => Write(PathOf(group.Name), group);

    public T? Read<T>(string path) where T : class => File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllText(path), Json) : null;

    /// <summary>Whole or not at all: a run that is killed leaves no half of a file.</summary>
    public void Write<T>(string path, T value)
    {
        File.WriteAllText(path + ".new", JsonSerializer.Serialize(value, Json));
        File.Move(path + ".new", path, overwrite: true);
    }

    private string PathOf(string name) => Path.Combine(_groups, name.Replace(' ', '-') + ".json");
}
