using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public sealed class StableHloReaderTests
{
    // Two sequences of 16 tokens, 64 features, 8 query heads on 2 key/value heads of 8, 256 features inside; as jax.jit(...).lower(...).as_text() writes it.
    private static readonly ModelShape Shape = Presets.Small with { QueryHeads = 8, HeadDim = 8, Intermediate = 256 };

    [Fact]
    public void A_layer_has_the_operators_and_weights_of_the_builder()
    {
        OperatorGraph imported = StableHloReader.Read(Layer(), "layer.mlir"), expected = TransformerLayer.Training(Shape, 2, 16);

        imported.Sections.Should().ContainSingle();
        // The builder rotates the queries before it computes the keys; the module computes all three first.
        Operator[] found = [.. imported.Sections[0].Operators.OrderBy(op => op.Signature.ToString())], wanted = [.. expected.Sections[0].Operators.Select(op => op is Attention attention ? attention with { KeepsSums = false } : op).OrderBy(op => op.Signature.ToString())];
        found.Select(op => op.Signature.ToString()).Should().Equal(wanted.Select(op => op.Signature.ToString()));
        found.Zip(wanted).Where(pair => pair.First.Signature != pair.Second.Signature || pair.First.Split != pair.Second.Split).Should().BeEmpty();
        imported.Weights.Should().Be(TransformerLayer.Prefill(Shape, 2, 16).Weights);
        imported.Name.Should().Be("layer");
        imported.Tokens.Should().Be(32);
    }

    // 3 x 4 times 4 x 5, then a sum of 15 elements to 3.
    [Theory]
    [InlineData("%0 = stablehlo.dot_general %arg0, %arg1, contracting_dims = [1] x [0], precision = [DEFAULT, DEFAULT] : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>", "matmul 3x4x5")]
    [InlineData("%0 = \"stablehlo.dot_general\"(%arg0, %arg1) {dot_dimension_numbers = #stablehlo.dot<lhs_contracting_dimensions = [1], rhs_contracting_dimensions = [0]>} : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>", "matmul 3x4x5")]
    [InlineData("%0 = stablehlo.dot %arg0, %arg1 : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>", "matmul 3x4x5")]
    [InlineData("%0 = stablehlo.add %arg0, %arg0 : tensor<3x4xf32>", "elementwise 3x4")]
    [InlineData("%0 = stablehlo.tanh %arg0 : tensor<3x4xf32> loc(#loc7)", "elementwise 3x4")]
    [InlineData("%0 = stablehlo.reduce(%arg0 init: %arg2) applies stablehlo.add across dimensions = [1] : (tensor<3x4xf32>, tensor<f32>) -> tensor<3xf32>", "elementwise 3x4")]
    [InlineData("%0 = \"stablehlo.reduce\"(%arg0, %arg2) <{dimensions = array<i64: 1>}> ({\n    ^bb0(%a: tensor<f32>, %b: tensor<f32>):\n      %c = stablehlo.add %a, %b : tensor<f32>\n      stablehlo.return %c : tensor<f32>\n    }) : (tensor<3x4xf32>, tensor<f32>) -> tensor<3xf32>", "elementwise 3x4")]
    [InlineData("%0 = stablehlo.reduce(%arg0 init: %arg2) across dimensions = [1] : (tensor<3x4xf32>, tensor<f32>) -> tensor<3xf32>\n     reducer(%a: tensor<f32>, %b: tensor<f32>) {\n      %c = stablehlo.add %a, %b : tensor<f32>\n      stablehlo.return %c : tensor<f32>\n    }", "elementwise 3x4")]
    public void A_statement_is_its_operator(string statement, string op) => Operators(statement).Should().Equal(op);

    [Fact]
    public void Rows_of_a_table_are_gathered() =>
        Operators("%0 = \"stablehlo.gather\"(%arg1, %arg3) <{dimension_numbers = #stablehlo.gather<offset_dims = [1], collapsed_slice_dims = [0], start_index_map = [0], index_vector_dim = 1>, slice_sizes = array<i64: 1, 5>}> : (tensor<4x5xf32>, tensor<7x1xi32>) -> tensor<7x5xf32>")
            .Should().Equal("embedding 7x5");

    [Fact]
    public void An_update_of_a_cache_costs_what_it_writes() =>
        Operators("%c = stablehlo.constant dense<0> : tensor<i32>\n    %0 = stablehlo.dynamic_update_slice %arg4, %arg0, %c, %c : (tensor<30x4xf32>, tensor<3x4xf32>, tensor<i32>, tensor<i32>) -> tensor<30x4xf32>").Should().Equal("elementwise 3x4");

    [Fact]
    public void What_is_not_built_is_counted_by_name_and_can_be_skipped()
    {
        string module = Module("""
            %0 = stablehlo.cholesky %arg0, lower = true : tensor<3x4xf32>
                %1 = stablehlo.while(%iterArg = %0) : tensor<3x4xf32>
                 cond {
                  %9 = stablehlo.constant dense<true> : tensor<i1>
                  stablehlo.return %9 : tensor<i1>
                } do {
                  stablehlo.return %iterArg : tensor<3x4xf32>
                }
                %2 = stablehlo.add %1, %1 : tensor<3x4xf32>
            """);

        FluentActions.Invoking(() => StableHloReader.Read(module, "m.mlir")).Should().Throw<InvalidDocumentException>()
            .WithMessage("m.mlir: found operators that are not built: 1 x \"stablehlo.cholesky\", 1 x \"stablehlo.while\", expected those of a transformer; give --skip-unsupported to run without them");
        StableHloReader.Read(module, "m.mlir", new ImportOptions { SkipUnsupported = true }).Sections[0].Operators.Select(op => op.Describe()).Should().Equal("3x4");
    }

    [Theory]
    [InlineData("", "m.mlir: found no function, expected a StableHLO module with func.func")]
    [InlineData("func.func @main(%arg0: tensor<?x4xf32>) -> tensor<4xf32> {\n}", "m.mlir: line 1: found the type \"tensor<?x4xf32>\", expected a tensor with known extents; export the module with static shapes")]
    [InlineData("func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {\n  %0 = stablehlo.add %arg0, %arg9 : tensor<4xf32>\n}", "m.mlir: line 2: found the unknown value \"%arg9\", expected an argument or an earlier result")]
    [InlineData("func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {\n  %0 = call @main(%arg0) : (tensor<4xf32>) -> tensor<4xf32>\n}", "m.mlir: line 2: found calls more than 16 deep, expected fewer")]
    [InlineData("func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {\n  ! nonsense\n}", "m.mlir: line 2: found \"! nonsense\", expected a statement such as *")]
    [InlineData("func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {\n  return %arg0 : tensor<4xf32>\n}", "m.mlir: found nothing that computes, expected at least one operator on real numbers")]
    [InlineData("func.func @main(%arg0: tensor<4xf32>) -> tensor<4xf32> {", "m.mlir: line 1: found a function without its end, expected }")]
    public void A_module_that_cannot_be_read_is_refused(string text, string message) =>
        FluentActions.Invoking(() => StableHloReader.Read(text, "m.mlir")).Should().Throw<InvalidDocumentException>().WithMessage(message);

    private static IEnumerable<string> Operators(string statement) =>
        StableHloReader.Read(Module(statement), "m.mlir").Sections[0].Operators.Select(op => $"{op.Kind} {op.Describe()}");

    private static string Module(string body) => $$"""
        module @jit_f attributes {mhlo.num_partitions = 1 : i32} {
          func.func public @main(%arg0: tensor<3x4xf32>, %arg1: tensor<4x5xf32>, %arg2: tensor<f32>, %arg3: tensor<7x1xi32>, %arg4: tensor<30x4xf32>) -> (tensor<?xf32> {jax.result_info = ""}) {
            {{body}}
            return {{body.Split('\n').Select(line => line.Trim()).Last(line => line.StartsWith("%0 =", StringComparison.Ordinal) || line.StartsWith("%2 =", StringComparison.Ordinal))[..2]}} : tensor<3x4xf32>
          }
        }
        """;

    private static string Layer() => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Reference", "StableHlo", "layer.mlir"));
}
