namespace Systolic.Cli.Rendering;

/// <summary>A share drawn as a bar.</summary>
internal static class Bar
{
    private const string Eighths = " ▏▎▍▌▋▊▉";

    /// <summary>A bar of at most <paramref name="width"/> columns, to an eighth of a column where block characters can be shown.</summary>
    public static string Draw(double share, int width, bool unicode)
    {
        int eighths = (int)Math.Round(Math.Clamp(share, 0, 1) * width * 8);
        if (!unicode)
        {
            return new string('#', (eighths + 4) / 8);
        }

        return new string('█', eighths / 8) + (eighths % 8 == 0 ? "" : Eighths[eighths % 8].ToString());
    }
}
