using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>What fits: buffer copies, piece widths, and how much of an operator one program covers.</summary>
internal static class Placement
{
    /// <summary>Instructions of one program, about; a larger operator becomes several equal programs.</summary>
    public const long MaximumInstructions = 1L << 20;

    /// <summary>Copies of <paramref name="bytes"/> per partition that fit, at most <see cref="TilePipeline.SkewedCopies"/>; 0 when none does.</summary>
    public static int Copies(KernelBuilder kernel, long bytes, long reserved = 0) =>
        (int)Math.Clamp((kernel.FreeSbuf - reserved) / bytes, 0, TilePipeline.SkewedCopies);

    /// <summary>The copies that fit.</summary>
    /// <exception cref="CapacityException">None fits; the message gives <paramref name="what"/> and <paramref name="remedy"/>.</exception>
    public static int RequireCopies(KernelBuilder kernel, string operation, string what, long bytes, long reserved, string remedy) =>
        Copies(kernel, bytes, reserved) is var copies and > 0 ? copies : throw new CapacityException(FormattableString.Invariant(
            $"{operation}: {what} takes {bytes + reserved} B per partition, SBUF of {kernel.Machine.Name} has {kernel.FreeSbuf} B free. {remedy}"));

    /// <summary>The widest piece, at most <paramref name="wanted"/>, of which <paramref name="copies"/> fit; a multiple of <paramref name="unit"/> where one fits.</summary>
    /// <exception cref="CapacityException">Not even one column fits.</exception>
    public static int Width(KernelBuilder kernel, string operation, long wanted, long bytesPerColumn, long reserved = 0, long unit = 1, int copies = TilePipeline.Copies)
    {
        long fits = Math.Max(0, kernel.FreeSbuf - reserved) / (bytesPerColumn * copies);
        if (fits == 0)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"{operation}: one column takes {(bytesPerColumn * copies) + reserved} B per partition in {copies} buffers, SBUF of {kernel.Machine.Name} has {kernel.FreeSbuf} B free."));
        }

        long width = Math.Min(wanted, fits);
        return (int)(width < wanted && width >= unit ? width / unit * unit : width);
    }

    /// <summary>Cuts an extent into programs of bounded length: equal ones first, then the rest.</summary>
    /// <param name="extent">Rows or elements.</param>
    /// <param name="unit">Rows or elements of a tile.</param>
    /// <param name="instructionsPerUnit">Instructions of a tile.</param>
    /// <param name="write">Writes the program of a part of the extent, and its mapping.</param>
    public static Lowering Cut(long extent, long unit, long instructionsPerUnit, Func<long, (Program Program, string Mapping)> write)
    {
        long units = Math.Max(1, MaximumInstructions / instructionsPerUnit);
        long piece = (extent + unit - 1) / unit <= units ? extent : units * unit;
        (Program program, string mapping) = write(piece);
        var passes = ImmutableArray.Create(new LoweredPass(program, extent / piece));
        return new Lowering(extent % piece == 0 ? passes : passes.Add(new LoweredPass(write(extent % piece).Program, 1)), mapping);
    }

    /// <summary>A tile mapping in one line, such as "128-row tiles, 3 buffers".</summary>
    public static string Mapping(int height, int copies, string more = "") =>
        FormattableString.Invariant($"{height}-row tiles, {copies} buffer{(copies == 1 ? "" : "s")}{(more.Length == 0 ? "" : ", ")}{more}");
}
