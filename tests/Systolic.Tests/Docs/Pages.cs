namespace Systolic.Tests.Docs;

/// <summary>The documentation as it lies in the repository.</summary>
internal static class Pages
{
    public static string Root { get; } = FindRoot();

    /// <summary>README.md and all pages under docs, as paths from the root.</summary>
    public static string[] All { get; } =
    [
        "README.md",
        .. Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal),
    ];

    /// <summary>A page's text with line feeds.</summary>
    public static string Read(string page) => File.ReadAllText(Path.Combine(Root, page)).ReplaceLineEndings("\n");

    /// <summary>What stands between the comments "generated: name" and "end: name" of a page.</summary>
    public static string Generated(string page, string name)
    {
        (string begin, string end) = ($"<!-- generated: {name} -->\n", $"<!-- end: {name} -->");
        string text = Read(page);
        int from = text.IndexOf(begin, StringComparison.Ordinal);
        int to = text.IndexOf(end, StringComparison.Ordinal);
        return from >= 0 && to > from
            ? text[(from + begin.Length)..to]
            : throw new InvalidOperationException($"{page}: found no \"{begin.TrimEnd()}\" followed by \"{end}\". Put the table between these two lines.");
    }

    /// <summary>The block of a page, or the whole file when no name is given, is the text expected. With ACCEPT=1 in the environment it is written instead.</summary>
    public static void MustBe(string page, string? name, string expected)
    {
        string found = name is null ? Read(page) : Generated(page, name);
        if (found != expected && Environment.GetEnvironmentVariable("ACCEPT") == "1")
        {
            string begin = $"<!-- generated: {name} -->\n";
            File.WriteAllText(Path.Combine(Root, page), name is null ? expected : Read(page).Replace(begin + found, begin + expected));
            return;
        }

        found.Should().Be(expected, "{0} is what the library says; ACCEPT=1 in the environment lets this test write it", page);
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Systolic.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException($"Found no Systolic.sln above {AppContext.BaseDirectory}.");
    }
}
