using System.Collections.Immutable;
using System.Globalization;
using Systolic.Units;

namespace Systolic.Components;

/// <summary>Reads both topology formats, rows that SCALE-Sim's own parser loses included.</summary>
/// <remarks>
/// That parser skips the first line whatever it holds and drops what follows the last comma of a row. Here a first line whose second field is a number is a
/// layer, and a row needs no comma at its end. After the sizes may follow a dense ratio such as 1:1, a batch of 1, or, as the last field, a remark.
/// </remarks>
internal sealed class ScaleSimTopologyReader
{
    private const long LargestSize = 1 << 24;
    private const int MostLayers = 100_000;
    private const string SplitByChannel = "DP";

    private static readonly string[] ConvolutionColumns = ["IFMAP height", "IFMAP width", "filter height", "filter width", "channels", "filters", "stride"];
    private static readonly string[] GemmColumns = ["M", "N", "K"];

    private readonly string _file;
    private readonly string[] _columns;
    private readonly List<string> _problems = [];
    private readonly ImmutableArray<ScaleSimLayer>.Builder _layers = ImmutableArray.CreateBuilder<ScaleSimLayer>();
    private int _line;

    private ScaleSimTopologyReader(string file, string[] columns) => (_file, _columns) = (file, columns);

    /// <summary>Convolutions; a layer with DP in its name becomes one layer per channel.</summary>
    public static ImmutableArray<ScaleSimLayer> Convolutions(string text, string file)
    {
        var reader = new ScaleSimTopologyReader(file, ConvolutionColumns);
        return reader.Read(text, reader.AddConvolution);
    }

    /// <summary>Matrix products.</summary>
    public static ImmutableArray<ScaleSimLayer> Gemms(string text, string file)
    {
        var reader = new ScaleSimTopologyReader(file, GemmColumns);
        return reader.Read(text, (name, sizes) => reader.Add(ScaleSimLayer.Gemm(name, sizes[0], sizes[2], sizes[1])));
    }

    private ImmutableArray<ScaleSimLayer> Read(string text, Action<string, long[]> add)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (ReadOnlySpan<char> line in text.AsSpan().TrimStart('\uFEFF').EnumerateLines())
        {
            _line++;
            string[] fields = [.. line.ToString().Split(',').Select(field => field.Trim())];
            if (fields.Any(field => field.Length > 0) && !IsHeader(fields) && Sizes(fields) is { } sizes)
            {
                add(fields[0], sizes);
            }
        }

        if (_layers.Count == 0 && _problems.Count == 0)
        {
            _problems.Add($"{_file}: found no layer, expected rows such as name, {string.Join(", ", _columns)}");
        }

        return _problems.Count == 0 ? _layers.ToImmutable() : throw new InvalidDocumentException(_problems);
    }

    private bool IsHeader(string[] fields) => _line == 1 && (fields.Length < 2 || fields[1].Length == 0 || !char.IsAsciiDigit(fields[1][0]));

    private long[]? Sizes(string[] fields)
    {
        if (fields.Length <= _columns.Length)
        {
            Problem($"found {fields.Length} fields, expected {_columns.Length + 1}: name, {string.Join(", ", _columns)}");
            return null;
        }

        long[] sizes = [.. _columns.Select((column, i) => Size(column, fields[i + 1]))];
        RefuseExtra(fields);
        return sizes.Contains(0) ? null : sizes;
    }

    private long Size(string column, string field)
    {
        if (long.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out long size) && size is >= 1 and <= LargestSize)
        {
            return size;
        }

        Problem(string.Create(CultureInfo.InvariantCulture, $"{column}: found {UnitText.Quote(field)}, expected a whole number from 1 to {LargestSize}"));
        return 0;
    }

    private void RefuseExtra(string[] fields)
    {
        int extra = _columns.Length + 1;
        if (fields.Length <= extra || fields[extra] is "" or "1" || IsDense(fields[extra]))
        {
            return;
        }

        bool remark = fields.Length == extra + 1 && !fields[extra].Contains(':', StringComparison.Ordinal) && !char.IsAsciiDigit(fields[extra][0]);
        if (!remark)
        {
            Problem($"found {UnitText.Quote(fields[extra])} after {_columns[^1]}, expected nothing, a dense ratio such as 1:1 or a batch of 1: sparsity and larger batches are not modelled");
        }
    }

    private static bool IsDense(string ratio) => ratio.Split(':') is [var kept, var of] && kept == of && kept.Length > 0 && kept.All(char.IsAsciiDigit);

    private void AddConvolution(string name, long[] sizes)
    {
        if (sizes[2] > sizes[0] || sizes[3] > sizes[1])
        {
            Problem(string.Create(CultureInfo.InvariantCulture, $"found a filter of {sizes[2]} x {sizes[3]}, expected at most the input, which is {sizes[0]} x {sizes[1]}"));
            return;
        }

        var convolution = new ScaleSimConvolution(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5], sizes[6]);
        if (!name.Contains(SplitByChannel, StringComparison.Ordinal))
        {
            Add(ScaleSimLayer.Conv(name, convolution));
            return;
        }

        for (long channel = 0; channel < sizes[4] && _problems.Count == 0; channel++)
        {
            Add(ScaleSimLayer.Conv(string.Create(CultureInfo.InvariantCulture, $"{name}Channel_{channel}"), convolution with { Channels = 1 }));
        }
    }

    private void Add(ScaleSimLayer layer)
    {
        if (_layers.Count == MostLayers)
        {
            Problem(string.Create(CultureInfo.InvariantCulture, $"found more than {MostLayers} layers, expected at most that many"));
            return;
        }

        _layers.Add(layer);
    }

    private void Problem(string message) => _problems.Add(string.Create(CultureInfo.InvariantCulture, $"{_file}: line {_line}: {message}"));
}
