using System.Text.RegularExpressions;
using Systolic.Units;

namespace Systolic.Tests;

/// <summary>A folder of the library uses folders of a lower layer only; the table is that of docs/architecture.md.</summary>
public partial class ArchitectureTests
{
    private static readonly Dictionary<string, int> Layers = new()
    {
        ["Units"] = 1,
        ["Numerics"] = 2,
        ["Accounting"] = 3,
        ["Programs"] = 3,
        ["Workloads"] = 3,
        ["Components"] = 4,
        ["Reporting"] = 4,
        ["Hardware"] = 5,
        ["Simt"] = 5,
        ["Kernels"] = 6,
        ["Simulation"] = 6,
        ["Machines"] = 7,
        ["Exploration"] = 8,
        ["Validation"] = 8,
    };

    private static readonly HashSet<string> TypeNames = [.. typeof(Bytes).Assembly.GetTypes().Select(type => type.FullName!)];

    private static readonly string[] TextFiles = [".cs", ".csproj", ".csv", ".editorconfig", ".json", ".md", ".props", ".sln", ".targets", ".txt", ".yml"];

    private static readonly string Root = FindRoot();

    [GeneratedRegex(@"^namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex NamespaceDeclaration();

    [GeneratedRegex(@"(?<![\w.])(?<root>Systolic\.)?(?<folder>[A-Z]\w*)(?:\.(?<type>\w+))?")]
    private static partial Regex Name();

    // Not inside a URL or a longer path: nothing but a delimiter may stand in front.
    [GeneratedRegex(@"(?<![\w./:-])/(?:work|home|root|Users|mnt)/\w+|\b[A-Z]:\\\w+")]
    private static partial Regex MachinePath();

    [Fact]
    public void Folders_use_lower_layers_only() =>
        LibraryFiles().SelectMany(file => Violations(file, File.ReadAllText(Path.Combine(Root, "src", "Systolic", file)))).Should().BeEmpty();

    [Theory]
    [InlineData("Units/A.cs", "using Systolic.Numerics;\nnamespace Systolic.Units;", "Units/A.cs: layer 1 uses Systolic.Numerics of layer 2")]
    [InlineData("Programs/A.cs", "using Systolic.Workloads;\nnamespace Systolic.Programs;", "Programs/A.cs: layer 3 uses Systolic.Workloads of layer 3")]
    [InlineData("Units/A.cs", "using static Systolic.Machines.Presets;\nnamespace Systolic.Units;", "Units/A.cs: layer 1 uses Systolic.Machines of layer 7")]
    [InlineData("Units/A.cs", "using Count = Systolic.Accounting.ActivityCounts;\nnamespace Systolic.Units;", "Units/A.cs: layer 1 uses Systolic.Accounting of layer 3")]
    [InlineData("Units/A.cs", "namespace Systolic.Units;\nclass A { object b = new Systolic.Accounting.CycleStack(); }", "Units/A.cs: layer 1 uses Systolic.Accounting of layer 3")]
    [InlineData("Units/A.cs", "namespace Systolic.Units;\nclass A { object b = new Accounting.CycleStack(); }", "Units/A.cs: layer 1 uses Systolic.Accounting of layer 3")]
    [InlineData("Units/A.cs", "namespace Systolic.Units.Text;", "Units/A.cs: namespace Systolic.Units.Text, expected Systolic.Units")]
    [InlineData("Units/A.cs", "class A;", "Units/A.cs: namespace (none), expected Systolic.Units")]
    [InlineData("Extras/A.cs", "namespace Systolic.Extras;", "Extras/A.cs: folder Extras is in no layer")]
    [InlineData("A.cs", "namespace Systolic;", "A.cs: folder (none) is in no layer")]
    public void A_breach_is_found(string file, string source, string violation) => Violations(file, source).Should().Equal(violation);

    [Theory]
    [InlineData("Components/Dram/A.cs", "using Systolic.Accounting;\nusing Systolic.Units;\nusing System.Numerics;\nnamespace Systolic.Components;")]
    [InlineData("Units/A.cs", "namespace Systolic.Units;\n/// <summary>As <see cref=\"Systolic.Machines.IMachine\"/>.</summary>\nclass A { } // Machines.IMachine")]
    [InlineData("Units/A.cs", "namespace Systolic.Units;\nclass A { int Programs => Machines.Count; string s = \"Systolic.Machines.IMachine\"; }")]
    public void Lower_layers_comments_texts_and_like_named_members_are_no_breach(string file, string source) => Violations(file, source).Should().BeEmpty();

    [Fact]
    public void Every_public_type_lives_in_a_layer() =>
        typeof(Bytes).Assembly.GetExportedTypes()
            .Where(type => !(type.Namespace?.StartsWith("Systolic.", StringComparison.Ordinal) == true && Layers.ContainsKey(type.Namespace["Systolic.".Length..])))
            .Should().BeEmpty();

    [Fact]
    public void No_file_names_a_path_of_a_machine() =>
        RepositoryFiles().SelectMany(file => MachinePaths(Path.GetRelativePath(Root, file), File.ReadAllText(file))).Should().BeEmpty();

    [Fact]
    public void A_path_of_a_machine_is_found_and_an_address_is_not()
    {
        string path = string.Join('/', "", "home", "someone", "model.json");

        MachinePaths("a.md", $"see {path}").Should().Equal("a.md: " + string.Join('/', "", "home", "someone"));
        MachinePaths("a.md", $"see https://example.org{path} or docs{path}").Should().BeEmpty();
    }

    private static IEnumerable<string> Violations(string file, string source)
    {
        string folder = file.Contains('/') ? file[..file.IndexOf('/')] : "(none)";
        if (!Layers.TryGetValue(folder, out int layer))
        {
            return [$"{file}: folder {folder} is in no layer"];
        }

        string code = Blank(source);
        Match declared = NamespaceDeclaration().Match(code);
        string found = declared.Success ? declared.Groups[1].Value : "(none)";
        IEnumerable<string> misplaced = found == "Systolic." + folder ? [] : [$"{file}: namespace {found}, expected Systolic.{folder}"];
        IEnumerable<string> breaches = Name().Matches(code)
            .Where(IsFolder).Select(match => match.Groups["folder"].Value).Distinct()
            .Where(used => used != folder && Layers[used] >= layer)
            .Select(used => $"{file}: layer {layer} uses Systolic.{used} of layer {Layers[used]}");
        return misplaced.Concat(breaches);
    }

    // "Systolic.Machines", or "Machines.IMachine" where that is a type: a member may bear a folder's name.
    private static bool IsFolder(Match name) => Layers.ContainsKey(name.Groups["folder"].Value)
        && (name.Groups["root"].Success || TypeNames.Contains($"Systolic.{name.Groups["folder"].Value}.{name.Groups["type"].Value}"));

    // Comments and the texts between quotes are no code.
    private static string Blank(string source) =>
        Regex.Replace(source, """"("""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|//[^\n]*)"""", "");

    private static IEnumerable<string> MachinePaths(string file, string text) =>
        MachinePath().Matches(text).Select(match => $"{file}: {match.Value}");

    private static IEnumerable<string> LibraryFiles()
    {
        string library = Path.Combine(Root, "src", "Systolic");
        return Directory.EnumerateFiles(library, "*.cs", SearchOption.AllDirectories).Where(IsSource)
            .Select(file => Path.GetRelativePath(library, file).Replace('\\', '/')).Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> RepositoryFiles() =>
        Directory.EnumerateFiles(Root)
            .Concat(new[] { "src", "tests", "bench", "docs" }.Select(name => Path.Combine(Root, name)).Where(Directory.Exists)
                .SelectMany(folder => Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)))
            .Where(file => TextFiles.Contains(Path.GetExtension(file)) && IsSource(file));

    private static bool IsSource(string file) =>
        !Path.GetRelativePath(Root, file).Split(Path.DirectorySeparatorChar).Any(part => part is "bin" or "obj");

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
