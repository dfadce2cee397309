using System.Collections.Immutable;
using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Reporting;

/// <summary>A stretch of the critical path within one engine or queue.</summary>
/// <param name="Operator">The operator that it belongs to.</param>
/// <param name="Track">The engine or queue.</param>
/// <param name="Instructions">Instructions or transfers on the path, one behind the other.</param>
/// <param name="Start">Start of the first.</param>
/// <param name="Time">Time of the path, the way from what the first one waited for included.</param>
public sealed record PathSegment(string Operator, string Track, int Instructions, SimTime Start, SimTime Time)
{
    /// <summary>The path through spans in the order of time.</summary>
    internal static ImmutableArray<PathSegment> Of(ImmutableArray<Span> spans)
    {
        var path = new List<PathSegment>();
        foreach (Span span in spans.Where(span => span.OnPath > SimTime.Zero).OrderBy(span => span.Start))
        {
            var segment = new PathSegment(span.Operator, span.Track, 1, span.Start, span.OnPath);
            if (path.Count > 0 && (path[^1].Operator, path[^1].Track) == (segment.Operator, segment.Track))
            {
                segment = path[^1] with { Instructions = path[^1].Instructions + 1, Time = path[^1].Time + span.OnPath };
                path.RemoveAt(path.Count - 1);
            }

            path.Add(segment);
        }

        return [.. path];
    }
}
