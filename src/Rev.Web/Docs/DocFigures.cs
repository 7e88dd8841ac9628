namespace Rev.Web.Docs;

/// <summary>Drawings of the documentation. In a file a figure is a block of text, which is all that a reader of the file needs.</summary>
internal static class DocFigures
{
    private const string OutcomeLife = """
        <figure class="doc-figure">
        <svg class="life" viewBox="0 0 360 262" width="360" height="262" role="img" aria-labelledby="life-title life-text">
        <title id="life-title">The life of an outcome</title>
        <desc id="life-text">A pending outcome is resolved as a success or a failure, or expires at its deadline. A success waits in review until the window has passed, and has succeeded then. A success, or an expiry that charged a bonus, can be reversed.</desc>
        <path d="M150 40V66H40V108M35 101l5 7 5-7" />
        <path d="M180 40V108M175 101l5 7 5-7" />
        <path d="M210 40V66H318V108M313 101l5 7 5-7" />
        <path d="M40 142V214M35 207l5 7 5-7" />
        <path d="M96 142V176H272V214M267 207l5 7 5-7" />
        <path d="M112 231H248M241 226l7 5-7 5" />
        <path d="M318 142V214M313 207l5 7 5-7" />
        <text class="edge" x="46" y="60">success</text>
        <text class="edge" x="186" y="86">failure</text>
        <text class="edge" x="262" y="60">deadline</text>
        <text class="edge" x="46" y="198">window passes</text>
        <text class="edge" x="166" y="170">reverse</text>
        <text class="edge" x="160" y="224">reverse</text>
        <text class="edge" x="312" y="170" text-anchor="end">if charged</text>
        <rect class="open" x="128" y="6" width="104" height="34" rx="8" /><text x="180" y="27" text-anchor="middle">pending</text>
        <rect class="open" x="8" y="108" width="104" height="34" rx="8" /><text x="60" y="129" text-anchor="middle">in review</text>
        <rect class="bad" x="128" y="108" width="104" height="34" rx="8" /><text x="180" y="129" text-anchor="middle">failed</text>
        <rect x="248" y="108" width="104" height="34" rx="8" /><text x="300" y="129" text-anchor="middle">expired</text>
        <rect class="good" x="8" y="214" width="104" height="34" rx="8" /><text x="60" y="235" text-anchor="middle">succeeded</text>
        <rect class="bad" x="248" y="214" width="104" height="34" rx="8" /><text x="300" y="235" text-anchor="middle">reversed</text>
        </svg>
        </figure>
        """;

    /// <summary>The drawing of a name.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public static string Of(string name) => name switch
    {
        "outcome-life" => OutcomeLife,
        _ => throw new InvalidOperationException($"There is no figure '{name}'."),
    };
}
