using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>The layers of a SCALE-Sim topology file, in order; they run one after another.</summary>
/// <param name="Layers">At least one.</param>
public sealed record ScaleSimTopology(ImmutableArray<ScaleSimLayer> Layers)
{
    /// <summary>Reads a file of convolutions: name, input height and width, filter height and width, channels, filters, stride.</summary>
    /// <exception cref="InvalidDocumentException">The file is not such a topology; the message lists every problem with its line.</exception>
    public static ScaleSimTopology ReadConvolutions(string file) => ParseConvolutions(DocumentText.Read(file), file);

    /// <summary>Reads a file of matrix products: name, M, N, K.</summary>
    /// <exception cref="InvalidDocumentException">The file is not such a topology.</exception>
    public static ScaleSimTopology ReadGemms(string file) => ParseGemms(DocumentText.Read(file), file);

    /// <summary>Reads the text of a file of convolutions.</summary>
    /// <exception cref="InvalidDocumentException">The text is not such a topology.</exception>
    public static ScaleSimTopology ParseConvolutions(string text, string file) => new(ScaleSimTopologyReader.Convolutions(text, file));

    /// <summary>Reads the text of a file of matrix products.</summary>
    /// <exception cref="InvalidDocumentException">The text is not such a topology.</exception>
    public static ScaleSimTopology ParseGemms(string text, string file) => new(ScaleSimTopologyReader.Gemms(text, file));
}
