using Spectre.Console;

namespace Systolic.Cli.Rendering;

/// <summary>A share drawn as a bar.</summary>
internal static class Bar
{
    private const string Eighths = " ▏▎▍▌▋▊▉";

    /// <summary>A bar of at most <paramref name="width"/> columns, to an eighth of a column where the console has such characters.</summary>
    public static string Draw(double share, int width, Capabilities capabilities)
    {
        int eighths = (int)Math.Round(Math.Clamp(share, 0, 1) * width * 8);
        if (!capabilities.Unicode)
        {
            return new string('#', (eighths + 4) / 8);
        }

        return new string('█', eighths / 8) + (eighths % 8 == 0 ? "" : Eighths[eighths % 8].ToString());
    }
}
