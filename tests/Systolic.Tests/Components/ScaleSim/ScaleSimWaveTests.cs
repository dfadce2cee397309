using Systolic.Components;

namespace Systolic.Tests.Components;

/// <summary>Words that pass an edge of the array, cycle by cycle.</summary>
public class ScaleSimWaveTests
{
    // A 2x3 array and a product of 3 x 3 x 4: folds of 2 + 1 rows and 3 + 1 columns, one row fold after the other.
    private static readonly ScaleSimLayer Layer = ScaleSimLayer.Gemm("product", 3, 3, 4);

    [Fact]
    public void Streamed_words_pass_after_the_load_each_lane_a_cycle_later()
    {
        // Weight stationary: 2 cycles of load, then 3 words on each of 2 rows, then of 1 row; 2 + 2 + 3 + 3 - 2 = 8 cycles a fold.
        var wave = new ScaleSimStream(Folds(ScaleSimDataflow.WeightStationary), onColumns: false);

        PerCycle(wave, 32).Should().Equal(
            0, 0, 1, 2, 2, 1, 0, 0,
            0, 0, 1, 1, 1, 0, 0, 0,
            0, 0, 1, 2, 2, 1, 0, 0,
            0, 0, 1, 1, 1, 0, 0, 0);
        wave.Total.Should().Be(18);
        Enumerable.Range(0, 19).Select(i => wave.CycleOf(i)).Should().Equal(2, 3, 3, 4, 4, 5, 10, 11, 12, 18, 19, 19, 20, 20, 21, 26, 27, 28, 32);
        Enumerable.Range(0, 5).Select(i => wave.Before(i)).Should().Equal(0, 6, 9, 15, 18);
    }

    [Fact]
    public void Filters_of_an_output_stationary_array_pass_on_columns()
    {
        // No load; K = 3 words on each of 3 columns, later of 1; 2 + 3 + 3 - 2 = 6 cycles a fold.
        var wave = new ScaleSimStream(Folds(ScaleSimDataflow.OutputStationary), onColumns: true);

        PerCycle(wave, 24).Should().Equal(
            1, 2, 3, 2, 1, 0,
            1, 2, 3, 2, 1, 0,
            1, 1, 1, 0, 0, 0,
            1, 1, 1, 0, 0, 0);
        wave.Total.Should().Be(24);
        Enumerable.Range(0, 10).Select(i => wave.CycleOf(i)).Should().Equal(0, 1, 1, 2, 2, 2, 3, 3, 4, 6);
        (wave.CycleOf(17), wave.CycleOf(18), wave.CycleOf(20), wave.CycleOf(21), wave.CycleOf(23), wave.CycleOf(24)).Should().Be((10, 12, 14, 18, 20, 24));
    }

    [Fact]
    public void Outputs_of_moving_sums_leave_from_cycle_2R_minus_1()
    {
        // Weight stationary: from cycle 3 of 8, three outputs on each of 3 columns, later of 1.
        var wave = new ScaleSimOutputs(Folds(ScaleSimDataflow.WeightStationary));

        PerCycle(wave, 32).Should().Equal(
            0, 0, 0, 1, 2, 3, 2, 1,
            0, 0, 0, 1, 2, 3, 2, 1,
            0, 0, 0, 1, 1, 1, 0, 0,
            0, 0, 0, 1, 1, 1, 0, 0);
        (wave.CycleOf(0), wave.CycleOf(8), wave.CycleOf(9), wave.CycleOf(23), wave.CycleOf(24)).Should().Be((3, 7, 11, 29, 32));
    }

    [Fact]
    public void Outputs_that_stay_leave_bottom_first_after_the_last_word_and_later_in_a_fold_with_fewer_rows()
    {
        // Output stationary: from cycle T - 1 = 2 of 6, two rows of 3 columns; with one row in use, one cycle later.
        var wave = new ScaleSimOutputs(Folds(ScaleSimDataflow.OutputStationary));

        PerCycle(wave, 24).Should().Equal(
            0, 0, 1, 2, 2, 1,
            0, 0, 0, 1, 1, 1,
            0, 0, 1, 1, 0, 0,
            0, 0, 0, 1, 0, 0);
        wave.Total.Should().Be(12);
        Enumerable.Range(0, 13).Select(i => wave.CycleOf(i)).Should().Equal(2, 3, 3, 4, 4, 5, 9, 10, 11, 14, 15, 21, 24);
    }

    [Fact]
    public void Sums_over_cycles_and_cycles_of_words_agree_for_any_layer()
    {
        var random = new Random(3);
        for (int i = 0; i < 60; i++)
        {
            var configuration = new ScaleSimConfiguration(1 + random.Next(5), 1 + random.Next(5), (ScaleSimDataflow)random.Next(3), 1, 1, 1);
            var folds = new ScaleSimFolds(configuration, ScaleSimLayer.Gemm("any", 1 + random.Next(12), 1 + random.Next(12), 1 + random.Next(12)));
            foreach (ScaleSimWave wave in (ScaleSimWave[])[new ScaleSimOutputs(folds), new ScaleSimStream(folds, true), new ScaleSimStream(folds, false)])
            {
                (long passed, List<long> cycles) = (0, []);
                for (long cycle = 0; cycle < folds.Cycles; cycle++)
                {
                    wave.Until(cycle).Should().Be(passed);
                    cycles.AddRange(Enumerable.Repeat(cycle, (int)wave.At(cycle)));
                    passed += wave.At(cycle);
                }

                (wave.Total, wave.Until(folds.Cycles)).Should().Be((passed, passed));
                Enumerable.Range(0, (int)passed + 1).Select(word => wave.CycleOf(word)).Should().Equal([.. cycles, folds.Cycles]);
            }
        }
    }

    private static ScaleSimFolds Folds(ScaleSimDataflow dataflow) => new(new ScaleSimConfiguration(2, 3, dataflow, 1, 1, 1), Layer);

    private static IEnumerable<long> PerCycle(ScaleSimWave wave, int cycles)
    {
        wave.CycleOf(wave.Total).Should().Be(cycles, "the layer ends there");
        return Enumerable.Range(0, cycles).Select(cycle => wave.At(cycle));
    }
}
