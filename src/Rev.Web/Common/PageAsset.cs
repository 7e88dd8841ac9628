using Microsoft.AspNetCore.Components;

namespace Rev.Web.Common;

/// <summary>Where the files lie that pages load.</summary>
internal static class PageAsset
{
    /// <summary>The folder of all of them.</summary>
    public const string Root = "/_content/Rev.Web/";

    /// <summary>The sans-serif font. Its hash stands in its name, in the style sheet and in the name of the file.</summary>
    public const string Sans = Root + "fonts/instrument-sans.2ee17598.woff2";

    /// <summary>The monospaced font.</summary>
    public const string Mono = Root + "fonts/geist-mono.684ad5b5.woff2";

    /// <summary>The address of a file, with the hash of its content where the build knows it.</summary>
    public static string Of(ResourceAssetCollection assets, string name) => "/" + assets[Root[1..] + name];
}
