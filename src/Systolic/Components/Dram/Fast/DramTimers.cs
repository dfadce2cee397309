using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Systolic.Components;

/// <summary>When each command may next issue, as one number per command and part of the hierarchy, written out for speed.</summary>
/// <remarks>Equal to <see cref="DramReadiness"/>, which reads the rows of constraints; a spacing that a standard does not have is 0 here, which never delays.</remarks>
internal sealed partial class DramTimers
{
    private const int Window = 4;

    private readonly int _bankBits;
    private readonly int _dieBits;
    private readonly int _busBits;
    private readonly int _dies;
    private readonly ulong _busMask;

    private readonly long[] _busRead, _busWrite, _busActivate, _busPrecharge, _busPrechargeAll, _busRefreshAll, _busRefreshBank;
    private readonly long[] _dieRead, _dieWrite;
    private readonly long[] _groupRead, _groupWrite, _groupActivate;
    private readonly long[] _bankRead, _bankWrite, _bankActivate, _bankPrecharge, _bankRefresh;
    private readonly long[] _activates;
    private readonly int[] _activateAt;
    private long _rowCommand;
    private long _columnCommand;

    private readonly int _actRow, _actColumn, _columnRow, _columnColumn;
    private readonly int _busReadRead, _busWriteWrite, _busReadWrite, _busWriteRead, _busReadPrechargeAll, _busWritePrechargeAll;
    private readonly int _dieReadRead, _dieWriteWrite, _otherReadRead, _otherWriteWrite;
    private readonly int _groupReadRead, _groupWriteWrite, _groupWriteRead, _groupActAct;
    private readonly int _bankReadPrecharge, _bankWritePrecharge;
    private readonly int _busActAct, _window, _busActPrechargeAll, _busActRefreshAll, _busActRefreshBank;
    private readonly int _bankActAct, _bankActRead, _bankActWrite, _bankActPrecharge, _bankActRefresh;
    private readonly int _busPrePre, _busPrePrechargeAll, _busPreRefreshAll, _bankPreAct, _bankPreRefresh;
    private readonly int _busAllAct, _busAllPre, _busAllAll, _busAllRefreshAll;
    private readonly int _busRefreshAct, _busRefreshPrechargeAll, _busRefreshRefresh;
    private readonly int _busBankRefreshAct, _busBankRefreshBankRefresh, _bankRefreshAct;

    public DramTimers(DramStandard standard)
    {
        DramOrganization parts = standard.Organization;
        _bankBits = BitOperations.Log2((uint)parts.Banks);
        _dieBits = _bankBits + BitOperations.Log2((uint)parts.BankGroups);
        _busBits = _dieBits + BitOperations.Log2((uint)parts.Stacks);
        _dies = parts.Stacks;
        _busMask = parts.BanksPerPseudoChannel == 64 ? ulong.MaxValue : (1UL << parts.BanksPerPseudoChannel) - 1;
        (_busRead, _busWrite, _busActivate, _busPrecharge) = (Buses(), Buses(), Buses(), Buses());
        (_busPrechargeAll, _busRefreshAll, _busRefreshBank) = (Buses(), Buses(), Buses());
        (_dieRead, _dieWrite) = (Zeros(parts.PseudoChannels * parts.Stacks), Zeros(parts.PseudoChannels * parts.Stacks));
        (_groupRead, _groupWrite, _groupActivate) = (Groups(), Groups(), Groups());
        (_bankRead, _bankWrite, _bankActivate, _bankPrecharge, _bankRefresh) = (Banks(), Banks(), Banks(), Banks(), Banks());
        _activates = [.. Enumerable.Repeat(long.MinValue / 2, parts.PseudoChannels * Window)];
        _activateAt = new int[parts.PseudoChannels];

        ImmutableArray<DramConstraint> rows = standard.Constraints;
        int Gap(DramScope scope, DramCommand before, DramCommand after, int window = 1) =>
            rows.Where(row => row.Scope == scope && row.Before == before && row.After == after && row.Window == window).Select(row => row.Ticks).DefaultIfEmpty().Max();

        (_actRow, _actColumn) = (Gap(DramScope.Channel, DramCommand.Activate, DramCommand.Activate), Gap(DramScope.Channel, DramCommand.Activate, DramCommand.Read));
        (_columnRow, _columnColumn) = (Gap(DramScope.Channel, DramCommand.Read, DramCommand.Activate), Gap(DramScope.Channel, DramCommand.Read, DramCommand.Read));
        (_busReadRead, _busWriteWrite) = (Gap(DramScope.PseudoChannel, DramCommand.Read, DramCommand.Read), Gap(DramScope.PseudoChannel, DramCommand.Write, DramCommand.Write));
        (_busReadWrite, _busWriteRead) = (Gap(DramScope.PseudoChannel, DramCommand.Read, DramCommand.Write), Gap(DramScope.PseudoChannel, DramCommand.Write, DramCommand.Read));
        (_busReadPrechargeAll, _busWritePrechargeAll) = (Gap(DramScope.PseudoChannel, DramCommand.Read, DramCommand.PrechargeAll), Gap(DramScope.PseudoChannel, DramCommand.Write, DramCommand.PrechargeAll));
        (_dieReadRead, _dieWriteWrite) = (Gap(DramScope.Stack, DramCommand.Read, DramCommand.Read), Gap(DramScope.Stack, DramCommand.Write, DramCommand.Write));
        (_otherReadRead, _otherWriteWrite) = (Gap(DramScope.OtherStacks, DramCommand.Read, DramCommand.Read), Gap(DramScope.OtherStacks, DramCommand.Write, DramCommand.Write));
        (_groupReadRead, _groupWriteWrite) = (Gap(DramScope.BankGroup, DramCommand.Read, DramCommand.Read), Gap(DramScope.BankGroup, DramCommand.Write, DramCommand.Write));
        (_groupWriteRead, _groupActAct) = (Gap(DramScope.BankGroup, DramCommand.Write, DramCommand.Read), Gap(DramScope.BankGroup, DramCommand.Activate, DramCommand.Activate));
        (_bankReadPrecharge, _bankWritePrecharge) = (Gap(DramScope.Bank, DramCommand.Read, DramCommand.Precharge), Gap(DramScope.Bank, DramCommand.Write, DramCommand.Precharge));
        (_busActAct, _window) = (Gap(DramScope.PseudoChannel, DramCommand.Activate, DramCommand.Activate), Gap(DramScope.PseudoChannel, DramCommand.Activate, DramCommand.Activate, Window));
        (_busActPrechargeAll, _busActRefreshAll) = (Gap(DramScope.PseudoChannel, DramCommand.Activate, DramCommand.PrechargeAll), Gap(DramScope.PseudoChannel, DramCommand.Activate, DramCommand.RefreshAll));
        _busActRefreshBank = Gap(DramScope.PseudoChannel, DramCommand.Activate, DramCommand.RefreshBank);
        (_bankActAct, _bankActRead, _bankActWrite) = (Gap(DramScope.Bank, DramCommand.Activate, DramCommand.Activate), Gap(DramScope.Bank, DramCommand.Activate, DramCommand.Read), Gap(DramScope.Bank, DramCommand.Activate, DramCommand.Write));
        (_bankActPrecharge, _bankActRefresh) = (Gap(DramScope.Bank, DramCommand.Activate, DramCommand.Precharge), Gap(DramScope.Bank, DramCommand.Activate, DramCommand.RefreshBank));
        (_busPrePre, _busPrePrechargeAll) = (Gap(DramScope.PseudoChannel, DramCommand.Precharge, DramCommand.Precharge), Gap(DramScope.PseudoChannel, DramCommand.Precharge, DramCommand.PrechargeAll));
        _busPreRefreshAll = Gap(DramScope.PseudoChannel, DramCommand.Precharge, DramCommand.RefreshAll);
        (_bankPreAct, _bankPreRefresh) = (Gap(DramScope.Bank, DramCommand.Precharge, DramCommand.Activate), Gap(DramScope.Bank, DramCommand.Precharge, DramCommand.RefreshBank));
        (_busAllAct, _busAllPre) = (Gap(DramScope.PseudoChannel, DramCommand.PrechargeAll, DramCommand.Activate), Gap(DramScope.PseudoChannel, DramCommand.PrechargeAll, DramCommand.Precharge));
        (_busAllAll, _busAllRefreshAll) = (Gap(DramScope.PseudoChannel, DramCommand.PrechargeAll, DramCommand.PrechargeAll), Gap(DramScope.PseudoChannel, DramCommand.PrechargeAll, DramCommand.RefreshAll));
        (_busRefreshAct, _busRefreshPrechargeAll) = (Gap(DramScope.PseudoChannel, DramCommand.RefreshAll, DramCommand.Activate), Gap(DramScope.PseudoChannel, DramCommand.RefreshAll, DramCommand.PrechargeAll));
        _busRefreshRefresh = Gap(DramScope.PseudoChannel, DramCommand.RefreshAll, DramCommand.RefreshAll);
        (_busBankRefreshAct, _bankRefreshAct) = (Gap(DramScope.PseudoChannel, DramCommand.RefreshBank, DramCommand.Activate), Gap(DramScope.Bank, DramCommand.RefreshBank, DramCommand.Activate));
        _busBankRefreshBankRefresh = Gap(DramScope.PseudoChannel, DramCommand.RefreshBank, DramCommand.RefreshBank);

        long[] Zeros(int count) => new long[count];
        long[] Buses() => Zeros(parts.PseudoChannels);
        long[] Groups() => Zeros(parts.TotalBanks / parts.Banks);
        long[] Banks() => Zeros(parts.TotalBanks);
    }

    /// <summary>Banks behind each data bus, as a power of two.</summary>
    public int BusBits => _busBits;

    /// <summary>Before this tick no bank of the data bus can read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long BusRead(int bus) => Math.Max(_columnCommand, _busRead[bus]);

    /// <summary>Before this tick no bank of the data bus can write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long BusWrite(int bus) => Math.Max(_columnCommand, _busWrite[bus]);

    /// <summary>Before this tick no bank of the data bus can be activated.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long BusActivate(int bus) => Math.Max(_rowCommand, _busActivate[bus]);

    /// <summary>Before this tick no bank of the data bus can be closed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long BusPrecharge(int bus) => Math.Max(_rowCommand, _busPrecharge[bus]);

    /// <summary>Of these banks those whose data bus can read.</summary>
    public ulong MayRead(ulong banks, long tick) => OnFreeBuses(banks, _columnCommand, _busRead, tick);

    /// <summary>Of these banks those whose data bus can write.</summary>
    public ulong MayWrite(ulong banks, long tick) => OnFreeBuses(banks, _columnCommand, _busWrite, tick);

    /// <summary>Of these banks those on whose data bus one can be activated.</summary>
    public ulong MayActivate(ulong banks, long tick) => OnFreeBuses(banks, _rowCommand, _busActivate, tick);

    /// <summary>Of these banks those on whose data bus one can be closed.</summary>
    public ulong MayPrecharge(ulong banks, long tick) => OnFreeBuses(banks, _rowCommand, _busPrecharge, tick);

    /// <summary>Before this tick the bank cannot be closed, whatever the bus allows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long BankPrecharge(int bank) => _bankPrecharge[bank];

    /// <summary>The first tick for a read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long ReadAt(int bank) =>
        Math.Max(Math.Max(BusRead(bank >> _busBits), _dieRead[bank >> _dieBits]), Math.Max(_groupRead[bank >> _bankBits], _bankRead[bank]));

    /// <summary>The first tick for a write.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long WriteAt(int bank) =>
        Math.Max(Math.Max(BusWrite(bank >> _busBits), _dieWrite[bank >> _dieBits]), Math.Max(_groupWrite[bank >> _bankBits], _bankWrite[bank]));

    /// <summary>The first tick for an activate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long ActivateAt(int bank) => Math.Max(BusActivate(bank >> _busBits), Math.Max(_groupActivate[bank >> _bankBits], _bankActivate[bank]));

    /// <summary>The first tick for a precharge.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long PrechargeAt(int bank) => Math.Max(_rowCommand, Math.Max(_busPrecharge[bank >> _busBits], _bankPrecharge[bank]));

    /// <summary>The first tick for a command on a whole pseudo-channel, or for the refresh of a bank.</summary>
    public long MaintenanceAt(DramCommand command, int bank) => command switch
    {
        DramCommand.PrechargeAll => Math.Max(_rowCommand, _busPrechargeAll[bank >> _busBits]),
        DramCommand.RefreshAll => Math.Max(_rowCommand, _busRefreshAll[bank >> _busBits]),
        DramCommand.RefreshBank => Math.Max(_rowCommand, Math.Max(_busRefreshBank[bank >> _busBits], _bankRefresh[bank])),
        _ => PrechargeAt(bank),
    };

    private ulong OnFreeBuses(ulong banks, long command, long[] busFrom, long tick)
    {
        if (command > tick)
        {
            return 0;
        }

        for (int bus = 0; bus < busFrom.Length && banks != 0; bus++)
        {
            if (busFrom[bus] > tick)
            {
                banks &= ~(_busMask << (bus << _busBits));
            }
        }

        return banks;
    }

    /// <summary>A read issues.</summary>
    public void Read(int bank, long tick)
    {
        int bus = bank >> _busBits;
        Raise(ref _busRead[bus], tick + _busReadRead);
        Raise(ref _busWrite[bus], tick + _busReadWrite);
        Raise(ref _busPrechargeAll[bus], tick + _busReadPrechargeAll);
        Raise(ref _groupRead[bank >> _bankBits], tick + _groupReadRead);
        Raise(ref _bankPrecharge[bank], tick + _bankReadPrecharge);
        Column(_dieRead, bank >> _dieBits, tick, _dieReadRead, _otherReadRead);
    }

    /// <summary>A write issues.</summary>
    public void Write(int bank, long tick)
    {
        int bus = bank >> _busBits;
        int group = bank >> _bankBits;
        Raise(ref _busWrite[bus], tick + _busWriteWrite);
        Raise(ref _busRead[bus], tick + _busWriteRead);
        Raise(ref _busPrechargeAll[bus], tick + _busWritePrechargeAll);
        Raise(ref _groupWrite[group], tick + _groupWriteWrite);
        Raise(ref _groupRead[group], tick + _groupWriteRead);
        Raise(ref _bankPrecharge[bank], tick + _bankWritePrecharge);
        Column(_dieWrite, bank >> _dieBits, tick, _dieWriteWrite, _otherWriteWrite);
    }

    /// <summary>An activate issues.</summary>
    public void Activate(int bank, long tick)
    {
        int bus = bank >> _busBits;
        int at = _activateAt[bus];
        _activates[bus * Window + at] = tick;
        at = (at + 1) % Window;
        _activateAt[bus] = at;
        Raise(ref _busActivate[bus], Math.Max(tick + _busActAct, _activates[bus * Window + at] + _window));
        Raise(ref _busPrechargeAll[bus], tick + _busActPrechargeAll);
        Raise(ref _busRefreshAll[bus], tick + _busActRefreshAll);
        Raise(ref _busRefreshBank[bus], tick + _busActRefreshBank);
        Raise(ref _groupActivate[bank >> _bankBits], tick + _groupActAct);
        Raise(ref _bankActivate[bank], tick + _bankActAct);
        Raise(ref _bankRead[bank], tick + _bankActRead);
        Raise(ref _bankWrite[bank], tick + _bankActWrite);
        Raise(ref _bankPrecharge[bank], tick + _bankActPrecharge);
        Raise(ref _bankRefresh[bank], tick + _bankActRefresh);
        Raise(ref _rowCommand, tick + _actRow);
        Raise(ref _columnCommand, tick + _actColumn);
    }

    /// <summary>A precharge issues.</summary>
    public void Precharge(int bank, long tick)
    {
        int bus = bank >> _busBits;
        Raise(ref _busPrecharge[bus], tick + _busPrePre);
        Raise(ref _busPrechargeAll[bus], tick + _busPrePrechargeAll);
        Raise(ref _busRefreshAll[bus], tick + _busPreRefreshAll);
        Raise(ref _bankActivate[bank], tick + _bankPreAct);
        Raise(ref _bankRefresh[bank], tick + _bankPreRefresh);
    }

    /// <summary>A command on a whole pseudo-channel issues, or the refresh of a bank.</summary>
    public void Maintain(DramCommand command, int bank, long tick)
    {
        int bus = bank >> _busBits;
        switch (command)
        {
            case DramCommand.PrechargeAll:
                Raise(ref _busActivate[bus], tick + _busAllAct);
                Raise(ref _busPrecharge[bus], tick + _busAllPre);
                Raise(ref _busPrechargeAll[bus], tick + _busAllAll);
                Raise(ref _busRefreshAll[bus], tick + _busAllRefreshAll);
                break;
            case DramCommand.RefreshAll:
                Raise(ref _busActivate[bus], tick + _busRefreshAct);
                Raise(ref _busPrechargeAll[bus], tick + _busRefreshPrechargeAll);
                Raise(ref _busRefreshAll[bus], tick + _busRefreshRefresh);
                break;
            case DramCommand.RefreshBank:
                Raise(ref _busActivate[bus], tick + _busBankRefreshAct);
                Raise(ref _busRefreshBank[bus], tick + _busBankRefreshBankRefresh);
                Raise(ref _bankActivate[bank], tick + _bankRefreshAct);
                break;
            default:
                Precharge(bank, tick);
                break;
        }
    }

    private void Column(long[] ready, int die, long tick, int same, int other)
    {
        Raise(ref _columnCommand, tick + _columnColumn);
        Raise(ref _rowCommand, tick + _columnRow);
        Raise(ref ready[die], tick + same);
        if (_dies > 1 && other > 0)
        {
            RaiseOthers(ready, die, tick + other);
        }
    }

    private void RaiseOthers(long[] ready, int die, long tick)
    {
        int first = die & -_dies;
        for (int i = first; i < first + _dies; i++)
        {
            if (i != die)
            {
                Raise(ref ready[i], tick);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Raise(ref long ready, long tick) => ready = Math.Max(ready, tick);
}
