using System.Collections.Immutable;
using System.Text.Json;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>The JSON object of one run.</summary>
internal static class RunReportJson
{
    /// <summary>Writes the object.</summary>
    public static void Write(Utf8JsonWriter json, Explanation explanation)
    {
        RunReport report = explanation.Report;
        json.WriteStartObject();
        WriteWorkload(json, report);
        WriteTimes(json, report);
        WriteShares(json, report);
        WriteEnergy(json, report);
        WriteStack(json, report.CycleStack, report.TotalCycles);
        WriteObject(json, "engines", report.Utilization, engine => engine.Engine, (name, engine) => WriteEngine(json, name, engine));
        WriteObject(json, "bytes", report.Traffic, level => level.Level, (name, level) => json.WriteNumber(name, level.Amount.Value));
        WriteCache(json, report.Counts);
        json.WriteNumber("scratchpad_high_water_bytes", report.ScratchpadHighWater.Value);
        WriteMemory(json, report);
        WriteParallel(json, report.Trace.Parallel);
        WriteOperators(json, report);
        ExplanationJson.Write(json, explanation);
        WriteAssumptions(json, report);
        json.WriteEndObject();
    }

    /// <summary>Writes a number, or null when it is not finite.</summary>
    public static void WriteFigure(this Utf8JsonWriter json, string key, double value)
    {
        if (double.IsFinite(value))
        {
            json.WriteNumber(key, value);
        }
        else
        {
            json.WriteNull(key);
        }
    }

    private static void WriteWorkload(Utf8JsonWriter json, RunReport report)
    {
        json.WriteString("machine", report.Machine.Name);
        json.WriteString("model", report.Model);
        json.WriteString("phase", report.Phase);
        json.WriteNumber("tokens", report.Tokens);
        json.WriteNumber("clock_hz", report.Machine.Clock.Frequency.Hertz);
    }

    private static void WriteTimes(Utf8JsonWriter json, RunReport report)
    {
        json.WriteNumber("total_cycles", report.TotalCycles.Value);
        WriteSeconds(json, "time_s", report.Time);
        WriteSeconds(json, "overhead_s", report.Trace.Overhead.Total);
        WriteSeconds(json, "lower_bound_s", report.LowerBound.Time);
        WriteSeconds(json, "lower_bound_arithmetic_s", report.LowerBound.Arithmetic);
        WriteSeconds(json, "lower_bound_memory_s", report.LowerBound.Memory);
        json.WriteFigure("tokens_per_s", report.TokensPerSecond);
    }

    private static void WriteShares(Utf8JsonWriter json, RunReport report)
    {
        Roofline roofline = Roofline.Of(report);
        json.WriteFigure("tensor_utilization", report.TensorUtilization);
        json.WriteFigure("mfu", report.Mfu);
        json.WriteFigure("hfu", report.Hfu);
        json.WriteFigure("mbu", report.Mbu);
        json.WriteFigure("flop_per_dram_byte", roofline.Intensity);
        json.WriteFigure("ridge_flop_per_dram_byte", roofline.Ridge);
        json.WriteFigure("attainable_mfu", roofline.AttainableMfu);
    }

    private static void WriteEnergy(Utf8JsonWriter json, RunReport report)
    {
        json.WriteFigure("energy_j", report.Energy.Joules);
        json.WriteFigure("energy_low_j", report.EnergyBreakdown.Low.Joules);
        json.WriteFigure("energy_high_j", report.EnergyBreakdown.High.Joules);
        json.WriteFigure("energy_per_token_j", report.EnergyPerToken.Joules);
        json.WriteFigure("energy_per_flop_pj", report.EnergyPerFlop.Picojoules);
        json.WriteFigure("tflops_per_w", report.FlopsPerJoule / 1e12);
        json.WriteFigure("energy_assumed_share", report.EnergyBreakdown.AssumedShare);
        json.WriteFigure("cost_per_million_tokens", report.CostPerMillionTokens ?? double.NaN);
        json.WriteFigure("power_w", report.Power.Watts);
        json.WriteFigure("energy_delay_js", report.EnergyDelayProduct);
        WriteBreakdown(json, report.EnergyBreakdown);
        WriteObject(json, "area_mm2", report.Machine.Area?.Parts ?? [], part => part.Component, (name, part) => json.WriteFigure(name, part.Value));
        WriteActivities(json, report);
    }

    private static void WriteBreakdown(Utf8JsonWriter json, EnergyBreakdown energy) => WriteObject(
        json, "energy_breakdown_j", energy.Parts.Where(part => part.Value > Energy.Zero), part => part.Component, (name, part) => json.WriteFigure(name, part.Value.Joules));

    private static void WriteActivities(Utf8JsonWriter json, RunReport report)
    {
        json.WriteStartArray("activities");
        foreach (ActivityPrice line in ActivityPrice.Of(report))
        {
            json.WriteStartObject();
            json.WriteString("activity", line.Row.Activity.ToString());
            json.WriteNumber("count", line.Count);
            json.WriteFigure("energy_pj", line.Row.Value.Picojoules);
            json.WriteFigure("low_pj", line.Row.Low.Picojoules);
            json.WriteFigure("high_pj", line.Row.High.Picojoules);
            json.WriteString("confidence", line.Row.Confidence.ToString().ToLowerInvariant());
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteStack(Utf8JsonWriter json, CycleStack stack, Cycles total) => WriteObject(
        json, "cycle_stack", ComponentCycles.Divide(stack, total), part => CycleStack.Label(part.Component), (name, part) => json.WriteNumber(name, part.Cycles.Value));

    private static void WriteEngine(Utf8JsonWriter json, string name, EngineUtilization engine)
    {
        json.WriteStartObject(name);
        json.WriteNumber("instances", engine.Instances);
        json.WriteFigure("utilization", engine.Share);
        json.WriteEndObject();
    }

    private static void WriteCache(Utf8JsonWriter json, ActivityCounts counts)
    {
        long hits = counts[ActivityKind.SharedCacheHit], lookups = hits + counts[ActivityKind.SharedCacheMiss];
        if (lookups > 0)
        {
            json.WriteNumber("shared_cache_hit_rate", (double)hits / lookups);
        }
    }

    private static void WriteMemory(Utf8JsonWriter json, RunReport report)
    {
        if (report.Memory is { } memory)
        {
            WriteObject(
                json, "memory_bytes", memory.Parts.Add(("total", memory.Total)).Add(("capacity", report.Machine.MainMemoryCapacity)), part => part.Name, (name, part) => json.WriteNumber(name, part.Size.Value));
        }
    }

    private static void WriteParallel(Utf8JsonWriter json, ParallelTrace? parallel)
    {
        if (parallel is null)
        {
            return;
        }

        json.WriteStartObject("parallel");
        json.WriteString("plan", parallel.Plan);
        json.WriteNumber("chips", parallel.Chips);
        WriteSeconds(json, "bubble_s", parallel.Bubble);
        json.WriteStartArray("exchanges");
        foreach (ExchangeRun exchange in parallel.Exchanges)
        {
            json.WriteStartObject();
            json.WriteString("name", exchange.Name);
            json.WriteString("function", exchange.Function);
            json.WriteString("algorithm", exchange.Algorithm);
            json.WriteNumber("chips", exchange.Chips);
            json.WriteNumber("bytes", exchange.Bytes.Value);
            json.WriteNumber("sent_bytes", exchange.Sent.Value);
            json.WriteNumber("repeat", exchange.Repeat);
            WriteSeconds(json, "time_s", exchange.Time);
            WriteSeconds(json, "exposed_s", exchange.Exposed);
            WriteSeconds(json, "hidden_s", exchange.Hidden);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteOperators(Utf8JsonWriter json, RunReport report)
    {
        json.WriteStartArray("operators");
        foreach (OperatorReport op in report.Operators)
        {
            WriteOperator(json, op);
        }

        json.WriteEndArray();
    }

    private static void WriteBuffers(Utf8JsonWriter json, ImmutableArray<BufferUse> buffers)
    {
        if (buffers.IsEmpty)
        {
            return;
        }

        json.WriteStartArray("buffers");
        foreach (BufferUse buffer in buffers)
        {
            json.WriteStartObject();
            json.WriteString("memory", buffer.Memory);
            json.WriteString("name", buffer.Name);
            json.WriteNumber("bytes_per_partition", buffer.PerPartition.Value);
            json.WriteNumber("copies", buffer.Copies);
            json.WriteNumber("copies_used", buffer.Used);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOperator(Utf8JsonWriter json, OperatorReport op)
    {
        OperatorRun run = op.Run;
        json.WriteStartObject();
        json.WriteString("name", run.Name);
        json.WriteString("kind", run.Kind);
        json.WriteString("shape", run.Shape);
        json.WriteString("mapping", run.Mapping);
        json.WriteNumber("repeat", run.Repeat);
        WriteSeconds(json, "time_s", run.Time);
        WriteSeconds(json, "total_time_s", op.TotalTime);
        WriteSeconds(json, "bound_s", run.Bound.Time);
        json.WriteNumber("cycles", op.Cycles.Value);
        json.WriteNumber("useful_macs", run.UsefulMacs.Value);
        json.WriteNumber("macs", run.Counts.Macs);
        json.WriteFigure("energy_j", op.Energy.Joules);
        json.WriteFigure("total_energy_j", op.TotalEnergy.Joules);
        WriteBreakdown(json, op.EnergyBreakdown);
        WriteObject(json, "bytes", LevelTraffic.Of(run.Counts), level => level.Level, (name, level) => json.WriteNumber(name, level.Amount.Value));
        WriteCache(json, run.Counts);
        WriteBuffers(json, run.Buffers);
        WriteStack(json, run.Stack, op.Cycles);
        json.WriteEndObject();
    }

    private static void WriteAssumptions(Utf8JsonWriter json, RunReport report)
    {
        json.WriteStartArray("assumptions");
        foreach (Assumption assumption in report.Machine.Assumptions)
        {
            json.WriteStartObject();
            json.WriteString("parameter", assumption.Parameter);
            json.WriteString("reason", assumption.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteSeconds(Utf8JsonWriter json, string key, SimTime time) => json.WriteNumber(key, FigureText.Seconds(time));

    private static void WriteObject<T>(Utf8JsonWriter json, string key, IEnumerable<T> items, Func<T, string> name, Action<string, T> write)
    {
        json.WriteStartObject(key);
        foreach (T item in items)
        {
            write(FigureText.Key(name(item)), item);
        }

        json.WriteEndObject();
    }
}
