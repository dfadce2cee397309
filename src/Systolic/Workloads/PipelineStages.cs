using System.Collections.Immutable;

namespace Systolic.Workloads;

/// <summary>Deals the sections of a graph to pipeline stages: layers as evenly as they go, what comes before and after them to the first and last stage.</summary>
/// <param name="Graph">The graph.</param>
/// <param name="Stages">Stages.</param>
/// <param name="Repeats">How often each stage runs each section, by section and stage.</param>
internal sealed record PipelineStages(OperatorGraph Graph, int Stages, ImmutableArray<ImmutableArray<long>> Repeats)
{
    /// <summary>Deals the sections. Backward sections lie where their forward ones do; what the optimizer does once, on the last stage.</summary>
    public static PipelineStages Of(OperatorGraph graph, int stages)
    {
        var repeats = new ImmutableArray<long>[graph.Sections.Length];
        int[] all = [.. Enumerable.Range(0, graph.Sections.Length)];
        Deal(all.Where(i => graph.Sections[i].Pass == ModelPass.Forward), onceLast: false);
        Deal(all.Where(i => graph.Sections[i].Pass == ModelPass.Backward).Reverse(), onceLast: false);
        Deal(all.Where(i => graph.Sections[i].Pass == ModelPass.Optimizer), onceLast: true);
        return new(graph, stages, [.. repeats]);

        void Deal(IEnumerable<int> sections, bool onceLast)
        {
            int[] order = [.. sections];
            long layers = order.Where(i => graph.Sections[i].Repeat > 1).Sum(i => graph.Sections[i].Repeat), done = 0;
            foreach (int i in order)
            {
                long repeat = graph.Sections[i].Repeat, first = done;
                done += repeat > 1 ? repeat : 0;
                int home = onceLast ? stages - 1 : first == 0 ? 0 : StageOf(first - 1, layers);
                repeats[i] = [.. Enumerable.Range(0, stages).Select(stage => repeat == 1 ? stage == home ? 1 : 0
                    : Math.Max(0, Math.Min(done, First(stage + 1, layers)) - Math.Max(first, First(stage, layers))))];
            }
        }

        long First(int stage, long layers) => (stage * (layers / stages)) + Math.Min(stage, layers % stages);

        int StageOf(long layer, long layers) => Enumerable.Range(0, stages).Last(stage => First(stage, layers) <= layer);
    }

    /// <summary>What one chip of a stage runs for a micro-batch, undivided by tensor parallelism: for those who count its memory.</summary>
    public OperatorGraph OfStage(int stage) => Graph with
    {
        Sections = [.. Graph.Sections.Select((section, i) => section with { Repeat = Repeats[i][stage] }).Where(section => section.Repeat > 0)],
    };
}
