using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Cli;

/// <summary>The options that choose a workload, and the workload they choose.</summary>
internal sealed class WorkloadOptions
{
    private const long DefaultTokens = 2048;
    private static readonly string[] Phases = ["prefill", "decode", "training", "finetune"];

    private readonly Library _library;
    private readonly Option<string> _model;
    private readonly Option<string> _phase = SharedOptions.Choice("--phase", "What the model does.", Phases);
    private readonly Option<long?> _tokens = SharedOptions.Size("--tokens", "Tokens per sequence, in prefill and training (2048, or as many as the model has positions).");
    private readonly Option<long?> _context = SharedOptions.Size("--context", "Tokens per sequence that are cached already, in decode (2048, or as many as the model has positions).");
    private readonly Option<long?> _batch = SharedOptions.Size("--batch", "Sequences (1).");
    private readonly Option<string> _layers = SharedOptions.Choice("--layers", "The whole model, or one layer alone without embeddings and head.", ["all", "1"]);
    private readonly Option<string?>? _product;
    private readonly Option<DataType> _type = SharedOptions.MatrixType();
    private readonly ImportedWorkload _imported = new();
    private readonly Option<Recomputation> _recompute = new("--recompute")
    {
        Description = "Training: compute activations again in the backward pass instead of keeping them: of whole layers (full), or the results of attention (selective).",
        HelpName = "full|selective",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = ParseRecompute,
    };

    private readonly Option<long?> _microBatches = SharedOptions.Size("--micro-batches", "Training: equal parts of the batch, one after the other, their gradients added up (1).");
    private readonly Option<long?> _loraRank = SharedOptions.Size("--lora-rank", "Finetune: train low-rank adapters of this rank, and nothing else.");
    private readonly Option<string> _loraTargets = new("--lora-targets") { Description = "Finetune: the products with adapters (q_proj,v_proj).", HelpName = "NAME,..." };
    private readonly Option<bool> _ignoreCapacity = new("--ignore-capacity") { Description = "Run a workload that main memory cannot hold, as if it could." };
    private readonly Option<bool> _noOverlap = new("--no-overlap") { Description = "Start each operator when the one before is done, instead of as soon as its data and memories allow." };

    /// <summary>Options over the models of <paramref name="library"/>.</summary>
    public WorkloadOptions(Library library, bool orProduct = false)
    {
        _library = library;
        _product = orProduct ? new("--product") { Description = "One matrix product instead of a model: M x K times K x N.", HelpName = "MxKxN" } : null;
        _model = new("--model") { Description = "A preset, or a config.json of Hugging Face, or its folder.", HelpName = "NAME|PATH" };
        _model.CompletionSources.Add([.. library.ModelNames]);
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_model, _phase, _tokens, _context, _batch, _layers, _recompute, _microBatches, _loraRank, _loraTargets, .. _imported.Options, _type, _noOverlap, _ignoreCapacity])
        {
            command.Add(option);
        }

        if (_product is not null)
        {
            command.Add(_product);
        }
    }

    /// <summary>How it is run.</summary>
    public RunOptions Options(ParseResult parsed) => new() { Overlap = !parsed.GetValue(_noOverlap), IgnoreCapacity = parsed.GetValue(_ignoreCapacity) };

    /// <summary>Builds the workload, or one of the micro-batches into which a plan over chips divides it.</summary>
    /// <exception cref="UsageException">The options contradict each other, or the model refuses a size.</exception>
    public OperatorGraph Build(ParseResult parsed, ParallelPlan? plan = null)
    {
        bool alone = plan is null || plan == ParallelPlan.OneChip;
        long microBatches = plan?.AllMicroBatches ?? 1;
        bool typed = parsed.GetResult(_type) is { Implicit: false };
        OperatorGraph? imported = _imported.Build(parsed, typed ? parsed.GetValue(_type) : null);
        string? sizes = _product is null ? null : parsed.GetValue(_product);
        if (sizes is not null || imported is not null)
        {
            string? beside = ((Option[])[_model, _phase, _tokens, _context, _batch, _layers, _recompute]).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;
            Refuse(beside is not null, $"{beside} has no meaning beside {(sizes is not null ? "--product" : "a file with shapes of its own")}.");
            Refuse(sizes is not null && imported is not null, "Both --product and a file are given; give one.");
            return imported ?? Product(sizes!, parsed.GetValue(_type));
        }

        Refuse(parsed.GetValue(_model) is null, $"None of --model, --onnx{(_product is null ? "" : ", --product")} and --stablehlo is given; give one.");
        Refuse(typed, "--dtype has no meaning beside --model, whose configuration names its type.");
        string phase = parsed.GetRequiredValue(_phase);
        Refuse(phase == "decode" && parsed.GetValue(_tokens) is not null, "--tokens has no meaning in decode, which makes one token per sequence; give --context.");
        Refuse(phase != "decode" && parsed.GetValue(_context) is not null, $"--context has no meaning in {phase}; give --tokens.");
        foreach (Option option in (Option[])[_recompute, _microBatches])
        {
            Refuse(phase is "prefill" or "decode" && (alone || option == _recompute) && parsed.GetResult(option) is not null, $"{option.Name} has no meaning in {phase}, which has no backward pass.");
        }

        Refuse(phase != "finetune" && parsed.GetValue(_loraRank) is not null, $"--lora-rank has no meaning in {phase}; give --phase finetune.");
        Refuse(parsed.GetValue(_loraRank) is null && parsed.GetValue(_loraTargets) is not null, "--lora-targets needs a rank; give --lora-rank.");
        Refuse(Batch(parsed) % microBatches != 0, FormattableString.Invariant($"found --batch {Batch(parsed)} for {microBatches} micro-batches (data parallelism times --micro-batches), expected a multiple; give --batch {microBatches}."));
        ModelShape shape = _library.LoadModel(parsed.GetRequiredValue(_model));
        try
        {
            return parsed.GetRequiredValue(_layers) == "1" ? Layer(parsed, phase, shape, Batch(parsed) / microBatches, alone) : Whole(parsed, phase, shape, Batch(parsed) / microBatches, alone);
        }
        catch (ArgumentException refused)
        {
            // The name of the method's parameter, which the runtime appends, means nothing here.
            throw new UsageException(refused.Message.Split(" (Parameter ")[0]);
        }
    }

    private static OperatorGraph Product(string found, DataType type)
    {
        long[] sizes = [.. found.Split('x').Select(part => long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long size) && size <= SharedOptions.LargestSize ? size : 0)];
        return sizes is [> 0, > 0, > 0] ? Product(sizes[0], sizes[1], sizes[2], type) : throw new UsageException(FormattableString.Invariant(
            $"--product: found \"{found}\", expected three whole numbers from 1 to {SharedOptions.LargestSize}, such as 2048x4096x4096."));
    }

    /// <summary>One product, its left operand stored transposed, divided over the cores along its longer side.</summary>
    public static OperatorGraph Product(long m, long k, long n, DataType type) => OperatorGraph.Of(new MatMul("gemm", m, k, n, LeftTransposed: true)
    {
        Type = type,
        OutputType = type switch
        {
            DataType.Fp8E4M3 or DataType.Fp8E5M2 => DataType.Bf16,
            DataType.Int8 => DataType.Int32,
            DataType.Tf32 => DataType.Fp32,
            _ => type,
        },
        Split = n >= m ? new Split(SplitAxis.Columns, n) : new Split(SplitAxis.Rows, m),
    });

    private OperatorGraph Whole(ParseResult parsed, string phase, ModelShape shape, long batch, bool alone) => phase switch
    {
        "prefill" => TransformerModel.Prefill(shape, batch, Tokens(parsed, shape)),
        "decode" => TransformerModel.Decode(shape, batch, Context(parsed, shape)),
        _ => TransformerModel.Training(shape, batch, Tokens(parsed, shape), null, Training(parsed, phase, alone)),
    };

    private OperatorGraph Layer(ParseResult parsed, string phase, ModelShape shape, long batch, bool alone) => phase switch
    {
        "prefill" => TransformerLayer.Prefill(shape, batch, Tokens(parsed, shape)),
        "decode" => TransformerLayer.Decode(shape, batch, Context(parsed, shape)),
        _ => TransformerLayer.Training(shape, batch, Tokens(parsed, shape), Training(parsed, phase, alone)),
    };

    private TrainingOptions Training(ParseResult parsed, string phase, bool alone) => new()
    {
        Recompute = parsed.GetValue(_recompute),
        MicroBatches = alone ? parsed.GetValue(_microBatches) ?? 1 : 1,
        FineTune = phase == "finetune",
        Adapters = parsed.GetValue(_loraRank) is { } rank ? new(rank, [.. (parsed.GetValue(_loraTargets) ?? "q_proj,v_proj").Split(',', StringSplitOptions.TrimEntries)]) : null,
    };

    private static Recomputation ParseRecompute(ArgumentResult result)
    {
        string found = result.Tokens.Count == 0 ? "full" : result.Tokens[0].Value;
        if (found is not ("full" or "selective"))
        {
            result.AddError($"--recompute: found \"{found}\", expected full or selective.");
        }

        return found == "selective" ? Recomputation.Attention : Recomputation.Layers;
    }

    private long Batch(ParseResult parsed) => parsed.GetValue(_batch) ?? 1;

    private long Tokens(ParseResult parsed, ModelShape shape) => parsed.GetValue(_tokens) ?? Math.Min(DefaultTokens, Positions(shape));

    private long Context(ParseResult parsed, ModelShape shape) => parsed.GetValue(_context) ?? Math.Min(DefaultTokens, Positions(shape) - 1);

    private static long Positions(ModelShape shape) => shape.Positions == PositionKind.Learned ? shape.MaxPositions : long.MaxValue;

    private static void Refuse(bool wrong, string message)
    {
        if (wrong)
        {
            throw new UsageException(message);
        }
    }
}
