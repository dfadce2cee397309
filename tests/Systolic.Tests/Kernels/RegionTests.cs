using CsCheck;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;

namespace Systolic.Tests.Kernels;

public class RegionTests
{
    private const int Partitions = 8;
    private const int Elements = 64;

    private static readonly Tile Place = new(0, MemorySpace.Sbuf, DataType.Fp32, Partitions, Elements);

    private static readonly Gen<(int Count, int Stride)> Loop = Gen.Select(Gen.Int[1, 5], Gen.Int[-12, 12]);

    /// <summary>Views of up to three loops that stay within a tile.</summary>
    private static readonly Gen<TileView> Views =
        Gen.Select(Gen.Select(Gen.Int[0, 6], Gen.Int[1, 4]), Gen.Int[0, Elements - 1], Loop, Loop, Loop, Gen.Int[0, 3])
            .Select((rows, offset, outer, middle, inner, loops) => new TileView(Place, rows.Item1, rows.Item2, offset, loops switch
            {
                0 => FreePattern.Row(inner.Count * 3),
                1 => new FreePattern(1, 0, 1, 0, inner.Count, inner.Stride),
                2 => new FreePattern(1, 0, middle.Count, middle.Stride, inner.Count, inner.Stride),
                _ => new FreePattern(outer.Count, outer.Stride, middle.Count, middle.Stride, inner.Count, inner.Stride),
            }))
            .Where(view => view.StartPartition + view.Partitions <= Partitions && view.Offset + view.Free.Lowest >= 0 && view.Offset + view.Free.Highest < Elements);

    [Fact]
    public void Views_that_share_an_element_overlap_and_what_a_view_covers_it_holds() =>
        Gen.Select(Views, Views).Sample(
            (one, other) =>
            {
                HashSet<(int, int)> first = All(one), second = All(other);

                if (first.Overlaps(second))
                {
                    Region.Of(one).Overlaps(Region.Of(other)).Should().BeTrue();
                }

                if (Region.Of(one).Covers(Region.Of(other)))
                {
                    first.IsSupersetOf(second).Should().BeTrue();
                }

                Region.Of(one).Covers(Region.Of(one)).Should().BeTrue();
            },
            iter: 20_000);

    // Halves of a row; even and odd elements, which lie in each other's gaps; 4 of every 16 from 0 and from 20 on.
    [Theory]
    [InlineData(0, 1, 0, 32, 1, 32, 1, 0, 32, 1, false)]
    [InlineData(0, 1, 0, 33, 1, 32, 1, 0, 32, 1, true)]
    [InlineData(0, 1, 0, 16, 2, 1, 1, 0, 16, 2, true)]
    [InlineData(0, 2, 16, 4, 1, 20, 2, 16, 4, 1, false)]
    public void Views_are_ordered_where_one_reaches_over_the_other(int offset, int runs, int step, int count, int stride, int offset2, int runs2, int step2, int count2, int stride2, bool overlap) =>
        Region.Of(new TileView(Place, 0, 8, offset, new FreePattern(1, 0, runs, step, count, stride)))
            .Overlaps(Region.Of(new TileView(Place, 0, 8, offset2, new FreePattern(1, 0, runs2, step2, count2, stride2)))).Should().Be(overlap);

    private static HashSet<(int Partition, int Element)> All(TileView view) =>
    [
        .. from partition in Enumerable.Range(view.StartPartition, view.Partitions)
           from i in Enumerable.Range(0, view.Elements)
           select (partition, view.Offset + view.Free[i]),
    ];
}
