using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>The machines that ship with the package, each a JSON file in the format that users write, and the one way to load a machine by name or path.</summary>
public static class MachinePresets
{
    /// <summary>Names of the presets: the whole chips, their single cores, and the GPUs.</summary>
    public static ImmutableArray<string> Names { get; } =
        ["inf2", "trn1", "trn2", "trn3", "trn1-core", "trn2-core", "trn3-core", "tpu-v4", "v100", "a100-40gb", "a100-80gb", "h100", "h200", "t4", "l4"];

    /// <summary>One AWS Trainium chip: two NeuronCore-v2.</summary>
    public static IMachine Trn1 => Load("trn1");

    /// <summary>One AWS Trainium2 chip: eight NeuronCore-v3.</summary>
    public static IMachine Trn2 => Load("trn2");

    /// <summary>One AWS Trainium3 chip: eight NeuronCore-v4.</summary>
    public static IMachine Trn3 => Load("trn3");

    /// <summary>One NVIDIA A100 SXM with 80 GB.</summary>
    public static IMachine A100 => Load("a100-80gb");

    /// <summary>One NVIDIA H100 SXM.</summary>
    public static IMachine H100 => Load("h100");

    /// <summary>One NVIDIA H200 SXM.</summary>
    public static IMachine H200 => Load("h200");

    /// <summary>A preset by name, or the machine of a JSON file by path.</summary>
    /// <exception cref="InvalidDocumentException">Neither; or the file is no machine, with all its problems.</exception>
    public static IMachine Load(string nameOrPath)
    {
        ArgumentNullException.ThrowIfNull(nameOrPath);
        return Read(Text(nameOrPath), nameOrPath);
    }

    /// <summary>The JSON of a preset, or of a file by path.</summary>
    /// <exception cref="InvalidDocumentException">Neither.</exception>
    internal static string Text(string nameOrPath) => Names.Contains(nameOrPath) ? Json(nameOrPath)
        : File.Exists(nameOrPath) ? DocumentText.Read(nameOrPath)
        : throw Unknown(nameOrPath);

    /// <summary>The JSON of preset <paramref name="name"/>: a file to start from.</summary>
    /// <exception cref="InvalidDocumentException">There is no such preset.</exception>
    public static string Json(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Names.Contains(name) ? DocumentText.ReadEmbedded($"Machines/{name}.json") : throw Unknown(name);
    }

    /// <summary>The hardware configuration of systolic preset <paramref name="name"/>, to vary with <c>with</c>.</summary>
    /// <exception cref="InvalidDocumentException">There is no such preset, or it is no systolic machine.</exception>
    public static Accelerator Accelerator(string name) => AcceleratorReader.Read(Json(name), name);

    /// <summary>The machine of a JSON text, which messages call <paramref name="file"/>.</summary>
    /// <exception cref="InvalidDocumentException">It is no machine, with all its problems.</exception>
    internal static IMachine Read(string json, string file) => KindOf(json, file) is AcceleratorReader.Kind ? new SystolicMachine(AcceleratorReader.Read(json, file)) : SimtReader.Read(json, file);

    /// <summary>As <see cref="Read"/>, of each part by itself: whether they fit each other is not asked.</summary>
    /// <exception cref="InvalidDocumentException">As there.</exception>
    internal static void CheckParts(string json, string file) => _ = KindOf(json, file) is AcceleratorReader.Kind ? (object)AcceleratorReader.ReadParts(json, file) : SimtReader.ReadParts(json, file);

    private static string KindOf(string json, string file)
    {
        var root = JsonSection.Parse(json, file);
        string kind = root.Text("kind");
        if (kind is not (AcceleratorReader.Kind or SimtReader.Kind or ""))
        {
            root.Problem("kind", $"found \"{kind}\", expected \"{AcceleratorReader.Kind}\" or \"{SimtReader.Kind}\"");
        }

        root.Finish();
        return kind;
    }

    private static InvalidDocumentException Unknown(string name) =>
        new($"{name}: found no such machine, expected a preset or a machine file{Nearest.Hint(name, Names)}");
}
