namespace Systolic.Components;

/// <summary>Completions in the order of their ticks: reads, whose ticks never go back, and acknowledgements, likewise.</summary>
internal sealed class CompletionQueue
{
    private readonly Ring _reads = new();
    private readonly Ring _others = new();

    /// <summary>The tick of the first; <see cref="long.MaxValue"/> if none.</summary>
    public long First => Math.Min(_reads.First, _others.First);

    /// <summary>Adds a read that was served by a command, or that waits behind such reads.</summary>
    public void AddRead(in DramCompletion completion) => _reads.Add(completion);

    /// <summary>Adds what is answered at once.</summary>
    public void AddAcknowledgement(in DramCompletion completion) => _others.Add(completion);

    /// <summary>Takes the first if its tick is below <paramref name="end"/>; of one tick reads first, which were entered earlier.</summary>
    public bool TryTake(long end, out DramCompletion completion)
    {
        Ring from = _reads.First <= _others.First ? _reads : _others;
        if (from.First >= end)
        {
            completion = default;
            return false;
        }

        completion = from.Take();
        return true;
    }

    private sealed class Ring
    {
        private DramCompletion[] _items = new DramCompletion[256];
        private int _head;
        private int _count;

        public long First { get; private set; } = long.MaxValue;

        public void Add(in DramCompletion completion)
        {
            if (_count == _items.Length)
            {
                Grow();
            }

            _items[(_head + _count) & (_items.Length - 1)] = completion;
            if (_count++ == 0)
            {
                First = completion.Tick;
            }
        }

        public DramCompletion Take()
        {
            DramCompletion first = _items[_head];
            _head = (_head + 1) & (_items.Length - 1);
            First = --_count == 0 ? long.MaxValue : _items[_head].Tick;
            return first;
        }

        private void Grow()
        {
            var larger = new DramCompletion[_items.Length * 2];
            for (int i = 0; i < _count; i++)
            {
                larger[i] = _items[(_head + i) & (_items.Length - 1)];
            }

            (_items, _head) = (larger, 0);
        }
    }
}
