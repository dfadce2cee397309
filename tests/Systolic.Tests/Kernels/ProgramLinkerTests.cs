using Systolic.Accounting;
using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Machines;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Systolic.Workloads;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

public sealed class ProgramLinkerTests
{
    /// <summary>Layers on one core: prefill, decode, backward, routed experts.</summary>
    public static TheoryData<string, string, string> Layers => new()
    {
        { "trn2-core", "gpt2", "layer prefill" },
        { "trn1-core", "gpt2", "layer decode" },
        { "trn3-core", "gpt2", "layer training" },
        { "trn2-core", "mixtral-8x7b", "layer decode" },
    };

    [Theory]
    [MemberData(nameof(Layers))]
    public void No_operator_touches_a_place_or_a_tensor_before_those_that_used_it_are_done(string name, string model, string phase)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        foreach (Linked linked in Linked.Of(model, phase, machine))
        {
            linked.Program.BytesPerPartition(MemorySpace.Sbuf).Should().BeLessThanOrEqualTo(machine.Sbuf.PartitionSize.Value);
            linked.Program.BytesPerPartition(MemorySpace.Psum).Should().BeLessThanOrEqualTo(machine.Psum.PartitionSize.Value);
            new LinkChecker(linked.Program, linked.Operators, Simulator.RunWithTimes(linked.Program, machine).Streams).Find().Should().BeNull();
        }
    }

    [Fact]
    public void A_linked_program_without_its_waits_is_found_out()
    {
        Linked linked = Linked.Of("gpt2", "layer prefill", Core.Trn2)[0];
        var without = new Program("no waits", [.. Enumerable.Range(0, Streams.Count).Select(s => linked.Program[(StreamId)s].ToArray().Select(op => op with { FirstWait = 0, WaitCount = 0 }).ToArray())], [], linked.Program.Buffers)
        {
            PartEnds = linked.Program.PartEnds,
        };

        new LinkChecker(without, linked.Operators, Simulator.RunWithTimes(without, Core.Trn2).Streams).Find().Should().NotBeNull();
    }

    [Theory]
    [MemberData(nameof(Layers))]
    public void Both_simulators_agree_on_linked_programs(string name, string model, string phase)
    {
        Accelerator machine = MachinePresets.Accelerator(name);
        foreach (Linked linked in Linked.Of(model, phase, machine))
        {
            (CoreRun fast, StreamState[] events) = Simulator.RunWithTimes(linked.Program, machine);
            (CoreRun slow, StreamState[] steps) = LockstepSimulator.RunWithTimes(linked.Program, machine);
            slow.Time.Should().Be(fast.Time);
            slow.Counts.Should().Be(fast.Counts);
            events.Zip(steps).Should().OnlyContain(pair => pair.First.Start.SequenceEqual(pair.Second.Start) && pair.First.Done.SequenceEqual(pair.Second.Done));
        }
    }

    [Fact]
    public void Weights_of_the_next_product_are_loaded_while_the_one_before_computes()
    {
        MatMul first = new("first", 512, 1024, 512) { Inputs = ["x", new Operand("w1", TensorRole.Weight)], Outputs = ["y"] };
        MatMul second = new("second", 512, 512, 512) { Inputs = ["y", new Operand("w2", TensorRole.Weight)], Outputs = ["z"] };
        var linker = new ProgramLinker(Core.Trn2, "two products", new HashSet<string> { "y" });
        foreach (MatMul op in new[] { first, second })
        {
            linker.Add(op, KernelLibrary.Lower(op, Core.Trn2).Passes.Single().Program);
        }

        Program program = linker.Build();
        StreamState[] streams = Simulator.RunWithTimes(program, Core.Trn2).Streams;
        long firstDone = streams[(int)StreamId.QueueStores].Done[program.PartEnds[0][(int)StreamId.QueueStores] - 1];
        (long Start, string Tensor)[] loads =
        [
            .. from stream in new[] { StreamId.QueueWeights, StreamId.QueueActivations }
               from i in Enumerable.Range(0, program[stream].Length)
               where program.PartOf(stream, i) == 1
               select (streams[(int)stream].Start[i], program.MemoryOf(program[stream][i])!.Value.Tensor.Name),
        ];

        loads.Where(load => load.Tensor == "right").Min(load => load.Start).Should().BeLessThan(firstDone / 2);
        loads.Where(load => load.Tensor == "left").Min(load => load.Start).Should().BeGreaterThanOrEqualTo(firstDone);
    }

    // 128 x 512 of bf16 are written and read once each: 2 x 131,072 bytes that do not cross main memory.
    [Fact]
    public void An_activation_that_fits_stays_on_chip_unless_it_is_needed_elsewhere()
    {
        Elementwise first = new("first", ElementwiseFunction.Gelu, 128, 512) { Inputs = ["x"], Outputs = ["y"] };
        Elementwise second = new("second", ElementwiseFunction.Relu, 128, 512) { Inputs = ["y"], Outputs = ["z"] };
        Program Link(params string[] kept)
        {
            var linker = new ProgramLinker(Core.Trn2, "two functions", kept.ToHashSet());
            foreach (Elementwise op in new[] { first, second })
            {
                linker.Add(op, KernelLibrary.Lower(op, Core.Trn2).Passes.Single().Program);
            }

            return linker.Build();
        }

        Program resident = Link(), stored = Link("y");
        resident.Buffers[0].Should().BeEquivalentTo(new { Name = "y", BytesPerPartition = 1024L });
        stored.Buffers.Should().NotContain(buffer => buffer.Name == "y");
        CoreRun on = Simulator.Run(resident, Core.Trn2, cancellation: TestContext.Current.CancellationToken), off = Simulator.Run(stored, Core.Trn2, cancellation: TestContext.Current.CancellationToken);
        (off.Counts.DramBytes - on.Counts.DramBytes).Should().Be(2 * 131_072);
        on.Counts[ActivityKind.ScratchpadReadByte].Should().Be(off.Counts[ActivityKind.ScratchpadReadByte] + 131_072);
        on.Counts[ActivityKind.ScratchpadWriteByte].Should().Be(off.Counts[ActivityKind.ScratchpadWriteByte] + 131_072);
        on.Time.Should().BeLessThan(off.Time);
    }

    [Fact]
    public void Operators_without_names_wait_for_all_before_them()
    {
        var op = new MatMul("product", 128, 128, 512);
        var linker = new ProgramLinker(Core.Trn2, "two products", new HashSet<string> { "y" });
        Program alone = KernelLibrary.Lower(op, Core.Trn2).Passes.Single().Program;
        linker.Add(op, alone);
        linker.Add(op, alone);
        Program program = linker.Build();
        StreamState[] streams = Simulator.RunWithTimes(program, Core.Trn2).Streams;

        long first = streams.Select((state, s) => (state, End: program.PartEnds[0][s])).Where(stream => stream.End > 0).Max(stream => stream.state.Done[stream.End - 1]);
        streams.Select((state, s) => (state, End: program.PartEnds[0][s], Queue: ((StreamId)s).IsQueue())).Where(stream => stream.Queue && stream.state.Start.Length > stream.End)
            .Should().OnlyContain(stream => stream.state.Start[stream.End] >= first);
    }
}
