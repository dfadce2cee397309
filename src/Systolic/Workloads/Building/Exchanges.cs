using System.Collections.Immutable;
using Systolic.Numerics;

namespace Systolic.Workloads;

/// <summary>Walks a section in order, keeps track of how each activation lies on the ranks, and inserts a collective where an operator needs it otherwise.</summary>
/// <remarks>What enters the graph from outside is taken as divided by rows, as the residual stream is. A tensor is gathered once per section.</remarks>
/// <param name="section">The section.</param>
/// <param name="degree">Ranks.</param>
/// <param name="layouts">Layouts that earlier sections left behind.</param>
internal sealed class Exchanges(GraphSection section, int degree, Dictionary<string, Layout> layouts)
{
    private readonly List<Operator> _result = [];
    private readonly HashSet<string> _gathered = new(StringComparer.Ordinal);

    /// <summary>The operators with the collectives between them.</summary>
    public IReadOnlyList<Operator> Insert()
    {
        for (int i = 0; i < section.Operators.Length; i++)
        {
            Operator op = section.Operators[i];
            if (op is CrossEntropy loss && loss.Split.Axis == SplitAxis.Columns)
            {
                ReduceStatistics(loss);
            }

            Emit(op with { Inputs = [.. op.Reads.Select((tensor, index) => Supply(tensor, Needed(op, index)))] }, i);
        }

        return _result;
    }

    /// <summary>Partial gradients that meet in a sum are summed before they are reduced.</summary>
    private static bool SumsPartials(Operator op) => op is Elementwise { Function: ElementwiseFunction.Add, Split.Axis: SplitAxis.Replicate };

    private static Layout Needed(Operator op, int index) => SumsPartials(op) ? Layout.Partial : Layouts.Read(op, index);

    private Operand Supply(Tensor tensor, Layout needed)
    {
        Operand operand = tensor.Operand;
        if (operand.Role != TensorRole.Activation)
        {
            return operand;
        }

        Layout found = layouts.GetValueOrDefault(operand.Name, Layout.Rows);
        if (found == Layout.Whole || found == needed)
        {
            return operand;
        }

        string gathered = operand.Name + ".gathered";
        if (_gathered.Add(operand.Name))
        {
            Exchange(CollectiveFunction.AllGather, gathered, tensor, operand.Name, gathered);
        }

        return gathered;
    }

    private void Emit(Operator op, int position)
    {
        Layout layout = SumsPartials(op) ? Layout.Partial : Layouts.Write(op);
        Tensor output = op.Writes[0];
        if (layout == Layout.Partial && !(output.Operand.Role == TensorRole.Activation && NextReaderSums(output.Operand.Name, position)))
        {
            Reduce(op, output);
            return;
        }

        foreach (Operand written in op.Outputs)
        {
            layouts[written.Name] = layout;
            _gathered.Remove(written.Name);
        }

        _result.Add(op);
    }

    /// <summary>Partial sums are added up at once; every rank keeps its rows, of a weight's gradient as of an activation.</summary>
    private void Reduce(Operator op, Tensor output)
    {
        Operand name = output.Operand;
        string partial = name.Name + ".partial";
        _result.Add(op with { Outputs = [name with { Name = partial }] });
        Exchange(CollectiveFunction.ReduceScatter, name.Name + ".reduced", output, partial, name.Name);
        layouts[name.Name] = Layout.Rows;
        _gathered.Remove(name.Name);
    }

    private bool NextReaderSums(string tensor, int position)
    {
        for (int i = position + 1; i < section.Operators.Length; i++)
        {
            if (section.Operators[i].Inputs.Any(input => input.Name == tensor))
            {
                return SumsPartials(section.Operators[i]);
            }
        }

        return false;
    }

    /// <summary>Each rank contributes the maximum and the sum over its part of the vocabulary, per token.</summary>
    private void ReduceStatistics(CrossEntropy loss) => _result.Add(new Collective(loss.Name + ".statistics", CollectiveFunction.AllReduce, loss.Rows, 2, degree)
    {
        Type = DataType.Fp32,
        Inputs = [loss.Name + ".statistics.partial"],
        Outputs = [loss.Name + ".statistics"],
    });

    private void Exchange(CollectiveFunction function, string name, Tensor tensor, string input, string output)
    {
        (long rows, long columns, long batch) = tensor.Shape;
        _result.Add(new Collective(name, function, checked(rows * batch), columns, degree)
        {
            Type = tensor.Type,
            Inputs = [tensor.Operand with { Name = input }],
            Outputs = [tensor.Operand with { Name = output }],
        });
    }
}
