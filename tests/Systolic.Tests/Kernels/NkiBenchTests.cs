using Systolic.Accounting;
using Systolic.Kernels;
using Systolic.Numerics;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Tests.Simulation;
using Systolic.Tests.Simulation.Values;
using Program = Systolic.Programs.Program;

namespace Systolic.Tests.Kernels;

/// <summary>Kernels of NKIBench at small shapes: bytes and multiply-accumulates by hand, values against double precision.</summary>
public class NkiBenchTests
{
    /// <summary>The identity of the transposes, 128 x 128 in fp32.</summary>
    private const long Identity = 65536;

    /// <summary>One 128 x 128 square against the identity.</summary>
    private const long Square = 128L * 128 * 128;

    private static readonly Dictionary<string, (Func<KernelBuilder, Program> Write, long Read, long Written, long Macs)> Cases = new()
    {
        // 160 KiB of right operand for 1,024 columns do not fit beside the left: read again for each of two row tiles.
        ["matmul"] = (kernel => NkiBenchProduct.Write(kernel, 1, 256, 5120, 1024, false, 256), (4L * 256 * 5120) + (2 * 4L * 5120 * 1024) + Identity, 4L * 256 * 1024, (256L * 5120 * 1024) + (2 * 40 * Square)),

        // Both operands fit: read once; 128 x 64 squares of left, once for both pieces of 1,024 columns.
        ["bmm"] = (kernel => NkiBenchProduct.Write(kernel, 2, 256, 64, 2048, false, 256), (4L * 2 * 64 * (256 + 2048)) + Identity, 4L * 2 * 256 * 2048, (2L * 256 * 64 * 2048) + (2 * 2 * Square / 2)),

        // Blocks of 1,024 rows: right is read twice; the last columns are no whole bank.
        ["transpose_matmul"] = (kernel => NkiBenchProduct.Write(kernel, 1, 2048, 256, 1100, true, 1024), 4L * 256 * (2048 + (2 * 1100)), 4L * 2048 * 1100, 2048L * 256 * 1100),

        // x is read for its norm and to be scaled; 2 x 4 squares.
        ["rmsnorm_matmul"] = (kernel => NkiBenchNormProduct.WriteNormFirst(kernel, 256, 512, 1024), (4L * 512 * ((2 * 256) + 1024)) + Identity, 4L * 256 * 1024, (256L * 512 * 1024) + (2 * 4 * Square)),

        // Squares again for each of 2 x 512 columns; the gain of 512 is spread over 128 partitions for each of 2 tiles.
        ["add_rmsnorm_matmul"] = (kernel => NkiBenchNormProduct.WriteAddFirst(kernel, 256, 512, 1024), (4L * 512 * ((2 * 256) + 1024 + 1)) + Identity, 4L * 256 * 1024, (256L * 512 * 1024) + (2 * 2 * 4 * Square) + (2L * 512 * 128)),
        ["matmul_add_rmsnorm"] = (kernel => NkiBenchNormProduct.WriteAddLast(kernel, 256, 512, 1024), (4L * ((256 * 512) + (512 * 1024) + (256 * 1024) + 1024)) + Identity, 4L * 256 * 1024, (256L * 512 * 1024) + (2 * 2 * 4 * Square) + (2L * 1024 * 128)),
        ["adamw"] = (kernel => NkiBenchAdamW.Write(kernel, 192, 2048), 16L * 192 * 2048, 4L * 192 * 2048, 0),
        ["silu"] = (kernel => NkiBenchSilu.Write(kernel, 256, 1536), 4L * 256 * 1536, 4L * 256 * 1536, 0),
        ["rope"] = (kernel => NkiBenchRope.Write(kernel, 128, 1200), 4L * (128 + 64 + 64) * 1200, 4L * 128 * 1200, 0),

        // delta for each of 3 states; B and C of each state are spread over 128 partitions.
        ["mamba"] = (kernel => NkiBenchScan.Write(kernel, 256, 200, 3), 4L * ((256 * 200 * (3 + 1)) + (256 * 3) + (2 * 3 * 200)), 4L * 256 * 200, 2L * 3 * 200 * 128),

        // Scores are written and read back.
        ["bmm_softmax"] = (kernel => NkiBenchSoftmax.Write(kernel, 2, 256, 64, 2048), (4L * 2 * ((64 * (256 + 2048)) + (256 * 2048))) + Identity, 2 * 4L * 2 * 256 * 2048, (2L * 256 * 64 * 2048) + (2 * 2 * Square / 2)),

        // The gate and the hidden values are written and read back, x is read for each; 4 x 8 squares each time.
        ["swiglu"] = (kernel => NkiBenchSwiglu.Write(kernel, 512, 1024, 1024), (4L * 1024 * ((2 * 512) + (3 * 1024) + (2 * 512))) + Identity, 4L * 512 * 1024 * 3, (3L * 512 * 1024 * 1024) + (2 * 32 * Square)),

        // x for the low-rank part and for the main product; the low-rank part is written and read back; squares of x twice and of the result.
        ["lora"] = (kernel => NkiBenchLora.Write(kernel, 512, 1024, 1024), (4L * ((2 * 512 * 1024) + (1024 * 1024) + (2 * 1024 * 128) + (512 * 1024))) + Identity, 2 * 4L * 512 * 1024, (512L * 1024 * 1024) + (2L * 512 * 1024 * 128) + (3 * 32 * Square)),

        // Transposed queries and scores are written; queries are read back for each half of the keys, scores once. Squares: queries, keys, probabilities of each head.
        ["gqa_full"] = (kernel => NkiBenchAttention.Write(kernel, 1024, 8, 4), (4L * 1024 * 128 * (8 + 4 + 4 + (2 * 8))) + (4L * 8 * 1024 * 1024) + Identity, 4L * 1024 * ((2 * 128 * 8) + (8 * 1024)), (2L * 8 * 1024 * 1024 * 128) + ((64 + 32 + (8 * 64)) * Square)),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Bytes_and_multiplications_are_those_of_the_tiling_and_both_simulators_agree(string name)
    {
        (Func<KernelBuilder, Program> write, long read, long written, long macs) = Cases[name];
        Program program = write(new KernelBuilder(Core.Trn1, name, values: true));

        (CoreRun run, StreamState[] streams) = Simulator.RunWithTimes(program, Core.Trn1);

        HazardChecker.Find(program, streams).Should().BeNull();
        (run.Counts[ActivityKind.DramReadByte], run.Counts[ActivityKind.DramWriteByte], run.Counts[ActivityKind.MacFp32]).Should().Be((read, written, macs));
        LockstepSimulator.Run(program, Core.Trn1, cancellation: TestContext.Current.CancellationToken).Time.Should().Be(run.Time);
    }

    [Fact]
    public void Products_agree_with_double_precision()
    {
        (Func<string, Matrix> single, Matrix product) = Execute(kernel => NkiBenchProduct.Write(kernel, 1, 256, 256, 1100, false, 256));
        Check(product, (row, column) => Dot(256, k => single("left")[row, k], k => single("right")[k, column]));

        (Func<string, Matrix> batch, product) = Execute(kernel => NkiBenchProduct.Write(kernel, 2, 128, 64, 600, false, 128));
        Check(product, (row, column) => Dot(64, k => batch("left")[row, k], k => batch("right")[(row / 128 * 64) + k, column]));

        (Func<string, Matrix> byK, product) = Execute(kernel => NkiBenchProduct.Write(kernel, 1, 256, 256, 600, true, 128));
        Check(product, (row, column) => Dot(256, k => byK("left")[k, row], k => byK("right")[k, column]));
    }

    [Fact]
    public void Norms_with_products_agree_with_double_precision()
    {
        (Func<string, Matrix> first, Matrix result) = Execute(kernel => NkiBenchNormProduct.WriteNormFirst(kernel, 128, 512, 512));
        Check(result, (row, column) => Dot(512, k => first("x")[row, k], k => first("weights")[k, column]) / Rms(512, k => first("x")[row, k], 0));

        (Func<string, Matrix> added, result) = Execute(kernel => NkiBenchNormProduct.WriteAddFirst(kernel, 256, 512, 512));
        double Sum(int row, int k) => added("x")[row, k] + (double)added("z")[row, k];
        Check(result, (row, column) => Dot(512, k => Sum(row, k) * added("gain")[0, k], k => added("weights")[k, column]) / Rms(512, k => Sum(row, k), 1e-5));

        (Func<string, Matrix> last, result) = Execute(kernel => NkiBenchNormProduct.WriteAddLast(kernel, 256, 512, 512));
        double Out(int row, int n) => Dot(512, k => last("x")[row, k], k => last("weights")[k, n]) + last("z")[row, n];
        Check(result, (row, column) => Out(row, column) * last("gain")[0, column] / Rms(512, n => Out(row, n), 1e-5), everyRow: 100, everyColumn: 200);
    }

    [Fact]
    public void Elementwise_kernels_agree_with_double_precision()
    {
        (Func<string, Matrix> x, Matrix result) = Execute(kernel => NkiBenchSilu.Write(kernel, 256, 1200));
        Check(result, (row, column) => x("x")[row, column] / (1 + Math.Exp(-x("x")[row, column])));

        (Func<string, Matrix> state, result) = Execute(kernel => NkiBenchAdamW.Write(kernel, 192, 1200), nonNegative: true);
        Check(result, (row, column) =>
        {
            double weight = state("weights")[row, column], gradient = state("gradient")[row, column];
            double moment = (0.9 * state("first moment")[row, column]) + (0.1 * gradient), second = (0.999 * state("second moment")[row, column]) + (0.001 * gradient * gradient);
            return weight - (1e-5 * weight) - (0.01 * moment / (Math.Sqrt(1000 * second) + 1e-8));
        });

        (Func<string, Matrix> rope, result) = Execute(kernel => NkiBenchRope.Write(kernel, 128, 700));
        Check(result, (row, column) =>
        {
            int pair = row % 64;
            double cosine = rope("cosines")[pair, column], sine = rope("sines")[pair, column], first = rope("x")[pair, column], second = rope("x")[pair + 64, column];
            return row < 64 ? (first * cosine) - (second * sine) : (second * cosine) + (first * sine);
        });
    }

    [Fact]
    public void The_scan_agrees_with_double_precision()
    {
        (Func<string, Matrix> inputs, Matrix result) = Execute(kernel => NkiBenchScan.Write(kernel, 256, 40, 3));
        var expected = new double[256, 40];
        for (int channel = 0; channel < 256; channel++)
        {
            for (int state = 0; state < 3; state++)
            {
                double h = 0;
                for (int token = 0; token < 40; token++)
                {
                    double delta = inputs("delta")[channel, token];
                    h = (h * Math.Exp(delta * inputs("A")[channel, state])) + (delta * inputs("u")[channel, token] * inputs("B")[state, token]);
                    expected[channel, token] += h * inputs("C")[state, token];
                }
            }
        }

        Check(result, (row, column) => expected[row, column]);
    }

    [Fact]
    public void Softmax_and_attention_agree_with_double_precision()
    {
        (Func<string, Matrix> batch, Matrix result) = Execute(kernel => NkiBenchSoftmax.Write(kernel, 2, 128, 64, 1024));
        Check(result, (row, column) =>
        {
            double Score(int n) => Dot(64, k => batch("left")[row, k], k => batch("right")[(row / 128 * 64) + k, n]);
            return Math.Exp(Score(column)) / Enumerable.Range(0, 1024).Sum(n => Math.Exp(Score(n)));
        }, everyRow: 90, everyColumn: 300);

        (Func<string, Matrix> inputs, result) = Execute(kernel => NkiBenchAttention.Write(kernel, 1024, 8, 4));
        Check(result, (row, column) =>
        {
            (int head, int query) = Math.DivRem(row, 1024);
            double[] weights = [.. Enumerable.Range(0, 1024).Select(token => Math.Exp(
                Dot(128, k => inputs("queries")[query, (head * 128) + k], k => inputs("keys")[token, (head / 2 * 128) + k]) / Math.Sqrt(128)))];
            return Dot(1024, token => weights[token], token => inputs("values")[token, (head / 2 * 128) + column]) / weights.Sum();
        }, everyRow: 1111, everyColumn: 50);
    }

    [Fact]
    public void Gated_network_and_adapter_agree_with_double_precision()
    {
        (Func<string, Matrix> inputs, Matrix result) = Execute(kernel => NkiBenchSwiglu.Write(kernel, 512, 1024, 1024));
        var hidden = new Dictionary<int, double[]>();
        double[] Hidden(int row) => hidden.TryGetValue(row, out double[]? known) ? known : hidden[row] = [.. Enumerable.Range(0, 1024).Select(n =>
        {
            double gate = Dot(1024, k => inputs("x")[row, k], k => inputs("gate weights")[k, n]);
            return gate / (1 + Math.Exp(-gate)) * Dot(1024, k => inputs("x")[row, k], k => inputs("up weights")[k, n]);
        })];
        Check(result, (row, column) => Dot(1024, n => Hidden(row)[n], n => inputs("down weights")[n, column]), everyRow: 300, everyColumn: 100, bound: 1e-2);

        (Func<string, Matrix> adapter, result) = Execute(kernel => NkiBenchLora.Write(kernel, 512, 1024, 1024));
        Check(result, (row, column) => Dot(1024, k => adapter("x")[row, k], k => adapter("weights")[k, column])
            + Dot(128, r => Dot(1024, k => adapter("x")[row, k], k => adapter("A")[k, r]), r => adapter("B")[r, column]), everyRow: 100, everyColumn: 100, bound: 1e-3);
    }

    [Fact]
    public void Shapes_that_the_tilings_do_not_divide_are_refused()
    {
        Action[] writes =
        [
            () => NkiBenchProduct.Write(Kernel(), 1, 200, 128, 512, false, 200),
            () => NkiBenchNormProduct.WriteNormFirst(Kernel(), 128, 500, 1024),
            () => NkiBenchSilu.Write(Kernel(), 100, 1024),
            () => NkiBenchScan.Write(Kernel(), 100, 10, 1),
            () => NkiBenchSwiglu.Write(Kernel(), 512, 1000, 1024),
            () => NkiBenchLora.Write(Kernel(), 512, 1024, 1000),
            () => NkiBenchAttention.Write(Kernel(), 1000, 8, 4),
        ];

        writes.Should().AllSatisfy(write => write.Should().Throw<ArgumentException>().WithMessage("Found * expected *"));

        static KernelBuilder Kernel() => new(Core.Trn1, "refused");
    }

    private static double Dot(int n, Func<int, double> first, Func<int, double> second)
    {
        double sum = 0;
        for (int i = 0; i < n; i++)
        {
            sum += first(i) * second(i);
        }

        return sum;
    }

    private static double Rms(int n, Func<int, double> x, double epsilon) => Math.Sqrt((Dot(n, x, x) / n) + epsilon);

    private static (Func<string, Matrix> Inputs, Matrix Result) Execute(Func<KernelBuilder, Program> write, bool nonNegative = false)
    {
        Program program = write(new KernelBuilder(Core.Trn1, "values", values: true));
        var inputs = program.Tensors.Where(tensor => tensor.Role == MemoryRole.Input)
            .ToDictionary(tensor => tensor.Name, tensor => Values.Random((int)tensor.Rows, (int)tensor.Columns, tensor.Index, DataType.Fp32));
        if (nonNegative)
        {
            inputs = inputs.ToDictionary(pair => pair.Key, pair => Matrix.From(pair.Value.Rows, pair.Value.Columns, (row, column) => MathF.Abs(pair.Value[row, column])));
        }

        IReadOnlyDictionary<string, Matrix> results = Interpreter.Run(program, inputs, ExecutionOrder.Random(1), TestContext.Current.CancellationToken);
        return (name => inputs[name], results[program.Tensors.Single(tensor => tensor.Role == MemoryRole.Output).Name]);
    }

    /// <summary>The sums have at most 1,024 terms of size 1: fp32 keeps them within 1e-4 unless a case says otherwise.</summary>
    private static void Check(Matrix actual, Func<int, int, double> expected, int everyRow = 37, int everyColumn = 41, double bound = 1e-4)
    {
        for (int row = 0; row < actual.Rows; row += everyRow)
        {
            for (int column = 0; column < actual.Columns; column += everyColumn)
            {
                ((double)actual[row, column]).Should().BeApproximately(expected(row, column), bound, "of element [{0}, {1}]", row, column);
            }
        }
    }
}
