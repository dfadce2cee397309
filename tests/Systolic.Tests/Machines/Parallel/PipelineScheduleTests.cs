using System.Collections.Immutable;
using CsCheck;
using Systolic.Machines;
using Systolic.Units;

namespace Systolic.Tests.Machines;

public class PipelineScheduleTests
{
    [Theory]
    [InlineData(1, 4, 12)]
    [InlineData(4, 1, 12)] // one micro-batch there and back
    [InlineData(4, 8, 33)] // (8 + 4 - 1) x (1 + 2): the bubble is 3/8 of the work
    [InlineData(8, 3, 30)] // fewer micro-batches than stages
    public void Equal_stages_take_a_turn_per_micro_batch_and_per_stage_ahead(int stages, int microBatches, long nanoseconds) =>
        Ends(Equal(stages, 1), Equal(stages, 2), 0, microBatches).Max().Should().Be(SimTime.FromNanoseconds(nanoseconds));

    [Fact]
    public void A_send_delays_the_next_stage_and_not_the_stage_itself()
    {
        // Two stages, 4 micro-batches of 1 + 2 ns, sends of 1 ns. Stage 1 has work from 2 ns on and never waits again: ends at 2 + 4 x 3; its last gradient is sent in 1 and takes stage 0 another 2.
        Ends(Equal(2, 1), Equal(2, 2), 1, 4).Should().Equal(SimTime.FromNanoseconds(19), SimTime.FromNanoseconds(16));
    }

    [Fact]
    public void Without_a_backward_pass_micro_batches_follow_one_another() =>
        Ends(Equal(3, 2), Equal(3, 0), 1, 5).Should().Equal([.. new[] { 10, 13, 16 }.Select(end => SimTime.FromNanoseconds(end))]);

    [Fact]
    public void No_stage_ends_before_its_work_and_more_of_anything_is_never_faster() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 12], Gen.Int[0, 9], Gen.Int[1, 9].Array[6], Gen.Int[1, 9].Array[6]).Sample((stages, microBatches, send, forward, backward) =>
        {
            ImmutableArray<SimTime> f = Times(forward[..stages]), b = Times(backward[..stages]);
            ImmutableArray<SimTime> ends = Ends(f, b, send, microBatches);
            for (int stage = 0; stage < stages; stage++)
            {
                ends[stage].Should().BeGreaterThanOrEqualTo((f[stage] + b[stage]) * microBatches);
            }

            ends.Max().Should().BeLessThanOrEqualTo(Ends(f, b, send, microBatches + 1).Max());
        });

    private static ImmutableArray<SimTime> Ends(ImmutableArray<SimTime> forward, ImmutableArray<SimTime> backward, int send, int microBatches) =>
        PipelineSchedule.Of(forward, backward, SimTime.FromNanoseconds(send), microBatches).End;

    private static ImmutableArray<SimTime> Equal(int stages, int nanoseconds) => Times([.. Enumerable.Repeat(nanoseconds, stages)]);

    private static ImmutableArray<SimTime> Times(int[] nanoseconds) => [.. nanoseconds.Select(time => SimTime.FromNanoseconds(time))];
}
