using System.Globalization;
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
    private readonly MovingSums<T, TCell>? _moving;
    private readonly RestingSums<T, TCell>? _resting;
    private long _settled;

    public ArrayMachine(ArraySpec spec, FoldPlan plan, Matrix a, Matrix b)
        : base(spec, plan)
    {
        _plan = plan;
        bool overlaps = spec.Overlap == FoldOverlap.BackgroundLoad;
        int lanes = plan.RowFolds * spec.Rows;
        _sequencer = new Sequencer(plan, TDataflow.SumsMove, overlaps);
        _stream = new Wavefront(plan.Depth + 1 + CellGrid<T, TCell>.Block);
        _left = PaddedOperand<T>.Of<TCell>(TDataflow.Left(a, b), lanes, plan.Streamed);
        _top = PaddedOperand<T>.Of<TCell>(TDataflow.Top(a, b), TDataflow.SumsMove ? lanes : plan.Streamed, plan.ColumnFolds * spec.Columns);
        _results = new ResultStore<T, TCell>(plan, TDataflow.SumsMove);
        if (TDataflow.SumsMove)
        {
            _loader = new TileLoader<T>(plan, _top, overlaps);
            _cells = _moving = new MovingSums<T, TCell>(spec.Rows, spec.Columns, _loader);
        }
        else
        {
            _cells = _resting = new RestingSums<T, TCell>(spec.Rows, spec.Columns, overlaps, _results);
        }
    }

    public override long Cycle => _sequencer.Cycle;

    public override ArrayPhase Phase => _sequencer.Phase;

    public static ArrayProduct Run<TObserver>(ArraySpec spec, TileShape shape, Matrix a, Matrix b, ref TObserver observer)
        where TObserver : struct, IArrayObserver
    {
        ArrayExtents extents = TDataflow.Extents(shape);
        MatrixView output = TDataflow.Output(new Matrix(shape.M, shape.N));
        Require("left operand", TDataflow.Left(a, b), extents.Rows, extents.Streamed);
        Require("top operand", TDataflow.Top(a, b), TDataflow.SumsMove ? extents.Rows : extents.Streamed, extents.Columns);
        Require("output", output, TDataflow.SumsMove ? extents.Streamed : extents.Rows, extents.Columns);
        var machine = new ArrayMachine<T, TCell, TDataflow>(spec, new FoldPlan(spec.Rows, spec.Columns, extents), a, b);
        machine.Step(ref observer);
        machine._results.CopyTo(output);
        return new ArrayProduct(output.Matrix, new Cycles(machine.Cycle));
    }

    private static void Require(string edge, MatrixView view, int rows, int columns)
    {
        if (view.Rows != rows || view.Columns != columns)
        {
            throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"{typeof(TDataflow).Name}: found a {edge} of {view.Rows}x{view.Columns}, expected {rows}x{columns} from its extents"));
        }
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
            if (_cells.MustSettle)
            {
                Settle();
            }

            Send();
            if (TObserver.IsActive)
            {
                Settle();
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
        if (_resting is not null)
        {
            SendTop();
            if (!slot.IsNone && slot.Step == _plan.Streamed - 1)
            {
                _resting.End(slot.Fold, Cycle);
            }
        }
    }

    // What the rows took in the cycles held back, newest first; mostly successive steps of one fold.
    private void SendLeft()
    {
        for (int row = 0; row < Spec.Rows; row++)
        {
            Span<T> entries = _cells.Entries(row);
            long cycle = _settled + entries.Length - 1 - row;
            Slot newest = _stream[cycle];
            if (!newest.IsNone && newest.Step >= entries.Length - 1)
            {
                int index = LeftIndex(newest, row);
                for (int age = 0; age < entries.Length; age++)
                {
                    entries[age] = _left.Values[index - age];
                }

                continue;
            }

            for (int age = 0; age < entries.Length; age++)
            {
                Slot slot = _stream[cycle - age];
                entries[age] = slot.IsNone ? default : _left.Values[LeftIndex(slot, row)];
            }
        }
    }

    private int LeftIndex(Slot slot, int row) => ((_plan.FirstRow(slot.Fold) + row) * _left.Stride) + slot.Step;

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

    // Computes the cycles held back, and takes the sums that moved out of the bottom row in them.
    private void Settle()
    {
        SendLeft();
        int computed = _cells.Settle();
        for (int i = 0; i < computed && _moving is not null; i++)
        {
            _results.TakeBottom(_settled + i, _moving.Bottom(i), _stream);
        }

        _settled += computed;
    }
}
