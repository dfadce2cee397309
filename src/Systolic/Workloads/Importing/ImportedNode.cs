using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>One step of an imported computation.</summary>
internal sealed class ImportedNode(ImportedFunction function, ImmutableArray<ImportedTensor> inputs, ImportedTensor output)
{
    /// <summary>What it does.</summary>
    public ImportedFunction Function { get; private set; } = function;

    /// <summary>What it reads.</summary>
    public ImmutableArray<ImportedTensor> Inputs { get; private set; } = inputs;

    /// <summary>What it computes.</summary>
    public ImportedTensor Output { get; } = output;

    /// <summary>The operator with its sizes, without names; of <see cref="ImportedFunction.Operator"/> alone.</summary>
    public Operator? Operator { get; set; }

    /// <summary>Axis, first and count of a slice; the order of a transposition.</summary>
    public ImmutableArray<long> Numbers { get; init; } = [];

    /// <summary>New keys and values that are appended to the cache before the operator, an attention, runs.</summary>
    public ImmutableArray<ImportedTensor> Kept { get; set; } = [];

    /// <summary>It moves no data of its own.</summary>
    public bool IsView => Function is ImportedFunction.Reshape or ImportedFunction.Transpose or ImportedFunction.Broadcast or ImportedFunction.Slice;

    /// <summary>Becomes <paramref name="op"/> on other tensors; what nobody reads any more is released.</summary>
    public void Become(Operator op, params ImmutableArray<ImportedTensor> inputs)
    {
        foreach (ImportedTensor input in inputs)
        {
            input.Readers.Add(this);
        }

        ImmutableArray<ImportedTensor> before = Inputs;
        (Function, Operator, Inputs) = (ImportedFunction.Operator, op, inputs);
        Release(before);
    }

    private void Release(ImmutableArray<ImportedTensor> inputs)
    {
        var pending = new Stack<(ImportedNode Reader, ImportedTensor Tensor)>(inputs.Select(input => (this, input)));
        while (pending.TryPop(out (ImportedNode Reader, ImportedTensor Tensor) released))
        {
            released.Tensor.Readers.Remove(released.Reader);
            if (released.Tensor is { Readers.Count: 0, IsOutput: false, Producer: { } dead })
            {
                foreach (ImportedTensor input in dead.Inputs)
                {
                    pending.Push((dead, input));
                }
            }
        }
    }
}
