using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>One stack of layers of a model.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Prefix">In front of the names of its operators and tensors.</param>
/// <param name="Layers">Layers in the stack.</param>
/// <param name="Causal">A token sees only those before it.</param>
/// <param name="Crosses">Its layers attend to the encoder's output.</param>
internal sealed record Stack(ModelShape Shape, string Prefix, long Layers, bool Causal, bool Crosses)
{
    /// <summary>The encoder's output.</summary>
    public const string Source = "encoder/output";

    private const string VisionPrefix = "vision/";

    /// <summary>The residual stream, which enters and leaves every section.</summary>
    public string Hidden => Prefix + "hidden";

    /// <summary>It reads pictures or sound.</summary>
    public bool ReadsFront => !Causal && Shape.Front is not null;

    /// <summary>A tensor of the encoder of pictures; its projector counts as the decoder's.</summary>
    public static bool IsVision(string tensor) => tensor.StartsWith(VisionPrefix, StringComparison.Ordinal);

    /// <summary>The encoder of pictures in front of a decoder.</summary>
    public static Stack OfVision(ModelShape shape) => new(shape.Vision!, VisionPrefix, shape.VisionLayersUsed, Causal: false, Crosses: false);

    /// <summary>The kinds of its first <paramref name="layers"/> layers; an encoder's are all alike.</summary>
    public ImmutableArray<(LayerKind Kind, long Count)> Kinds(long layers) => Causal ? LayerKind.Count(Shape, layers) : [(default, layers)];

    /// <summary>The stack that reads the input of an encoder-decoder.</summary>
    public static Stack Encoder(ModelShape shape) => new(shape, "encoder/", shape.EncoderLayers, Causal: false, Crosses: false);

    /// <summary>The stack that ends in the head; the only one of most models.</summary>
    public static Stack Last(ModelShape shape) => shape.Family switch
    {
        ModelFamily.EncoderDecoder => new(shape, "decoder/", shape.DecoderLayers, Causal: true, Crosses: true),
        ModelFamily.EncoderOnly => new(shape, "", shape.EncoderLayers, Causal: false, Crosses: false),
        _ => new(shape, "", shape.DecoderLayers, Causal: true, Crosses: false),
    };
}
