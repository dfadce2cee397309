using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;

namespace Systolic.Tests.Simulation.Values;

/// <summary>Tiles a (24 elements) and b (three copies of 4 elements in bf16).</summary>
public class TileMemoryTests
{
    private readonly TileView _a;
    private readonly TileBuffer _b;
    private readonly TileMemory _tiles;

    public TileMemoryTests()
    {
        var kernel = new KernelBuilder(Core.Trn2, "tiles");
        _a = kernel.Sbuf("a", 24, DataType.Fp32)[0];
        _b = kernel.Sbuf("b", 4, DataType.Bf16, 3);
        _tiles = new TileMemory(kernel.Build());
    }

    [Fact]
    public void A_place_is_named_by_its_buffer_its_tile_and_the_partition_of_the_tile()
    {
        _tiles.Describe(_a, 5).Should().Be("partition 5 of a (tile 0)");
        _tiles.Describe(_b[0], 0).Should().Be("partition 0 of b (tile 1)");
        _tiles.Describe(_b[2][4..8, ..], 3).Should().Be("partition 7 of b (tile 3)");
    }

    [Fact]
    public void A_pattern_is_written_and_read_in_its_order()
    {
        // From element 1 on: two groups 12 apart of three pairs 4 apart.
        TileView view = _a with { Offset = 1, Free = new FreePattern(2, 12, 3, 4, 2, 1) };
        _tiles.Place(_a, 3, new float[24]);
        _tiles.Place(view, 3, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);

        Read(_a, 3).Should().Equal(0, 1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0, 7, 8, 0, 0, 9, 10, 0, 0, 11, 12, 0);
        Read(view, 3).Should().Equal(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        Enumerable.Range(0, 12).Select(i => _tiles.Element(view, 3, i)).Should().Equal(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
        _tiles.ReadOne(view with { Offset = 6 }, 3).Should().Be(4);
        Read(_a with { Offset = 2, Free = FreePattern.Row(3) with { InnerStride = 7 } }, 3).Should().Equal(2, 5, 0);
        Read(_a with { Offset = 5, Free = FreePattern.Row(2) }, 3).Should().Equal(3, 4);
    }

    [Fact]
    public void A_view_starts_at_its_partition()
    {
        TileView lower = _b[1][64.., ..];
        _tiles.Place(lower, 2, [1, 2, 3, 4]);

        Read(_b[1], 66).Should().Equal(1, 2, 3, 4);
        _tiles.From(lower)[(2 * 4)..(3 * 4)].ToArray().Should().Equal(1, 2, 3, 4);
        _tiles.From(lower).Length.Should().Be(64 * 4);
        _tiles.Partition(lower, 2).ToArray().Should().Equal(1, 2, 3, 4);
    }

    [Fact]
    public void What_is_written_is_rounded_to_the_type_of_the_tile_and_what_is_placed_is_not()
    {
        // bf16 has 8 bits: 1 + 1/256 lies halfway between 1 and 1 + 1/128, and goes to the even one.
        float[] values = [1 + (1f / 256), 1 + (3f / 256), 3, -0.1f];
        _tiles.Place(_b[0], 0, values);
        Read(_b[0], 0).Should().Equal(values);
        _tiles.Write(_b[0], 0, [.. values]);
        Read(_b[0], 0).Should().Equal(1, 1 + (1f / 64), 3, -0.10009765625f);
    }

    [Fact]
    public void Reading_what_nothing_wrote_is_refused()
    {
        _tiles.Place(_a with { Free = FreePattern.Row(3) }, 1, [7, 8, 9]);
        TileView next = _a with { Offset = 2, Free = FreePattern.Row(2) };

        Read(_a with { Free = FreePattern.Row(3) }, 1).Should().Equal(7, 8, 9);
        _tiles.Element(_a, 1, 2).Should().Be(9);
        _tiles.ReadOne(next, 1).Should().Be(9);
        foreach (Action read in (Action[])[() => Read(next, 1), () => Read(next with { Free = new FreePattern(1, 0, 2, 1, 1, 1) }, 1), () => _tiles.Element(next, 1, 1), () => _tiles.ReadOne(next with { Offset = 3 }, 1)])
        {
            read.Should().Throw<UnwrittenException>().WithMessage("partition 1 of a (tile 0)");
        }
    }

    [Fact]
    public void Writes_to_a_tile_are_counted_where_they_are_noted()
    {
        _tiles.Touch(_b[1]);
        _tiles.Touch(_b[1]);
        _tiles.Touch(_b[2]);

        (_tiles.Version(_b[0]), _tiles.Version(_b[1]), _tiles.Version(_b[2])).Should().Be((0, 2, 1));
    }

    private float[] Read(TileView view, int partition) => _tiles.Read(view, partition, new float[24]).ToArray();
}
