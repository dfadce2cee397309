using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>The forward sections of a run, each with the activations whose gradients a backward pass hands to earlier sections.</summary>
/// <param name="Shape">The model.</param>
/// <param name="Sections">In execution order.</param>
internal sealed record ForwardPlan(ModelShape Shape, ImmutableArray<PlannedSection> Sections)
{
    /// <summary>The layers alone: one of each stack that the phase runs.</summary>
    public static ForwardPlan Layers(ModelShape shape, TokenSpan encoder, TokenSpan last) =>
        new(shape, [.. EncoderLayers(shape, encoder, 1), Layer(Stack.Last(shape), last, 1)]);

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
            sections.AddRange(EncoderLayers(shape, encoder, Limit(source, layers)));
            sections.Add(new(EdgeBuilder.EncoderEnd(source, encoder), Stack.Source, [source.Hidden]));
        }

        sections.Add(new(EdgeBuilder.Embedding(stack, last), stack.Hidden, []));
        sections.Add(Layer(stack, last, Limit(stack, layers)));
        sections.Add(new(EdgeBuilder.Head(stack, last, allLogits), EdgeBuilder.LogitsName, [stack.Hidden]));
        return new(shape, sections.ToImmutable());
    }

    private static long Limit(Stack stack, long? layers) => Math.Min(stack.Layers, layers ?? stack.Layers);

    private static bool Runs(ModelShape shape, TokenSpan encoder) => shape.Family == ModelFamily.EncoderDecoder && encoder.New > 0;

    private static ImmutableArray<PlannedSection> EncoderLayers(ModelShape shape, TokenSpan span, long repeat) =>
        Runs(shape, span) ? [Layer(Stack.Encoder(shape), span, repeat)] : [];

    private static PlannedSection Layer(Stack stack, TokenSpan span, long repeat) =>
        new(LayerBuilder.Build(stack, span, repeat), stack.Hidden, stack.Crosses ? [Stack.Source, stack.Hidden] : [stack.Hidden]) { Stack = stack };
}

/// <summary>A forward section and what its gradient needs to know.</summary>
/// <param name="Section">The section.</param>
/// <param name="Output">The activation it hands on.</param>
/// <param name="Inputs">Activations it was handed.</param>
internal sealed record PlannedSection(GraphSection Section, string Output, ImmutableArray<string> Inputs)
{
    /// <summary>The stack whose layers these are; null for embeddings and head.</summary>
    public Stack? Stack { get; init; }
}
