using System.Security.Cryptography;
using Systolic.Hardware;
using Systolic.Programs;
using Systolic.Simulation;
using Systolic.Units;

namespace Systolic.Machines;

/// <summary>Simulations of linked programs by content, so that machines on which nothing that takes time differs share them.</summary>
/// <remarks>
/// Scratchpads of several sizes often get the same instructions, at other addresses; addresses in SBUF cost nothing. Exact: instructions, waits, and places in main memory
/// are all that a simulation reads of a program. For one thread.
/// </remarks>
internal sealed class SharedSimulations
{
    private readonly Dictionary<(string Content, Accelerator AnySbuf), CoresRun> _runs = [];

    /// <summary>What <paramref name="run"/> finds, or found before for programs of the same content on a machine that differs at most in the size of SBUF.</summary>
    public CoresRun Get(Program[] programs, Accelerator machine, Func<CoresRun> run)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (Program program in programs)
        {
            program.AddTo(hash);
        }

        var key = (Convert.ToHexString(hash.GetHashAndReset()), machine with { Sbuf = machine.Sbuf with { PartitionSize = Bytes.Zero } });
        if (!_runs.TryGetValue(key, out CoresRun? found))
        {
            _runs.Add(key, found = run());
        }

        return found;
    }
}
