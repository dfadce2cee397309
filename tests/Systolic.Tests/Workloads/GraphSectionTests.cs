using Systolic.Workloads;

namespace Systolic.Tests.Workloads;

public class GraphSectionTests
{
    [Theory]
    [InlineData("layer", "layer/attn/q_proj", "layer/attn/q_proj")]
    [InlineData("layer backward", "layer/attn/q_proj.dw", "layer backward/attn/q_proj.dw")]
    [InlineData("encoder/layer", "encoder/layer/mlp/in_proj", "encoder/layer/mlp/in_proj")]
    [InlineData("layer", "hidden.grad", "layer/hidden.grad")]
    [InlineData("matmul", "gemm", "matmul/gemm")]
    public void Reported_name_says_what_section_and_operator_share_once(string section, string op, string name) =>
        GraphSection.Qualify(section, op).Should().Be(name);
}
