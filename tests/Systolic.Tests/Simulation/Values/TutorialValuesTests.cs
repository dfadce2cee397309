using Systolic.Hardware;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Simulation;
using Systolic.Tests.Kernels;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Simulation.Values;

public class TutorialValuesTests
{
    private static readonly Accelerator Machine = KernelRuns.Machine("trn1-core");

    [Theory]
    [InlineData(0, 2, 256, 192, false)] // states outside
    [InlineData(1, 1, 256, 512, false)] // channels outside, delta u once, broadcasts in PSUM
    [InlineData(1, 1, 128, 700, false)] // a sequence longer than a bank: broadcasts in SBUF
    [InlineData(2, 2, 128, 1536, false)] // tiles that hand on their last state
    [InlineData(2, 1, 128, 1024, true)] // every operation of the text
    public void The_scan_is_its_recurrence(int order, int batch, int channels, int tokens, bool asWritten)
    {
        const int States = 3;
        Matrix delta = Matrix.From(batch * channels, tokens, (row, column) => 0.1f + (0.01f * ((row + (3 * column)) % 50))), u = Values.Random(batch * channels, tokens, 1, DataType.Fp32);
        Matrix a = Matrix.From(channels, States, (row, state) => -0.2f - (0.1f * state) - (0.001f * row)), b = Values.Random(batch * States, tokens, 2, DataType.Fp32), c = Values.Random(batch * States, tokens, 3, DataType.Fp32);

        Matrix y = Run(kernel => MambaKernel.Write(kernel, new MambaShape(batch, channels, States, tokens), (MambaOrder)order, asWritten), delta, u, a, b, c);

        var exact = new double[batch * channels, tokens];
        for (int row = 0; row < batch * channels; row++)
        {
            for (int state = 0; state < States; state++)
            {
                double h = 0;
                for (int t = 0; t < tokens; t++)
                {
                    int parameter = (row / channels * States) + state;
                    h = (Math.Exp(delta[row, t] * (double)a[row % channels, state]) * h) + ((double)delta[row, t] * u[row, t] * b[parameter, t]);
                    exact[row, t] += h * c[parameter, t];
                }
            }
        }

        Values.Within(y, (row, t) => (exact[row, t], 1e-4));
    }

    [Theory]
    [InlineData(512, 64, DataType.Fp32, false)]
    [InlineData(1024, 128, DataType.Bf16, false)]
    [InlineData(1024, 128, DataType.Bf16, true)]
    [InlineData(1024, 96, DataType.Fp32, true)]
    public void Stable_Diffusion_attention_is_the_softmax_of_scores_over_eight(int tokens, int features, DataType type, bool allocated)
    {
        Matrix q = Values.Random(features, tokens, 1, type), v = Values.Random(tokens, features, 3, type);
        Matrix k = allocated ? Values.Random(features, tokens, 2, type) : Values.Random(tokens, features, 2, type);

        Matrix output = Run(kernel => SdAttentionKernel.Write(kernel, tokens, features, type, allocated), q, k, v);

        Matrix exact = Attention(Transposed(q), allocated ? Transposed(k) : k, v, 0.125, (_, _) => true);
        Values.Within(allocated ? Transposed(output) : output, (row, column) => (exact[row, column], 0.01));
    }

    [Theory]
    [InlineData(128, 4096, 32, false, 0)] // two tiles of keys: what was summed is scaled
    [InlineData(2176, 4096, 16, true, 0)] // the last query tile sees two tiles of keys
    [InlineData(2304, 4096, 16, true, 100)] // the last query tiles see no key of the first tile
    public void Flash_attention_is_the_softmax_of_what_the_mask_leaves(int queries, int keys, int features, bool causal, int window)
    {
        Matrix q = Values.Random(features, queries, 1, DataType.Fp32, 2), k = Values.Random(features, keys, 2, DataType.Fp32, 2), v = Values.Random(keys, features, 3, DataType.Fp32);

        Matrix output = Values.Execute(Write(kernel => FlashForwardKernel.Write(kernel, new FlashShape(queries, keys, features, causal, window), DataType.Fp32)), ExecutionOrder.Written, q, k, v)[0];

        Matrix exact = Attention(Transposed(q), Transposed(k), v, 1 / Math.Sqrt(features), (query, key) => !causal || (key <= query && (window == 0 || key > query - window)));
        Values.Within(output, (row, column) => (exact[row, column], 1e-4));
    }

    [Theory]
    [InlineData(200, 1280, 96)]
    [InlineData(64, 256, 512)]
    public void The_fused_projection_multiplies_normalized_rows(int rows, int columns, int results)
    {
        Matrix x = Values.Random(rows, columns, 1, DataType.Bf16), weights = Values.Random(columns, results, 2, DataType.Bf16);

        Matrix output = Run(kernel => FusedNormLinearKernel.Write(kernel, rows, columns, results, DataType.Bf16), x, weights);

        Values.Within(output, (row, column) =>
        {
            double square = Sum(columns, k => (double)x[row, k] * x[row, k]), scale = 1 / Math.Sqrt((square / columns) + 1e-6);
            return (scale * Sum(columns, k => (double)x[row, k] * weights[k, column]), 0.01 * Math.Sqrt(columns));
        });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Layer_normalization_shifts_and_scales_rows(bool statisticsInstructions)
    {
        const int Rows = 130, Columns = 700;
        Matrix x = Values.Random(Rows, Columns, 1, DataType.Fp32), parameters = Values.Random(2, Columns, 2, DataType.Fp32);

        Matrix output = Run(kernel => LayerNormTutorialKernel.Write(kernel, Rows, Columns, statisticsInstructions), x, parameters);

        Values.Within(output, (row, column) =>
        {
            double mean = Sum(Columns, k => x[row, k]) / Columns, variance = Sum(Columns, k => Math.Pow(x[row, k] - mean, 2)) / Columns;
            return (((x[row, column] - mean) / Math.Sqrt(variance + 1e-5) * parameters[0, column]) + parameters[1, column], 1e-4);
        });
    }

    [Theory]
    [InlineData(130, 7, 5, 3, 2, DataType.Fp32)] // windows overlap
    [InlineData(2, 200, 210, 1, 1, DataType.Fp32)] // an image in pieces
    [InlineData(64, 8, 8, 4, 4, DataType.Fp16)]
    public void Pooling_takes_the_mean_of_each_window(int channels, int height, int width, int rows, int columns, DataType type)
    {
        Matrix x = Values.Random(channels, height * width, 1, type);

        Matrix output = Run(kernel => AveragePoolingKernel.Write(kernel, channels, new ImageSize(height, width), new ImageSize(rows, columns), type), x);

        Values.Within(output, (channel, pixel) =>
        {
            (int row, int column) = Math.DivRem(pixel, columns);
            (int top, int bottom, int left, int right) = (row * height / rows, (((row + 1) * height) + rows - 1) / rows, column * width / columns, (((column + 1) * width) + columns - 1) / columns);
            double sum = Sum(bottom - top, i => Sum(right - left, j => x[channel, ((top + i) * width) + left + j]));
            return (sum / ((bottom - top) * (right - left)), type == DataType.Fp32 ? 1e-5 : 1e-3);
        });
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_convolution_sums_over_places_and_channels_and_keeps_the_largest_of_four(bool pool)
    {
        const int Channels = 128, Height = 6, Width = 9, Filter = 3, Batch = 2;
        Matrix weights = Values.Random(Channels, Channels * Filter * Filter, 1, DataType.Fp32), bias = Values.Random(Channels, 1, 2, DataType.Fp32), x = Values.Random(Batch * Channels, Height * Width, 3, DataType.Fp32);

        Matrix output = Run(kernel => ConvolutionKernel.Write(kernel, Batch, Channels, Channels, new ImageSize(Height, Width), Filter, pool, DataType.Fp32), weights, bias, x);

        int step = pool ? 2 : 1, columns = (Width - Filter + 1) / step;
        Values.Within(output, (row, pixel) =>
        {
            (int image, int channel) = Math.DivRem(row, Channels);
            (int down, int right) = Math.DivRem(pixel, columns);
            double largest = double.MinValue;
            for (int i = 0; i < step * step; i++)
            {
                largest = Math.Max(largest, At(image, channel, (down * step) + (i / step), (right * step) + (i % step)));
            }

            return (largest, 1e-3);
        });

        double At(int image, int channel, int down, int right) => bias[channel, 0] + Sum(Channels, input => Sum(Filter * Filter, place =>
            (double)weights[channel, (input * Filter * Filter) + place] * x[(image * Channels) + input, ((down + (place / Filter)) * Width) + right + (place % Filter)]));
    }

    [Theory]
    [InlineData(640, 256, DataType.Fp32)]
    [InlineData(128, 384, DataType.Bf16)]
    public void A_transpose_changes_no_bit(int rows, int columns, DataType type)
    {
        Matrix x = Values.Random(rows, columns, 1, type);

        Run(kernel => TransposeKernel.Write(kernel, rows, columns, type), x).Values.SequenceEqual(Transposed(x).Values).Should().BeTrue();
    }

    [Fact]
    public void Each_gradient_goes_to_the_first_maximum_of_its_window()
    {
        const int Channels = 192, Height = 8, Width = 6, Rows = 4, Columns = 3;
        Matrix operand = Matrix.From(Channels, Height * Width, (row, pixel) => ((row * 7) + (pixel * 5)) % 11), source = Matrix.From(Channels, Rows * Columns, (row, window) => row + window + 1);

        Matrix output = Run(kernel => SelectAndScatterKernel.Write(kernel, Channels, Height, Width, DataType.Fp32), operand, source);

        var exact = new double[Channels, Height * Width];
        for (int i = 0; i < Channels * Rows * Columns; i++)
        {
            (int channel, int window) = Math.DivRem(i, Rows * Columns);
            (int top, int left) = ((2 * (window / Columns)) - 1, (2 * (window % Columns)) - 1);
            int[] inside = [.. Enumerable.Range(0, 9).Select(place => (Row: top + (place / 3), Column: left + (place % 3)))
                .Where(place => place.Row >= 0 && place.Row < Height && place.Column >= 0 && place.Column < Width).Select(place => (place.Row * Width) + place.Column)];
            exact[channel, inside.MaxBy(pixel => operand[channel, pixel])] += source[channel, window];
        }

        Values.Within(output, (channel, pixel) => (exact[channel, pixel], 0));
    }

    [Fact]
    public void A_resized_image_has_the_nearest_pixels()
    {
        const int Batch = 2, Channels = 5;
        Matrix x = Values.Random(Batch * 3 * 4, Channels, 1, DataType.Fp32);

        Matrix output = Run(kernel => NearestResizeKernel.Write(kernel, Batch, new ImageSize(3, 4), new ImageSize(5, 7), Channels, DataType.Fp32), x);

        Values.Within(output, (row, channel) => (x[(row / 35 * 12) + (row % 35 / 7 * 3 / 5 * 4) + (row % 7 * 4 / 7), channel], 0));
    }

    [Fact]
    public void An_image_of_twice_the_size_takes_sixteenths_of_four_pixels()
    {
        const int Channels = 130, Height = 21, Width = 6;
        Matrix x = Values.Random(Channels, Height * Width, 1, DataType.Fp32);

        Matrix output = Run(kernel => BilinearResizeKernel.Write(kernel, Channels, new ImageSize(Height, Width), DataType.Fp32), x);

        // Of each axis three quarters of the nearer pixel and one of the further; beyond an edge the nearer counts again.
        Values.Within(output, (channel, pixel) =>
        {
            (int row, int column) = Math.DivRem(pixel, 2 * Width);
            return (0.75 * ((0.75 * At(row / 2, column / 2)) + (0.25 * At(row / 2, Further(column))))
                + (0.25 * ((0.75 * At(Further(row), column / 2)) + (0.25 * At(Further(row), Further(column))))), 1e-6);

            double At(int i, int j) => x[channel, (Math.Clamp(i, 0, Height - 1) * Width) + Math.Clamp(j, 0, Width - 1)];
        });

        static int Further(int index) => (index / 2) + (index % 2 == 0 ? -1 : 1);
    }

    [Fact]
    public void A_product_of_two_rows_a_cell_is_that_of_the_quantized_operands()
    {
        const int M = 256, K = 4096, N = 1024;
        Matrix left = Values.Random(M, K, 1, DataType.Bf16), right = Values.Random(K, N, 2, DataType.Fp8E4M3), scales = Matrix.From(128, N, (_, column) => 1 + (column % 3));

        // Rows k and k + 128 of each 256 lie side by side, for each tile of 512 columns.
        Matrix pairs = Matrix.From(K / 2, 2 * N, (row, column) => right[(row / 128 * 256) + (column / 512 % 2 * 128) + (row % 128), (column / 1024 * 512) + (column % 512)]);
        Accelerator machine = KernelRuns.Machine("trn2-core");
        Matrix output = Values.Execute(DoubleRowMatMulKernel.Write(new KernelBuilder(machine, "tutorial", values: true), M, K, N), ExecutionOrder.Written, left, pairs, scales)[0];

        // Of 4096 products of values about 0.5, rounded to 3 bits of the significand: some 64 x 0.3 x 0.3 x 0.04 each way.
        Values.Within(output, (row, column) => (scales[0, column] * Sum(K, k => (double)left[row, k] * right[k, column]), 4 * scales[0, column]));
    }

    private static Program Write(Func<KernelBuilder, Program> write) => write(new KernelBuilder(Machine, "tutorial", values: true));

    private static Matrix Run(Func<KernelBuilder, Program> write, params Matrix[] inputs) => Values.RunAll(Write(write), Machine, inputs)[0];

    private static double Sum(int count, Func<int, double> term)
    {
        double sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += term(i);
        }

        return sum;
    }

    private static Matrix Transposed(Matrix x) => Matrix.From(x.Columns, x.Rows, (row, column) => x[column, row]);

    private static Matrix Attention(Matrix q, Matrix k, Matrix v, double scale, Func<int, int, bool> seen)
    {
        var result = new Matrix(q.Rows, v.Columns);
        for (int row = 0; row < q.Rows; row++)
        {
            double[] scores = [.. Enumerable.Range(0, k.Rows).Select(key => seen(row, key) ? scale * Sum(q.Columns, i => (double)q[row, i] * k[key, i]) : double.NegativeInfinity)];
            double largest = scores.Max(), total = scores.Sum(score => Math.Exp(score - largest));
            for (int column = 0; column < v.Columns; column++)
            {
                result[row, column] = (float)(Sum(k.Rows, key => Math.Exp(scores[key] - largest) * v[key, column]) / total);
            }
        }

        return result;
    }
}
