using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

/// <summary>Rows of theories over presets and phases.</summary>
public static class Presets
{
    public static TheoryData<string> All => [.. ModelPresets.Names];

    /// <summary>One layer like Llama's, small enough to be computed: two query heads to a key/value head, fp32.</summary>
    public static ModelShape Small { get; } = new()
    {
        Name = "small",
        Family = ModelFamily.DecoderOnly,
        DecoderLayers = 1,
        Hidden = 64,
        QueryHeads = 4,
        KvHeads = 2,
        HeadDim = 32,
        Intermediate = 96,
        Vocabulary = 120,
        MaxPositions = 1024,
        Norm = NormFunction.Rms,
        Activation = ElementwiseFunction.GatedSilu,
        Positions = PositionKind.Rotary,
        Type = DataType.Fp32,
    };

    /// <summary>Every preset in every phase it has; 128 tokens fit every model and fill every expert.</summary>
    public static TheoryData<string, string> Phases
    {
        get
        {
            var rows = new TheoryData<string, string>();
            foreach (string name in ModelPresets.Names)
            {
                foreach (string phase in new[] { "prefill", "decode", "training", "recompute", "layer prefill", "layer decode", "layer training", "layer recompute" })
                {
                    if (ModelPresets.Load(name).Family != ModelFamily.EncoderOnly || !phase.EndsWith("decode", StringComparison.Ordinal))
                    {
                        rows.Add(name, phase);
                    }
                }
            }

            return rows;
        }
    }

    public static OperatorGraph Graph(string name, string phase, long batch = 2, long tokens = 128) => Graph(ModelPresets.Load(name), phase, batch, tokens);

    public static OperatorGraph Graph(ModelShape shape, string phase, long batch, long tokens) => phase switch
    {
        "prefill" => TransformerModel.Prefill(shape, batch, tokens),
        "decode" => TransformerModel.Decode(shape, batch, tokens),
        "training" => TransformerModel.Training(shape, batch, tokens),
        "recompute" => TransformerModel.Training(shape, batch, tokens, options: new() { Recompute = Recomputation.Layers }),
        "layer prefill" => TransformerLayer.Prefill(shape, batch, tokens),
        "layer decode" => TransformerLayer.Decode(shape, batch, tokens),
        "layer training" => TransformerLayer.Training(shape, batch, tokens),
        "layer recompute" => TransformerLayer.Training(shape, batch, tokens, options: new() { Recompute = Recomputation.Layers }),
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, null),
    };
}
