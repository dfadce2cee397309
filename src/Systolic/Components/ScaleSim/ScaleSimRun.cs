namespace Systolic.Components;

/// <summary>One layer, from event to event: between misses, drains and stalls the array proceeds a cycle at a time, which is skipped.</summary>
internal sealed class ScaleSimRun
{
    private readonly ScaleSimConfiguration _configuration;
    private readonly ScaleSimLayer _layer;
    private readonly ScaleSimFolds _folds;
    private readonly ScaleSimPixels? _pixels;
    private readonly ScaleSimOperand _ifmap;
    private readonly ScaleSimOperand _filter;
    private readonly ScaleSimOutputs _outputs;
    private readonly ScaleSimWriteBuffer _writes;
    private readonly ScaleSimReadBuffer? _ifmapReads;
    private readonly ScaleSimReadBuffer? _filterReads;
    private readonly ScaleSimClock _ifmapClock;
    private readonly ScaleSimClock _filterClock;
    private readonly ScaleSimClock _outputClock;
    private long _stall;
    private long _total;

    public ScaleSimRun(ScaleSimConfiguration configuration, ScaleSimLayer layer)
    {
        (_configuration, _layer, _folds) = (configuration, layer, new ScaleSimFolds(configuration, layer));
        bool stay = configuration.Dataflow == ScaleSimDataflow.OutputStationary;
        bool weights = configuration.Dataflow == ScaleSimDataflow.WeightStationary;
        _pixels = layer.Convolution is { IsPlainMatrix: false } shape ? new ScaleSimPixels(shape, windowsAlong: weights) : null;
        _ifmap = stay || weights ? new ScaleSimStreamedOperand(_folds, onColumns: false) : new ScaleSimStationaryOperand(_folds);
        _filter = weights ? new ScaleSimStationaryOperand(_folds) : new ScaleSimStreamedOperand(_folds, onColumns: stay);
        _outputs = new ScaleSimOutputs(_folds);
        _writes = new ScaleSimWriteBuffer(ScaleSimConfiguration.Sram(configuration.OfmapKibibytes, configuration.Bandwidth?.Ofmap ?? configuration.Columns), _outputs);
        if (configuration.Bandwidth is { } bandwidth)
        {
            _ifmapReads = new ScaleSimReadBuffer(ScaleSimConfiguration.Sram(configuration.IfmapKibibytes, bandwidth.Ifmap), _ifmap, _pixels, _folds.Cycles);
            _filterReads = new ScaleSimReadBuffer(ScaleSimConfiguration.Sram(configuration.FilterKibibytes, bandwidth.Filter), _filter, null, _folds.Cycles);
        }

        _ifmapClock = new ScaleSimClock(_ifmap.FirstCycle, LastRequest());
        _filterClock = new ScaleSimClock(_filter.FirstCycle, _filter.LastCycle);
        _outputClock = new ScaleSimClock(_outputs.CycleOf(0), _outputs.CycleOf(_outputs.Total - 1));
    }

    /// <summary>Runs the layer.</summary>
    public ScaleSimReport Report()
    {
        Run();
        double cells = (double)_configuration.Rows * _configuration.Columns;
        double mapping = (double)_folds.OnRows * _folds.OnColumns / (_folds.Count * cells);
        bool stay = _configuration.Dataflow == ScaleSimDataflow.OutputStationary;
        long foldCycles = stay ? _folds.Length : _folds.Length + _folds.Columns - 1;
        return new ScaleSimReport(_layer)
        {
            TotalCycles = _total,
            StallCycles = _stall,
            UtilizationPercent = 100.0 * _layer.M * _layer.K * _layer.N / (_total * cells),
            MappingEfficiencyPercent = 100 * mapping,
            ComputeUtilizationPercent = 100 * mapping * _folds.Streamed / foldCycles,
            Ifmap = new(_ifmapClock.Accesses(SramIfmapReads()), Reads(_configuration.IfmapKibibytes, _ifmap, _ifmapReads, _pixels)),
            Filter = new(_filterClock.Accesses(SramFilterReads()), Reads(_configuration.FilterKibibytes, _filter, _filterReads, null)),
            Ofmap = new(_outputClock.Accesses(SramOfmapWrites()), new(_writes.FirstCycle, _writes.LastCycle, _writes.Writes)),
        };
    }

    private void Run()
    {
        long end = _folds.Cycles - 1;
        long ifmapNext = _ifmapReads?.NextMiss(0) ?? long.MaxValue;
        long filterNext = _filterReads?.NextMiss(0) ?? long.MaxValue;
        for (long cycle = 0; cycle <= end; cycle++)
        {
            long marks = Math.Min(Math.Min(_ifmapClock.Next(cycle), _filterClock.Next(cycle)), _outputClock.Next(cycle));
            long events = Math.Min(Math.Min(ifmapNext, filterNext), _writes.NextEvent(cycle, _stall));
            cycle = Math.Min(end, Math.Min(marks, events));
            _writes.Advance(cycle);
            long now = cycle + _stall;
            long ifmapStall = cycle == ifmapNext ? _ifmapReads!.Serve(cycle, now) : 0;
            long filterStall = cycle == filterNext ? _filterReads!.Serve(cycle, now) : 0;
            long ofmapStall = _writes.Serve(cycle, now);
            _ifmapClock.Record(cycle, now + 1 + ifmapStall);
            _filterClock.Record(cycle, now + 1 + filterStall);
            _outputClock.Record(cycle, now + ofmapStall);
            ifmapNext = cycle == ifmapNext ? _ifmapReads!.NextMiss(cycle + 1) : ifmapNext;
            filterNext = cycle == filterNext ? _filterReads!.NextMiss(cycle + 1) : filterNext;
            _total = now + ofmapStall;
            _stall += Math.Max(Math.Max(ifmapStall, filterStall), ofmapStall);
        }

        _writes.Finish(_total);
    }

    // Of a convolution whose last windows hang over the edge, the last cycle that asks for a pixel.
    private long LastRequest()
    {
        long cycle = _ifmap.LastCycle;
        while (_pixels is not null && !AsksForPixel(_ifmap.At(cycle)))
        {
            cycle--;
        }

        return cycle;
    }

    private bool AsksForPixel(ScaleSimRequests requests)
    {
        for (long lane = 0; lane < requests.Count; lane++)
        {
            if (_pixels!.Address(requests.Along + (lane * requests.Step), requests.Across + lane) >= 0)
            {
                return true;
            }
        }

        return false;
    }

    private ScaleSimAccesses Reads(long kibibytes, ScaleSimOperand operand, ScaleSimReadBuffer? buffer, ScaleSimPixels? pixels)
    {
        if (buffer is not null)
        {
            return new(buffer.FirstCycle, buffer.LastCycle, buffer.Reads);
        }

        var estimate = ScaleSimEstimate.Of(kibibytes, operand, pixels, _layer.Convolution?.TouchedPixels ?? 0, _folds.Cycles);
        return new(estimate.FirstCycle, estimate.LastCycle, estimate.Reads);
    }

    private long SramIfmapReads() =>
        _layer.M * _layer.K * (_configuration.Dataflow == ScaleSimDataflow.InputStationary ? 1 : _folds.ColumnFolds);

    private long SramFilterReads() => _layer.K * _layer.N * _configuration.Dataflow switch
    {
        ScaleSimDataflow.OutputStationary => _folds.RowFolds,
        ScaleSimDataflow.WeightStationary => 1,
        _ => _folds.ColumnFolds,
    };

    // Output stationary: a sum was added where a product had been counted already.
    private long SramOfmapWrites() => _configuration.Dataflow == ScaleSimDataflow.OutputStationary
        ? (_layer.M * _layer.N) + (_folds.Count * (_folds.Rows + _folds.Columns))
        : _layer.M * _layer.N * _folds.RowFolds;
}
