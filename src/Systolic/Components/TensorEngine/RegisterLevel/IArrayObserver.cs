namespace Systolic.Components;

/// <summary>Looks at the array at the end of every cycle. A struct, so that an inactive one costs nothing.</summary>
public interface IArrayObserver
{
    /// <summary>Whether <see cref="Observe"/> is to be called; a constant. The array then stores every register every cycle, one cycle at a time.</summary>
    static abstract bool IsActive { get; }

    /// <summary>Called at the end of each cycle.</summary>
    void Observe(ArrayState state);
}

/// <summary>Looks at nothing.</summary>
public readonly struct NoObserver : IArrayObserver
{
    /// <inheritdoc/>
    public static bool IsActive => false;

    /// <inheritdoc/>
    public void Observe(ArrayState state)
    {
    }
}
