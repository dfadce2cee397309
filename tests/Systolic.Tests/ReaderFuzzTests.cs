using System.Globalization;
using System.Text;
using Systolic.Accounting;
using Systolic.Components;
using Systolic.Machines;
using Systolic.Numerics;
using Systolic.Onnx;
using Systolic.Reporting;
using Systolic.Tests.Components;
using Systolic.Tests.Onnx;
using Systolic.Tests.Reporting;
using Systolic.Units;
using Systolic.Validation;
using Systolic.Workloads;

namespace Systolic.Tests;

/// <summary>Damaged files of every reader: read, or refused by name of file, what was found and what was expected; within bounded memory.</summary>
/// <remarks>500 inputs each here; tests/fuzz/run asks for 10,000.</remarks>
public sealed class ReaderFuzzTests
{
    private const long MostBytes = 512L << 20;

    private static readonly int Inputs = int.Parse(Environment.GetEnvironmentVariable("SYSTOLIC_FUZZ_INPUTS") ?? "500", CultureInfo.InvariantCulture);

    private static readonly ModelShape Gpt2 = ModelPresets.Load("gpt2") with { Hidden = 8, QueryHeads = 2, KvHeads = 2, HeadDim = 4, Intermediate = 16, Vocabulary = 5, MaxPositions = 8, Type = DataType.Fp32 };

    private static readonly ImportOptions Bound = new() { Dimensions = ImportOptions.Default.Dimensions.Add("batch", 2).Add("seq", 8) };

    private static readonly Dictionary<string, (Func<string> Original, Action<string> Read)> Texts = new()
    {
        ["systolic machine"] = (() => MachinePresets.Json("trn2"), text => AcceleratorReader.Read(text, "damaged")),
        ["simt machine"] = (() => MachinePresets.Json("h100"), text => SimtReader.Read(text, "damaged")),
        ["model configuration"] = (() => ModelPresets.Json("qwen3-30b-a3b"), text => ConfigReader.Read(text, "damaged")),
        ["scale-sim configuration"] = (() => ScaleSimConfigurationTests.Text, text => ScaleSimConfiguration.Parse(text, "damaged")),
        ["scale-sim convolutions"] = (() => "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\nConv1, 224, 224, 7, 7, 3, 64, 2,\nConv2, 56, 56, 3, 3, 64, 64, 1,\n", text => ScaleSimTopology.ParseConvolutions(text, "damaged")),
        ["scale-sim products"] = (() => "Layer, M, N, K,\nqkv, 128, 64, 256,\nout, 32, 64, 16,\n", text => ScaleSimTopology.ParseGemms(text, "damaged")),
        ["energy table"] = (() => Lines(EnergyTable(), 40), text => EnergyTableReader.Read(text, "damaged")),
        ["mappings"] = (() => Mappings, text => MatMulMappings.Parse(text, "damaged")),
        ["run"] = (() => Encoding.UTF8.GetString(RealRuns.Json(SyntheticRun.Report)), text => RunSummary.Read(text, "damaged")),
        ["stablehlo"] = (() => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "StableHlo", "layer.mlir")), text => StableHloReader.Read(text, "damaged")),
        ["validate scalesim"] = (() => Lines(Reference("scalesim_gemm.csv"), 6), text => Parse(new ScaleSimSuite(), text)),
        ["validate dram"] = (() => Lines(Reference("dram.csv"), 6), text => Parse(new DramSuite(), text)),
        ["validate tpu"] = (() => "op,regime,M,K,N,rows,cols,dtype,latency_us,min_us,max_us\nmatmul,32-128,32,48,48,,,fp16,1.0504,1.0013,1.2556\nadd,all,,,,512,512,fp16,5.5645,5.46,5.8686\n", text => Parse(new TpuSuite(), text)),
        ["validate trainium"] = (() => "id,device,cores,workload,shapes,dtype,metric,value,unit,source,notes\na,Trn1 (NeuronCore-v2),1,gemm final,M=512 K=512 N=512,bf16,kernel latency p50,1.5,ms,,\n", text => Parse(new TrainiumSuite(), text)),
        ["validate power"] = (() => "id,chip,workload,metric,value,unit,tolerance_pct,kind,source,confidence,notes\na,2x H100 SXM5,fp16 dense at 257 TFLOPS,power,600,W,20,two_sided,,high,batch 8\n", text => Parse(new PowerSuite(), text)),
    };

    private const string Mappings = """
        {
          "mappings": [
            { "machine": "trn2-core", "m": 64, "k": 96, "n": 80, "batch": 1, "leftTransposed": true, "rightTransposed": false, "bias": false,
              "type": "bf16", "outputType": "bf16", "blockM": 64, "blockN": 80, "blockK": 96, "leftResident": true, "buffers": 2 }
          ]
        }
        """;

    public static TheoryData<string> Names => [.. Texts.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_damaged_text_is_read_or_refused(string name)
    {
        (Func<string> original, Action<string> read) = Texts[name];
        string text = original();
        read(text);
        Fuzz(name, random => Damage.Of(text, random), read);
    }

    [Fact]
    public void A_damaged_model_is_read_or_refused()
    {
        byte[] layer = Gpt2Export.Layer(Gpt2), model = Gpt2Export.Model(Gpt2, 2);
        Fuzz("onnx", random => Damage.Of(random.Next(2) == 0 ? layer : model, random), bytes => OnnxReader.Read(new MemoryStream(bytes), "damaged", Bound));
    }

    private static void Fuzz<T>(string name, Func<Random, T> damage, Action<T> read)
    {
        int accepted = 0;
        var failures = new List<string>();
        for (int i = 0; i < Inputs && failures.Count < 5; i++)
        {
            T damaged = damage(new Random(HashOf(name) + i));
            long before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                read(damaged);
                accepted++;
            }
            catch (InvalidDocumentException refused) when (refused.Message.StartsWith("damaged: ", StringComparison.Ordinal)
                && (refused.Message.Contains("expected", StringComparison.Ordinal) || refused.Message.Contains("malformed", StringComparison.Ordinal) || refused.Message.Contains("no ONNX model", StringComparison.Ordinal)))
            {
            }
            catch (Exception defect)
            {
                failures.Add(FormattableString.Invariant($"#{i} {defect.GetType().Name}: {defect.Message}\n{defect.StackTrace}"));
            }

            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            if (allocated > MostBytes)
            {
                failures.Add(FormattableString.Invariant($"#{i} took {allocated} bytes"));
            }
        }

        failures.Should().BeEmpty();
        accepted.Should().BeInRange(1, Inputs - 1, "some damage is harmless, most is not");
    }

    private static int HashOf(string name) => name.Aggregate(17, (sum, letter) => unchecked((sum * 31) + letter) & 0xFFFFFF);

    /// <summary>Reads a file of reference figures and stops before the first prediction.</summary>
    private static void Parse(IValidationSuite suite, string csv)
    {
        try
        {
            suite.Score(csv, "damaged", new ValidationTally(), new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static string Reference(string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", file));

    private static string EnergyTable()
    {
        using Stream stream = typeof(EnergyReferenceTable).Assembly.GetManifestResourceStream("Accounting/energy-table.csv")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static string Lines(string text, int count) => string.Join('\n', text.Split('\n').Take(count)) + "\n";
}
