using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Predicts published power and energy: counts of a simulated workload times the energy table, and the chip's idle and active power at the row's rate.</summary>
internal sealed class PowerPredictor(CancellationToken cancellation)
{
    private const long TrainingTokens = 2048;

    /// <summary>Mean length of a prompt in LMSYS-Chat-1M (Zheng et al. 2023), tokens; the rows do not state theirs.</summary>
    private const double PromptTokens = 69.5;

    /// <summary>Power of a server over that of its accelerators: DGX-1 data sheet, 3,500 W with eight of 300 W.</summary>
    private const double ServerOverChips = 3500.0 / 2400;

    /// <summary>Shares of the peak at which fleets work on average and at most; the publication states 35 to 50 % as the mean; the most is assumed.</summary>
    private const double MeanUtilization = 0.425;
    private const double MostUtilization = 0.65;

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
            "throughput ratio" when Says("zero") => new(Of(chip).Sustained(activity: 0) / Of(chip).Sustained()),
            "energy per FLOP" when Says("matrix unit") => new(Of(chip).MatrixUnitPicojoules),
            "energy per FLOP" when Says("vector") => new(VectorFlop(chip)),
            "energy per FLOP" when Says("GEMM") => ProductPerFlop(chip, one),
            "energy per bit" when Says("HBM") => new(MemoryBit(chip)),
            "energy per output token" when Says("serving") => Serving(chip, one),
            "facility energy" or "facility energy at TDP" or "GPU energy at TDP" when Says("training") => TrainingRun(chip, one),
            _ => PowerPrediction.Refuse("the row does not state enough to repeat it"),
        };
    }

    private PowerProduct Of(PowerChip chip) => new(chip, cancellation);

    private PowerPrediction Product(PowerChip chip, PowerCase one)
    {
        PowerProduct product = Of(chip);
        double rate = one.Before("TFLOPS") is { } stated && !one.Notes.Contains("dense", StringComparison.Ordinal) ? stated * 1e12 : product.SimulatedRate;
        double counted = product.Joules() * rate;
        return new(chip.Watts(counted)) { Beside = [("without the cap", chip.Energy.Idle.Watts + chip.Energy.Active.Watts + counted)] };
    }

    private PowerPrediction ProductPerFlop(PowerChip chip, PowerCase one)
    {
        PowerProduct product = Of(chip);
        double rate = one.Before("TFLOPS") * 1e12 ?? product.Sustained();
        double PicojoulesAt(double watts) => watts / rate * 1e12;
        double counted = product.Joules() * rate;
        return new(PicojoulesAt(chip.Watts(counted))) { Beside = [("without the cap", PicojoulesAt(chip.Energy.Idle.Watts + chip.Energy.Active.Watts + counted))] };
    }

    private double Fleet(PowerChip chip, double utilization) => chip.Watts(Of(chip).Joules() * chip.Peak * utilization);

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
            ? PowerChip.CountedJoules(step) / step.UsefulFlops * step.Mfu * chip.Peak
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
        return chip.Watts(PowerChip.CountedJoules(step) / step.UsefulFlops * rate);
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
