using System.Text.RegularExpressions;
using Systolic.Units;

namespace Systolic.Tests.Docs;

/// <summary>Every C# snippet of the documentation compiles and runs. What a snippet takes for granted stands in a comment in front of it: "before:" and code.</summary>
[Collection(nameof(ConsoleCollection))]
public partial class SnippetTests
{
    private static readonly string Usings = string.Concat(
        typeof(Bytes).Assembly.GetExportedTypes().Select(type => type.Namespace).Distinct().Concat(["Systolic.BenchmarkDotNet", "BenchmarkDotNet.Attributes"])
            .Select(space => $"global using {space};\n"));

    [GeneratedRegex(@"(?:<!-- before:\n(?<before>[\s\S]*?)-->\n)?```csharp\n(?<code>[\s\S]*?)```")]
    private static partial Regex Snippet();

    /// <summary>All but the README's first, which has a test of its own.</summary>
    public static TheoryData<string, int> Snippets =>
        [.. Pages.All.SelectMany(page => Snippet().Matches(Pages.Read(page)).Select((_, i) => (page, i))).Where(snippet => snippet != ("README.md", 0))];

    [Theory]
    [MemberData(nameof(Snippets))]
    public void A_snippet_runs(string page, int index) => Run(page, index);

    /// <summary>The README leaves rows out; those that it shows are the snippet's.</summary>
    [Fact]
    public void The_table_of_the_readme_is_what_its_snippet_prints()
    {
        string[] shown = [.. Pages.Read("README.md").Split("\nprints\n")[1].Split("\n(some rows")[0].Split('\n').Where(line => line.StartsWith('|'))];

        shown.Should().NotBeEmpty();
        shown.Except(Run("README.md", 0).Split('\n')).Should().BeEmpty();
    }

    private static string Run(string page, int index)
    {
        Match snippet = Snippet().Matches(Pages.Read(page))[index];
        return CSharpProgram.Run($"{page}, snippet {index}", snippet.Groups["before"].Value + snippet.Groups["code"].Value, Usings);
    }
}
