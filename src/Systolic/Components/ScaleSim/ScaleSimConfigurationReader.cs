using System.Globalization;

namespace Systolic.Components;

/// <summary>Reads the keys of a SCALE-Sim v3 configuration; those that change nothing here are known and passed over.</summary>
internal sealed class ScaleSimConfigurationReader(ScaleSimIni ini)
{
    private const string Architecture = "architecture_presets";
    private const string Layout = "layout";
    private const string Sparsity = "sparsity";
    private const string Run = "run_presets";
    private const long LargestSize = 1 << 20;
    private const long BandwidthWithoutLayout = 10;

    private static readonly string[] Dataflows = ["os", "ws", "is"];

    private static readonly (string Section, string Key)[] WithoutEffect =
    [
        (Architecture, "IfmapOffset"), (Architecture, "FilterOffset"), (Architecture, "OfmapOffset"), (Architecture, "MemoryBanks"),
        (Architecture, "ReadRequestBuffer"), (Architecture, "WriteRequestBuffer"),
        (Layout, "IfmapSRAMBankPort"), (Layout, "FilterSRAMBankPort"),
        (Sparsity, "SparseRep"), (Sparsity, "OptimizedMapping"), (Sparsity, "BlockSize"), (Sparsity, "RandomNumberGeneratorSeed"),
        ("network_presets", "TopologyCsvLoc"),
    ];

    /// <summary>The configuration, or all problems.</summary>
    /// <exception cref="Units.InvalidDocumentException">The file is no such configuration.</exception>
    public ScaleSimConfiguration Read()
    {
        var configuration = new ScaleSimConfiguration(
            Size(Architecture, "ArrayHeight"), Size(Architecture, "ArrayWidth"), ReadDataflow(),
            Size(Architecture, "IfmapSramSzkB"), Size(Architecture, "FilterSramSzkB"), Size(Architecture, "OfmapSramSzkB"))
        {
            RunName = ini.Required("general", "run_name"),
            Bandwidth = ReadBandwidth(),
        };
        RefuseUnmodelled();
        ini.Finish();
        return configuration;
    }

    private ScaleSimDataflow ReadDataflow()
    {
        int index = Array.IndexOf(Dataflows, ini.Required(Architecture, "Dataflow"));
        if (index < 0)
        {
            ini.Refuse(Architecture, "Dataflow", "os, ws or is");
        }

        return (ScaleSimDataflow)Math.Max(index, 0);
    }

    private ScaleSimBandwidth? ReadBandwidth()
    {
        string mode = ini.Required(Run, "InterfaceBandwidth");
        var bandwidth = new ScaleSimBandwidth(BankBandwidth("Ifmap", mode), BankBandwidth("Filter", mode), PortBandwidth(mode));
        if (mode is not ("CALC" or "USER"))
        {
            ini.Refuse(Run, "InterfaceBandwidth", "CALC or USER");
        }

        return mode == "USER" ? bandwidth : null;
    }

    private long BankBandwidth(string operand, string mode)
    {
        if (!ini.Has(Layout))
        {
            return BandwidthWithoutLayout;
        }

        long banks = Size(Layout, operand + "SRAMBankNum");
        long bandwidth = Size(Layout, operand + "SRAMBankBandwidth");
        if (mode == "USER" && bandwidth % banks != 0)
        {
            ini.Refuse(Layout, operand + "SRAMBankBandwidth", string.Create(CultureInfo.InvariantCulture, $"a multiple of {operand}SRAMBankNum, which is {banks}"));
        }

        return bandwidth;
    }

    // A list is allowed; only its first number is used.
    private long PortBandwidth(string mode)
    {
        string? text = mode == "USER" ? ini.Required(Architecture, "Bandwidth") : ini.Optional(Architecture, "Bandwidth");
        return mode != "USER" || string.IsNullOrEmpty(text) ? 1 : Number(Architecture, "Bandwidth", text.Split(',')[0]);
    }

    private void RefuseUnmodelled()
    {
        Off(Layout, "IfmapCustomLayout", "custom layouts are");
        Off(Layout, "FilterCustomLayout", "custom layouts are");
        Off(Sparsity, "SparsitySupport", "sparsity is");
        Off(Run, "UseRamulatorTrace", "Ramulator traces are");
        foreach ((string section, string key) in WithoutEffect)
        {
            ini.Optional(section, key);
        }
    }

    private void Off(string section, string key, string what)
    {
        if (ini.Optional(section, key) is { } value && !value.Equals("false", StringComparison.OrdinalIgnoreCase))
        {
            ini.Refuse(section, key, $"false: {what} not modelled");
        }
    }

    private long Size(string section, string key)
    {
        string text = ini.Required(section, key);
        return text.Length == 0 ? 1 : Number(section, key, text);
    }

    private long Number(string section, string key, string text)
    {
        if (long.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number is >= 1 and <= LargestSize)
        {
            return number;
        }

        ini.Refuse(section, key, string.Create(CultureInfo.InvariantCulture, $"a whole number from 1 to {LargestSize}"));
        return 1;
    }
}
