using System.Collections.Immutable;

namespace Systolic.Components;

/// <summary>When each command may next issue, from the rows of constraints alone: one ready time per command and node of the hierarchy.</summary>
internal sealed class DramReadiness
{
    private const int Commands = (int)DramCommand.RefreshBank + 1;
    private const int Scopes = (int)DramScope.Bank + 1;
    private const int Window = 4;
    private const long Never = long.MinValue / 2;

    private readonly DramOrganization _parts;
    private readonly ImmutableArray<DramConstraint> _rows;
    private readonly long[][] _ready = new long[Scopes][];
    private readonly long[][] _history = new long[Scopes][];

    public DramReadiness(DramStandard standard)
    {
        (_parts, _rows) = (standard.Organization, standard.Constraints);
        for (int scope = 0; scope < Scopes; scope++)
        {
            int nodes = Node((DramScope)scope, _parts.TotalBanks - 1) + 1;
            _ready[scope] = [.. Enumerable.Repeat(Never, nodes * Commands)];
            _history[scope] = [.. Enumerable.Repeat(Never, nodes * Commands * Window)];
        }
    }

    /// <summary>A command for one bank, or for the pseudo-channel of that bank, may issue.</summary>
    public bool IsReady(DramCommand command, int bank, long tick)
    {
        for (int scope = 0; scope <= (int)Deepest(command); scope++)
        {
            if (tick < _ready[scope][Node((DramScope)scope, bank) * Commands + (int)command])
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Such a command issues.</summary>
    public void Issue(DramCommand command, int bank, long tick)
    {
        for (int scope = 0; scope <= (int)Deepest(command); scope++)
        {
            Span<long> history = _history[scope].AsSpan((Node((DramScope)scope, bank) * Commands + (int)command) * Window, Window);
            history[..^1].CopyTo(history[1..]);
            history[0] = tick;
        }

        foreach (DramConstraint row in _rows)
        {
            if (row.Before == command && row.Scope <= Deepest(command))
            {
                Apply(row, bank);
            }
        }
    }

    private void Apply(DramConstraint row, int bank)
    {
        int scope = (int)(row.Scope == DramScope.OtherStacks ? DramScope.Stack : row.Scope);
        int node = Node((DramScope)scope, bank);
        long ready = _history[scope][(node * Commands + (int)row.Before) * Window + row.Window - 1] + row.Ticks;
        if (row.Scope != DramScope.OtherStacks)
        {
            Raise(scope, node, row.After, ready);
            return;
        }

        int first = node / _parts.Stacks * _parts.Stacks;
        for (int other = first; other < first + _parts.Stacks; other++)
        {
            if (other != node)
            {
                Raise(scope, other, row.After, ready);
            }
        }
    }

    private void Raise(int scope, int node, DramCommand command, long ready)
    {
        ref long slot = ref _ready[scope][node * Commands + (int)command];
        slot = Math.Max(slot, ready);
    }

    private static DramScope Deepest(DramCommand command) =>
        command is DramCommand.PrechargeAll or DramCommand.RefreshAll ? DramScope.PseudoChannel : DramScope.Bank;

    private int Node(DramScope scope, int bank) => scope switch
    {
        DramScope.Channel => 0,
        DramScope.PseudoChannel => bank / _parts.BanksPerPseudoChannel,
        DramScope.Stack or DramScope.OtherStacks => bank / (_parts.BankGroups * _parts.Banks),
        DramScope.BankGroup => bank / _parts.Banks,
        _ => bank,
    };
}
