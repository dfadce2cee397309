namespace Systolic.Tests.Cli;

public class BadInputTests
{
    public static TheoryData<string, string> Mistakes => new()
    {
        { "gemm 0 1 1", "M: found \"0\", expected a whole number from 1 to 1073741824." },
        { "gemm 1 -5 1", "K: found \"-5\", expected a whole number from 1 to 1073741824." },
        { "gemm 1 1 99999999999999999999", "N: found \"99999999999999999999\", expected a whole number" },
        { "gemm 1 1 1.5", "N: found \"1.5\"" },
        { "gemm 1 1", "Required argument 'N' missing for command: 'gemm'. See \"systolic gemm --help\"." },
        { "gemm 1 1 1 1", "Found \"1\", which systolic gemm does not take." },
        { "gemm 1 1 1 --dtype fp7", "--dtype: found \"fp7\", expected a data type: fp32," },
        { "gemm 1 1 1 --dtype int32", "expected a type that matrix units multiply" },
        { "gemm 1073741824 1073741824 1073741824 --machine array", "64 bits" },
        { "gemm 1048576 1073741824 4096 --machine array", "take array at least 641 hours" },
        { "gemm 1 1 1 --machine nosuch", "nosuch: found no such machine" },
        { "gemm 1 1 1 --machine old", "old: found the process node 90 nm, expected one with energy prices: 3, 5, 7, 16, 28, 45 nm." },
        { "gemm 1 1 1 --machine full", "gemm needs 2 GiB, array has 1 GiB." },
        { "gemm 1 1 1 --machine wide", "The sizes are too large to simulate: a time exceeds 64 bits." },
        { "gemm 1 1 1 --machine array --json /no/such/folder/out.json", "--json: found no folder /no/such/folder" },
        { "gemm 1 1 1 --machine array --json /", "--json: found the folder /" },
        { "gemm 1 1 1 --machine array --json same.out --csv same.out", "--json and --csv name the same file" },
        { "run", "None of --model, --onnx and --stablehlo is given; give one." },
        { "run --model llama-3-8b --dtype fp16", "--dtype has no meaning beside --model, whose configuration names its type." },
        { "run --onnx a.onnx --stablehlo b.mlir", "Both --onnx and --stablehlo are given; give one." },
        { "run --onnx no-such.onnx", "no-such.onnx: found a file that cannot be read: " },
        { "run --onnx a.onnx --dim batch", "--dim: found \"batch\", expected a name and a whole number from 1 to 1073741824, such as batch=1." },
        { "run --model llama-3-8b --dim batch=1", "--dim has no meaning without --onnx or --stablehlo." },
        { "run --stablehlo no-such.mlir --tokens 5", "no-such.mlir: found a file that cannot be read: " },
        { "run --model llama-3-8c", "llama-3-8b" },
        { "run --model llama-3-8b --phase prefil", "--phase: found \"prefil\", expected prefill, decode, training or finetune." },
        { "run --model llama-3-8b --phase decode --tokens 5", "--tokens has no meaning in decode" },
        { "run --model llama-3-8b --context 5", "--context has no meaning in prefill; give --tokens." },
        { "run --model llama-3-8b --recompute", "--recompute has no meaning in prefill" },
        { "run --model llama-3-8b --phase training --recompute some", "--recompute: found \"some\", expected full or selective." },
        { "run --model llama-3-8b --phase decode --micro-batches 2", "--micro-batches has no meaning in decode" },
        { "run --model llama-3-8b --phase training --batch 3 --micro-batches 2", "found 2 micro-batches of a batch of 3, expected a number that divides it." },
        { "run --model llama-3-8b --phase training --lora-rank 8", "--lora-rank has no meaning in training; give --phase finetune." },
        { "run --model llama-3-8b --phase finetune --lora-targets q_proj", "--lora-targets needs a rank; give --lora-rank." },
        { "run --model llama-3-8b --phase finetune --lora-rank 8 --lora-targets query", "found adapters of rank 8 on query, expected a rank of at least 1 and some of: q_proj, k_proj" },
        { "run --model llama-3-8b --layers 2", "--layers: found \"2\", expected all or 1." },
        { "run --model llama-3-8b --batch", "--batch" },
        { "run --model llama-3-8b --chips 16 --tensor-parallel 8 --data-parallel 4", "Found --chips 16 for tensor 8 x pipeline 1 x data 4, expected their product, 32; give --chips 32, or other degrees." },
        { "run --model llama-3-8b --data-parallel 4 --micro-batches 2 --batch 12", "found --batch 12 for 8 micro-batches (data parallelism times --micro-batches), expected a multiple; give --batch 8." },
        { "run --model llama-3-8b --machine array --pipeline 33", "found 33 pipeline stages, expected at most 32, one per layer; use more tensor ranks or replicas" },
        { "run --model llama-3-8b --data-parallel 2 --batch 2 --machine array", "expected at most the 1 that its links reach" },
        { "compare --model", "--model" },
        { "machine show", "Required argument 'NAME' missing for command: 'show'. See \"systolic machine show --help\"." },
        { "machine", "Required command was not provided. See \"systolic machine --help\"." },
        { "frobnicate", "Found \"frobnicate\", which systolic does not take. See \"systolic --help\"." },
        { "compar", "did you mean compare?" },
        { "run --modle llama-3-8b", "did you mean --model?" },
        { "machine shwo trn2", "did you mean show?" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public async Task Mistake_is_told_in_one_message_with_exit_code_2(string line, string message)
    {
        CommandLine run = await CommandLine.RunAsync(line.Split(' '));

        run.Code.Should().Be(2);
        run.Out.Should().BeEmpty();
        run.Error.Should().Contain(message).And.NotContain("   at ");
        run.Error.TrimEnd().Should().NotContain("\n");
    }

    [Fact]
    public async Task Malformed_model_file_is_told_with_its_path()
    {
        using var folder = new ScratchFolder();
        await File.WriteAllTextAsync(folder["config.json"], "{ \"model_type\": \"llama\",\n  \"hidden_size\": }", TestContext.Current.CancellationToken);

        CommandLine run = await CommandLine.RunAsync("run", "--model", folder["config.json"]);

        run.Code.Should().Be(2);
        run.Error.Should().StartWith(folder["config.json"]).And.NotContain("   at ");
    }

    [Fact]
    public async Task Defect_is_one_line_with_exit_code_70()
    {
        CommandLine run = await CommandLine.RunAsync("gemm", "1", "1", "1", "--machine", "broken");

        run.Code.Should().Be(70);
        run.Error.Should().Be("Internal error, please report it with the command line: InvalidOperationException: two lines" + Environment.NewLine);
    }

    [Fact]
    public async Task Cancelled_run_ends_with_exit_code_130()
    {
        CommandLine stopped = await CommandLine.RunAsync("gemm", "1", "1", "1", "--machine", "stopped");
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        CommandLine waiting = await CommandLine.RunAsync(CommandLine.Fakes, 80, source.Token, "gemm", "1", "1", "1", "--machine", "endless");

        stopped.Code.Should().Be(130);
        stopped.Error.Trim().Should().Be("Cancelled.");
        waiting.Code.Should().Be(130);
    }
}
