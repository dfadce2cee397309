namespace Systolic.Simt;

/// <summary>Shared memory: 32 banks of 4 bytes. A request takes as many cycles, wavefronts, as the busiest bank has distinct words to give.</summary>
internal static class SharedAccess
{
    private const int Banks = 32;
    private const int WordBytes = 4;
    private const int PortBytes = Banks * WordBytes;
    private const int ChunkBytes = 16;

    /// <summary>Wavefronts of one request of a warp.</summary>
    /// <param name="addresses">The byte address of each lane.</param>
    /// <param name="laneBytes">Bytes of a lane: 4, 8 or 16. Lanes proceed in phases of 128 bytes: all 32, 16 or 8 of them.</param>
    public static int Wavefronts(ReadOnlySpan<int> addresses, int laneBytes)
    {
        int lanes = PortBytes / laneBytes;
        int cycles = 0;
        for (int first = 0; first < addresses.Length; first += lanes)
        {
            cycles += Phase(addresses.Slice(first, Math.Min(lanes, addresses.Length - first)), laneBytes);
        }

        return cycles;
    }

    /// <summary>Wavefronts of one 8 x 8 matrix of two-byte elements that ldmatrix reads: eight rows of 16 bytes.</summary>
    /// <param name="rowBytes">Distance of the rows.</param>
    /// <param name="swizzled">Whether the place of a 16-byte chunk in its row is XORed with the row, over the chunks of 128 bytes.</param>
    public static int MatrixWavefronts(int rowBytes, bool swizzled)
    {
        Span<int> addresses = stackalloc int[8];
        for (int row = 0; row < addresses.Length; row++)
        {
            addresses[row] = row * rowBytes;
            if (swizzled)
            {
                // Rows shorter than 128 bytes share one line of the banks; the chunk turns with the line.
                int width = Math.Min(rowBytes, PortBytes);
                addresses[row] ^= row * width / PortBytes % (width / ChunkBytes) * ChunkBytes;
            }
        }

        return Wavefronts(addresses, ChunkBytes);
    }

    private static int Phase(ReadOnlySpan<int> addresses, int laneBytes)
    {
        var words = new HashSet<int>();
        Span<int> perBank = stackalloc int[Banks];
        perBank.Clear();
        int most = 0;
        foreach (int address in addresses)
        {
            for (int word = address / WordBytes; word < (address + laneBytes) / WordBytes; word++)
            {
                if (words.Add(word))
                {
                    most = Math.Max(most, ++perBank[word % Banks]);
                }
            }
        }

        return most;
    }
}

/// <summary>The register file of a sub-core: two banks, even and odd registers, each read once per cycle.</summary>
internal static class RegisterBanks
{
    /// <summary>Cycles that an instruction loses because three distinct sources lie in one bank and none is still in the reuse cache.</summary>
    public static int Conflict(int first, int second, int third, bool reuses = false) =>
        !reuses && first != second && second != third && first != third && first % 2 == second % 2 && second % 2 == third % 2 ? 1 : 0;
}
