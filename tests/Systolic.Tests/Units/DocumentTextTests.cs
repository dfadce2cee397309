using Systolic.Units;

namespace Systolic.Tests.Units;

public sealed class DocumentTextTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("systolic");

    public void Dispose() => _folder.Delete(recursive: true);

    private string Write(string text)
    {
        string file = Path.Combine(_folder.FullName, "f.json");
        File.WriteAllText(file, text);
        return file;
    }

    [Theory]
    [InlineData("")]
    [InlineData("{ \"a\": 1 }\n")]
    [InlineData("µm²\r\n")]
    public void A_file_is_read_to_its_end_as_it_is(string text) => DocumentText.Read(Write(text)).Should().Be(text);

    [Fact]
    public void A_file_is_read_up_to_the_bound_and_not_beyond()
    {
        string most = new('x', JsonSection.MaximumLength);
        DocumentText.Read(Write(most)).Should().Be(most);

        string file = Write(most + "x");

        FluentActions.Invoking(() => DocumentText.Read(file)).Should().Throw<InvalidDocumentException>()
            .WithMessage($"{file}: found more than 4194304 characters, expected a configuration");
    }

    [Fact]
    public void A_file_that_is_not_there_is_refused_by_name_and_with_its_cause()
    {
        string file = Path.Combine(_folder.FullName, "none.json");

        FluentActions.Invoking(() => DocumentText.Read(file)).Should().Throw<InvalidDocumentException>()
            .WithMessage($"{file}: found a file that cannot be read: *").WithInnerException<FileNotFoundException>();
    }

    [Fact]
    public void A_folder_is_no_file() =>
        FluentActions.Invoking(() => DocumentText.Read(_folder.FullName)).Should().Throw<InvalidDocumentException>().WithInnerException<UnauthorizedAccessException>();

    [Fact]
    public void A_resource_that_is_not_in_the_package_is_named()
    {
        DocumentText.ReadEmbedded("Accounting/area-table.csv").Should().StartWith("component,node_nm,");
        FluentActions.Invoking(() => DocumentText.ReadEmbedded("none.csv")).Should().Throw<ArgumentException>().WithMessage("Found no resource \"none.csv\" in the package.*");
    }
}
