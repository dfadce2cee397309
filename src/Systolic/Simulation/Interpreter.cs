using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Executes a program on real values: the same instructions that <see cref="Simulator"/> times, in an order that their semaphores permit.</summary>
/// <remarks>
/// Tiles and tensors hold fp32 values that are exact in their element type. Arithmetic is in fp32 and a result is rounded once, when it is written;
/// functions are evaluated in double precision and rounded to fp32. Sums along the free dimension run from the first element to the last.
/// Of a product: <see cref="ProductUnit"/>.
/// </remarks>
public sealed class Interpreter
{
    private readonly Program _program;
    private readonly ExecutionOrder _order;
    private readonly int[] _issued = new int[Streams.Count];
    private readonly MainMemory _memory;
    private readonly TileMemory _tiles;
    private readonly ProductUnit _products;
    private readonly ElementUnit _elements;
    private readonly TransferUnit _transfers;

    private Interpreter(Program program, IReadOnlyDictionary<string, Matrix> inputs, ExecutionOrder order)
    {
        (_program, _order) = (program, order);
        _memory = new MainMemory(program, inputs);
        _tiles = new TileMemory(program);
        _products = new ProductUnit(_tiles);
        _elements = new ElementUnit(_tiles);
        _transfers = new TransferUnit(program, _tiles, _memory);
    }

    /// <summary>Executes <paramref name="program"/> and returns the tensors that it wrote, by name.</summary>
    /// <param name="program">A program whose kernel kept values.</param>
    /// <param name="inputs">The tensors that it reads, by name; they are rounded to the type of the tensor.</param>
    /// <param name="order">In which order; by default that in which the kernel was written.</param>
    /// <param name="cancellation">Checked between instructions.</param>
    /// <exception cref="NotSupportedException">The program was written for timing only.</exception>
    /// <exception cref="ArgumentException">An input is missing, superfluous or of another shape.</exception>
    /// <exception cref="InvalidOperationException">An instruction reads what nothing wrote, or waits for something that never happens; the message names both.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyDictionary<string, Matrix> Run(Program program, IReadOnlyDictionary<string, Matrix> inputs, ExecutionOrder? order = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(inputs);
        if (!program.HasValues)
        {
            throw new NotSupportedException($"{program.Name}: the program says how long it takes, not what it computes. Write it with a builder that keeps values (values: true).");
        }

        return new Interpreter(program, inputs, order ?? ExecutionOrder.Written).Run(cancellation);
    }

    private IReadOnlyDictionary<string, Matrix> Run(CancellationToken cancellation)
    {
        while (Next() is { } stream)
        {
            cancellation.ThrowIfCancellationRequested();
            Execute(stream, _issued[(int)stream]++);
        }

        for (int s = 0; s < Streams.Count; s++)
        {
            if (_issued[s] < _program[(StreamId)s].Length)
            {
                throw new InvalidOperationException(FormattableString.Invariant(
                    $"{_program.Name}: stream {((StreamId)s).Label()} is stuck at instruction {_issued[s]} ({_program[(StreamId)s][_issued[s]].Opcode}): what it waits for never completes."));
            }
        }

        return _memory.Results();
    }

    /// <summary>Of the streams whose next instruction has its waits met, the one that the order puts first; ties go to the lower stream.</summary>
    private StreamId? Next()
    {
        (StreamId? first, long earliest) = (null, long.MaxValue);
        for (int s = 0; s < Streams.Count; s++)
        {
            if (_issued[s] < _program[(StreamId)s].Length && IsReady((StreamId)s) && _order.Rank(_program, (StreamId)s, _issued[s]) is var rank && (first is null || rank < earliest))
            {
                (first, earliest) = ((StreamId)s, rank);
            }
        }

        return first;
    }

    private bool IsReady(StreamId stream)
    {
        ref readonly Instruction op = ref _program[stream][_issued[(int)stream]];
        foreach (SemaphoreWait wait in _program.Waits.Slice(op.FirstWait, op.WaitCount))
        {
            if (_issued[(int)wait.Stream] < wait.AtLeast)
            {
                return false;
            }
        }

        return true;
    }

    private void Execute(StreamId stream, int index)
    {
        ref readonly Instruction op = ref _program[stream][index];
        ref readonly Operation operation = ref _program.OperationOf(stream, index);
        try
        {
            if (stream.IsQueue())
            {
                _transfers.Execute(op, operation);
            }
            else if (stream == StreamId.Tensor)
            {
                _products.Execute(op, operation);
            }
            else if (stream != StreamId.Exchange)
            {
                _elements.Execute(op, operation);
            }
            else
            {
                throw new NotSupportedException("an exchange between cores has no values on one core");
            }
        }
        catch (UnwrittenException unwritten)
        {
            throw new InvalidOperationException(FormattableString.Invariant($"{_program.Name}: {stream.Label()} instruction {index} ({op.Opcode}) reads what nothing wrote: {unwritten.Message}."), unwritten);
        }
    }
}
