using CsCheck;
using Systolic.Kernels;
using Systolic.Workloads;

namespace Systolic.Tests.Kernels;

public class AttentionKernelTests
{
    private static readonly long[] HeadDimensions = [32, 64, 80, 128, 256];

    private static readonly Gen<Attention> Operators =
        from batch in Gen.Long[1, 2]
        from kvHeads in Gen.Long[1, 3]
        from sharing in Gen.Long[1, 4]
        from queries in Gen.Long[1, 700]
        from cached in Gen.Long[0, 3000]
        from dimension in Gen.Int[0, 4].Select(i => HeadDimensions[i])
        from causal in Gen.Bool
        from decode in Gen.Bool
        from backward in Gen.Bool
        from window in Gen.Long[0, 1500]
        from capped in Gen.Bool
        from value in Gen.Long[1, dimension]
        select (decode
            ? new Attention("decode", batch, kvHeads * sharing, kvHeads, 1, cached + 1, dimension, causal)
            : new Attention("attention", batch, kvHeads * sharing, kvHeads, queries, queries + cached, dimension, causal, backward)) with
        {
            Window = causal && window > 0 ? window : null,
            SoftCap = capped ? 30 : null,
            ValueDim = value,
        };

    [Fact]
    public void Random_attention_touches_no_tile_too_early_and_stays_within_every_limit() =>
        Gen.Select(Operators, Gen.Int[0, 2].Select(i => KernelRuns.Machines[i])).Sample((op, machine) =>
        {
            KernelRun run = KernelRuns.Run(op, machine);
            run.Counts.Macs.Should().BeGreaterThanOrEqualTo(op.Macs.Value);

            // A window may hide cached keys from all queries: they are not read, and have no gradient.
            if (op.Window is null)
            {
                run.Written.Should().BeGreaterThanOrEqualTo(op.Writes.Sum(tensor => tensor.Size.Value));
                run.Read.Should().BeGreaterThanOrEqualTo(op.Reads.Sum(tensor => tensor.Size.Value));
            }
        }, iter: 120);

    [Fact]
    public void Keys_and_values_that_stay_in_the_scratchpad_are_read_once()
    {
        var op = new Attention("prefill", 1, 4, 1, 1024, 1024, 128, true);

        // q: 1024 x 4 heads x 128; k and v: 1024 x 128 each; two bytes an element.
        KernelRuns.Run(op, KernelRuns.Machine("trn2-core")).Read.Should().Be(2 * ((1024 * 4 * 128) + (2 * 1024 * 128)));
    }

    [Fact]
    public void Causal_mask_skips_the_key_tiles_above_the_diagonal()
    {
        // 2048 queries in 16 tiles of 128, keys in tiles of 512: tile g sees ceil((g + 1) / 4) key tiles, 4 x (1 + 2 + 3 + 4) = 40 of 64.
        KernelRun Run(bool causal) => KernelRuns.Run(new Attention("prefill", 1, 1, 1, 2048, 2048, 128, causal), KernelRuns.Machine("trn2-core"));
        const long TilePair = 2L * 128 * 512 * 128;

        Run(true).Counts.Macs.Should().Be(40 * TilePair);
        Run(false).Counts.Macs.Should().Be(64 * TilePair);
    }

    // 2048 queries and keys, a window of 512: query tile g of 128 sees keys from max(0, 128 g - 511), in tiles of 512 from floor((128 g - 511) / 512) to floor((128 g + 127) / 512):
    // one tile for g = 0 to 3 (their windows begin before key 1), two each for the other twelve: 28.
    [Fact]
    public void Window_skips_the_key_tiles_behind_it() =>
        KernelRuns.Run(new Attention("prefill", 1, 1, 1, 2048, 2048, 128, true) { Window = 512 }, KernelRuns.Machine("trn2-core")).Counts.Macs.Should().Be(28 * 2L * 128 * 512 * 128);

    [Fact]
    public void Backward_pass_skips_them_as_well()
    {
        long Macs(long? window) => KernelRuns.Run(new Attention("backward", 1, 1, 1, 2048, 2048, 128, true, Backward: true) { Window = window }, KernelRuns.Machine("trn2-core")).Counts.Macs;

        // As many pairs of tiles as forward, 28 of 40, in blocks of 512 keys: five products and the transposes of keys, values, queries and gradients, which grow with neither.
        ((double)Macs(512) / Macs(null)).Should().BeApproximately(28.0 / 40, 0.03);
    }

    [Theory]
    [InlineData(300)] // units of the next two heads run ahead
    [InlineData(2049)]
    [InlineData(8192)]
    public void Every_head_of_a_decode_step_reads_its_cache_once(long keys) =>
        KernelRuns.Run(new Attention("decode", 2, 12, 3, 1, keys, 128, true), KernelRuns.Machine("trn2-core"))
            .Read.Should().Be(2 * 2 * ((12 * 128) + (2 * 3 * keys * 128)));

    [Fact]
    public void Grouped_queries_of_a_decode_step_share_one_pass_over_the_cache()
    {
        // One new token, 8 query heads on one key/value head: keys and values of 2049 tokens cross memory once.
        KernelRuns.Run(new Attention("decode", 1, 8, 1, 1, 2049, 128, true), KernelRuns.Machine("trn2-core"))
            .Read.Should().Be(2 * ((8 * 128) + (2 * 2049 * 128)));
    }

    [Fact]
    public void Sequence_too_long_for_one_program_is_cut_into_pieces_that_do_all_its_work()
    {
        // 49,152 queries and keys: 384 query tiles see 4 x (1 + ... + 96) = 18,624 key tiles of the 384 x 96.
        var op = new Attention("long", 1, 1, 1, 49_152, 49_152, 64, true);
        IEnumerable<LoweredPass> passes = KernelLibrary.Lower(op, KernelRuns.Machine("trn2-core")).Passes;

        (int count, long products) = (0, 0L);
        foreach (LoweredPass pass in passes)
        {
            count++;
            foreach (ref readonly Systolic.Programs.Instruction product in pass.Program[Systolic.Programs.StreamId.Tensor])
            {
                products += (long)product.Partitions * product.Columns * product.Free * pass.Repeat;
            }
        }

        count.Should().BeGreaterThan(1);
        products.Should().Be(18_624L * 2 * 128 * 512 * 64);
    }

    [Fact]
    public void Backward_work_is_five_products_per_tile_pair_and_the_transposes()
    {
        KernelRun run = KernelRuns.Run(new Attention("training", 1, 1, 1, 512, 512, 128, false, Backward: true), KernelRuns.Machine("trn2-core"));

        // 4 query tiles x 1 key block: scores, dP, dV, dK, dQ at 128 x 512 x 128 each; slopes transposed in 4 squares per tile;
        // queries and output gradients transposed once per tile, keys and values in 4 squares each.
        const long Square = 128L * 128 * 128;
        run.Counts.Macs.Should().Be((4 * 5 * 4 * Square) + (4 * 4 * Square) + (4 * 2 * Square) + (2 * 4 * Square));
    }
}
