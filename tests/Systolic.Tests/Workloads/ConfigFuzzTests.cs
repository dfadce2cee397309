using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

/// <summary>Configurations that are almost right: refused with a list of problems, or a model that can be built.</summary>
public sealed class ConfigFuzzTests
{
    [Theory]
    [InlineData("gpt2", 1)]
    [InlineData("bert-base", 2)]
    [InlineData("t5-base", 3)]
    [InlineData("llama-3-8b", 4)]
    [InlineData("mixtral-8x7b", 5)]
    [InlineData("mistral-7b", 6)]
    [InlineData("qwen2.5-7b", 7)]
    [InlineData("qwen3-30b-a3b", 8)]
    [InlineData("gemma2-2b", 9)]
    [InlineData("opt-350m", 10)]
    [InlineData("falcon-40b", 11)]
    [InlineData("deepseek-v3", 12)]
    [InlineData("whisper-tiny", 13)]
    [InlineData("vit-base", 14)]
    [InlineData("llava-1.5-7b", 15)]
    public void A_mutated_configuration_is_refused_or_builds(string name, int seed)
    {
        var random = new Random(seed);
        string original = ModelPresets.Json(name);
        int read = 0;
        var failures = new List<string>();
        for (int i = 0; i < 400; i++)
        {
            string mutated = Mutations.Of(original, random);
            try
            {
                ModelShape shape = ConfigReader.Read(mutated, "mutated.json");
                read++;
                Build(shape);
            }
            catch (InvalidDocumentException refused)
            {
                refused.Message.Should().StartWith("mutated.json: ");
            }
            catch (Exception other)
            {
                failures.Add($"#{i} {other.GetType().Name}: {other.Message}\n{Mutations.Difference(original, mutated)}");
            }
        }

        failures.Should().BeEmpty();
        read.Should().BeGreaterThan(15, "some mutations leave a model");
    }

    /// <summary>Builds one layer in every phase; a workload beyond 64 bits is refused as documented, with what to reduce.</summary>
    private static void Build(ModelShape shape)
    {
        try
        {
            TransformerLayer.Prefill(shape, 1, 64).Macs.Value.Should().BePositive();
            TransformerLayer.Training(shape, 1, 64).CompulsoryBytes.Value.Should().BePositive();
            if (shape.Family != ModelFamily.EncoderOnly)
            {
                TransformerLayer.Decode(shape, 1, 64).CompulsoryBytes.Value.Should().BePositive();
            }
        }
        catch (OverflowException refused)
        {
            refused.Message.Should().Contain("expected a workload that can be counted");
        }
    }
}
