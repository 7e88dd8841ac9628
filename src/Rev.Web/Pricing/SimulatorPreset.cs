using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Rev.Web.Common;

namespace Rev.Web.Pricing;

/// <summary>A way to charge, to start from.</summary>
/// <param name="Key">Its name in the address.</param>
/// <param name="Label">What it is called.</param>
/// <param name="Hint">What it means.</param>
/// <param name="Values">The fields that it sets.</param>
public sealed record SimulatorPreset(string Key, string Label, string Hint, IReadOnlyDictionary<string, string> Values)
{
    /// <summary>Tokens, outcomes, and both.</summary>
    public static IReadOnlyList<SimulatorPreset> All { get; } =
    [
        Of("token", "Token", "Every token has its price, whatever came of it.", "0", "6", "30", "0"),
        Of("outcome", "Outcome", "Success is paid for, nothing else.", "0", "0", "0", "2.9"),
        Of("hybrid", "Hybrid", "A little for every call, more for success.", "0.005", "3", "15", "2.5"),
    ];

    /// <summary>What it sets, for a script.</summary>
    public string Json => JsonSerializer.Serialize(Values);

    /// <summary>Whether a form has its prices.</summary>
    public bool IsIn(SimulatorForm form) =>
        form.Problems.Count == 0 && Values.All(value => value.Key == SimulatorForm.OnExpiryKey
            ? form.OnExpiry == value.Value
            : SimulatorField.All.Any(field => field.Key == value.Key && form.Value(field) == Figures.Parse(value.Value)));

    /// <summary>Leads to the address of the form with the chosen preset put into it.</summary>
    public static IResult Choose(HttpContext http)
    {
        var query = http.Request.Query;
        var chosen = All.FirstOrDefault(preset => preset.Key == query["preset"].ToString());
        var fields = new List<KeyValuePair<string, string?>>();
        foreach (var key in SimulatorField.All.Select(field => field.Key).Append(SimulatorForm.OnExpiryKey))
        {
            if (chosen is not null && chosen.Values.TryGetValue(key, out var preset)) fields.Add(new(key, preset));
            else if (query.TryGetValue(key, out var sent)) fields.Add(new(key, sent.ToString()));
        }
        return Results.Redirect("/simulator" + QueryString.Create(fields).ToUriComponent());
    }

    private static SimulatorPreset Of(string key, string label, string hint, string baseFee, string rateIn, string rateOut, string bonus) =>
        new(key, label, hint, new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["base"] = baseFee, ["rate_in"] = rateIn, ["rate_out"] = rateOut, ["bonus"] = bonus, [SimulatorForm.OnExpiryKey] = "none",
        });
}
