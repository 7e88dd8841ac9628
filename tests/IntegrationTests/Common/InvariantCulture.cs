using System.Globalization;
using System.Runtime.CompilerServices;

namespace Rev.IntegrationTests.Common;

internal static class InvariantCulture
{
    /// <summary>As the product itself runs.</summary>
    [ModuleInitializer]
    internal static void Set()
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
    }
}
