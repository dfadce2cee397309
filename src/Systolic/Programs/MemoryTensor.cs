using Systolic.Numerics;

namespace Systolic.Programs;

/// <summary>What a program does with a tensor of main memory.</summary>
public enum MemoryRole : byte
{
    /// <summary>Read; given before the program starts.</summary>
    Input,

    /// <summary>Written; complete when the program ends.</summary>
    Output,

    /// <summary>Given, updated in place, and returned.</summary>
    InputOutput,

    /// <summary>Written and read back by the program itself.</summary>
    Scratch,
}

/// <summary>A tensor in main memory, row by row without gaps; more dimensions than two are rows below each other.</summary>
/// <param name="Index">Its number in <see cref="Program.Tensors"/>.</param>
/// <param name="Name">Its name among the program's tensors.</param>
/// <param name="Rows">Rows over all leading dimensions.</param>
/// <param name="Columns">Elements of a row.</param>
/// <param name="Type">Element type.</param>
/// <param name="Role">What the program does with it.</param>
/// <param name="Address">Byte address of its first element.</param>
public sealed record MemoryTensor(int Index, string Name, long Rows, long Columns, DataType Type, MemoryRole Role, long Address)
{
    /// <summary>Tensors start at multiples of this many bytes.</summary>
    public const long Alignment = 4096;

    /// <summary>An output whose memory holds zeros before the program starts.</summary>
    internal bool IsCleared { get; init; }

    /// <summary>All elements.</summary>
    public long Elements => Rows * Columns;

    /// <summary>All bytes.</summary>
    public long Bytes => Elements * Type.ByteSize();

    /// <summary>Some columns of some consecutive rows.</summary>
    public MemoryView Part(long row, long rows, long column, long columns) =>
        new(this, (row * Columns) + column, new MemoryPattern(1, 0, (int)rows, Columns, 1, 0, (int)columns));

    /// <summary>Some consecutive rows.</summary>
    public MemoryView Part(long row, long rows) => Part(row, rows, 0, Columns);

    /// <summary>Consecutive elements from <paramref name="start"/> on, cut into <paramref name="rows"/> rows of <paramref name="width"/>, whatever the tensor's own rows.</summary>
    public MemoryView Flat(long start, long rows, long width) =>
        new(this, start, new MemoryPattern(1, 0, (int)rows, width, 1, 0, (int)width));

    /// <summary>The same row for <paramref name="copies"/> partitions.</summary>
    public MemoryView Broadcast(long row, int copies, long column, long columns) =>
        new(this, (row * Columns) + column, new MemoryPattern(1, 0, copies, 0, 1, 0, (int)columns));
}

/// <summary>The part of a tensor that a transfer moves.</summary>
/// <param name="Tensor">The tensor.</param>
/// <param name="Offset">Its first element.</param>
/// <param name="Pattern">Rows and runs from there.</param>
public readonly record struct MemoryView(MemoryTensor Tensor, long Offset, MemoryPattern Pattern)
{
    /// <summary>The rows <paramref name="count"/> times, each <paramref name="stride"/> elements after the last: a new outer dimension of rows.</summary>
    public MemoryView Groups(int count, long stride) => this with { Pattern = Pattern with { RowGroups = count, GroupStride = stride } };

    /// <summary>In each row the run <paramref name="count"/> times, each <paramref name="stride"/> elements after the last.</summary>
    public MemoryView Blocks(int count, long stride) => this with { Pattern = Pattern with { Blocks = count, BlockStride = stride } };

    /// <summary>Byte address of the first element.</summary>
    public long Address => Tensor.Address + (Offset * Tensor.Type.ByteSize());
}

/// <summary>Rows (in groups) of runs of consecutive elements, strides in elements.</summary>
/// <param name="RowGroups">Groups of rows.</param>
/// <param name="GroupStride">From group to group.</param>
/// <param name="Rows">Rows of a group.</param>
/// <param name="RowStride">From row to row; 0 repeats a row.</param>
/// <param name="Blocks">Runs of a row.</param>
/// <param name="BlockStride">From run to run.</param>
/// <param name="Elements">Consecutive elements of a run.</param>
public readonly record struct MemoryPattern(int RowGroups, long GroupStride, int Rows, long RowStride, int Blocks, long BlockStride, int Elements)
{
    /// <summary>Rows over all groups.</summary>
    public int AllRows => RowGroups * Rows;

    /// <summary>Elements of a row over all its runs.</summary>
    public int RowElements => Blocks * Elements;

    /// <summary>Contiguous runs.</summary>
    public int Runs => RowGroups * Rows * Blocks;

    /// <summary>Highest element relative to the first.</summary>
    public long Highest => ((RowGroups - 1) * GroupStride) + ((Rows - 1) * RowStride) + ((Blocks - 1) * BlockStride) + Elements - 1;

    /// <summary>Offset of row <paramref name="row"/>.</summary>
    public long RowOffset(int row)
    {
        (int group, int within) = Math.DivRem(row, Rows);
        return (group * GroupStride) + (within * RowStride);
    }
}

/// <summary>A <see cref="MemoryView"/> as a program keeps it: equal patterns are kept once.</summary>
internal readonly record struct MemoryAccess(int Tensor, int Pattern, long Offset);
