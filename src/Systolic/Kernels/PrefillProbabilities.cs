using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Kernels;

/// <summary>Exponentials of the scores of prefill attention with their sums, and their transposes by the DMA engines.</summary>
internal sealed class PrefillProbabilities
{
    private readonly KernelBuilder _kernel;
    private readonly PrefillPlan _plan;
    private readonly PrefillScores _scores;
    private readonly TileBuffer _probabilities;
    private readonly TileBuffer _transposed;
    private readonly TileBuffer _sums;

    public PrefillProbabilities(KernelBuilder kernel, PrefillPlan plan, PrefillScores scores)
    {
        (_kernel, _plan, _scores) = (kernel, plan, scores);
        int groups = plan.GroupsAhead;
        _probabilities = kernel.Sbuf("probabilities", PrefillPlan.TileKeys, DataType.Bf16, plan.GroupTiles * (groups > 2 ? groups : 1));
        _transposed = kernel.Sbuf("transposed probabilities", PrefillPlan.TileKeys, DataType.Bf16, plan.GroupTiles * groups);
        _sums = kernel.Sbuf("sums of tiles", plan.SectionTiles + 1, DataType.Fp32, 2);
    }

    /// <summary>The sum of each tile of a turn.</summary>
    public TileView Sums(PrefillTurn turn) => turn.Columns(_sums);

    /// <summary>The transpose of a chunk of 128 keys of a tile: keys x queries.</summary>
    public TileView Transposed(PrefillTurn turn, int tile, int chunk, int count) => _transposed[Place(turn, tile)][..count, (chunk * turn.Rows)..((chunk + 1) * turn.Rows)];

    /// <summary>Writes the exponentials of a turn and has them transposed.</summary>
    public void Write(PrefillTurn turn)
    {
        TileView maximum = _scores.NegativeMaximum(turn);
        for (int i = 0; i < turn.Tiles.Length; i++)
        {
            int tile = turn.Tiles[i];
            TileView probabilities = _probabilities[Place(turn, tile)][..turn.Rows, .._plan[tile].Count];
            _kernel.ActivationReduce(ActivationFunction.Exp, probabilities, turn.Column(_sums, i), _scores.Of(turn, tile), maximum);
            Transpose(_transposed[Place(turn, tile)], probabilities);
        }

        if (turn.HasSink)
        {
            _kernel.Activation(ActivationFunction.Exp, turn.SinkColumn(_sums), _scores.Sink(turn), maximum);
        }

        if (turn.IsEmpty)
        {
            _kernel.Memset(StreamId.GpSimd, Sums(turn), 0);
        }
    }

    /// <summary>Chunks of 128 keys side by side; a shorter last one is a transfer of its own.</summary>
    private void Transpose(Tile target, in TileView probabilities)
    {
        int rows = probabilities.Partitions, chunks = probabilities.Elements / PrefillPlan.ChunkKeys, rest = probabilities.Elements % PrefillPlan.ChunkKeys;
        if (chunks > 0)
        {
            _kernel.LocalTranspose(target[.., ..(chunks * rows)], probabilities with { Free = FreePattern.Row(chunks * PrefillPlan.ChunkKeys) });
        }

        if (rest > 0)
        {
            _kernel.LocalTranspose(target[..rest, (chunks * rows)..((chunks + 1) * rows)], probabilities.Columns(chunks * PrefillPlan.ChunkKeys, rest));
        }
    }

    /// <summary>Groups take the places of a buffer in turn.</summary>
    private long Place(PrefillTurn turn, int tile) => (turn.Number * _plan.GroupTiles) + (tile % _plan.SectionTiles % _plan.GroupTiles);
}
