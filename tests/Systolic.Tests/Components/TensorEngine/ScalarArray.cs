using Systolic.Components;
using Systolic.Numerics;
using Systolic.Units;

namespace Systolic.Tests.Components;

/// <summary>
/// The array as a grid of cell objects with validity bits, one cell at a time: slow, obvious, and written apart from the library. It knows neither the fold
/// start times nor the totals: ports are fed by counters, a cell acts on what its registers hold, and a run ends when nothing valid is left anywhere.
/// </summary>
internal sealed class ScalarArray
{
    private readonly record struct Token(bool Valid, bool Real, float Value, int Fold, int Step, bool First, bool Last);

    private readonly record struct Weight(bool Real, float Value, int Fold, int Row);

    private readonly int _rows;
    private readonly int _columns;
    private readonly bool _resting;
    private readonly bool _overlaps;
    private readonly bool _integers;
    private readonly float[,] _left; // [row, step]
    private readonly float[,] _top; // [row, column] or [step, column]
    private readonly int _extentRows;
    private readonly int _extentColumns;
    private readonly int _streamed;
    private readonly int _rowFolds;
    private readonly int _folds;
    private readonly float[,] _floats;
    private readonly int[,] _ints;
    private readonly bool[,] _written;
    private int _loadCycles;
    private int _fillCycles;
    private int _steadyCycles;

    private ScalarArray(ArraySpec spec, float[,] left, float[,] top, bool integers)
    {
        (_rows, _columns, _left, _top, _integers) = (spec.Rows, spec.Columns, left, top, integers);
        _resting = spec.Dataflow == Dataflow.OutputStationary;
        _overlaps = spec.Overlap == FoldOverlap.BackgroundLoad;
        (_extentRows, _streamed, _extentColumns) = (left.GetLength(0), left.GetLength(1), top.GetLength(1));
        _rowFolds = (_extentRows + _rows - 1) / _rows;
        _folds = _rowFolds * ((_extentColumns + _columns - 1) / _columns);
        int outputs = _resting ? _extentRows : _streamed;
        (_floats, _ints, _written) = (new float[outputs, _extentColumns], new int[outputs, _extentColumns], new bool[outputs, _extentColumns]);
    }

    public long Left { get; private set; }

    public long Top { get; private set; }

    public long Bottom { get; private set; }

    public List<long> Occupancy { get; } = [];

    public TileCost Cost => new()
    {
        Folds = _folds,
        Load = new Cycles(_loadCycles),
        Fill = new Cycles(_fillCycles),
        Steady = new Cycles(_steadyCycles),
        Drain = new Cycles(Occupancy.Count - _loadCycles - _fillCycles - _steadyCycles),
        LeftReads = Left,
        TopReads = Top,
        BottomWrites = Bottom,
        ActiveCellCycles = Occupancy.Sum(),
        CellCycles = (long)_rows * _columns * Occupancy.Count,
    };

    public static (ScalarArray Counts, Matrix Output) Run(ArraySpec spec, Matrix a, Matrix b, DataType type, Action<IEnumerable<float>>? registers = null)
    {
        (float[,] left, float[,] top) = (Elements(a.Rounded(type)), Elements(b.Rounded(type)));
        (left, top) = spec.Dataflow switch
        {
            Dataflow.WeightStationary => (Transpose(left), top),
            Dataflow.InputStationary => (top, Transpose(left)),
            _ => (left, top),
        };
        var array = new ScalarArray(spec, left, top, type == DataType.Int8);
        array.Run(registers);
        bool transposed = spec.Dataflow == Dataflow.InputStationary;
        return (array, Matrix.From(a.Rows, b.Columns, (m, n) => array.Result(transposed ? n : m, transposed ? m : n)));
    }

    private float Result(int i, int j)
    {
        Require(_written[i, j], "every output is written");
        return _integers ? _ints[i, j] : _floats[i, j];
    }

    private void Run(Action<IEnumerable<float>>? registers)
    {
        var moving = new Token[_rows, _columns];
        var down = new Token[_rows, _columns]; // B of output-stationary
        var sums = new (bool Valid, int Fold, int Step, float Float, int Int)[_rows, _columns];
        var use = new Weight[_rows, _columns];
        var next = new Weight[_rows, _columns];
        var rowPort = new Token[_rows]; // delay lines in front of the ports: lane i gets what lane i - 1 got a cycle earlier
        var columnPort = new Token[_columns];
        var tilePort = new (int Fold, int Row)[_columns];
        Array.Fill(tilePort, (-1, 0));
        int streamFold = 0, streamStep = 0, loadFold = 0, loadStep = 0, sinceStart = 0;
        bool busy = false, farCornerReached = false;
        while (streamFold < _folds || busy)
        {
            // Controller.
            bool tilesReady = _resting
                ? streamFold == 0 || (_overlaps ? sinceStart >= _rows : !busy)
                : loadFold > streamFold;
            Token head = default;
            if (streamFold < _folds && (streamStep > 0 || tilesReady))
            {
                sinceStart = streamStep == 0 ? 0 : sinceStart;
                farCornerReached &= streamStep > 0 || _overlaps;
                head = new Token(true, false, 0, streamFold, streamStep, streamStep == 0, streamStep == _streamed - 1);
                streamStep++;
                if (streamStep == _streamed)
                {
                    (streamFold, streamStep) = (streamFold + 1, 0);
                }
            }

            sinceStart++;
            (int Fold, int Row) tileHead = (-1, 0);
            bool registersFree = _overlaps
                ? loadFold == 0 || streamFold >= loadFold || (streamFold == loadFold - 1 && streamStep > 0)
                : !busy && !head.Valid && streamFold == loadFold;
            if (!_resting && loadFold < _folds && (loadStep > 0 || registersFree))
            {
                tileHead = (loadFold, _rows - 1 - loadStep);
                loadStep++;
                if (loadStep == _rows)
                {
                    (loadFold, loadStep) = (loadFold + 1, 0);
                }

                _loadCycles += head.Valid ? 0 : 1;
            }

            // Delay lines of the edges.
            for (int i = _rows - 1; i >= 0; i--)
            {
                rowPort[i] = i == 0 ? head : rowPort[i - 1];
            }

            for (int j = _columns - 1; j >= 0; j--)
            {
                columnPort[j] = j == 0 ? head : columnPort[j - 1];
                tilePort[j] = j == 0 || !_overlaps ? tileHead : tilePort[j - 1];
            }

            // Moving registers.
            for (int i = 0; i < _rows; i++)
            {
                for (int j = _columns - 1; j > 0; j--)
                {
                    moving[i, j] = moving[i, j - 1];
                }

                moving[i, 0] = ReadLeft(rowPort[i], i);
            }

            farCornerReached |= moving[_rows - 1, _columns - 1].Valid;
            _fillCycles += head.Valid && !farCornerReached ? 1 : 0;
            _steadyCycles += head.Valid && farCornerReached ? 1 : 0;

            if (_resting)
            {
                for (int j = 0; j < _columns; j++)
                {
                    for (int i = _rows - 1; i > 0; i--)
                    {
                        down[i, j] = down[i - 1, j];
                    }

                    down[0, j] = ReadMovingTop(columnPort[j], j);
                }
            }
            else
            {
                for (int i = 0; i < _rows && _overlaps; i++)
                {
                    for (int j = 0; j < _columns; j++)
                    {
                        use[i, j] = moving[i, j] is { Valid: true, First: true } ? next[i, j] : use[i, j];
                    }
                }

                LoadTiles(_overlaps ? next : use, tilePort);
            }

            // Multiply and add, from the bottom up: a moving sum still finds its neighbour's value of the cycle before.
            long active = 0;
            for (int i = _rows - 1; i >= 0; i--)
            {
                for (int j = _columns - 1; j >= 0; j--)
                {
                    Token m = moving[i, j];
                    (bool Real, float Value, int Fold) t = _resting ? (down[i, j].Real, down[i, j].Value, down[i, j].Fold) : (use[i, j].Real, use[i, j].Value, use[i, j].Fold);
                    Require(!m.Valid || (t.Fold == m.Fold && (_resting || use[i, j].Row == i)), "operands of one fold meet, in the right row");
                    var sum = _resting ? sums[i, j] : i == 0 ? default : sums[i - 1, j];
                    sum = _resting && m is { Valid: true, First: true } ? default : sum;
                    if (_resting ? m.Valid : i == 0 && m.Valid)
                    {
                        (sum.Valid, sum.Fold, sum.Step) = (true, m.Fold, m.Step);
                    }

                    Require(_resting || !m.Valid || (sum.Valid && sum.Fold == m.Fold && sum.Step == m.Step), "a sum meets the elements of its own row");
                    sum.Float = MathF.FusedMultiplyAdd(t.Value, m.Value, sum.Float);
                    sum.Int = _integers ? unchecked(((int)t.Value * (int)m.Value) + sum.Int) : 0;
                    sums[i, j] = sum;
                    active += m.Real && t.Real ? 1 : 0;
                }
            }

            Occupancy.Add(active);
            for (int cell = 0; registers is not null && cell < _rows * _columns; cell++)
            {
                (int i, int j) = (cell / _columns, cell % _columns);
                float second = _overlaps ? next[i, j].Value : 0;
                registers([moving[i, j].Value, _resting ? down[i, j].Value : use[i, j].Value, _resting ? 0 : second]);
            }

            Collect(moving, sums);

            // After this cycle: anything valid that still has cells to visit?
            busy = false;
            for (int i = 0; i < _rows; i++)
            {
                for (int j = 0; j < _columns; j++)
                {
                    busy |= moving[i, j].Valid && j < _columns - 1;
                }
            }

            foreach (Token token in rowPort.AsSpan(0, _rows - 1))
            {
                busy |= token.Valid;
            }
        }
    }

    private Token ReadLeft(Token port, int i)
    {
        int row = (port.Fold % _rowFolds * _rows) + i;
        if (!port.Valid || row >= _extentRows)
        {
            return port;
        }

        Left++;
        return port with { Real = true, Value = _left[row, port.Step] };
    }

    private Token ReadMovingTop(Token port, int j)
    {
        int column = (port.Fold / _rowFolds * _columns) + j;
        if (!port.Valid || column >= _extentColumns)
        {
            return port;
        }

        Top++;
        return port with { Real = true, Value = _top[port.Step, column] };
    }

    // A cell takes the row above's register while what passes is not yet its own.
    private void LoadTiles(Weight[,] registers, (int Fold, int Row)[] port)
    {
        for (int j = 0; j < _columns; j++)
        {
            if (port[j].Fold < 0)
            {
                continue;
            }

            for (int i = _rows - 1; i > 0; i--)
            {
                Weight above = registers[i - 1, j];
                registers[i, j] = _overlaps && (above.Fold != port[j].Fold || above.Row < i) ? registers[i, j] : above;
            }

            int row = (port[j].Fold % _rowFolds * _rows) + port[j].Row;
            int column = (port[j].Fold / _rowFolds * _columns) + j;
            bool real = row < _extentRows && column < _extentColumns;
            Top += real ? 1 : 0;
            registers[0, j] = new Weight(real, real ? _top[row, column] : 0, port[j].Fold, port[j].Row);
        }
    }

    private void Collect(Token[,] moving, (bool Valid, int Fold, int Step, float Float, int Int)[,] sums)
    {
        for (int j = 0; j < _columns; j++)
        {
            int given = 0;
            for (int i = _resting ? 0 : _rows - 1; i < _rows; i++)
            {
                Token m = moving[i, j];
                if (!m.Valid || (_resting && !m.Last))
                {
                    continue;
                }

                given++;
                int row = _resting ? (m.Fold % _rowFolds * _rows) + i : m.Step;
                int column = (m.Fold / _rowFolds * _columns) + j;
                if (column < _extentColumns && (!_resting || row < _extentRows))
                {
                    Bottom++;
                    Write(row, column, sums[i, j].Float, sums[i, j].Int);
                }
            }

            Require(given <= 1, "a column has one output port");
        }
    }

    private void Write(int row, int column, float value, int integer)
    {
        bool add = _written[row, column];
        Require(!add || !_resting, "an output that stays is written once");
        _floats[row, column] = add ? _floats[row, column] + value : value;
        _ints[row, column] = add ? unchecked(_ints[row, column] + integer) : integer;
        _written[row, column] = true;
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException("scalar array: does not hold: " + what);
        }
    }

    private static float[,] Elements(Matrix matrix)
    {
        var values = new float[matrix.Rows, matrix.Columns];
        for (int row = 0; row < matrix.Rows; row++)
        {
            for (int column = 0; column < matrix.Columns; column++)
            {
                values[row, column] = matrix[row, column];
            }
        }

        return values;
    }

    private static float[,] Transpose(float[,] matrix)
    {
        var values = new float[matrix.GetLength(1), matrix.GetLength(0)];
        for (int row = 0; row < values.GetLength(0); row++)
        {
            for (int column = 0; column < values.GetLength(1); column++)
            {
                values[row, column] = matrix[column, row];
            }
        }

        return values;
    }
}
