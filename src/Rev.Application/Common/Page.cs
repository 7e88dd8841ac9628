using Rev.Domain.Common;

namespace Rev.Application.Common;

/// <summary>What part of a list is asked for.</summary>
/// <param name="Limit">1 to 200.</param>
/// <param name="Cursor">Where the last page ended; null from the newest.</param>
public sealed record PageRequest(int Limit, string? Cursor)
{
    /// <summary>Most items of a page.</summary>
    public const int MaxLimit = 200;

    /// <summary>Items of a page when nobody says.</summary>
    public const int DefaultLimit = 50;

    /// <summary>The id to continue below; the largest from the newest.</summary>
    public UInt128 Before => Cursor is null ? UInt128.MaxValue : UlidText.TryParse(Cursor, Page.CursorPrefix, out var id) ? id : UInt128.Zero;
}

/// <summary>Part of a list, newest first.</summary>
/// <param name="Data">The items.</param>
/// <param name="NextCursor">Where the next page begins; null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Data, string? NextCursor);

/// <summary>Makes pages.</summary>
public static class Page
{
    /// <summary>The prefix of a cursor.</summary>
    public const string CursorPrefix = "cur_";

    /// <summary>Whether a text is a cursor.</summary>
    public static bool IsCursor(string text) => UlidText.TryParse(text, CursorPrefix, out _);

    /// <summary>A page of one item more than asked for: the last one only tells that there is more.</summary>
    public static Page<TItem> Of<TRow, TItem>(IReadOnlyList<TRow> rows, int limit, Func<TRow, UInt128> id, Func<TRow, TItem> item) =>
        new(rows.Take(limit).Select(item).ToArray(), rows.Count > limit ? UlidText.Format(CursorPrefix, id(rows[limit - 1])) : null);
}
