using System.Collections.Immutable;
using System.Globalization;
using System.Numerics;

namespace Systolic.Components;

/// <summary>Which bits of an address choose channel, pseudo-channel, die, bank group, bank, column and row.</summary>
/// <remarks>Every such choice is linear over bits, the exclusive-or hash included, so a location is the exclusive or of one table entry per byte of the burst number.</remarks>
public sealed class DramMapping
{
    private const int ByteBits = 8;
    private const int ByteValues = 1 << ByteBits;
    private const string Xor = "xor";
    private static readonly string[] Levels = ["ch", "pc", "sid", "bg", "ba", "co", "ro"];

    private readonly ulong[] _table;
    private readonly int _bytes;
    private readonly int _offsetBits;
    private readonly int _bankShift;
    private readonly int _columnShift;
    private readonly int _rowShift;
    private readonly ulong _channelMask;
    private readonly ulong _bankMask;
    private readonly ulong _columnMask;

    private DramMapping(string text, ImmutableArray<Field> fields, bool hashed, int[] widths, int burstBytes)
    {
        (Text, Fields, Hashed) = (text, fields, hashed);
        _offsetBits = BitOperations.Log2((uint)burstBytes);
        int bits = fields.Sum(field => field.Width);
        Bursts = 1L << bits;
        RowStride = (long)burstBytes << fields.TakeWhile(field => field.Level != "ro").Sum(field => field.Width);
        int bankBits = widths[1] + widths[2] + widths[3] + widths[4];
        _bankShift = widths[0];
        _columnShift = _bankShift + bankBits;
        _rowShift = _columnShift + widths[5];
        (_channelMask, _bankMask, _columnMask) = (Mask(widths[0]), Mask(bankBits), Mask(widths[5]));
        _bytes = (bits + ByteBits - 1) / ByteBits;
        _table = Build(fields, hashed, widths, bits);
    }

    /// <summary>The mapping as given.</summary>
    public string Text { get; }

    /// <summary>The fields from the least significant one up.</summary>
    internal ImmutableArray<Field> Fields { get; }

    /// <summary>Pseudo-channel, group and bank are combined with the column.</summary>
    internal bool Hashed { get; }

    /// <summary>Bursts of the memory.</summary>
    public long Bursts { get; }

    /// <summary>From an address to the next row of the same bank.</summary>
    public long RowStride { get; }

    /// <summary>The row is all of the upper part: addresses that differ by multiples of <see cref="RowStride"/> differ in the row only.</summary>
    internal bool RowsOnTop => Fields.SkipWhile(part => part.Level != "ro").All(part => part.Level == "ro" || part.Width == 0);

    /// <summary>Reads a mapping.</summary>
    /// <param name="text">Fields with widths from the least significant one up, such as "co5 ch0 ba2 bg2 ro15", perhaps ending in "xor"; or "coarse", "fine" or "mop4".</param>
    /// <param name="standard">The device, whose parts the widths must fit.</param>
    /// <param name="channels">Channels, a power of two.</param>
    /// <exception cref="ArgumentException">A field is unknown, or its width does not fit the device.</exception>
    public static DramMapping Parse(string text, DramStandard standard, int channels)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(standard);
        DramOrganization parts = standard.Organization;
        int[] sizes = [channels, parts.PseudoChannels, parts.Stacks, parts.BankGroups, parts.Banks, parts.RowBursts, parts.Rows];
        int[] widths = [.. sizes.Select((size, i) => WidthOf(Levels[i], size))];
        string[] words = Expand(text, standard, widths).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        bool hashed = words.Length > 0 && words[^1] == Xor;
        ImmutableArray<Field> fields = [.. words[..(hashed ? ^1 : ^0)].Select(word => ReadField(word, text))];
        for (int i = 0; i < Levels.Length; i++)
        {
            int found = fields.Where(field => field.Level == Levels[i]).Sum(field => field.Width);
            if (found != widths[i])
            {
                throw Refused(text, string.Create(CultureInfo.InvariantCulture,
                    $"found {found} bits of {Levels[i]}, expected {widths[i]}: {standard.Name} with {channels} channels has {sizes[i]} of them"));
            }
        }

        return new DramMapping(text, fields, hashed, widths, parts.BurstBytes);
    }

    /// <summary>Where a burst is.</summary>
    public DramLocation Locate(long address)
    {
        ulong packed = Pack(address);
        return new DramLocation(Channel(packed), Bank(packed), Row(packed), (int)((packed >> _columnShift) & _columnMask));
    }

    /// <summary>Channel, bank, column and row in one word.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The address is outside the memory.</exception>
    internal ulong Pack(long address)
    {
        ulong burst = (ulong)address >> _offsetBits;
        if (burst >= (ulong)Bursts)
        {
            throw Outside(address);
        }

        ulong packed = 0;
        ulong[] table = _table;
        for (int start = 0; burst != 0; start += ByteValues, burst >>= ByteBits)
        {
            packed ^= table[start + (int)(burst & (ByteValues - 1))];
        }

        return packed;
    }

    /// <summary>The channel of a packed location.</summary>
    internal int Channel(ulong packed) => (int)(packed & _channelMask);

    /// <summary>The bank of a packed location.</summary>
    internal int Bank(ulong packed) => (int)((packed >> _bankShift) & _bankMask);

    /// <summary>The row of a packed location.</summary>
    internal int Row(ulong packed) => (int)(packed >> _rowShift);

    /// <summary>The address of a location; the inverse of <see cref="Locate"/> without hash.</summary>
    internal long AddressOf(DramLocation location)
    {
        ulong wanted = (uint)location.Channel | ((ulong)location.Bank << _bankShift) | ((ulong)location.Column << _columnShift) | ((ulong)location.Row << _rowShift);
        ulong burst = 0;
        for (int bit = 0; bit < _bytes * ByteBits; bit++)
        {
            ulong entry = _table[bit / ByteBits * ByteValues + (1 << (bit % ByteBits))];
            if (BitOperations.PopCount(entry) == 1 && (wanted & entry) != 0)
            {
                burst |= 1UL << bit;
            }
        }

        return (long)(burst << _offsetBits);
    }

    private static ulong[] Build(ImmutableArray<Field> fields, bool hashed, int[] widths, int bits)
    {
        ulong[] images = [.. BitImages(fields, hashed, widths)];
        var table = new ulong[(bits + ByteBits - 1) / ByteBits * ByteValues];
        for (int i = 0; i < table.Length; i++)
        {
            int first = i / ByteValues * ByteBits;
            for (int value = i % ByteValues, bit = first; value != 0 && bit < bits; value >>= 1, bit++)
            {
                table[i] ^= (value & 1) == 0 ? 0 : images[bit];
            }
        }

        return table;
    }

    /// <summary>What each bit of the burst number sets in a packed location.</summary>
    private static IEnumerable<ulong> BitImages(ImmutableArray<Field> fields, bool hashed, int[] widths)
    {
        // Packed from the least significant bit: ch, then the bank from ba up to pc, then co, then ro.
        int[] starts = new int[widths.Length];
        int[] order = [0, 4, 3, 2, 1, 5, 6];
        for (int i = 0, at = 0; i < order.Length; at += widths[order[i++]])
        {
            starts[order[i]] = at;
        }

        int[] used = new int[widths.Length];
        foreach (Field field in fields)
        {
            int level = Array.IndexOf(Levels, field.Level);
            for (int i = 0; i < field.Width; i++)
            {
                int place = used[level]++;
                yield return (1UL << (starts[level] + place)) | (hashed && field.Level == "co" ? HashImage(place, widths, starts) : 0);
            }
        }
    }

    private static ulong HashImage(int columnBit, int[] widths, int[] starts)
    {
        int taken = 0;
        foreach (int level in (int[])[1, 3, 4])
        {
            if (columnBit >= taken && columnBit < taken + widths[level])
            {
                return 1UL << (starts[level] + columnBit - taken);
            }

            taken += widths[level];
        }

        return 0;
    }

    private static string Expand(string text, DramStandard standard, int[] widths)
    {
        string? template = text.Trim() switch
        {
            "coarse" => standard.CoarseMapping,
            "fine" => standard.FineMapping,
            "mop4" => "co2 ch pc bg ba co sid ro xor",
            _ => null,
        };
        if (template is null)
        {
            return text;
        }

        int lowColumn = template.Contains("co2", StringComparison.Ordinal) ? 2 : 0;
        return string.Join(' ', template.Split(' ').Select(word => Array.IndexOf(Levels, word) is >= 0 and int level
            ? string.Create(CultureInfo.InvariantCulture, $"{word}{widths[level] - (word == "co" ? lowColumn : 0)}")
            : word));
    }

    private static Field ReadField(string word, string text)
    {
        string level = word.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return Levels.Contains(level) && int.TryParse(word.AsSpan(level.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int width) && width < 64
            ? new Field(level, width)
            : throw Refused(text, $"found the field \"{word}\", expected one of {string.Join(", ", Levels)} with a width, such as co5");
    }

    private static int WidthOf(string level, int size) => size > 0 && BitOperations.IsPow2(size)
        ? BitOperations.Log2((uint)size)
        : throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"mapping: found {size} of {level}, expected a power of two."));

    private static ArgumentException Refused(string text, string problem) => new($"mapping \"{text}\": {problem}.");

    private ArgumentOutOfRangeException Outside(long address) => new(nameof(address), string.Create(CultureInfo.InvariantCulture,
        $"address: found {address}, expected one from 0 to {(Bursts << _offsetBits) - 1}, the last byte of the memory."));

    private static ulong Mask(int width) => (1UL << width) - 1;

    /// <summary>Consecutive bits of the burst number that belong to one level.</summary>
    internal readonly record struct Field(string Level, int Width);
}
