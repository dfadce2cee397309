using Systolic.Components;
using Systolic.Units;

namespace Systolic.Tests.Components;

public class ScaleSimTopologyTests
{
    [Fact]
    public void Products_are_given_as_M_N_K()
    {
        var topology = ScaleSimTopology.ParseGemms("Layer,M,N,K,\nqk, 784, 64, 32,\n", "a.csv");

        topology.Layers.Should().Equal(ScaleSimLayer.Gemm("qk", 784, 32, 64));
    }

    [Fact]
    public void Convolutions_become_products()
    {
        var topology = ScaleSimTopology.ParseConvolutions("Layer name, IFMAP Height, ...\nConv1,224,112,7,5,3,64,2,\n", "a.csv");

        // (224 - 7) / 2 + 1 rounded up = 110 by (112 - 5) / 2 + 1 rounded up = 55; windows of 7 x 5 x 3.
        ScaleSimLayer layer = topology.Layers.Single();
        (layer.M, layer.K, layer.N).Should().Be((110 * 55, 105, 64));
        layer.Convolution.Should().Be(new ScaleSimConvolution(224, 112, 7, 5, 3, 64, 2));
    }

    [Theory]
    [InlineData("Layer,M,N,K\na,1,2,3")]
    [InlineData("a,1,2,3,")]
    [InlineData("\uFEFFLayer,M,N,K,\r\n\r\n,,,\r\n\ta , 1 , 2 , 3 ,\r\n")]
    [InlineData("Layer,M,N,K,\na,1,2,3,2:2,")]
    [InlineData("Layer,M,N,K,batch,\na,1,2,3,1,")]
    [InlineData("Layer,M,N,K,\na,1,2,3,#first")]
    public void Rows_that_the_original_parser_loses_are_read(string text) =>
        ScaleSimTopology.ParseGemms(text, "a.csv").Layers.Should().Equal(ScaleSimLayer.Gemm("a", 1, 3, 2));

    [Fact]
    public void Columns_beyond_the_ninth_are_remarks() => ScaleSimTopology
        .ParseConvolutions("Layer name, ...,,,,,,,,,Eh,Ew,e2\n,,,,,,,,,,,,\nConv1,8,8,3,3,3,4,1,,,110,110,12100\n", "a.csv").Layers.Should().HaveCount(1);

    [Fact]
    public void A_depthwise_layer_is_a_layer_per_channel()
    {
        var topology = ScaleSimTopology.ParseConvolutions("Layer name,...\nDP1,8,8,3,3,3,1,1,\n", "a.csv");

        topology.Layers.Select(layer => layer.Name).Should().Equal("DP1Channel_0", "DP1Channel_1", "DP1Channel_2");
        topology.Layers.Should().OnlyContain(layer => layer.K == 9 && layer.Convolution!.Channels == 1);
    }

    [Theory]
    [InlineData("Layer,M,N,K,\na,1,2,\n", "a.csv: line 2: K: found \"\", expected a whole number")]
    [InlineData("Layer,M,N,K,\na,1,2\n", "a.csv: line 2: found 3 fields, expected 4: name, M, N, K")]
    [InlineData("Layer,M,N,K,\na,1,0,3,\n", "a.csv: line 2: N: found \"0\", expected a whole number from 1 to 16777216")]
    [InlineData("Layer,M,N,K,\n\na,1,2,x,\n", "a.csv: line 3: K: found \"x\"")]
    [InlineData("Layer,M,N,K,\na,1,2,3,2:4,\n", "a.csv: line 2: found \"2:4\" after K, expected nothing, a dense ratio such as 1:1 or a batch of 1")]
    [InlineData("Layer,M,N,K,\na,1,2,3,8\n", "line 2: found \"8\" after K")]
    [InlineData("Layer,M,N,K,\n", "a.csv: found no layer, expected rows such as name, M, N, K")]
    public void A_bad_row_is_told_with_its_line(string text, string message)
    {
        Action parse = () => ScaleSimTopology.ParseGemms(text, "a.csv");

        parse.Should().Throw<InvalidDocumentException>().Which.Message.Should().Contain(message);
    }

    [Fact]
    public void All_bad_rows_are_told_together()
    {
        Action parse = () => ScaleSimTopology.ParseConvolutions("Layer name\na,2,9,3,3,1,1,1,\nb,1\nc,8,8,3,3,1,1,1,\n", "a.csv");

        parse.Should().Throw<InvalidDocumentException>().Which.Message.Should().Be(
            "a.csv: line 2: found a filter of 3 x 3, expected at most the input, which is 2 x 9\n"
            + "a.csv: line 3: found 2 fields, expected 8: name, IFMAP height, IFMAP width, filter height, filter width, channels, filters, stride");
    }

    [Fact]
    public void The_number_of_layers_is_bounded()
    {
        Action parse = () => ScaleSimTopology.ParseConvolutions("Layer name\nDP,8,8,3,3,16777216,1,1,\n", "a.csv");

        parse.Should().Throw<InvalidDocumentException>().WithMessage("a.csv: line 2: found more than 100000 layers*");
    }
}
