using System.Runtime.CompilerServices;

namespace Systolic.Components;

/// <summary>Counts waiting requests by a hash of their address: where the count is 0, no request of that address waits.</summary>
/// <remarks>An insertion, a look-up or a removal is one access; a hash table with deletion took about three times as long.</remarks>
internal sealed class AddressFilter
{
    private const ulong Spread = 0x9E3779B97F4A7C15;
    private const int Bits = 12;

    private readonly int[] _counts = new int[1 << Bits];

    /// <summary>A request of this address may wait.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MayHold(long address) => _counts[Home(address)] != 0;

    /// <summary>A request comes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(long address) => _counts[Home(address)]++;

    /// <summary>A request goes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Remove(long address) => _counts[Home(address)]--;

    private static int Home(long address) => (int)(unchecked((ulong)address * Spread) >> (64 - Bits));
}
