using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Tests.Kernels;
using Systolic.Tests.Workloads;
using Systolic.Workloads;
using Tensor = Systolic.Workloads.Tensor;

namespace Systolic.Tests.Simulation.Values;

/// <summary>A step of training, section by section on real values: the gradients of all weights against the change of the loss when the weights move.</summary>
public class TrainingValuesTests
{
    private const int Sequences = 2, Tokens = 20, Rows = Sequences * Tokens;
    private const double Size = 2e-3;

    // Central differences: the sum of 40 losses, some 200, has an error of some 1e-5, so the slope over 2 x 2e-3 one of some 3e-3; the third derivative adds its share of the step's square.
    [Theory]
    [InlineData("trn1-core", 0)]
    [InlineData("trn2-core", 0)]
    [InlineData("trn2-core", 4)] // every token takes all four experts: a choice that changes would make the loss jump
    public void Gradients_tell_how_the_loss_changes(string machine, int experts)
    {
        ModelShape shape = Presets.Small with { Experts = experts, ExpertsPerToken = experts };
        GraphSection[] sections = [.. TransformerModel.Training(shape, Sequences, Tokens).Sections.Where(section => section.Pass != ModelPass.Optimizer)];
        var core = new ValueMachine(KernelRuns.Machine(machine));
        Dictionary<string, Matrix> weights = Weights(sections), at = Step(core, sections, weights);
        Dictionary<string, Matrix> direction = weights.ToDictionary(pair => pair.Key, pair => Values.Random(pair.Value.Rows, pair.Value.Columns, pair.Key.Length + pair.Value.Rows, DataType.Fp32));
        foreach (string name in weights.Keys)
        {
            double Moved(double step) => Loss(Step(core, [.. sections.Where(section => section.Pass == ModelPass.Forward)], weights.ToDictionary(
                pair => pair.Key, pair => pair.Key == name ? Matrix.From(pair.Value.Rows, pair.Value.Columns, (row, column) => pair.Value[row, column] + (float)(step * direction[name][row, column])) : pair.Value)));
            Matrix gradient = at[name + ".grad"];
            (double slope, double squares) = (0, 0);
            for (int i = 0; i < gradient.Values.Length; i++)
            {
                slope += (double)gradient.Values[i] * direction[name].Values[i];
                squares += (double)gradient.Values[i] * gradient.Values[i];
            }

            double change = (Moved(Size) - Moved(-Size)) / (2 * Size);
            change.Should().BeApproximately(slope, (0.02 * Math.Sqrt(squares)) + 0.01, "{0} moves the loss", name);
        }
    }

    private static double Loss(Dictionary<string, Matrix> tensors) => tensors["loss"].Values.ToArray().Sum(value => (double)value);

    /// <summary>Runs the sections in order. Each layer's input has the name of its output, which the backward section needs as it was.</summary>
    private static Dictionary<string, Matrix> Step(ValueMachine core, GraphSection[] sections, Dictionary<string, Matrix> weights)
    {
        var random = new Random(7);
        var tensors = new Dictionary<string, Matrix>(weights)
        {
            ["token_ids"] = Matrix.From(Rows, 1, (row, _) => 3 * row % 120), // all different
            ["labels"] = Matrix.From(Rows, 1, (_, _) => random.Next(120)),
            ["rope_table"] = Matrix.From(Rows, 32, (row, column) => (float)(column < 16 ? Math.Cos(row % Tokens * Math.Pow(0.6, column)) : Math.Sin(row % Tokens * Math.Pow(0.6, column - 16)))),
            ["embedding/table.grad"] = new Matrix(120, 64),
        };
        var inputs = new Dictionary<string, Matrix>();
        foreach (GraphSection section in sections)
        {
            if (section.Pass == ModelPass.Forward && tensors.TryGetValue("hidden", out Matrix? hidden))
            {
                inputs[section.Name + " backward"] = hidden;
            }
            else if (inputs.TryGetValue(section.Name, out Matrix? input))
            {
                tensors["hidden"] = input;
            }

            core.RunSection(section, tensors, TestContext.Current.CancellationToken);
        }

        return tensors;
    }

    private static Dictionary<string, Matrix> Weights(GraphSection[] sections)
    {
        var weights = new Dictionary<string, Matrix> { ["embedding/table"] = Values.Random(120, 64, 1, DataType.Fp32) };
        foreach (Tensor read in sections.SelectMany(section => section.Operators).SelectMany(op => op.Reads).Where(read => read.Operand.Role == TensorRole.Weight && !weights.ContainsKey(read.Operand.Name)))
        {
            (int rows, int columns) = ((int)(read.Shape.Rows * read.Shape.Batch), (int)read.Shape.Columns);
            weights[read.Operand.Name] = Values.Random(rows, columns, weights.Count + 1, DataType.Fp32, rows == 1 ? 1 : Math.Sqrt(3.0 / read.Shape.Rows));
        }

        return weights;
    }
}
