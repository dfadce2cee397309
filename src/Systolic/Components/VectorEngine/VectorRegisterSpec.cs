using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Components;

/// <summary>A vector engine that works register by register: each holds some elements of every lane, and an instruction takes as long as moving and converting its operands.</summary>
public sealed record VectorRegisterSpec
{
    /// <summary>Elements that a register holds of each lane (sublanes); tensors are padded to it.</summary>
    public required int ElementsPerLane { get; init; }

    /// <summary>Cycles for a register of one operand, read or written.</summary>
    public required double OperandCycles { get; init; }

    /// <summary>Types that the engine does not compute with; others cost nothing beside their operand.</summary>
    public ImmutableArray<TypeConversion> Conversions { get; init; } = [];

    /// <summary>Cycles for a register of <paramref name="type"/> that is read.</summary>
    internal double Read(DataType type) => OperandCycles + (Find(type)?.Read ?? 0);

    /// <summary>Cycles for a register of <paramref name="type"/> that is written.</summary>
    internal double Write(DataType type) => OperandCycles + (Find(type)?.Write ?? 0);

    private TypeConversion? Find(DataType type)
    {
        foreach (TypeConversion conversion in Conversions)
        {
            if (conversion.Type == type)
            {
                return conversion;
            }
        }

        return null;
    }
}

/// <summary>What a type costs that an engine stores but does not compute with, in cycles for each register.</summary>
/// <param name="Type">The type.</param>
/// <param name="Read">To unpack and widen it.</param>
/// <param name="Write">To round and pack it.</param>
public sealed record TypeConversion(DataType Type, double Read, double Write);
