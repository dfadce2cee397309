using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Validation;

/// <summary>Measured kernels on a TPU v4, whose two cores work as one: products, layer norms and additions, all on the one machine "tpu-v4".</summary>
internal sealed class TpuSuite : IValidationSuite
{
    private const string Latency = "latency_us";
    private const int LargestSize = 1 << 16;

    private static readonly ImmutableArray<string> Columns = ["op", "regime", "M", "K", "N", "rows", "cols", "dtype", Latency, "min_us", "max_us"];
    private static readonly string[] Operators = ["matmul", "layernorm", "add"];

    /// <inheritdoc/>
    public string Name => "tpu";

    /// <inheritdoc/>
    public void Score(string csv, string file, ValidationTally tally, CancellationToken cancellation)
    {
        var table = CsvTable.Parse(csv, file, Columns);
        Case[] cases = [.. table.Rows.Select(Read)];
        table.Finish();
        Accelerator machine = MachinePresets.Accelerator("tpu-v4");
        foreach (Case one in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            tally.Add(new ValidationRow(one.Group, one.Id, Latency, one.Microseconds, Time(machine, one, cancellation).Seconds * 1e6));
        }
    }

    private static Case Read(CsvRow row)
    {
        int op = row.Choice("op", Operators);
        string[] sizes = op == 0 ? ["M", "K", "N"] : ["rows", "cols"];
        ImmutableArray<int> shape = [.. sizes.Select(size => (int)row.Integer(size, 1, LargestSize))];
        DataType type = DataType.Fp16;
        try
        {
            type = DataTypes.Parse(row.Text("dtype"));
        }
        catch (FormatException refused)
        {
            row.Problem("dtype", refused.Message);
        }

        string name = row.Optional("op");
        return new Case(op, $"{name}/{row.Text("regime")}", $"{name} {string.Join('x', shape)}", shape, type, row.Number(Latency, 0, 1e9));
    }

    /// <summary>What the core that has most to do takes, and what starting and ending takes.</summary>
    private static SimTime Time(Accelerator machine, Case one, CancellationToken cancellation)
    {
        SimTime run = Simulator.Run(Write(machine, one), machine, cancellation: cancellation).Time;
        return run + machine.Synchronization.ProgramOverhead + (one.Op == 1 ? WindowedRows.NormSetup : SimTime.Zero);
    }

    private static Program Write(Accelerator machine, Case one)
    {
        if (one.Op > 0)
        {
            return one.Op == 1
                ? WindowedRows.LayerNorm(machine, one.Id, one.Shape[0], one.Shape[1], one.Type)
                : WindowedRows.Add(machine, one.Id, one.Shape[0], one.Shape[1], one.Type);
        }

        var product = new WindowedProduct(machine, one.Shape[0], one.Shape[1], one.Shape[2]);
        return WindowedMatMul.Write(machine, one.Id, product, one.Type, TileEstimate.TpuV4.Choose(product, machine));
    }

    private sealed record Case(int Op, string Group, string Id, ImmutableArray<int> Shape, DataType Type, double Microseconds);
}
