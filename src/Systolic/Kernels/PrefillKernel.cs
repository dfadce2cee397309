using System.Collections.Immutable;
using Systolic.Hardware;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>A query group against a section of keys.</summary>
/// <param name="Number">Number over the whole program.</param>
/// <param name="Part">The part of a head to which the group belongs.</param>
/// <param name="Section">Section of keys.</param>
/// <param name="Group">Group of 128 queries.</param>
/// <param name="Rows">Its queries.</param>
/// <param name="Tiles">The tiles of the section that the group sees, in order.</param>
/// <param name="HasSink">The sink's score is among those of the section.</param>
/// <param name="Last">The group works on no later section.</param>
internal sealed record PrefillTurn(long Number, PrefillPart Part, int Section, int Group, int Rows, ImmutableArray<int> Tiles, bool HasSink, bool Last)
{
    /// <summary>The group sees nothing of the section.</summary>
    public bool IsEmpty => Tiles.IsEmpty && !HasSink;

    /// <summary>A column of a buffer for each tile and one for the sink; one where there is neither.</summary>
    public TileView Columns(TileBuffer buffer) => buffer[Number][..Rows, ..Math.Max(1, Tiles.Length + (HasSink ? 1 : 0))];

    /// <summary>The column of a tile, by its number in the turn.</summary>
    public TileView Column(TileBuffer buffer, int index) => buffer[Number][..Rows, index..(index + 1)];

    /// <summary>The column of the sink.</summary>
    public TileView SinkColumn(TileBuffer buffer) => Column(buffer, Tiles.Length);
}

/// <summary>Prefill attention (tiling: <see cref="PrefillPlan"/>): all scores of a group and section lie in SBUF, so that their maximum is known before the first exponential.</summary>
/// <remarks>
/// Groups overlap, in the order into which a compiler schedules the published kernel: the scores of a group and its exponentials are written two groups before the products with its values (four where groups see a tile or
/// two), a block of which comes between four tiles of scores and the next. ScalarE computes all the time, so that one engine triggers all transfers.
/// </remarks>
internal sealed class PrefillKernel
{
    private readonly PrefillAttention _op;
    private readonly PrefillPlan _plan;
    private readonly KernelBuilder _kernel;
    private readonly PrefillBounds _bounds;
    private readonly PrefillOperands _operands;
    private readonly PrefillScores _scores;
    private readonly PrefillProbabilities _probabilities;
    private readonly PrefillOutput _output;

    private PrefillKernel(PrefillAttention op, ImmutableArray<PrefillPart> parts, Accelerator machine, bool values)
    {
        (_op, _plan) = (op, new PrefillPlan(op, machine));
        _kernel = new KernelBuilder(machine, op.Name, values) { Descriptors = DescriptorSource.HardwareOneBlock };
        _bounds = new PrefillBounds(_kernel, op, _plan);
        _operands = new PrefillOperands(_kernel, op, _plan, _bounds, parts.Any(part => !part.Whole));
        _scores = new PrefillScores(_kernel, op, _plan, _bounds, _operands);
        _probabilities = new PrefillProbabilities(_kernel, _plan, _scores);
        _output = new PrefillOutput(_kernel, op, _plan, _operands, _scores, _probabilities);
    }

    /// <summary>The program of a core that computes some parts of heads.</summary>
    /// <exception cref="Accounting.CapacityException">Too many features for the partitions, or a machine without descriptor blocks or transposes by DMA.</exception>
    public static Program Write(PrefillAttention op, ImmutableArray<PrefillPart> parts, Accelerator machine, bool values = false) =>
        new PrefillKernel(op, parts, machine, values).Write(parts);

    private Program Write(ImmutableArray<PrefillPart> parts)
    {
        long number = 0;
        foreach (PrefillPart part in parts)
        {
            int kvHead = part.Head / _op.Sharing;
            _bounds.Write();
            _scores.LoadSink(part.Head);
            for (int section = 0; section < _plan.Sections; section++)
            {
                PrefillTurn[] turns = [.. Turns(part, section, number)];
                number += turns.Length;
                _operands.LoadKeys(kvHead, section);
                _operands.LoadFirstQueries(turns);
                _operands.LoadValues(kvHead, section);
                Overlap(turns);
            }
        }

        return _kernel.Build();
    }

    private IEnumerable<PrefillTurn> Turns(PrefillPart part, int section, long number)
    {
        for (int group = part.FirstGroup; group < part.FirstGroup + part.Groups; group++)
        {
            if (_plan.WorksOn(group, section))
            {
                yield return new PrefillTurn(number++, part, section, group, _plan.QueriesIn(group), _plan.Seen(group, section), _op.Sink && section == 0, !_plan.WorksOn(group, section + 1));
            }
        }
    }

    private void Overlap(PrefillTurn[] turns)
    {
        for (int i = -_plan.GroupsAhead; i < turns.Length; i++)
        {
            int newest = i + _plan.GroupsAhead;
            Stage(i, _output.Begin);
            Stage(newest, Scores);
            Stage(newest - 2, _output.Sum);
            _scores.EvictMasked();
            Stage(newest, _scores.UpdateMaximum);
            Stage(i, _output.WeighRest);
            Stage(newest, _probabilities.Write);
            Stage(i, _output.Store);
        }

        void Stage(int index, Action<PrefillTurn> write)
        {
            if (index >= 0 && index < turns.Length)
            {
                write(turns[index]);
            }
        }
    }

    private void Scores(PrefillTurn turn)
    {
        _operands.LoadQueries(turn);
        foreach ((int number, int index) in _plan.ScoreOrder(turn).Index())
        {
            if (number > 0 && number % PrefillPlan.BlockTiles == 0)
            {
                _output.WeighBlock();
            }

            _scores.Write(turn, index);
        }
    }
}
