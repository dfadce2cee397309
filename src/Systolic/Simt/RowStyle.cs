namespace Systolic.Simt;

/// <summary>Who wrote a row kernel; it decides how rows are dealt to threads.</summary>
internal enum RowStyle
{
    /// <summary>One CTA per row that holds the row in registers: what compilers and hand-written fused kernels do.</summary>
    Fused,

    /// <summary>Kernels of an eager framework: vectors of four elements, rows read again in each pass.</summary>
    Eager,

    /// <summary>Kernels of a serving engine: one CTA of up to 1024 threads per row, element by element.</summary>
    Serving,
}
