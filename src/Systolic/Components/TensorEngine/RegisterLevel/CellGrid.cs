namespace Systolic.Components;

/// <summary>The registers of all cells: moving, top and sum.</summary>
/// <remarks>
/// Registers that all take their neighbour's value every cycle are not copied; the place where the array looks moves instead. The moving registers
/// of a row are a window on that row's line, one element to the left each cycle; rows that move down are a ring. Up to <see cref="Block"/> cycles are held
/// back and computed together, each sum in the same order of additions.
/// </remarks>
internal abstract class CellGrid<T, TCell>
    where T : unmanaged
    where TCell : struct, ICell<T>
{
    /// <summary>Cycles that are computed together; what they touch of a row fits the first-level cache.</summary>
    public const int Block = 16;

    // Cycles until a line is copied back to its end: a multiple of a block; a longer line falls out of the second-level cache, a shorter one is copied more often.
    private const int LineSlack = 144;

    private readonly int _lineLength;
    private readonly int _topRows;
    private readonly T[] _moving;
    private readonly T[] _top;
    private readonly T[] _sum;
    private readonly int[] _topHeads = new int[Block];
    private int _head;
    private int _topHead;
    private int _pending;

    private protected CellGrid(int rows, int columns)
    {
        (Rows, Columns) = (rows, columns);
        Stride = (columns + RowUpdate<T, TCell>.Lanes - 1) / RowUpdate<T, TCell>.Lanes * RowUpdate<T, TCell>.Lanes;
        _lineLength = Stride + LineSlack;
        _topRows = rows + Block - 1;
        _head = _lineLength - Stride;
        (_moving, _top, _sum) = (new T[rows * _lineLength], new T[_topRows * Stride], new T[rows * Stride]);
    }

    private protected int Rows { get; }

    private protected int Columns { get; }

    /// <summary>Cells of a row with its padding.</summary>
    private protected int Stride { get; }

    /// <summary>The first cycle that is held back.</summary>
    private protected long FirstPending { get; private set; }

    /// <summary>Held-back cycles must be computed before the next shift.</summary>
    public bool MustSettle => _pending == Block || (_head == 0 && _pending > 0);

    /// <summary>One cycle: the moving registers go one to the right; what else moves has moved.</summary>
    public virtual void Shift()
    {
        if (_head == 0)
        {
            Rewind();
        }

        _head--;
        _topHeads[_pending++] = _topHead;
    }

    /// <summary>Every top register takes the one above; the top row is to be entered.</summary>
    public void ShiftTop() => _topHead = _topHead == 0 ? _topRows - 1 : _topHead - 1;

    /// <summary>What enters a row in the cycles held back, newest first.</summary>
    public Span<T> Entries(int row) => _moving.AsSpan((row * _lineLength) + _head, _pending);

    /// <summary>The top row of top registers.</summary>
    public Span<T> TopPort => _top.AsSpan(_topHead * Stride, Columns);

    public T Moving(int row, int column) => _moving[(row * _lineLength) + _head + column];

    public ref T Top(int row, int column) => ref _top[RingRow(_topHead, row) + column];

    public T Sum(int row, int column) => _sum[SumRow(row) + column];

    /// <summary>Computes the cycles held back and returns their number.</summary>
    public int Settle()
    {
        int count = _pending;
        if (count == Block && Rows >= Block)
        {
            ComputeBlock();
        }
        else
        {
            for (int cycle = 0; cycle < count; cycle++)
            {
                ComputeOne(cycle);
            }
        }

        FirstPending += count;
        _pending = 0;
        return count;
    }

    /// <summary>Where the sums of a row of cells are.</summary>
    private protected abstract int SumRow(int row);

    /// <summary>Computes one of the cycles held back.</summary>
    private protected abstract void ComputeOne(int cycle);

    /// <summary>Computes <see cref="Block"/> cycles held back.</summary>
    private protected abstract void ComputeBlock();

    private protected Span<T> Sums(int start) => _sum.AsSpan(start, Stride);

    /// <summary>The same sums in the cycles held back from <paramref name="from"/> to before <paramref name="to"/>; each time <paramref name="rowStep"/> rows further down.</summary>
    private protected void Update(int row, int rowStep, int from, int to, int sum)
    {
        int steps = to - from - 1;
        int top = TopRow(row, from), topStep = rowStep == 0 ? -Stride : Stride;
        if (TopRow(row + (steps * rowStep), to - 1) == top + (steps * topStep))
        {
            RowUpdate<T, TCell>.Times(to - from, ref _top[top], topStep, ref MovingAt(row, from, 0), (rowStep * _lineLength) - 1, ref _sum[sum], Stride);
            return;
        }

        for (int cycle = from; cycle < to; cycle++, row += rowStep)
        {
            RowUpdate<T, TCell>.Times(1, ref TopAt(row, cycle, 0), 0, ref MovingAt(row, cycle, 0), 0, ref _sum[sum], Stride);
        }
    }

    /// <summary>A top register in one of the cycles held back.</summary>
    private protected ref T TopAt(int row, int cycle, int column) => ref _top[TopRow(row, cycle) + column];

    /// <summary>A moving register in one of the cycles held back.</summary>
    private protected ref T MovingAt(int row, int cycle, int column) => ref _moving[(row * _lineLength) + _head + _pending - 1 - cycle + column];

    private int TopRow(int row, int cycle) => RingRow(_topHeads[cycle], row);

    private int RingRow(int head, int row) => (head + row >= _topRows ? head + row - _topRows : head + row) * Stride;


    private void Rewind()
    {
        int end = _lineLength - Stride;
        for (int row = 0; row < Rows; row++)
        {
            Span<T> line = _moving.AsSpan(row * _lineLength, _lineLength);
            line[..Stride].CopyTo(line[end..]);
        }

        _head = end;
    }
}
