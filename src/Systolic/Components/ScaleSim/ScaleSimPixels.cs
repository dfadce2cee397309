using Systolic.Accounting;

namespace Systolic.Components;

/// <summary>The pixels behind the entries of an im2col matrix, entry (along, across) being window and tap or the reverse.</summary>
internal sealed class ScaleSimPixels
{
    private const long Most = 1 << 28;
    private readonly ScaleSimConvolution _shape;
    private readonly bool _windowsAlong;
    private readonly Place[] _along;
    private readonly Place[] _across;

    /// <summary>Lays out a convolution.</summary>
    /// <param name="shape">The convolution.</param>
    /// <param name="windowsAlong">The first index of an entry is the window, the second the tap; else the reverse.</param>
    /// <exception cref="CapacityException">The input has more pixels than can be tracked.</exception>
    public ScaleSimPixels(ScaleSimConvolution shape, bool windowsAlong)
    {
        (_shape, _windowsAlong) = (shape, windowsAlong);
        Count = checked(shape.InputHeight * shape.InputWidth * shape.Channels);
        if (Count > Most)
        {
            throw new CapacityException(FormattableString.Invariant(
                $"The convolution has {Count:N0} input words of which windows share some; at most {Most:N0} can be tracked. Split it by channels or rows."));
        }

        Place[] windows = Windows();
        Place[] taps = Taps();
        (_along, _across) = windowsAlong ? (windows, taps) : (taps, windows);
    }

    /// <summary>Input words.</summary>
    public long Count { get; }

    /// <summary>Entries with a pixel.</summary>
    public long Filled => _shape.FilledEntries;

    /// <summary>The pixel's place in the input; -1 where the window hangs over the edge.</summary>
    public long Address(long along, long across)
    {
        Place first = _along[along];
        Place second = _across[across];
        return first.Y + second.Y < _shape.InputHeight && first.X + second.X < _shape.InputWidth ? first.Word + second.Word : -1;
    }

    /// <summary>Some entry with the same pixel has its key in a window.</summary>
    public bool AnyHeld(long along, long across, ScaleSimOperand operand, ScaleSimWindow window)
    {
        Place pixel = new(_along[along].Y + _across[across].Y, _along[along].X + _across[across].X, 0);
        long channel = (_windowsAlong ? across : along) % _shape.Channels;
        for (long tapY = pixel.Y % _shape.Stride; tapY < _shape.FilterHeight && tapY <= pixel.Y; tapY += _shape.Stride)
        {
            for (long tapX = pixel.X % _shape.Stride; tapX < _shape.FilterWidth && tapX <= pixel.X; tapX += _shape.Stride)
            {
                if (Held((pixel.Y - tapY) / _shape.Stride, (pixel.X - tapX) / _shape.Stride, (((tapY * _shape.FilterWidth) + tapX) * _shape.Channels) + channel, operand, window))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private bool Held(long windowY, long windowX, long tap, ScaleSimOperand operand, ScaleSimWindow window)
    {
        if (windowY >= _shape.OutputHeight || windowX >= _shape.OutputWidth)
        {
            return false;
        }

        long index = (windowY * _shape.OutputWidth) + windowX;
        return window.Holds(_windowsAlong ? operand.Key(index, tap) : operand.Key(tap, index));
    }

    private Place[] Windows()
    {
        var windows = new Place[_shape.OutputHeight * _shape.OutputWidth];
        for (long i = 0; i < windows.Length; i++)
        {
            windows[i] = PlaceOf(i / _shape.OutputWidth * _shape.Stride, i % _shape.OutputWidth * _shape.Stride, 0);
        }

        return windows;
    }

    private Place[] Taps()
    {
        var taps = new Place[_shape.FilterHeight * _shape.FilterWidth * _shape.Channels];
        for (long i = 0; i < taps.Length; i++)
        {
            (long place, long channel) = Math.DivRem(i, _shape.Channels);
            taps[i] = PlaceOf(place / _shape.FilterWidth, place % _shape.FilterWidth, channel);
        }

        return taps;
    }

    private Place PlaceOf(long y, long x, long channel) => new(y, x, (((y * _shape.InputWidth) + x) * _shape.Channels) + channel);

    private readonly record struct Place(long Y, long X, long Word);
}
