namespace Systolic.Tests.Docs;

/// <summary>Runs alone: programs of the documentation print to the console, of which there is one.</summary>
[CollectionDefinition(nameof(ConsoleCollection), DisableParallelization = true)]
public sealed class ConsoleCollection;

/// <summary>Every program of docs/samples prints what the text file beside it says.</summary>
[Collection(nameof(ConsoleCollection))]
public class SampleTests
{
    private const string Folder = "docs/samples";

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Path.Combine(Pages.Root, Folder), "*.cs").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_prints_what_lies_beside_it(string name) =>
        Pages.MustBe($"{Folder}/{name}.txt", null, CSharpProgram.Run(name, Pages.Read($"{Folder}/{name}.cs")));

    [Fact]
    public void The_index_names_every_sample() => Names.Where(name => !Pages.Read(Folder + "/README.md").Contains($"]({name.Data}.cs)")).Should().BeEmpty();
}
