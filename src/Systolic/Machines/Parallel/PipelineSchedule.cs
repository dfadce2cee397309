using System.Collections.Immutable;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>When the stages of a pipeline end, micro-batch by micro-batch.</summary>
/// <param name="End">When each stage has done its last pass.</param>
internal sealed record PipelineSchedule(ImmutableArray<SimTime> End)
{
    /// <summary>One forward, one backward: stage s of p takes p - s - 1 micro-batches forward ahead, then alternates (Narayanan et al., arXiv 2104.04473, figure 4); without a backward pass, one micro-batch after the other.</summary>
    /// <remarks>A send occupies its link, not its stage, and the next stage waits for it; sends of one direction follow one another. p equal stages take (m + p - 1)(forward + backward).</remarks>
    /// <param name="forward">Time of a forward pass, by stage.</param>
    /// <param name="backward">Time of a backward pass, by stage; zero everywhere when there is none.</param>
    /// <param name="send">Time of a send to a neighbour.</param>
    /// <param name="microBatches">Micro-batches.</param>
    public static PipelineSchedule Of(ImmutableArray<SimTime> forward, ImmutableArray<SimTime> backward, SimTime send, int microBatches)
    {
        int stages = forward.Length;
        bool trains = backward.Any(time => time > SimTime.Zero);
        var arrived = new SimTime?[2, stages, microBatches];
        var sent = new SimTime[2, stages];
        var now = new SimTime[stages];
        int[] position = new int[stages];
        int[] forwards = new int[stages];
        int total = trains ? 2 * microBatches : microBatches;
        for (int i = 0; i < microBatches; i++)
        {
            arrived[0, 0, i] = SimTime.Zero;
        }

        for (bool moved = true; moved;)
        {
            moved = false;
            for (int stage = 0; stage < stages; stage++)
            {
                while (position[stage] < total && Advance(stage))
                {
                    moved = true;
                }
            }
        }

        return new([.. now]);

        bool Advance(int stage)
        {
            int ahead = Math.Min(stages - stage - 1, microBatches), next = position[stage];
            bool goesForward = !trains || next < ahead || (forwards[stage] < microBatches && (next - ahead) % 2 == 0);
            (int direction, int batch) = goesForward ? (0, forwards[stage]) : (1, next - forwards[stage]);
            if (arrived[direction, stage, batch] is not { } ready)
            {
                return false;
            }

            now[stage] = SimTime.Max(now[stage], ready) + (goesForward ? forward : backward)[stage];
            position[stage]++;
            forwards[stage] += goesForward ? 1 : 0;
            int to = stage + (goesForward ? 1 : -1);
            if (goesForward && to == stages && trains)
            {
                arrived[1, stage, batch] = now[stage];
            }
            else if (to >= 0 && to < stages)
            {
                sent[direction, stage] = SimTime.Max(sent[direction, stage], now[stage]) + send;
                arrived[direction, to, batch] = sent[direction, stage];
            }

            return true;
        }
    }
}
