using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class ParameterTests
{
    // Exact counts of the published checkpoints: totals of their safetensors files, without a tied head that a file holds once more (falcon-7b: 7,217,189,760 - 65,024 x 4,544).
    // BERT as BertModel with pooler; ViT with its 1,000 classes. DeepSeek's are "671B" and "15.7B" in the papers, here in full from the sizes that these print; by hand below.
    [Theory]
    [InlineData("gpt2", 124_439_808)]
    [InlineData("gpt2-xl", 1_557_611_200)]
    [InlineData("bert-base", 109_482_240)]
    [InlineData("bert-large", 335_141_888)]
    [InlineData("t5-base", 222_903_552)]
    [InlineData("llama-2-7b", 6_738_415_616)]
    [InlineData("llama-2-70b", 68_976_648_192)]
    [InlineData("llama-3-8b", 8_030_261_248)]
    [InlineData("llama-3-70b", 70_553_706_496)]
    [InlineData("mixtral-8x7b", 46_702_792_704)]
    [InlineData("mistral-7b", 7_241_732_096)]
    [InlineData("qwen2.5-0.5b", 494_032_768)]
    [InlineData("qwen2.5-7b", 7_615_616_512)]
    [InlineData("qwen3-8b", 8_190_735_360)]
    [InlineData("qwen3-30b-a3b", 30_532_122_624)]
    [InlineData("gemma2-2b", 2_614_341_888)]
    [InlineData("gemma2-9b", 9_241_705_984)]
    [InlineData("phi3-mini", 3_821_079_552)]
    [InlineData("opt-350m", 331_196_416)]
    [InlineData("opt-1.3b", 1_315_758_080)]
    [InlineData("falcon-7b", 6_921_720_704)]
    [InlineData("falcon-40b", 41_303_293_952)]
    [InlineData("deepseek-v2-lite", 15_706_484_224)]
    [InlineData("deepseek-v3", 671_026_419_200)]
    [InlineData("whisper-tiny", 37_760_640)]
    [InlineData("whisper-large-v3", 1_543_490_560)]
    [InlineData("vit-base", 86_567_656)]
    [InlineData("llava-1.5-7b", 7_063_427_072)]
    public void A_preset_has_the_published_number_of_parameters(string name, long published) =>
        ModelPresets.Load(name).Parameters.Should().Be(published);

    // 12 layers of width h hold 12 h^2 + 13 h each; 96 x (12 x 12288^2 + 13 x 12288) + (50257 + 2048) x 12288 + 2 x 12288 = 174,604,259,328.
    [Fact]
    public void Gpt3_has_175_billion_parameters() => ModelShapes.Gpt3_175B.Parameters.Should().Be(174_604_259_328);

    // BertForMaskedLM of bert-base: 109,482,240 - pooler 590,592 + dense 590,592 + norm 1,536 + bias 30,522.
    [Fact]
    public void Bert_is_trained_with_its_masked_head() => ModelShapes.Bert_Base.TrainedParameters.Should().Be(109_514_298);

    [Theory]
    [MemberData(nameof(Presets.All), MemberType = typeof(Presets))]
    public void The_forward_pass_reads_every_trained_parameter_once(string name)
    {
        ModelShape shape = ModelPresets.Load(name);
        OperatorGraph graph = TransformerModel.Training(shape, 1, 64);
        long read = 0;
        var seen = new HashSet<string>();
        // An encoder of pictures is read and not trained.
        foreach (GraphSection section in graph.Sections.TakeWhile(section => section.Name != "loss").Where(section => !section.Name.StartsWith("vision/", StringComparison.Ordinal)))
        {
            foreach (Operator op in section.Operators)
            {
                foreach (Tensor weight in op.Reads.Where(tensor => tensor.Operand.Role == TensorRole.Weight && seen.Add(tensor.Operand.Name)))
                {
                    long rows = op is Embedding gather ? gather.TableRows : weight.Shape.Rows;
                    read += section.Repeat * rows * weight.Shape.Columns * weight.Shape.Batch;
                }
            }
        }

        // The relative biases of T5, 32 buckets x 12 heads in each stack, are no operand.
        read.Should().Be(shape.TrainedParameters - (shape.RelativeBuckets * shape.QueryHeads * 2));
    }

    [Theory]
    [MemberData(nameof(Presets.All), MemberType = typeof(Presets))]
    public void The_optimizer_updates_every_trained_parameter_once(string name)
    {
        ModelShape shape = ModelPresets.Load(name);
        OperatorGraph graph = TransformerModel.Training(shape, 1, 64);
        graph.Sections.Sum(section => section.Repeat * section.Operators.OfType<AdamW>().Sum(op => op.Rows * op.Columns))
            .Should().Be(shape.TrainedParameters);
    }
}
