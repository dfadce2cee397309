using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Tests.Accounting;

public class RunTraceTests
{
    private static OperatorRun Operator(long repeat, long matrix, long memory, long macs)
    {
        var stack = new CycleStack();
        stack.Add(CycleComponent.MatrixWork, new SimTime(matrix));
        stack.Add(CycleComponent.MemoryBandwidth, new SimTime(memory));
        var counts = new ActivityCounts();
        counts.Add(ActivityKind.MacBf16, macs);
        return new OperatorRun
        {
            Name = "op",
            Kind = "matmul",
            Shape = "1x1",
            Repeat = repeat,
            Mapping = "",
            Time = stack.Total,
            UsefulMacs = new MacCount(macs),
            Bound = new LowerBound(new SimTime(1), new SimTime(2)),
            Counts = counts,
            Stack = stack,
            Busy = [new SimTime(matrix)],
        };
    }

    private static RunTrace Trace(params OperatorRun[] operators)
    {
        var overhead = new CycleStack();
        overhead.Add(CycleComponent.Launch, new SimTime(1000));
        return new RunTrace { Engines = [new EngineInfo("tensor", 1)], Operators = [.. operators], Overhead = overhead, Bound = default };
    }

    [Fact]
    public void Operators_count_as_often_as_they_ran_and_overhead_once()
    {
        RunTrace trace = Trace(Operator(repeat: 32, matrix: 10, memory: 5, macs: 7), Operator(repeat: 1, matrix: 100, memory: 0, macs: 9));

        trace.Stack[CycleComponent.MatrixWork].Value.Should().Be(420); // 32 x 10 + 100
        trace.Stack[CycleComponent.MemoryBandwidth].Value.Should().Be(160); // 32 x 5
        trace.Stack[CycleComponent.Launch].Value.Should().Be(1000);
        trace.Time.Value.Should().Be(1580);
        trace.Counts[ActivityKind.MacBf16].Should().Be(233); // 32 x 7 + 9
    }

    [Fact]
    public void A_run_of_no_operators_is_its_overhead()
    {
        Trace().Time.Value.Should().Be(1000);
        Trace().Counts.Should().Be(new ActivityCounts());
    }

    [Fact]
    public void A_repeat_that_overflows_the_time_axis_is_an_error() =>
        FluentActions.Invoking(() => Trace(Operator(repeat: long.MaxValue, matrix: 2, memory: 0, macs: 0)).Time).Should().Throw<OverflowException>();

    [Theory]
    [InlineData(3, 2)]
    [InlineData(2, 3)]
    public void The_bound_is_the_larger_of_arithmetic_and_memory(long arithmetic, long memory) =>
        new LowerBound(new SimTime(arithmetic), new SimTime(memory)).Time.Value.Should().Be(3);

    [Fact]
    public void A_span_belongs_to_no_operator_until_one_is_named() => new Span("tensor", "MatMul", SimTime.Zero, SimTime.Zero).Operator.Should().BeEmpty();
}
