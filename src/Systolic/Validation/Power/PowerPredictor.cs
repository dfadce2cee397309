using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Predicts published power and energy: counts of a simulated workload times the energy table, and the chip's idle and active power at the row's rate.</summary>
internal sealed class PowerPredictor(CancellationToken cancellation)
{
    private const long ProductSize = 8192;
    private const long TrainingTokens = 2048;

    /// <summary>Mean length of a prompt in LMSYS-Chat-1M (Zheng et al. 2023), tokens; the rows do not state theirs.</summary>
    private const double PromptTokens = 69.5;

    /// <summary>Power of a server over that of its accelerators: DGX-1 data sheet, 3,500 W with eight of 300 W.</summary>
    private const double ServerOverChips = 3500.0 / 2400;

    /// <summary>Shares of the peak at which fleets work on average and at most; the publication states 35 to 50 % as the mean.</summary>
    private const double MeanUtilization = 0.425;
    private const double MostUtilization = 0.65;

    /// <summary>Share of the energy of an event that follows the data, nothing of which is spent on zeros: A100, Antepara et al. SC 2025 Table 3.</summary>
    private static readonly ImmutableDictionary<string, double> DataShare = ImmutableDictionary<string, double>.Empty
        .Add("matrix arithmetic", 0.33 / 0.70).Add("instruction and operand supply", 0.33 / 0.70).Add("shared memory", 0.33 / 1.59).Add("L2 cache", 1.6 / 4.71).Add("main memory", 4.64 / 13.11);

    private readonly ImmutableArray<PowerChip> _chips = PowerChip.All();

    /// <summary>The prediction for a row.</summary>
    public PowerPrediction Predict(PowerCase one)
    {
        if (one.Metric == "efficiency")
        {
            return PowerMacro.Efficiency(one);
        }

        if (_chips.FirstOrDefault(chip => one.ChipName.StartsWith(chip.Name, StringComparison.Ordinal)) is not { } chip)
        {
            return PowerPrediction.Refuse("no machine of the library stands for the chip");
        }

        bool Says(string word) => one.Workload.Contains(word, StringComparison.OrdinalIgnoreCase);
        return one.Metric switch
        {
            "power" when Says("idle") => new(chip.Energy.Idle.Watts),
            "power" when Says("production mean") => new(Fleet(chip, MeanUtilization)),
            "power" when Says("production maximum") => new(Fleet(chip, MostUtilization)),
            "power" or "board power" when Says("GEMM") || Says("any") => Product(chip, one),
            "mean power per chip" when Says("training") && Model(one) is not null => Training(chip, one, watts => watts),
            "throughput ratio" when Says("zero") => new(Sustained(chip, 0) / Sustained(chip, 1)),
            "energy per FLOP" when Says("matrix unit") => new(MatrixUnit(chip)),
            "energy per FLOP" when Says("vector") => new(VectorFlop(chip)),
            "energy per FLOP" when Says("GEMM") => ProductPerFlop(chip, one),
            "energy per bit" when Says("HBM") => new(MemoryBit(chip)),
            "energy per output token" when Says("serving") => Serving(chip, one),
            "facility energy" or "facility energy at TDP" or "GPU energy at TDP" when Says("training") => TrainingRun(chip, one),
            _ => PowerPrediction.Refuse("the row does not state enough to repeat it"),
        };
    }

    private RunReport Product(PowerChip chip) => chip.Run(
        "product", () => OperatorGraph.Of(new MatMul("product", ProductSize, ProductSize, ProductSize, LeftTransposed: true) { Split = new Split(SplitAxis.Columns, ProductSize) }), cancellation);

    /// <summary>Joules per FLOP of what a large bf16 product counts, at the voltage at which the energy rows hold.</summary>
    private double ProductJoules(PowerChip chip, double activity = 1)
    {
        RunReport run = Product(chip);
        double voltage = run.Trace.Operators.Max(op => op.Voltage), joules = 0;
        foreach (EnergyPart part in run.EnergyBreakdown.Parts)
        {
            bool power = part.Component is EnergyBreakdown.Idle or EnergyBreakdown.ActiveClocking or EnergyBreakdown.MemoryBackground;
            joules += power ? 0 : part.Value.Joules / (part.Component == "main memory" ? 1 : voltage) * (1 - ((1 - activity) * DataShare.GetValueOrDefault(part.Component)));
        }

        return joules / PowerChip.UsefulFlops(run);
    }

    /// <summary>FLOP per second of a large product: as simulated, or less where the cap asks for a lower clock.</summary>
    private double Sustained(PowerChip chip, double activity)
    {
        double most = SimulatedRate(chip);
        return chip.Energy.Cap is { } cap ? Math.Min(most, (cap.Watts - chip.Energy.Idle.Watts - chip.Energy.Active.Watts) / ProductJoules(chip, activity)) : most;
    }

    private double SimulatedRate(PowerChip chip)
    {
        RunReport run = Product(chip);
        return chip.Stands ? run.Mfu * chip.Peak : PowerChip.UsefulFlops(run) / run.Time.Seconds;
    }

    private PowerPrediction Product(PowerChip chip, PowerCase one)
    {
        double rate = one.Before("TFLOPS") is { } stated && !one.Notes.Contains("dense", StringComparison.Ordinal) ? stated * 1e12 : SimulatedRate(chip);
        double counted = ProductJoules(chip) * rate;
        return new(chip.Watts(counted)) { Beside = [("without the cap", chip.Energy.Idle.Watts + chip.Energy.Active.Watts + counted)] };
    }

    private PowerPrediction ProductPerFlop(PowerChip chip, PowerCase one)
    {
        double rate = one.Notes.Contains("TDP", StringComparison.Ordinal) || one.Before("TFLOPS") is not { } stated || one.OneSided ? Best(one) ?? Sustained(chip, 1) : stated * 1e12;
        double PicojoulesAt(double watts) => watts / rate * 1e12;
        double counted = ProductJoules(chip) * rate;
        return new(PicojoulesAt(chip.Watts(counted))) { Beside = [("without the cap", PicojoulesAt(chip.Energy.Idle.Watts + chip.Energy.Active.Watts + counted))] };
    }

    private static double? Best(PowerCase one) => one.Before("TFLOPS") * 1e12;

    private double Fleet(PowerChip chip, double utilization) => chip.Watts(ProductJoules(chip) * chip.Peak * utilization);

    /// <summary>A regression without an active term gives the active power to the only event that there is.</summary>
    private double MatrixUnit(PowerChip chip)
    {
        RunReport run = Product(chip);
        double voltage = run.Trace.Operators.Max(op => op.Voltage);
        double joules = run.EnergyBreakdown.Parts.Where(part => part.Component is "matrix arithmetic" or "instruction and operand supply").Sum(part => part.Value.Joules) / voltage;
        return ((joules / PowerChip.UsefulFlops(run)) + (chip.Energy.Active.Watts / Sustained(chip, 1))) * 1e12;
    }

    private static double VectorFlop(PowerChip chip)
    {
        double lane = Picojoules(chip, ActivityKind.MacFp32) + Picojoules(chip, ActivityKind.SimtLaneOverhead);
        return (lane / 2) + (chip.Energy.Active.Watts / (2 * chip.Machine.Profile.PeakMacsPerSecond[DataType.Fp32]) * 1e12);
    }

    private double MemoryBit(PowerChip chip)
    {
        // A stream reads as many bytes as main memory gives; the bytes pass L2 too, whose own part a regression subtracts.
        double bitsPerSecond = 8 * chip.Machine.Profile.MainMemory.BytesPerSecond;
        RunReport stream = chip.Run("stream", () => OperatorGraph.Of(new Elementwise("stream", ElementwiseFunction.Add, 1 << 16, 1 << 14)), cancellation);
        double memory = stream.EnergyBreakdown.Parts.Single(part => part.Component == "main memory").Value.Joules / (8 * stream.Counts.DramBytes);
        return (memory + (chip.Energy.Active.Watts / bitsPerSecond)) * 1e12;
    }

    private static double Picojoules(PowerChip chip, ActivityKind kind) =>
        EnergyReferenceTable.Default.Row(kind, chip.Energy.NodeNanometres, chip.Energy.MachineClass).Value.Picojoules;

    private PowerPrediction Serving(PowerChip chip, PowerCase one)
    {
        if (PowerModels.Find(one.Workload) is not { } shape || one.After("batch") is not { } batch || one.Before("tok/s") is not { } rate)
        {
            return PowerPrediction.Refuse("serving of an unknown model, or without batch and rate");
        }

        if (one.Workload.Contains(" fp8 ", StringComparison.Ordinal) || one.Workload.Contains("mxfp4", StringComparison.Ordinal))
        {
            shape = shape with { Type = DataType.Fp8E4M3 };
        }

        double output = one.After("mean output") ?? 512;
        long context = (long)(PromptTokens + (output / 2));
        RunReport step = chip.Run($"decode {shape.Name} {shape.Type} {batch} {context}", () => TransformerModel.Decode(shape, (long)batch, context), cancellation);
        RunReport prompt = chip.Run($"prefill {shape.Name} {shape.Type}", () => TransformerModel.Prefill(shape, 8, (long)PromptTokens), cancellation);
        double counted = (PowerChip.CountedJoules(step) / step.Tokens) + (PowerChip.CountedJoules(prompt) / 8 / output);
        double watts = one.Chips * chip.Watts(counted * rate / one.Chips);
        double simulated = step.Tokens / step.Time.Seconds;
        return new(watts / rate) { Beside = [("at the simulated rate of one chip", chip.Watts(counted * simulated) / simulated)] };
    }

    private PowerPrediction Training(PowerChip chip, PowerCase one, Func<double, double> figure)
    {
        RunReport step = Step(chip, Model(one));
        double counted = chip.Stands
            ? PowerChip.CountedJoules(step) / PowerChip.UsefulFlops(step) * step.Mfu * chip.Peak
            : PowerChip.CountedJoules(step) / step.Time.Seconds;
        return new(figure(chip.Watts(counted)));
    }

    private PowerPrediction TrainingRun(PowerChip chip, PowerCase one)
    {
        double pue = one.Metric == "GPU energy at TDP" ? 1 : one.After("PUE") ?? 1;
        if (one.Before("GPU-h") is { } hours)
        {
            return one.Before("FLOP") is { } work
                ? new(AtRate(chip, one, work / (hours * 3600)) * hours * pue * 1e-6)
                : Training(chip, one, watts => watts * hours * pue * 1e-6);
        }

        if (one.Before("FLOP at") is not { } flops || one.Before("TFLOPS/chip") is not { } rate)
        {
            return PowerPrediction.Refuse("a training run without hours, or without FLOPs and rate");
        }

        return new(flops / (rate * 1e12) * AtRate(chip, one, rate * 1e12) * ServerOverChips * pue / 3.6e9);
    }

    /// <summary>Watts of a chip that trains at so many FLOP per second.</summary>
    private double AtRate(PowerChip chip, PowerCase one, double rate)
    {
        RunReport step = Step(chip, Model(one));
        return chip.Watts(PowerChip.CountedJoules(step) / PowerChip.UsefulFlops(step) * rate);
    }

    /// <summary>The model that a row begins with, perhaps behind the name of a benchmark; null when it is not known.</summary>
    private static ModelShape? Model(PowerCase one) => PowerModels.Find(one.Workload) ?? PowerModels.Find(one.Workload[(one.Workload.IndexOf(' ', StringComparison.Ordinal) + 1)..]);

    /// <summary>A training step of one layer of the model; of Llama-3.1-8B where it is not known.</summary>
    private RunReport Step(PowerChip chip, ModelShape? known)
    {
        ModelShape shape = known ?? PowerModels.Find("Llama-3.1-8B")!;
        long tokens = shape.Name == "BERT" ? 512 : TrainingTokens;
        return chip.Run($"training {shape.Name}", () => TransformerLayer.Training(shape, Math.Max(1, 16_384 / tokens / 4), tokens), cancellation);
    }
}
