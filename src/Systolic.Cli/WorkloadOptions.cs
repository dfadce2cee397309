using System.CommandLine;
using System.Globalization;
using Systolic.Numerics;
using Systolic.Workloads;

namespace Systolic.Cli;

/// <summary>The options that choose a workload, and the workload they choose.</summary>
internal sealed class WorkloadOptions
{
    private const long DefaultTokens = 2048;
    private static readonly string[] Phases = ["prefill", "decode", "training"];

    private readonly Library _library;
    private readonly Option<string> _model;
    private readonly Option<string> _phase = SharedOptions.Choice("--phase", "What the model does.", Phases);
    private readonly Option<long?> _tokens = SharedOptions.Size("--tokens", "Tokens per sequence, in prefill and training (2048, or as many as the model has positions).");
    private readonly Option<long?> _context = SharedOptions.Size("--context", "Tokens per sequence that are cached already, in decode (2048, or as many as the model has positions).");
    private readonly Option<long?> _batch = SharedOptions.Size("--batch", "Sequences (1).");
    private readonly Option<string> _layers = SharedOptions.Choice("--layers", "The whole model, or one layer alone without embeddings and head.", ["all", "1"]);
    private readonly Option<string?>? _product;
    private readonly Option<DataType> _type = SharedOptions.MatrixType();
    private readonly Option<bool> _recompute = new("--recompute") { Description = "Training: compute activations again in the backward pass instead of keeping them." };

    private readonly Option<bool> _noOverlap = new("--no-overlap") { Description = "Start each operator when the one before is done, instead of as soon as its data and memories allow." };

    /// <summary>Options over the models of <paramref name="library"/>.</summary>
    public WorkloadOptions(Library library, bool orProduct = false)
    {
        _library = library;
        _product = orProduct ? new("--product") { Description = "One matrix product instead of a model: M x K times K x N.", HelpName = "MxKxN" } : null;
        _model = new("--model") { Description = "A preset, or a config.json of Hugging Face, or its folder.", HelpName = "NAME|PATH", Required = !orProduct };
        _model.CompletionSources.Add([.. library.ModelNames]);
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_model, _phase, _tokens, _context, _batch, _layers, _recompute, _noOverlap])
        {
            command.Add(option);
        }

        if (_product is not null)
        {
            command.Add(_product);
            command.Add(_type);
        }
    }

    /// <summary>Operators of a section overlap.</summary>
    public bool Overlap(ParseResult parsed) => !parsed.GetValue(_noOverlap);

    /// <summary>Builds the workload.</summary>
    /// <exception cref="UsageException">The options contradict each other, or the model refuses a size.</exception>
    public OperatorGraph Build(ParseResult parsed)
    {
        if (_product is not null && parsed.GetValue(_product) is { } sizes)
        {
            string? beside = ((Option[])[_model, _phase, _tokens, _context, _batch, _layers, _recompute]).FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false })?.Name;
            Refuse(beside is not null, $"{beside} has no meaning beside --product, which is no model.");
            return Product(sizes, parsed.GetValue(_type));
        }

        Refuse(_product is not null && parsed.GetValue(_model) is null, "Neither --model nor --product is given; give one.");
        string phase = parsed.GetRequiredValue(_phase);
        Refuse(phase == "decode" && parsed.GetValue(_tokens) is not null, "--tokens has no meaning in decode, which makes one token per sequence; give --context.");
        Refuse(phase != "decode" && parsed.GetValue(_context) is not null, $"--context has no meaning in {phase}; give --tokens.");
        Refuse(phase != "training" && parsed.GetValue(_recompute), $"--recompute has no meaning in {phase}, which has no backward pass.");
        ModelShape shape = _library.LoadModel(parsed.GetRequiredValue(_model));
        try
        {
            return parsed.GetRequiredValue(_layers) == "1" ? Layer(parsed, phase, shape) : Whole(parsed, phase, shape);
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

    private OperatorGraph Whole(ParseResult parsed, string phase, ModelShape shape) => phase switch
    {
        "prefill" => TransformerModel.Prefill(shape, Batch(parsed), Tokens(parsed, shape)),
        "decode" => TransformerModel.Decode(shape, Batch(parsed), Context(parsed, shape)),
        _ => TransformerModel.Training(shape, Batch(parsed), Tokens(parsed, shape), null, parsed.GetValue(_recompute)),
    };

    private OperatorGraph Layer(ParseResult parsed, string phase, ModelShape shape) => phase switch
    {
        "prefill" => TransformerLayer.Prefill(shape, Batch(parsed), Tokens(parsed, shape)),
        "decode" => TransformerLayer.Decode(shape, Batch(parsed), Context(parsed, shape)),
        _ => TransformerLayer.Training(shape, Batch(parsed), Tokens(parsed, shape), parsed.GetValue(_recompute)),
    };

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
