namespace Systolic.Workloads;

/// <summary>The sections before and after the layers of a stack, forward.</summary>
internal static class EdgeBuilder
{
    private const string Table = "embedding/table";

    /// <summary>Token, position and segment vectors, summed into the residual stream, those of pictures among them; or the vectors of a front.</summary>
    public static GraphSection Embedding(Stack stack, TokenSpan span)
    {
        ModelShape shape = stack.Shape;
        var operators = new OperatorList(shape.Type);
        string name = stack.Prefix + "embedding/";
        long rows = span.Rows;
        List<Func<string, string?, string>> steps = stack.ReadsFront ? [(_, _) => Front(shape, span, operators, name)] : [(_, output) => Tokens(output)];
        if (shape.EmbeddingWidth > 0)
        {
            steps.Add((stream, output) => operators.Project(new MatMul(name + "project_in", rows, shape.EmbeddingWidth, shape.Hidden) { Split = Splits.Rows(rows) }, stream, output: output));
        }

        if (shape.Vision is not null && span.Cache != CacheUse.Read)
        {
            steps.Add((stream, output) => Added("pictures", checked(span.Batch * shape.VisionTokens), Projected, stream, output));
        }

        if (shape.Positions == PositionKind.Learned)
        {
            long table = stack.ReadsFront ? shape.Front!.Positions + (shape.Front.ClassVector ? 1 : 0) : shape.MaxPositions + shape.UnusedPositions;
            steps.Add((stream, output) => Added("positions", table, Weight(name + "positions.weight"), stream, output));
        }

        if (shape.TokenTypes > 0)
        {
            steps.Add((stream, output) => Added("token_types", shape.TokenTypes, Weight(name + "token_types.weight"), stream, output));
        }

        if (shape.EmbeddingNorm)
        {
            steps.Add((stream, output) => operators.Normalize(name + "norm", shape.Norm, rows, shape.Hidden, stream, output));
        }

        string stream = "";
        for (int i = 0; i < steps.Count; i++)
        {
            stream = steps[i](stream, i == steps.Count - 1 ? stack.Hidden : null);
        }

        return new GraphSection(stack.Prefix + "embedding", 1, operators.Operators);

        string Tokens(string? output) => operators.Gather(name + "tokens", rows, shape.EmbeddingWidth > 0 ? shape.EmbeddingWidth : shape.Hidden, shape.Vocabulary, Weight(Table), stack.Prefix + "token_ids", output);

        string Added(string part, long tableRows, Operand table, string stream, string? output)
        {
            string vectors = operators.Gather(name + part, rows, shape.Hidden, tableRows, table, $"{stack.Prefix}{part.TrimEnd('s')}_ids");
            return operators.Sum($"{name}add_{part}", rows, shape.Hidden, stream, vectors, output);
        }
    }

    /// <summary>Patches times a matrix, a vector of no patch before them; or two convolutions over frames, as products of the rows that they cover.</summary>
    private static string Front(ModelShape shape, TokenSpan span, OperatorList operators, string name)
    {
        InputFront front = shape.Front!;
        long rows = checked(span.Batch * front.RowsFor(span.New));
        string vectors = operators.Project(
            new MatMul(name + "patches", rows, front.Features, shape.Hidden, Bias: front.Bias) { Split = Splits.Rows(rows) }, new Operand(name + "input", TensorRole.Index));
        if (front.ClassVector)
        {
            vectors = operators.Gather(name + "class", span.Rows, shape.Hidden, rows, vectors, name + "class_ids");
        }

        if (front.Halves)
        {
            vectors = operators.Apply(new Elementwise(name + "patches_activation", shape.Activation, rows, shape.Hidden), Splits.Rows(rows), [vectors]);
            vectors = operators.Gather(name + "frames", checked(3 * span.Rows), shape.Hidden, rows, vectors, name + "frame_ids");
            vectors = operators.Project(new MatMul(name + "join", span.Rows, 3 * shape.Hidden, shape.Hidden, Bias: true) { Split = Splits.Rows(span.Rows) }, vectors);
            vectors = operators.Apply(new Elementwise(name + "join_activation", shape.Activation, span.Rows, shape.Hidden), Splits.Rows(span.Rows), [vectors]);
        }

        return vectors;
    }

    /// <summary>What the decoder reads of pictures: the patches' vectors through two products (LLaVA 1.5, arXiv 2310.03744).</summary>
    public static GraphSection Projector(Stack vision, ModelShape model, TokenSpan span)
    {
        var operators = new OperatorList(model.Type);
        long rows = checked(span.Batch * model.VisionTokens);
        string patches = operators.Gather("projector/patches", rows, vision.Shape.Hidden, span.Rows, vision.Hidden, "projector/patch_ids");
        string activated = Dense(operators, "projector/in", ElementwiseFunction.Gelu, rows, vision.Shape.Hidden, model.Hidden, patches);
        operators.Project(new MatMul("projector/out", rows, model.Hidden, model.Hidden, Bias: true) { Split = Splits.Rows(rows) }, activated, output: Projected);
        return new GraphSection("projector", 1, operators.Operators);
    }

    /// <summary>The normalization that ends the encoder of an encoder-decoder.</summary>
    public static GraphSection EncoderEnd(Stack encoder, TokenSpan span)
    {
        var operators = new OperatorList(encoder.Shape.Type);
        operators.Normalize(encoder.Prefix + "final_norm", encoder.Shape.Norm, span.Rows, encoder.Shape.Hidden, encoder.Hidden, Stack.Source);
        return new GraphSection(encoder.Prefix + "final norm", 1, operators.Operators);
    }

    /// <summary>Logits of the last token of each sequence, or of all; of an encoder-only model of text, its pooler on the first token, or its masked-language-model head on all; of pictures, their classes.</summary>
    public static GraphSection Head(Stack stack, TokenSpan span, bool all)
    {
        ModelShape shape = stack.Shape;
        var operators = new OperatorList(shape.Type);
        string stream = shape.NormPlacement == NormPlacement.After
            ? stack.Hidden
            : operators.Normalize("head/final_norm", shape.Norm, span.Rows, shape.Hidden, stack.Hidden);
        long rows = LogitRows(stack, span, all);
        if (rows < span.Rows)
        {
            stream = operators.Gather("head/select_tokens", rows, shape.Hidden, span.Rows, stream, "head/selected_ids");
        }

        bool encoder = shape.Family == ModelFamily.EncoderOnly && !stack.ReadsFront;
        if (encoder)
        {
            stream = Dense(operators, all ? "head/transform" : "head/pooler", all ? shape.Activation : ElementwiseFunction.Tanh, rows, shape.Hidden, shape.Hidden, stream);
        }

        if (encoder && all)
        {
            stream = operators.Normalize("head/transform_norm", shape.Norm, rows, shape.Hidden, stream);
        }

        if ((all || !encoder) && shape.Vocabulary > 0)
        {
            Logits(operators, shape, rows, stream);
        }

        return new GraphSection("head", 1, operators.Operators);
    }

    private static long LogitRows(Stack stack, TokenSpan span, bool all) => all && !stack.ReadsFront ? span.Rows : span.Batch;

    /// <summary>The loss and the gradient of the logits.</summary>
    public static GraphSection Loss(Stack stack, TokenSpan span)
    {
        var operators = new OperatorList(stack.Shape.Type);
        operators.Append(new CrossEntropy("loss/cross_entropy", LogitRows(stack, span, all: true), stack.Shape.Vocabulary)
        {
            Inputs = [LogitsName, new Operand("labels", TensorRole.Index)],
            Outputs = [GradientSums.NameOf(LogitsName), "loss"],
            Split = Splits.Columns(stack.Shape.Vocabulary),
        });
        return new GraphSection("loss", 1, operators.Operators);
    }

    /// <summary>What the head writes.</summary>
    public const string LogitsName = "logits";

    /// <summary>What the projector of pictures writes.</summary>
    public const string Projected = "projector/output";

    private static string Dense(OperatorList operators, string name, ElementwiseFunction function, long rows, long inputs, long outputs, string input)
    {
        string projected = operators.Project(new MatMul(name, rows, inputs, outputs, Bias: true) { Split = Splits.Rows(rows) }, input);
        return operators.Apply(new Elementwise(name + "_activation", function, rows, outputs), Splits.Rows(rows), [projected]);
    }

    /// <summary>A tied table lies as vocabulary x features; the bias is that of BERT's head, and of the classes of pictures.</summary>
    private static void Logits(OperatorList operators, ModelShape shape, long rows, string input)
    {
        bool bias = shape.Family == ModelFamily.EncoderOnly;
        Operand table = Weight(shape.TiedEmbeddings ? Table : "head/lm_head.weight");
        long features = shape.Hidden;
        if (shape.EmbeddingWidth > 0)
        {
            features = shape.EmbeddingWidth;
            input = operators.Project(new MatMul("head/project_out", rows, shape.Hidden, features) { Split = Splits.Rows(rows) }, input);
        }

        operators.Append(new MatMul("head/lm_head", rows, features, shape.Vocabulary, RightTransposed: shape.TiedEmbeddings, Bias: bias)
        {
            Inputs = bias ? [input, table, Weight("head/lm_head.bias")] : [input, table],
            Outputs = [shape.CappedLogits ? "head/lm_head" : LogitsName],
            Split = Splits.Columns(shape.Vocabulary),
        });
        if (shape.CappedLogits)
        {
            operators.Apply(new Elementwise("head/cap", ElementwiseFunction.Tanh, rows, shape.Vocabulary), Splits.Columns(shape.Vocabulary), ["head/lm_head"], LogitsName);
        }
    }

    private static Operand Weight(string name) => new(name, TensorRole.Weight);
}
