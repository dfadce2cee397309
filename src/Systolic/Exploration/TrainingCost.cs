using Systolic.Numerics;
using Systolic.Reporting;
using Systolic.Workloads;

namespace Systolic.Exploration;

/// <summary>What training a model on so many tokens takes on one kind of chip, from the simulated training step of one of its layers.</summary>
/// <remarks>
/// The model is a stack of equal GPT layers (feed-forward of four times the features, heads of 128), at most 8,192 features wide and as deep as its parameters ask. Without a
/// parallel plan chips scale perfectly, and exchange between them, embeddings and head are left out. Restarts, hosts and cooling always are, so every figure is a lower bound.
/// </remarks>
public sealed record TrainingCost
{
    private const long SequenceTokens = 2048;
    private const double FeaturesPerLayer = 128;
    private const double ParametersPerFeatureSquared = 12;
    private const long HeadDim = 128;
    private const long WidestLayer = 8192;

    private readonly ParallelPlan? _parallel;

    private TrainingCost(RunReport step, double layers, ComputeOptimal plan, ParallelPlan? parallel) => (Layer, Layers, Plan, _parallel) = (step, layers, plan, parallel);

    /// <summary>The simulated step, forward, backward, optimizer: of one layer on one chip on a sequence of 2,048 tokens, or of the whole model on the chips of a parallel plan.</summary>
    public RunReport Layer { get; }

    /// <summary>Layers of the model, a part of one included.</summary>
    public double Layers { get; }

    /// <summary>Model size and tokens.</summary>
    public ComputeOptimal Plan { get; }

    /// <summary>Hours that one chip would work, or all chips of a parallel plan together.</summary>
    public double ChipHours => Steps * Layer.Time.Seconds * (_parallel?.Chips ?? 1) / 3600;

    /// <summary>Energy of all chips in MWh.</summary>
    public double MegawattHours => Steps * Layer.Energy.Joules / 3.6e9;

    /// <summary>How often the simulated step runs.</summary>
    private double Steps => Plan.Tokens / SequenceTokens * (_parallel is { } parallel ? 1.0 / parallel.AllMicroBatches : Layers);

    /// <summary>Days on so many chips.</summary>
    public double Days(long chips) => ChipHours / chips / 24;

    /// <summary>Cost of chip hours and energy.</summary>
    public double Cost(RunningCost prices)
    {
        ArgumentNullException.ThrowIfNull(prices);
        return prices.Of(ChipHours, MegawattHours * 1000);
    }

    /// <summary>The layer that is simulated for a model of so many parameters, and how many the model has.</summary>
    public static (ModelShape Shape, double Layers) LayerOf(double parameters)
    {
        double features = Math.Cbrt(parameters * FeaturesPerLayer / ParametersPerFeatureSquared);
        long hidden = Math.Clamp((long)Math.Round(features / HeadDim) * HeadDim, HeadDim, WidestLayer);
        return (new ModelShape
        {
            Name = "gpt",
            Family = ModelFamily.DecoderOnly,
            DecoderLayers = 1,
            Hidden = hidden,
            QueryHeads = hidden / HeadDim,
            KvHeads = hidden / HeadDim,
            HeadDim = HeadDim,
            Intermediate = 4 * hidden,
            Vocabulary = 32_000,
            MaxPositions = SequenceTokens,
            Norm = NormFunction.Rms,
            Activation = ElementwiseFunction.Gelu,
            Positions = PositionKind.Rotary,
            Type = DataType.Bf16,
        }, parameters / (ParametersPerFeatureSquared * hidden * hidden));
    }

    /// <summary>The workload of that layer: a training step on one sequence.</summary>
    public static OperatorGraph StepOf(double parameters) => TransformerLayer.Training(LayerOf(parameters).Shape, 1, SequenceTokens);

    /// <summary>The workload of the whole model: a training step on a micro-batch of one sequence.</summary>
    public static OperatorGraph MicroBatchOf(double parameters)
    {
        (ModelShape shape, double layers) = LayerOf(parameters);
        return TransformerModel.Training(shape with { DecoderLayers = Math.Max(1, (long)Math.Round(layers)) }, 1, SequenceTokens);
    }

    /// <summary>The cost of a plan from a run of <see cref="StepOf"/>, or of <see cref="MicroBatchOf"/> on the chips of a parallel plan.</summary>
    public static TrainingCost From(RunReport step, ComputeOptimal plan, ParallelPlan? parallel = null) => new(step, LayerOf(plan.Parameters).Layers, plan, parallel);
}
