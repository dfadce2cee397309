using System.Text.RegularExpressions;

namespace Systolic.Tests.Docs;

public sealed partial class LinkTests
{
    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<heading>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"```[\s\S]*?```|`[^`\n]*`")]
    private static partial Regex Code();

    // A path from a machine's root or home folder; not a part of an address or of a relative path.
    [GeneratedRegex(@"(?<![\w.:/~<-])(?:~|/[A-Za-z]\w*)/\w+|\b[A-Z]:\\\w+")]
    private static partial Regex MachinePath();

    [Fact]
    public void Every_relative_link_resolves() =>
        Pages.All.SelectMany(page => Broken(page, Pages.Read(page))).Should().BeEmpty();

    [Fact]
    public void The_index_names_every_page()
    {
        string[] linked = [.. Targets(Pages.Read("docs/README.md")).Select(target => "docs/" + target.Split('#')[0])];

        Pages.All.Except(["README.md", "docs/README.md"]).Except(linked).Should().BeEmpty("docs/README.md has a line for each page");
    }

    [Fact]
    public void No_page_names_a_path_of_a_machine() =>
        Pages.All.SelectMany(page => MachinePaths(page, Pages.Read(page))).Should().BeEmpty();

    [Fact]
    public void A_broken_link_and_a_path_of_a_machine_are_found()
    {
        Broken("docs/README.md", "[a](nowhere.md) [b](https://example.org/x) [c](README.md#no-such-heading) `[d](code.md)`")
            .Should().Equal("docs/README.md: nowhere.md", "docs/README.md: README.md#no-such-heading");
        MachinePaths("a.md", "see " + string.Join('/', "", "srv", "figures")).Should().Equal("a.md: " + string.Join('/', "", "srv", "figures"));
        MachinePaths("a.md", "bytes/cycle, src/Systolic/Units, https://example.org/a/b, and/or").Should().BeEmpty();
    }

    private static IEnumerable<string> MachinePaths(string page, string text) =>
        MachinePath().Matches(text).Select(match => $"{page}: {match.Value}");

    private static IEnumerable<string> Targets(string text) =>
        Link().Matches(Code().Replace(text, "")).Select(match => match.Groups["target"].Value).Where(target => !target.Contains("://") && !target.StartsWith("mailto:", StringComparison.Ordinal));

    private static IEnumerable<string> Broken(string page, string text) =>
        Targets(text).Where(target => !Resolves(page, target)).Select(target => $"{page}: {target}");

    private static bool Resolves(string page, string target)
    {
        string[] parts = target.Split('#', 2);
        string file = parts[0].Length == 0 ? page : Path.Combine(Path.GetDirectoryName(page)!, parts[0]);
        string full = Path.Combine(Pages.Root, file);
        return (File.Exists(full) || Directory.Exists(full)) && (parts.Length == 1 || Anchors(File.ReadAllText(full)).Contains(parts[1]));
    }

    private static IEnumerable<string> Anchors(string text) =>
        Heading().Matches(text).Select(match => string.Concat(match.Groups["heading"].Value.Trim().ToLowerInvariant()
            .Where(letter => char.IsLetterOrDigit(letter) || letter is ' ' or '-' or '_')).Replace(' ', '-'));
}
