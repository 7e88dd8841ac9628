using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Rev.Bench.Explain;

/// <summary>Listens to every statement of every SQLite connection of this process, through SQLite's own hooks.</summary>
internal static unsafe partial class Trace
{
    private const string Library = "e_sqlite3";
    private const uint Statement = 1;

    /// <summary>What was run while recording, values in their places.</summary>
    public static ConcurrentQueue<string> Statements { get; } = new();

    public static bool Recording { get; set; }

    /// <summary>Has SQLite tell of every connection that is opened from now on.</summary>
    public static void Install()
    {
        var code = AutoExtension((nint)(delegate* unmanaged[Cdecl]<nint, nint, nint, int>)&Opened);
        if (code != 0) throw new InvalidOperationException($"SQLite takes no extension: {code}.");
    }

    /// <summary>Leaves out what only sets a connection up, and the look at the prices' revision.</summary>
    public static bool IsRead(string sql) =>
        (sql.TrimStart().StartsWith("SELECT", StringComparison.OrdinalIgnoreCase) || sql.TrimStart().StartsWith("WITH", StringComparison.OrdinalIgnoreCase))
        && !sql.Contains("pricing_revisions", StringComparison.Ordinal) && !sql.Contains("api_keys", StringComparison.Ordinal)
        && !sql.Contains("sqlite_", StringComparison.Ordinal) && sql.Contains("FROM", StringComparison.OrdinalIgnoreCase);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Opened(nint database, nint error, nint api) =>
        TraceV2(database, Statement, (nint)(delegate* unmanaged[Cdecl]<uint, nint, nint, nint, int>)&Ran, 0);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Ran(uint kind, nint context, nint statement, nint text)
    {
        if (!Recording) return 0;
        var sql = ExpandedSql(statement);
        if (Marshal.PtrToStringUTF8(sql) is { } whole) Statements.Enqueue(whole);
        Free(sql);
        return 0;
    }

    [LibraryImport(Library, EntryPoint = "sqlite3_auto_extension")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial int AutoExtension(nint entry);

    [LibraryImport(Library, EntryPoint = "sqlite3_trace_v2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial int TraceV2(nint database, uint mask, nint callback, nint context);

    [LibraryImport(Library, EntryPoint = "sqlite3_expanded_sql")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial nint ExpandedSql(nint statement);

    [LibraryImport(Library, EntryPoint = "sqlite3_free")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static partial void Free(nint pointer);
}
