namespace Systolic.Workloads;

/// <summary>How tensor-parallel ranks exchange data.</summary>
public enum CollectiveFunction
{
    /// <summary>Every rank ends with all rows.</summary>
    AllGather,

    /// <summary>Partial sums are added; every rank ends with its rows of the sum.</summary>
    ReduceScatter,

    /// <summary>Partial sums are added; every rank ends with the whole sum.</summary>
    AllReduce,

    /// <summary>Every rank sends another part of what it holds to every other.</summary>
    AllToAll,
}
