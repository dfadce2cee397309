using System.Numerics;

namespace Systolic.Components;

/// <summary>Addresses of waiting requests, each with a number: open addressing with linear probing, deletion by shifting back.</summary>
internal sealed class AddressMap
{
    private const ulong Spread = 0x9E3779B97F4A7C15;

    private long[] _keys = new long[256];
    private int[] _values = new int[256];
    private int _shift = 64 - 8;

    public AddressMap() => Array.Fill(_keys, -1);

    /// <summary>Entries.</summary>
    public int Count { get; private set; }

    /// <summary>The number of an address; -1 if it is not here.</summary>
    public int Find(long address)
    {
        if (Count == 0)
        {
            return -1;
        }

        for (int i = Home(address); _keys[i] >= 0; i = (i + 1) & (_keys.Length - 1))
        {
            if (_keys[i] == address)
            {
                return _values[i];
            }
        }

        return -1;
    }

    /// <summary>Adds an address that is not here.</summary>
    public void Add(long address, int value)
    {
        if (++Count * 2 > _keys.Length)
        {
            Grow();
        }

        Place(address, value);
    }

    /// <summary>Removes an address that is here.</summary>
    public void Remove(long address)
    {
        int mask = _keys.Length - 1;
        int hole = Home(address);
        while (_keys[hole] != address)
        {
            hole = (hole + 1) & mask;
        }

        for (int i = (hole + 1) & mask; _keys[i] >= 0; i = (i + 1) & mask)
        {
            if (((i - Home(_keys[i])) & mask) >= ((i - hole) & mask))
            {
                (_keys[hole], _values[hole]) = (_keys[i], _values[i]);
                hole = i;
            }
        }

        _keys[hole] = -1;
        Count--;
    }

    private int Home(long address) => (int)(unchecked((ulong)address * Spread) >> _shift);

    private void Place(long address, int value)
    {
        int i = Home(address);
        while (_keys[i] >= 0)
        {
            i = (i + 1) & (_keys.Length - 1);
        }

        (_keys[i], _values[i]) = (address, value);
    }

    private void Grow()
    {
        (long[] keys, int[] values) = (_keys, _values);
        _keys = new long[keys.Length * 2];
        _values = new int[keys.Length * 2];
        _shift = 64 - BitOperations.Log2((uint)_keys.Length);
        Array.Fill(_keys, -1);
        for (int i = 0; i < keys.Length; i++)
        {
            if (keys[i] >= 0)
            {
                Place(keys[i], values[i]);
            }
        }
    }
}
