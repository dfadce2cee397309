using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>The register-level array at work on one product: the controller sends, the cells update, the edges collect.</summary>
internal sealed class ArrayMachine<T, TCell, TDataflow> : ArrayState
    where T : unmanaged
    where TCell : struct, ICell<T>
    where TDataflow : struct, IDataflow
{
    private readonly FoldPlan _plan;
    private readonly Sequencer _sequencer;
    private readonly Wavefront _stream;
    private readonly CellGrid<T, TCell> _cells;
    private readonly TileLoader<T>? _loader;
    private readonly PaddedOperand<T> _left;
    private readonly PaddedOperand<T> _top;
    private readonly ResultStore<T, TCell> _results;
    private readonly Queue<(int Fold, long Cycle)> _ended = new();
    private long _settled;

    public ArrayMachine(ArraySpec spec, FoldPlan plan, Matrix a, Matrix b)
        : base(spec, plan)
    {
        _plan = plan;
        bool overlaps = spec.Overlap == FoldOverlap.BackgroundLoad;
        int lanes = plan.RowFolds * spec.Rows;
        _sequencer = new Sequencer(plan, TDataflow.SumsMove, overlaps);
        _stream = new Wavefront(plan.Depth + 1 + CellGrid<T, TCell>.Block);
        _cells = new CellGrid<T, TCell>(spec.Rows, spec.Columns, TDataflow.SumsMove);
        _left = PaddedOperand<T>.Of<TCell>(TDataflow.Left(a, b), lanes, plan.Streamed);
        _top = PaddedOperand<T>.Of<TCell>(TDataflow.Top(a, b), TDataflow.SumsMove ? lanes : plan.Streamed, plan.ColumnFolds * spec.Columns);
        _results = new ResultStore<T, TCell>(plan, TDataflow.SumsMove);
        _loader = TDataflow.SumsMove ? new TileLoader<T>(plan, _top, overlaps) : null;
    }

    public override long Cycle => _sequencer.Cycle;

    public override ArrayPhase Phase => _sequencer.Phase;

    public static ArrayProduct Run<TObserver>(ArraySpec spec, TileShape shape, Matrix a, Matrix b, ref TObserver observer)
        where TObserver : struct, IArrayObserver
    {
        var machine = new ArrayMachine<T, TCell, TDataflow>(spec, new FoldPlan(spec.Rows, spec.Columns, TDataflow.Roles(shape)), a, b);
        machine.Step(ref observer);
        var output = new Matrix(shape.M, shape.N);
        machine._results.CopyTo(TDataflow.Output(output));
        return new ArrayProduct(output, new Cycles(machine.Cycle));
    }

    public override float? BottomPort(int column) => _results.Port(Cycle, Inside(column, Spec.Columns));

    public override float MovingRegister(int row, int column) =>
        TCell.ToSingle(_cells.Moving(Inside(row, Spec.Rows), Inside(column, Spec.Columns)));

    public override float TopRegister(int row, int column) =>
        TCell.ToSingle(_cells.Top(Inside(row, Spec.Rows), Inside(column, Spec.Columns)));

    public override float NextTopRegister(int row, int column) =>
        TCell.ToSingle(_loader is null ? default : _loader.Next(Cycle, Inside(row, Spec.Rows), Inside(column, Spec.Columns)));

    public override float SumRegister(int row, int column) =>
        TCell.ToSingle(_cells.Sum(Inside(row, Spec.Rows), Inside(column, Spec.Columns)));

    private protected override Slot Entered(long cycle) => _stream[cycle];

    private protected override (Slot Slot, int Row) EnteredAtTop(int column) => _loader is null
        ? (_stream[Cycle - column], 0)
        : _loader.Entered(Cycle, column);

    private protected override float TopPortValue(int column) => TCell.ToSingle(_loader is null
        ? _cells.TopPort[column]
        : Spec.Overlap == FoldOverlap.BackgroundLoad ? _loader.Next(Cycle, 0, column) : _cells.TopPort[column]);

    private void Step<TObserver>(ref TObserver observer)
        where TObserver : struct, IArrayObserver
    {
        while (_sequencer.TryAdvance())
        {
            if (_cells.MustSettle || _loader?.Changes(_sequencer) == true)
            {
                Settle();
            }

            Send();
            if (TObserver.IsActive || _ended.Count > 0)
            {
                Settle();
                TakeRestingSums();
            }

            if (TObserver.IsActive)
            {
                observer.Observe(this);
            }
        }

        Settle();
    }

    private void Send()
    {
        Slot slot = _sequencer.Stream;
        _stream[Cycle] = slot;
        _loader?.Step(_sequencer, _cells);
        _cells.Shift();
        SendLeft();
        if (!TDataflow.SumsMove)
        {
            SendTop();
            if (!slot.IsNone && slot.Step == _plan.Streamed - 1)
            {
                _ended.Enqueue((slot.Fold, Cycle));
            }
        }
    }

    // Rows that take successive steps of one fold are sent together.
    private void SendLeft()
    {
        for (int row = 0; row < Spec.Rows;)
        {
            Slot slot = _stream[Cycle - row];
            if (slot.IsNone)
            {
                _cells.EnterLeft(row++);
                continue;
            }

            int count = Math.Min(Spec.Rows - row, slot.Step + 1);
            int index = ((_plan.FirstRow(slot.Fold) + row) * _left.Stride) + slot.Step;
            _cells.EnterLeft(row, count, _left.Values, index, _left.Stride - 1);
            row += count;
        }
    }

    private void SendTop()
    {
        Span<T> port = _cells.TopPort;
        for (int column = 0; column < port.Length;)
        {
            Slot slot = _stream[Cycle - column];
            int count = slot.IsNone ? 1 : Math.Min(port.Length - column, slot.Step + 1);
            int index = slot.IsNone ? 0 : (slot.Step * _top.Stride) + _plan.FirstColumn(slot.Fold) + column;
            for (int i = 0; i < count; i++)
            {
                port[column++] = slot.IsNone ? default : _top.Values[index];
                index -= _top.Stride - 1;
            }
        }
    }

    // Sums that moved out of the bottom row since the last time.
    private void Settle()
    {
        int computed = _cells.Settle();
        for (int i = 0; i < computed && TDataflow.SumsMove; i++)
        {
            _results.TakeBottom(_settled + i, _cells.Bottom(i), _stream);
        }

        _settled += computed;
    }

    // Cell (i, j) of a fold is done i + j cycles after the last element entered lane 0; its column's port takes the sum and the cell starts anew.
    private void TakeRestingSums()
    {
        foreach ((int fold, long cycle) in _ended)
        {
            int distance = (int)(Cycle - cycle);
            int last = Math.Min(distance, Spec.Rows - 1);
            for (int row = Math.Max(0, distance - Spec.Columns + 1); row <= last; row++)
            {
                ref T sum = ref _cells.Sum(row, distance - row);
                _results.TakeOne(Cycle, fold, row, distance - row, sum);
                sum = default;
            }
        }

        while (_ended.TryPeek(out (int Fold, long Cycle) oldest) && Cycle - oldest.Cycle >= _plan.Depth)
        {
            _ended.Dequeue();
        }
    }
}
