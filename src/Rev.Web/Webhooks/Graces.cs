namespace Rev.Web.Webhooks;

/// <summary>For how long what is replaced may stay in use.</summary>
internal static class Graces
{
    /// <summary>Durations and their words.</summary>
    public static readonly IReadOnlyList<(string Value, string Text)> All =
        [("PT0S", "no longer: it ends now"), ("PT1H", "1 hour"), ("P1D", "1 day"), ("P7D", "7 days")];
}
