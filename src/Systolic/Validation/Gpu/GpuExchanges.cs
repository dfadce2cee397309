using Systolic.Components;
using Systolic.Numerics;
using Systolic.Units;
using Systolic.Workloads;

namespace Systolic.Validation;

/// <summary>Sums over the boards of a node.</summary>
internal static class GpuExchanges
{
    /// <summary>Predicts a row.</summary>
    public static GpuPrediction Predict(GpuRow row, GpuBench bench) => bench.Spec.Links is { } links
        ? new(GpuClasses.Exchanges) { Seconds = Seconds(links, row.M, row.Type, GpuBoards.Count(row.Device)) }
        : GpuPrediction.Refuse($"the links of {row.Device} are not known");

    /// <summary>Seconds of an all-reduce of as many elements on every board.</summary>
    public static double Seconds(LinkFabric links, long elements, DataType type, int boards) =>
        links.Cost(CollectiveFunction.AllReduce, new Bytes(checked(elements * type.ByteSize())), boards).Time.Seconds;
}
