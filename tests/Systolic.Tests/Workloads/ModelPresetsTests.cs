using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class ModelPresetsTests
{
    [Theory]
    [MemberData(nameof(Presets.All), MemberType = typeof(Presets))]
    public void A_preset_is_called_by_its_name_and_read_from_its_own_text(string name)
    {
        ModelPresets.Load(name).Name.Should().Be(name);
        ConfigReader.Read(ModelPresets.Json(name), name).Should().Be(ModelPresets.Load(name));
    }

    [Fact]
    public void A_configuration_is_found_by_file_or_folder_and_called_after_the_folder()
    {
        string folder = Path.Combine(Directory.CreateTempSubdirectory("systolic").FullName, "my-llama");
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, "config.json");
        File.WriteAllText(file, ModelPresets.Json("llama-3-8b"));
        try
        {
            ModelPresets.Load(folder).Should().Be(ModelShapes.Llama3_8B with { Name = "my-llama" });
            ModelPresets.Load(file).Should().Be(ModelShapes.Llama3_8B with { Name = "my-llama" });
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(folder)!, recursive: true);
        }
    }

    [Fact]
    public void A_file_of_another_name_names_the_model()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("systolic").FullName, "tiny.json");
        File.WriteAllText(file, ModelPresets.Json("gpt2"));
        try
        {
            ModelPresets.Load(file).Name.Should().Be("tiny");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    [Fact]
    public void A_file_far_too_long_is_not_read_to_its_end()
    {
        string file = Path.Combine(Directory.CreateTempSubdirectory("systolic").FullName, "config.json");
        File.WriteAllText(file, new string(' ', (4 << 20) + 10));
        try
        {
            FluentActions.Invoking(() => ModelPresets.Load(file)).Should().Throw<InvalidDocumentException>().WithMessage("*found more than 4194304 characters*");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }

    [Theory]
    [InlineData("llama-3-8", "; did you mean llama-3-8b or llama-2-7b or llama-3-70b?")]
    [InlineData("GPT2", "; did you mean gpt2?*")]
    [InlineData("zzz", "; known: gpt2, gpt2-xl, gpt3-175b, bert-base, bert-large, t5-base, llama-2-7b, llama-2-70b, llama-3-8b, llama-3-70b, mistral-7b, mixtral-8x7b, *")]
    [InlineData("", "; known: *")]
    public void An_unknown_name_is_answered_with_the_nearest(string name, string hint)
    {
        string message = $"{name}: found no such model, expected a preset, a config.json or a folder that holds one{hint.Replace("?", "*", StringComparison.Ordinal)}";
        FluentActions.Invoking(() => ModelPresets.Load(name)).Should().Throw<InvalidDocumentException>().WithMessage(message);
        FluentActions.Invoking(() => ModelPresets.Json(name)).Should().Throw<InvalidDocumentException>().WithMessage(message);
    }

    [Fact]
    public void Nearness_counts_single_edits()
    {
        // kitten -> sitting: two replaced, one added.
        Nearest.Of("kitten", ["sitting", "kitchen", "mittens", "unrelated"]).Should().Equal("kitchen", "mittens", "sitting");
        Nearest.Of("abc", ["xyz"]).Should().BeEmpty();
    }
}
