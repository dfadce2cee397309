using System.Globalization;
using System.Runtime.CompilerServices;

namespace Systolic.Tests.Reporting;

/// <summary>Compares a text with the approved one, under cultures whose numbers, dates and case differ most from the invariant one.</summary>
internal static class Approval
{
    private static readonly string[] Cultures = ["en-US", "de-DE", "tr-TR", "ar-SA"];

    /// <summary>Produces the text under each culture; all must equal Approved/<paramref name="name"/>. A mismatch is left beside it as name.received.</summary>
    public static void Verify(string name, Func<string> produce, [CallerFilePath] string caller = "")
    {
        string approved = Read(Path.Combine(AppContext.BaseDirectory, "Approved", name));
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            foreach (string culture in Cultures)
            {
                CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
                string text = produce();
                if (text != approved)
                {
                    Keep(Path.Combine(Path.GetDirectoryName(caller)!, "..", "Approved", $"{Path.GetFileNameWithoutExtension(name)}.received{Path.GetExtension(name)}"), text);
                }

                text.Should().Be(approved, "of culture {0}", culture);
            }
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string Read(string path) => File.Exists(path) ? File.ReadAllText(path) : "";

    private static void Keep(string path, string text)
    {
        if (Directory.Exists(Path.GetDirectoryName(path)))
        {
            File.WriteAllText(path, text);
        }
    }
}
