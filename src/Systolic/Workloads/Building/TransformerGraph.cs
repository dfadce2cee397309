using System.Collections.Immutable;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Workloads;

/// <summary>Builds the graphs of all phases, of one layer or of the whole model.</summary>
internal static class TransformerGraph
{
    /// <summary>An encoder-decoder of text reads the tokens with its encoder and runs its decoder on one start token per sequence; of sound, the tokens are the decoder's. Pictures come on top of the tokens.</summary>
    public static OperatorGraph Prefill(ModelShape shape, long batch, long tokens, bool whole, long? layers)
    {
        Check(shape, batch, tokens, nameof(tokens), whole, layers);
        return Graph(shape, $"prefill {tokens} tokens, batch {batch}", whole, layers, () => checked(batch * tokens), () =>
        {
            long sequence = checked(tokens + (whole ? shape.VisionTokens : 0));
            TokenSpan last = shape.Family switch
            {
                ModelFamily.EncoderDecoder when shape.Front is null => new(batch, 1, 1, tokens, CacheUse.Store),
                ModelFamily.EncoderDecoder => new(batch, tokens, tokens, Source(shape, tokens), CacheUse.Store),
                ModelFamily.EncoderOnly => Span(batch, tokens, CacheUse.None),
                _ => Span(batch, sequence, CacheUse.Store),
            };
            return Plan(shape, Span(batch, Source(shape, tokens), CacheUse.None), last, whole, layers, false);
        }, Sections);
    }

    /// <summary>The encoder's output of an encoder-decoder has as many tokens as the context.</summary>
    public static OperatorGraph Decode(ModelShape shape, long batch, long context, bool whole, long? layers)
    {
        Check(shape, batch, context, nameof(context), whole, layers, extra: 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(context, shape.Family == ModelFamily.EncoderDecoder ? 1 : 0);
        if (shape.Family == ModelFamily.EncoderOnly)
        {
            throw new ArgumentException($"{shape.Name} is encoder-only and has no decode phase; use prefill or training.", nameof(shape));
        }

        return Graph(shape, $"decode at context {context}, batch {batch}", whole, layers, () => batch, () =>
            Plan(shape, default, new(batch, 1, checked(context + 1), Source(shape, context), CacheUse.Read), whole, layers, false), Sections);
    }

    /// <summary>An encoder-decoder has as many target as source tokens.</summary>
    public static OperatorGraph Training(ModelShape shape, long batch, long tokens, TrainingOptions? options, bool whole, long? layers)
    {
        options ??= TrainingOptions.Default;
        Check(shape, batch, tokens, nameof(tokens), whole, layers);
        long micro = MicroBatch(shape, batch, options.MicroBatches);
        TokenSpan span = default;
        return Graph(shape, $"{(options.FineTune ? "finetune" : "training")} {tokens} tokens, batch {batch}{options.Describe()}", whole, layers, () => checked(batch * tokens), () =>
        {
            span = Span(micro, checked(tokens + (whole ? shape.VisionTokens : 0)), CacheUse.None) with { Source = Source(shape, tokens) };
            ForwardPlan plan = Plan(shape, Span(micro, span.Source, CacheUse.None), span, whole, layers, true);
            return options.Adapters is { } adapters ? new AdapterBuilder(adapters).Apply(plan) : plan;
        }, plan => TrainingBuilder.Build(plan, span, options, whole), options);
    }

    private static long MicroBatch(ModelShape shape, long batch, long parts) => parts >= 1 && batch % parts == 0
        ? batch / parts
        : throw new ArgumentException(FormattableString.Invariant($"{shape.Name}: found {parts} micro-batches of a batch of {batch}, expected a number that divides it."), nameof(parts));

    /// <summary>Vectors of the encoder: as many as tokens, or as many as a picture or sound always has.</summary>
    private static long Source(ModelShape shape, long tokens) => shape.Front?.Positions ?? tokens;

    private static TokenSpan Span(long batch, long tokens, CacheUse cache) => new(batch, tokens, tokens, tokens, cache);

    private static ForwardPlan Plan(ModelShape shape, TokenSpan encoder, TokenSpan last, bool whole, long? layers, bool allLogits) => whole
        ? ForwardPlan.Model(shape, encoder, last, layers, allLogits)
        : ForwardPlan.Layers(shape, encoder, last);

    private static ImmutableArray<GraphSection> Sections(ForwardPlan plan) => [.. plan.Sections.Select(planned => planned.Section)];

    /// <summary>Builds and counts once, so that a workload beyond 64 bits fails here and not in the middle of a run.</summary>
    private static OperatorGraph Graph(
        ModelShape shape, FormattableString phase, bool whole, long? layers, Func<long> tokens, Func<ForwardPlan> plan, Func<ForwardPlan, ImmutableArray<GraphSection>> sections, TrainingOptions? training = null)
    {
        string part = whole ? layers is { } some ? FormattableString.Invariant($", {some} layers") : "" : ", one layer";
        string described = FormattableString.Invariant(phase) + part;
        try
        {
            ForwardPlan planned = plan();
            var graph = new OperatorGraph(shape.Name, described, sections(planned))
            {
                Tokens = tokens(),
                MicroBatches = training?.MicroBatches ?? 1,
                Weights = new Bytes(checked(Held(planned, whole, layers, training is not null) * shape.Type.ByteSize())),
            };
            _ = graph.Macs;
            _ = graph.Memory;
            Count(graph);
            return graph;
        }
        catch (OverflowException overflow)
        {
            throw new OverflowException($"{shape.Name}, {described}: found counts that exceed 64 bits, expected a workload that can be counted; reduce batch or tokens.", overflow);
        }
    }

    /// <summary>Parameters of the layers built, or of the model, and of adapters.</summary>
    private static long Held(ForwardPlan plan, bool whole, long? layers, bool training)
    {
        ModelShape shape = plan.Shape;
        long built = plan.Sections.Where(planned => planned.Stack?.Shape == shape).Sum(planned => checked(planned.LayerParameters * planned.Section.Repeat));
        long adapters = plan.Sections.Sum(planned => checked(AdapterBuilder.Parameters(planned.Section) * planned.Section.Repeat));
        return checked(adapters + (!whole ? built : shape.ParametersHeld(training) - (layers is null ? 0 : shape.AllLayerParameters - built)));
    }

    private static void Count(OperatorGraph graph)
    {
        long work = 0;
        long bytes = 0;
        foreach (GraphSection section in graph.Sections)
        {
            foreach (Operator op in section.Operators)
            {
                work = checked(work + (section.Repeat * op.ElementOperations));
                bytes = checked(bytes + (section.Repeat * checked(op.Reads.Sum(t => t.Size.Value) + op.Writes.Sum(t => t.Size.Value))));
            }
        }
    }

    private static void Check(ModelShape shape, long batch, long tokens, string tokensName, bool whole, long? layers, long extra = 0)
    {
        ArgumentNullException.ThrowIfNull(shape);
        ImmutableArray<string> problems = shape.Problems();
        if (!problems.IsEmpty)
        {
            throw new ArgumentException($"{shape.Name}: {string.Join("; ", problems)}", nameof(shape));
        }

        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(batch);
        ArgumentOutOfRangeException.ThrowIfLessThan(tokens, 1 - extra, tokensName);
        long most = Math.Max(shape.EncoderLayers, shape.DecoderLayers);
        if (shape.Front is { ClassVector: true } && tokens < 2)
        {
            throw new ArgumentOutOfRangeException(tokensName, tokens, $"{shape.Name}: found {tokens}, expected at least 2: the class vector and one patch.");
        }

        if (layers is { } count && (count < 1 || count > most))
        {
            throw new ArgumentOutOfRangeException(nameof(layers), count, FormattableString.Invariant($"{shape.Name}: found {count} layers, expected 1 to {most}."));
        }

        if (whole && shape.Positions == PositionKind.Learned && tokens > shape.MaxPositions - extra)
        {
            throw new ArgumentOutOfRangeException(tokensName, tokens, FormattableString.Invariant(
                $"{shape.Name}: found {tokens}, expected at most {shape.MaxPositions - extra}: the model has {shape.MaxPositions} learned positions."));
        }
    }
}
