using Systolic.Accounting;
using Systolic.Reporting;
using Systolic.Units;

namespace Systolic.Tests.Reporting;

public class ExplanationTests
{
    private static readonly Explanation Plain = Explanation.Of(SyntheticRun.Report);

    [Fact]
    public void Without_a_part_the_critical_path_loses_its_time()
    {
        // 50 us: 3 x 6 of matrix work, 3 x 4 of memory, 2 x 5 of the vector engine, 10 of launch. No part is called dma.
        Plain.WhatIfs.Select(found => (found.Part, Us(found.OnPath), Us(found.Bound), found.Simulated)).Should().Equal(
            (MachinePart.MatrixUnit, 18, 32, null), (MachinePart.MainMemory, 12, 38, null), (MachinePart.VectorUnit, 10, 40, null), (MachinePart.Launch, 10, 40, null));
        Plain.WhatIfs[0].Gain.Should().BeApproximately(18 / 50.0, 1e-12);
        Plain.Summary.Should().Be("Most would be gained from the matrix unit: infinitely fast, the run would take at best 32 us instead of 50 us.");
        Plain.Operators.Select(op => op.WhatIfs[0].Part).Should().Equal(MachinePart.MatrixUnit, MachinePart.VectorUnit);
        Plain.Operators[0].Stack(most: 1).Should().Be("matrix work 60.0 %");
    }

    [Fact]
    public void What_was_simulated_takes_the_place_of_the_bound()
    {
        // Without memory bandwidth the products take 7 us each, the rest as before: 50 - 3 x 3. A free matrix unit is worth less than its 18 us.
        RunReport memory = With(4, 1), matrix = With(2, 8);
        var explanation = Explanation.Of(SyntheticRun.Report, new Dictionary<MachinePart, RunReport> { [MachinePart.MainMemory] = memory, [MachinePart.MatrixUnit] = matrix, [MachinePart.Links] = SyntheticRun.Report });

        explanation.WhatIfs.Select(found => (found.Part, Us(found.Time))).Should().Equal(
            (MachinePart.MainMemory, 35), (MachinePart.VectorUnit, 40), (MachinePart.Launch, 40), (MachinePart.MatrixUnit, 50));
        explanation.Operators[0].WhatIfs.Select(found => (found.Part, Us(found.Time))).Should().Equal((MachinePart.MainMemory, 15), (MachinePart.MatrixUnit, 30));
        explanation.Summary.Should().Be("Most would be gained from the main memory: infinitely fast, the run would take 35 us instead of 50 us.");
    }

    [Fact]
    public void A_run_of_another_workload_explains_nothing()
    {
        Action explain = () => Explanation.Of(SyntheticRun.Report, new Dictionary<MachinePart, RunReport> { [MachinePart.Launch] = SyntheticRun.Report with { Phase = "decode" } });

        explain.Should().Throw<ArgumentException>().WithMessage("Found a run of toy (decode), expected toy (prefill 100 tokens, batch 1) with a part of the machine free.*");
    }

    [Fact]
    public void Waits_of_like_instructions_are_added_up_and_those_on_the_path_come_first()
    {
        Wait short1 = For(2, 0), long1 = For(5, 1), off = new(WaitCause.FunctionTable, SimTime.FromMicroseconds(40));
        Explanation explanation = Of(
            At("vector", 10) with { Wait = short1, OnPath = SimTime.FromMicroseconds(1) }, At("vector", 20) with { Wait = long1, Index = 1 }, At("scalar", 30) with { Wait = off });

        explanation.Waits.Select(wait => (wait.Track, wait.Cause, wait.Count, wait.OnPath, Us(wait.Total), wait.Longest.Index)).Should().Equal(
            ("vector", WaitCause.MemoryBandwidth, 2, 1, 7, 1), ("scalar", WaitCause.FunctionTable, 1, 0, 40, 0));
        explanation.Waits[0].Longest.Wait!.Reason.Should().Be("dma weights Load #1, memory bandwidth");
        off.Reason.Should().Be("function table");
    }

    [Fact]
    public void The_path_goes_from_engine_to_engine_in_the_order_of_time()
    {
        Span On(string track, long start, long part) => At(track, start) with { OnPath = SimTime.FromMicroseconds(part) };
        Explanation explanation = Of(On("vector", 30, 4), On("dma", 0, 10), On("tensor", 10, 5), On("tensor", 20, 6), At("scalar", 25), On("tensor", 40, 1));

        explanation.Path.Select(segment => (segment.Track, segment.Instructions, Us(segment.Start), Us(segment.Time))).Should().Equal(
            ("dma", 1, 0, 10), ("tensor", 2, 10, 11), ("vector", 1, 30, 4), ("tensor", 1, 40, 1));
        explanation.PathByTrack.Select(segment => (segment.Track, segment.Instructions, Us(segment.Time))).Should().Equal(("tensor", 3, 12), ("dma", 1, 10), ("vector", 1, 4));
    }

    [Fact]
    public void Every_part_of_the_cycle_stack_but_the_tail_and_the_bubble_belongs_to_a_machine_part() =>
        Enum.GetValues<MachinePart>().SelectMany(part => part.Components().ToArray()).Distinct().Should().BeEquivalentTo(Enum.GetValues<CycleComponent>().Except([CycleComponent.TailWave, CycleComponent.PipelineBubble]));

    private static Wait For(double time, int index) => new(WaitCause.MemoryBandwidth, SimTime.FromMicroseconds(time)) { Track = "dma weights", Name = "Load", Index = index };

    private static Span At(string track, long microseconds) => new(track, "op", SimTime.FromMicroseconds(microseconds), SimTime.FromMicroseconds(1));

    private static Explanation Of(params Span[] spans) => Explanation.Of(RunReport.From(SyntheticRun.Array, SyntheticRun.Trace with { Spans = [.. spans] }, "toy", "prefill", 1, SyntheticRun.Prices));

    /// <summary>The run with products of so many microseconds of matrix work and of memory.</summary>
    private static RunReport With(long matrix, long memory) => RunReport.From(
        SyntheticRun.Array,
        SyntheticRun.Trace with
        {
            Operators = [.. SyntheticRun.Trace.Operators.Select(op => op.Kind != "matmul" ? op : op with
            {
                Time = SimTime.FromMicroseconds(matrix + memory),
                Stack = SyntheticRun.Stack((CycleComponent.MatrixWork, matrix * SyntheticRun.Microsecond), (CycleComponent.MemoryBandwidth, memory * SyntheticRun.Microsecond)),
            })],
        },
        "toy", "prefill 100 tokens, batch 1", 100, SyntheticRun.Prices);

    private static long Us(SimTime time) => (long)Math.Round(time.Microseconds);
}
