using Systolic.Programs;

namespace Systolic.Simulation;

/// <summary>Which of several instructions that may run comes first. Whatever the order, a correct program computes the same.</summary>
public abstract class ExecutionOrder
{
    /// <summary>The order in which the kernel wrote the instructions of all streams.</summary>
    public static ExecutionOrder Written { get; } = new WrittenOrder();

    /// <summary>A random one of all orders that the semaphores permit, the same for the same seed: a missing wait shows as a wrong value.</summary>
    public static ExecutionOrder Random(int seed) => new RandomOrder(seed);

    /// <summary>One stream as early as its semaphores permit, the others as written: what it does not wait for, it misses.</summary>
    public static ExecutionOrder Eager(StreamId stream) => new EagerOrder(stream);

    /// <summary>The order in which a simulated run completed them.</summary>
    internal static ExecutionOrder Completion(StreamState[] streams) => new CompletionOrder(streams);

    /// <summary>The lowest rank runs first.</summary>
    internal abstract long Rank(Program program, StreamId stream, int index);

    private sealed class WrittenOrder : ExecutionOrder
    {
        internal override long Rank(Program program, StreamId stream, int index) => program[stream][index].Sequence;
    }

    private sealed class EagerOrder(StreamId eager) : ExecutionOrder
    {
        internal override long Rank(Program program, StreamId stream, int index) => stream == eager ? -1 : program[stream][index].Sequence;
    }

    /// <summary>Stays with a stream for a while and starves others, which mixes them more than a fair draw.</summary>
    private sealed class RandomOrder(int seed) : ExecutionOrder
    {
        private readonly Random _random = new(seed);
        private readonly long[] _bias = new long[Streams.Count];
        private int _left;

        internal override long Rank(Program program, StreamId stream, int index)
        {
            if (_left-- == 0)
            {
                _left = _random.Next(1, 400);
                for (int s = 0; s < _bias.Length; s++)
                {
                    _bias[s] = _random.Next(1 << 20);
                }
            }

            return _bias[(int)stream] + _random.Next(1 << 18);
        }
    }

    private sealed class CompletionOrder(StreamState[] streams) : ExecutionOrder
    {
        internal override long Rank(Program program, StreamId stream, int index) => streams[(int)stream].Done[index];
    }
}
