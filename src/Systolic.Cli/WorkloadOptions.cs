using System.CommandLine;
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
    private readonly Option<bool> _recompute = new("--recompute") { Description = "Training: compute activations again in the backward pass instead of keeping them." };

    /// <summary>Options over the models of <paramref name="library"/>.</summary>
    public WorkloadOptions(Library library)
    {
        _library = library;
        _model = new("--model") { Description = "A preset, or a config.json of Hugging Face, or its folder.", HelpName = "NAME|PATH", Required = true };
        _model.CompletionSources.Add([.. library.ModelNames]);
    }

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_model, _phase, _tokens, _context, _batch, _layers, _recompute])
        {
            command.Add(option);
        }
    }

    /// <summary>Builds the workload, or one of the micro-batches into which it is divided.</summary>
    /// <exception cref="UsageException">The options contradict each other, or the model refuses a size.</exception>
    public OperatorGraph Build(ParseResult parsed, long microBatches = 1)
    {
        string phase = parsed.GetRequiredValue(_phase);
        Refuse(phase == "decode" && parsed.GetValue(_tokens) is not null, "--tokens has no meaning in decode, which makes one token per sequence; give --context.");
        Refuse(phase != "decode" && parsed.GetValue(_context) is not null, $"--context has no meaning in {phase}; give --tokens.");
        Refuse(phase != "training" && parsed.GetValue(_recompute), $"--recompute has no meaning in {phase}, which has no backward pass.");
        Refuse(Batch(parsed) % microBatches != 0, FormattableString.Invariant($"found --batch {Batch(parsed)} for {microBatches} micro-batches (data parallelism times --micro-batches), expected a multiple; give --batch {microBatches}."));
        ModelShape shape = _library.LoadModel(parsed.GetRequiredValue(_model));
        try
        {
            return parsed.GetRequiredValue(_layers) == "1" ? Layer(parsed, phase, shape, Batch(parsed) / microBatches) : Whole(parsed, phase, shape, Batch(parsed) / microBatches);
        }
        catch (ArgumentException refused)
        {
            // The name of the method's parameter, which the runtime appends, means nothing here.
            throw new UsageException(refused.Message.Split(" (Parameter ")[0]);
        }
    }

    private OperatorGraph Whole(ParseResult parsed, string phase, ModelShape shape, long batch) => phase switch
    {
        "prefill" => TransformerModel.Prefill(shape, batch, Tokens(parsed, shape)),
        "decode" => TransformerModel.Decode(shape, batch, Context(parsed, shape)),
        _ => TransformerModel.Training(shape, batch, Tokens(parsed, shape), null, parsed.GetValue(_recompute)),
    };

    private OperatorGraph Layer(ParseResult parsed, string phase, ModelShape shape, long batch) => phase switch
    {
        "prefill" => TransformerLayer.Prefill(shape, batch, Tokens(parsed, shape)),
        "decode" => TransformerLayer.Decode(shape, batch, Context(parsed, shape)),
        _ => TransformerLayer.Training(shape, batch, Tokens(parsed, shape), parsed.GetValue(_recompute)),
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
