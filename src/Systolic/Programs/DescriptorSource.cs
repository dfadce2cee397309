namespace Systolic.Programs;

/// <summary>Who writes the descriptors of a transfer, and when.</summary>
public enum DescriptorSource : byte
{
    /// <summary>The compiler: they lie ready in memory.</summary>
    Compiled,

    /// <summary>A descriptor generation block, when the transfer is triggered (NeuronCore-v3 and later).</summary>
    Hardware,

    /// <summary>One such block for the transfers of all queues: one engine triggers them, for the others are busy computing.</summary>
    HardwareOneBlock,

    /// <summary>The general-purpose engine, when the transfer is triggered.</summary>
    Software,
}
