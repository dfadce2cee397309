namespace Systolic.Tests.Docs;

/// <summary>Runs alone: programs of the documentation print to the console, of which there is one.</summary>
[CollectionDefinition(nameof(ConsoleCollection), DisableParallelization = true)]
public sealed class ConsoleCollection;

/// <summary>Every program of docs/samples prints what the text file beside it says. A mismatch is left there as name.received.txt.</summary>
[Collection(nameof(ConsoleCollection))]
public class SampleTests
{
    private const string Index = "docs/samples/README.md";

    private static string Folder { get; } = Path.Combine(Pages.Root, Path.GetDirectoryName(Index)!);

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Folder, "*.cs").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_prints_what_lies_beside_it(string name)
    {
        string At(string extension) => Path.Combine(Folder, name + extension);
        string found = CSharpProgram.Run(name, File.ReadAllText(At(".cs")));

        string expected = File.ReadAllText(At(".txt")).ReplaceLineEndings("\n");
        if (found != expected)
        {
            File.WriteAllText(At(".received.txt"), found);
        }

        found.Should().Be(expected, "docs/samples/{0}.txt is its output", name);
    }

    [Fact]
    public void The_index_names_every_sample() => Names.Where(name => !Pages.Read(Index).Contains($"]({name.Data}.cs)")).Should().BeEmpty();
}
