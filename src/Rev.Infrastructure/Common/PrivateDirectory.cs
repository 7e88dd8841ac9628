namespace Rev.Infrastructure.Common;

/// <summary>Directories of live keys and data: only the user who runs Rev may look.</summary>
public static class PrivateDirectory
{
    /// <summary>Makes a directory if it is not there; one that is keeps the rights its owner gave it.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
