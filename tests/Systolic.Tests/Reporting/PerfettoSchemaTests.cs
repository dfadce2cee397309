using System.Text.Json;
using Systolic.Machines;
using Systolic.Reporting;
using Systolic.Simulation;
using Systolic.Tests.Workloads;

namespace Systolic.Tests.Reporting;

/// <summary>A trace of a real run, held against the Chrome trace event format.</summary>
public class PerfettoSchemaTests
{
    private static readonly RunReport Report = MachinePresets.Load("trn2").Run(Presets.Graph("gpt2", "layer prefill", batch: 1, tokens: 128), new RunOptions { CollectSpans = true });

    private static readonly JsonElement Trace = Write(PerfettoTraceWriter.DefaultLimit);

    private static readonly JsonElement[] Events = [.. Trace.GetProperty("traceEvents").EnumerateArray()];

    [Fact]
    public void Every_event_is_of_a_known_phase_with_its_fields_and_no_time_is_negative()
    {
        foreach (JsonElement item in Events)
        {
            string phase = item.GetProperty("ph").GetString()!;
            item.GetProperty("name").GetString().Should().NotBeEmpty();
            item.GetProperty("pid").GetInt32().Should().Be(1);
            item.GetProperty("tid").GetInt32().Should().BeGreaterThanOrEqualTo(0);
            Keys(item).Except(["args"]).Should().BeEquivalentTo(phase switch
            {
                "M" => ["name", "ph", "pid", "tid"],
                "X" => ["name", "ph", "pid", "tid", "ts", "dur"],
                "s" => ["name", "ph", "pid", "tid", "cat", "id", "ts"],
                _ => (string[])["name", "ph", "pid", "tid", "cat", "id", "ts", "bp"],
            });
            phase.Should().BeOneOf("M", "X", "s", "f");
            (phase == "M" ? 0 : item.GetProperty("ts").GetDecimal()).Should().BeGreaterThanOrEqualTo(0);
            (phase == "X" ? item.GetProperty("dur").GetDecimal() : 1).Should().BeGreaterThan(0);
        }
    }

    [Fact]
    public void Every_track_has_a_name_once_and_every_engine_queue_and_link_has_a_track()
    {
        JsonElement[] names = [.. Of("M").Where(item => item.GetProperty("name").GetString() == "thread_name")];

        names.Select(Thread).Should().OnlyHaveUniqueItems();
        Events.Where(item => item.GetProperty("ph").GetString() != "M").Select(Thread).Should().BeSubsetOf(names.Select(Thread));
        names.Select(item => item.GetProperty("args").GetProperty("name").GetString())
            .Should().Contain([.. Simulator.Engines, "dma weights", "dma activations", "dma stores", "exchange"]);
    }

    [Fact]
    public void Spans_of_a_track_do_not_overlap()
    {
        foreach (IGrouping<int, JsonElement> track in Of("X").GroupBy(Thread))
        {
            track.Zip(track.Skip(1)).Should().NotContain(pair => pair.First.GetProperty("ts").GetDecimal() + pair.First.GetProperty("dur").GetDecimal() > pair.Second.GetProperty("ts").GetDecimal());
        }
    }

    [Fact]
    public void Arrows_pair_up_and_go_forward_from_the_start_of_a_span_to_the_start_of_another()
    {
        Dictionary<int, JsonElement> from = Of("s").ToDictionary(item => item.GetProperty("id").GetInt32()), to = Of("f").ToDictionary(item => item.GetProperty("id").GetInt32());
        HashSet<(int, decimal)> starts = [.. Of("X").Select(Place)];

        from.Should().NotBeEmpty();
        to.Keys.Should().BeEquivalentTo(from.Keys);
        foreach ((int id, JsonElement start) in from)
        {
            (start.GetProperty("name").GetString(), start.GetProperty("cat").GetString()).Should().Be((to[id].GetProperty("name").GetString(), to[id].GetProperty("cat").GetString()));
            start.GetProperty("ts").GetDecimal().Should().BeLessThan(to[id].GetProperty("ts").GetDecimal());
            starts.Should().Contain(Place(start)).And.Contain(Place(to[id]));
        }
    }

    [Fact]
    public void There_is_an_arrow_for_every_semaphore_that_was_waited_for() =>
        Of("s").Should().HaveCount(Report.Trace.Spans.Count(span => span.Wait is { IsSignal: true }));

    [Fact]
    public void A_limit_keeps_the_first_spans_and_the_arrows_between_them()
    {
        JsonElement[] few = [.. Write(20).GetProperty("traceEvents").EnumerateArray()];

        few.Count(item => item.GetProperty("ph").GetString() == "X").Should().Be(20);
        few.Count(item => item.GetProperty("ph").GetString() == "s").Should().Be(Report.Trace.Spans.OrderBy(span => span.Start).Take(20).Count(span => span.Wait is { IsSignal: true }));
    }

    private static JsonElement Write(int limit)
    {
        using var stream = new MemoryStream();
        PerfettoTraceWriter.Write(stream, [Report], limit);
        return JsonDocument.Parse(stream.ToArray()).RootElement;
    }

    private static IEnumerable<JsonElement> Of(string phase) => Events.Where(item => item.GetProperty("ph").GetString() == phase);

    private static int Thread(JsonElement item) => item.GetProperty("tid").GetInt32();

    private static (int, decimal) Place(JsonElement item) => (Thread(item), item.GetProperty("ts").GetDecimal());

    private static IEnumerable<string> Keys(JsonElement element) => element.EnumerateObject().Select(property => property.Name);
}
