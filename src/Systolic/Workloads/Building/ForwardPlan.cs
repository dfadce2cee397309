using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>The forward sections of a run, each with the activations whose gradients a backward pass hands to earlier sections.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Sections">In execution order.</param>
internal sealed record ForwardPlan(ModelShape Shape, ImmutableArray<PlannedSection> Sections)
{
    /// <summary>The layers alone: one of each stack that the phase runs, and of each kind in it.</summary>
    public static ForwardPlan Layers(ModelShape shape, TokenSpan encoder, TokenSpan last) =>
        new(shape, [.. EncoderLayers(shape, encoder, null, one: true), .. Layers(Stack.Last(shape), last, null, one: true)]);

    /// <summary>Embeddings, layers and head.</summary>
    /// <param name="shape">The model.</param>
    /// <param name="encoder">Tokens of the encoder of an encoder-decoder; none when it does not run.</param>
    /// <param name="last">Tokens of the last stack.</param>
    /// <param name="layers">Layers of each stack, or all.</param>
    /// <param name="allLogits">The head works on all tokens, not on one per sequence.</param>
    public static ForwardPlan Model(ModelShape shape, TokenSpan encoder, TokenSpan last, long? layers, bool allLogits)
    {
        Stack stack = Stack.Last(shape);
        var sections = ImmutableArray.CreateBuilder<PlannedSection>();
        if (Runs(shape, encoder))
        {
            Stack source = Stack.Encoder(shape);
            sections.Add(new(EdgeBuilder.Embedding(source, encoder), source.Hidden, []));
            sections.AddRange(EncoderLayers(shape, encoder, layers, one: false));
            sections.Add(new(EdgeBuilder.EncoderEnd(source, encoder), Stack.Source, [source.Hidden]));
        }

        bool pictures = shape.Vision is not null && last.Cache != CacheUse.Read;
        if (pictures)
        {
            Stack vision = Stack.OfVision(shape);
            long vectors = vision.Shape.Front!.Positions;
            var span = new TokenSpan(last.Batch, vectors, vectors, 0, CacheUse.None);
            sections.Add(new(EdgeBuilder.Embedding(vision, span), vision.Hidden, []));
            sections.AddRange(Layers(vision, span, layers, one: false));
            sections.Add(new(EdgeBuilder.Projector(vision, shape, span), EdgeBuilder.Projected, [vision.Hidden]));
        }

        sections.Add(new(EdgeBuilder.Embedding(stack, last), stack.Hidden, pictures ? [EdgeBuilder.Projected] : []));
        sections.AddRange(Layers(stack, last, layers, one: false));
        sections.Add(new(EdgeBuilder.Head(stack, last, allLogits), EdgeBuilder.LogitsName, [stack.Hidden]));
        return new(shape, sections.ToImmutable());
    }

    private static bool Runs(ModelShape shape, TokenSpan encoder) => shape.Family == ModelFamily.EncoderDecoder && encoder.New > 0;

    private static IEnumerable<PlannedSection> EncoderLayers(ModelShape shape, TokenSpan span, long? layers, bool one) =>
        Runs(shape, span) ? Layers(Stack.Encoder(shape), span, layers, one) : [];

    /// <summary>Layers of one kind are one section, and no time depends on the order of kinds.</summary>
    private static IEnumerable<PlannedSection> Layers(Stack stack, TokenSpan span, long? layers, bool one) => stack.Kinds(Math.Min(stack.Layers, layers ?? stack.Layers))
        .Select(kind => new PlannedSection(LayerBuilder.Build(stack, kind.Kind, span, one ? 1 : kind.Count), stack.Hidden, stack.Crosses ? [Stack.Source, stack.Hidden] : [stack.Hidden])
        {
            Stack = stack,
            LayerParameters = stack.Shape.LayerParameters(kind.Kind, stack.Crosses),
        });
}

/// <summary>A forward section and what its gradient needs to know.</summary>
/// <param name="Section">The section.</param>
/// <param name="Output">The activation it hands on.</param>
/// <param name="Inputs">Activations it was handed.</param>
internal sealed record PlannedSection(GraphSection Section, string Output, ImmutableArray<string> Inputs)
{
    /// <summary>The stack whose layers these are; null for embeddings and head.</summary>
    public Stack? Stack { get; init; }

    /// <summary>Parameters of one of the layers; 0 for embeddings and head.</summary>
    public long LayerParameters { get; init; }
}
