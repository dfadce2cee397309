using Systolic.Numerics;

namespace Systolic.Tests.Numerics;

public class DataTypeTests
{
    public static TheoryData<DataType> Types() => [.. Enum.GetValues<DataType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void A_label_reads_back(DataType type) => DataTypes.Parse(type.Label()).Should().Be(type);

    [Theory]
    [InlineData(DataType.Fp32, 4)]
    [InlineData(DataType.Tf32, 4)]
    [InlineData(DataType.Bf16, 2)]
    [InlineData(DataType.Fp16, 2)]
    [InlineData(DataType.Fp8E4M3, 1)]
    [InlineData(DataType.Fp8E5M2, 1)]
    [InlineData(DataType.Int8, 1)]
    [InlineData(DataType.Int32, 4)]
    public void An_element_takes_its_stored_bytes(DataType type, int bytes) => type.ByteSize().Should().Be(bytes);

    [Theory]
    [InlineData("bfloat16", DataType.Bf16)]
    [InlineData("float8_e4m3fn", DataType.Fp8E4M3)]
    public void Names_of_Hugging_Face_files_are_known(string name, DataType type) => DataTypes.Parse(name).Should().Be(type);

    [Theory]
    [InlineData("")]
    [InlineData("BF16")]
    [InlineData("fp4")]
    public void An_unknown_name_is_refused(string name) =>
        FluentActions.Invoking(() => DataTypes.Parse(name)).Should().Throw<FormatException>().WithMessage($"found \"{name}\", expected a data type*");
}
