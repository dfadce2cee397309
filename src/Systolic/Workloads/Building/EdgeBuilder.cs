namespace Systolic.Workloads;

/// <summary>The sections before and after the layers of a stack, forward.</summary>
internal static class EdgeBuilder
{
    private const string Table = "embedding/table";

    /// <summary>Token, position and segment vectors, summed into the residual stream.</summary>
    public static GraphSection Embedding(Stack stack, TokenSpan span)
    {
        ModelShape shape = stack.Shape;
        var operators = new OperatorList(shape.Type);
        string name = stack.Prefix + "embedding/";
        long rows = span.Rows;
        bool positions = shape.Positions == PositionKind.Learned;
        bool segments = shape.TokenTypes > 0;
        string stream = operators.Gather(name + "tokens", rows, shape.Hidden, shape.Vocabulary, Weight(Table), stack.Prefix + "token_ids", Output(!positions && !segments));
        if (positions)
        {
            string vectors = operators.Gather(name + "positions", rows, shape.Hidden, shape.MaxPositions, Weight(name + "positions.weight"), stack.Prefix + "position_ids");
            stream = operators.Sum(name + "add_positions", rows, shape.Hidden, stream, vectors, Output(!segments));
        }

        if (segments)
        {
            string vectors = operators.Gather(name + "token_types", rows, shape.Hidden, shape.TokenTypes, Weight(name + "token_types.weight"), stack.Prefix + "token_type_ids");
            stream = operators.Sum(name + "add_token_types", rows, shape.Hidden, stream, vectors, Output(true));
        }

        if (shape.PostNorm)
        {
            operators.Normalize(name + "norm", shape.Norm, rows, shape.Hidden, stream, stack.Hidden);
        }

        return new GraphSection(stack.Prefix + "embedding", 1, operators.Operators);

        string? Output(bool last) => last && !shape.PostNorm ? stack.Hidden : null;
    }

    /// <summary>The normalization that ends the encoder of an encoder-decoder.</summary>
    public static GraphSection EncoderEnd(Stack encoder, TokenSpan span)
    {
        var operators = new OperatorList(encoder.Shape.Type);
        operators.Normalize(encoder.Prefix + "final_norm", encoder.Shape.Norm, span.Rows, encoder.Shape.Hidden, encoder.Hidden, Stack.Source);
        return new GraphSection(encoder.Prefix + "final norm", 1, operators.Operators);
    }

    /// <summary>Logits of the last token of each sequence, or of all; of an encoder-only model, its pooler on the first token, or its masked-language-model head on all.</summary>
    public static GraphSection Head(Stack stack, TokenSpan span, bool all)
    {
        ModelShape shape = stack.Shape;
        var operators = new OperatorList(shape.Type);
        string stream = shape.PostNorm
            ? stack.Hidden
            : operators.Normalize("head/final_norm", shape.Norm, span.Rows, shape.Hidden, stack.Hidden);
        long rows = all ? span.Rows : span.Batch;
        if (rows < span.Rows)
        {
            stream = operators.Gather("head/select_tokens", rows, shape.Hidden, span.Rows, stream, "head/selected_ids");
        }

        bool encoder = shape.Family == ModelFamily.EncoderOnly;
        if (encoder)
        {
            stream = Dense(operators, all ? "head/transform" : "head/pooler", all ? shape.Activation : ElementwiseFunction.Tanh, rows, shape.Hidden, stream);
        }

        if (encoder && all)
        {
            stream = operators.Normalize("head/transform_norm", shape.Norm, rows, shape.Hidden, stream);
        }

        if (all || !encoder)
        {
            Logits(operators, shape, rows, stream);
        }

        return new GraphSection("head", 1, operators.Operators);
    }

    /// <summary>The loss and the gradient of the logits.</summary>
    public static GraphSection Loss(Stack stack, TokenSpan span)
    {
        var operators = new OperatorList(stack.Shape.Type);
        operators.Append(new CrossEntropy("loss/cross_entropy", span.Rows, stack.Shape.Vocabulary)
        {
            Inputs = [LogitsName, new Operand("labels", TensorRole.Index)],
            Outputs = [GradientSums.NameOf(LogitsName), "loss"],
            Split = Splits.Columns(stack.Shape.Vocabulary),
        });
        return new GraphSection("loss", 1, operators.Operators);
    }

    /// <summary>What the head writes.</summary>
    public const string LogitsName = "logits";

    private static string Dense(OperatorList operators, string name, ElementwiseFunction function, long rows, long hidden, string input)
    {
        string projected = operators.Project(new MatMul(name, rows, hidden, hidden, Bias: true) { Split = Splits.Rows(rows) }, input);
        return operators.Apply(new Elementwise(name + "_activation", function, rows, hidden), Splits.Rows(rows), [projected]);
    }

    /// <summary>A tied table lies as vocabulary x hidden; the bias is that of BERT's head.</summary>
    private static void Logits(OperatorList operators, ModelShape shape, long rows, string input)
    {
        bool bias = shape.Family == ModelFamily.EncoderOnly;
        Operand table = Weight(shape.TiedEmbeddings ? Table : "head/lm_head.weight");
        operators.Append(new MatMul("head/lm_head", rows, shape.Hidden, shape.Vocabulary, RightTransposed: shape.TiedEmbeddings, Bias: bias)
        {
            Inputs = bias ? [input, table, Weight("head/lm_head.bias")] : [input, table],
            Outputs = [LogitsName],
            Split = Splits.Columns(shape.Vocabulary),
        });
    }

    private static Operand Weight(string name) => new(name, TensorRole.Weight);
}
