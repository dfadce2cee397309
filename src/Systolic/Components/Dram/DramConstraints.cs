using System.Collections.Immutable;
using static Systolic.Components.DramCommand;

namespace Systolic.Components;

/// <summary>The rows of constraints that follow from a timing table.</summary>
internal static class DramConstraints
{
    private const int ActivatesInWindow = 4;
    private static readonly DramCommand[] RowCommands = [Activate, Precharge, PrechargeAll, RefreshAll, RefreshBank];
    private static readonly DramCommand[] ColumnCommands = [Read, Write];

    /// <summary>All rows. A spacing is between the last ticks of two commands, so that it grows with the length of the first and shrinks with that of the second.</summary>
    public static ImmutableArray<DramConstraint> Of(DramTiming timing, DramCommandBus bus) =>
    [
        .. Occupancy(bus),
        .. DataBus(timing).Concat(Rows(timing)).Concat(Refreshes(timing)).Where(row => row.Ticks > 0)
            .Select(row => row with { Ticks = row.Ticks + bus.TicksOf(row.Before) - bus.TicksOf(row.After) }),
    ];

    private static IEnumerable<DramConstraint> Occupancy(DramCommandBus bus)
    {
        DramCommand[][] buses = bus.Split ? [RowCommands, ColumnCommands] : [[.. RowCommands, .. ColumnCommands]];
        return from commands in buses
               from before in commands
               where bus.TicksOf(before) > 1
               from after in commands
               select new DramConstraint(DramScope.Channel, before, after, bus.TicksOf(before));
    }

    private static IEnumerable<DramConstraint> DataBus(DramTiming timing) =>
    [
        new(DramScope.PseudoChannel, Read, Read, timing.Burst),
        new(DramScope.PseudoChannel, Write, Write, timing.Burst),
        new(DramScope.PseudoChannel, Read, Write, timing.ReadToWrite),
        new(DramScope.PseudoChannel, Write, Read, timing.Cwl + timing.Burst + timing.WtrShort),
        new(DramScope.Stack, Read, Read, timing.CcdShort),
        new(DramScope.Stack, Write, Write, timing.CcdShort),
        new(DramScope.OtherStacks, Read, Read, timing.CcdStack),
        new(DramScope.OtherStacks, Write, Write, timing.CcdStackWrite),
        new(DramScope.BankGroup, Read, Read, timing.CcdLong),
        new(DramScope.BankGroup, Write, Write, timing.CcdLongWrite),
        new(DramScope.BankGroup, Write, Read, timing.Cwl + timing.Burst + timing.WtrLong),
    ];

    private static IEnumerable<DramConstraint> Rows(DramTiming timing) =>
    [
        new(DramScope.PseudoChannel, Activate, Activate, timing.RrdShort),
        new(DramScope.PseudoChannel, Activate, Activate, timing.Faw, ActivatesInWindow),
        new(DramScope.BankGroup, Activate, Activate, timing.RrdLong),
        new(DramScope.Bank, Activate, Activate, timing.Rc),
        new(DramScope.Bank, Activate, Read, timing.RcdRead),
        new(DramScope.Bank, Activate, Write, timing.RcdWrite),
        new(DramScope.Bank, Activate, Precharge, timing.Ras),
        new(DramScope.Bank, Read, Precharge, timing.Rtp),
        new(DramScope.Bank, Write, Precharge, timing.WriteToPrecharge),
        new(DramScope.Bank, Precharge, Activate, timing.Rp),
        new(DramScope.PseudoChannel, Activate, PrechargeAll, timing.Ras),
        new(DramScope.PseudoChannel, Read, PrechargeAll, timing.Rtp),
        new(DramScope.PseudoChannel, Write, PrechargeAll, timing.WriteToPrecharge),
        new(DramScope.PseudoChannel, PrechargeAll, Activate, timing.RpAll),
        new(DramScope.PseudoChannel, Precharge, Precharge, timing.Ppd),
        new(DramScope.PseudoChannel, Precharge, PrechargeAll, timing.Ppd),
        new(DramScope.PseudoChannel, PrechargeAll, Precharge, timing.Ppd),
        new(DramScope.PseudoChannel, PrechargeAll, PrechargeAll, timing.Ppd),
    ];

    private static IEnumerable<DramConstraint> Refreshes(DramTiming timing) =>
    [
        new(DramScope.PseudoChannel, Activate, RefreshAll, timing.Rc),
        new(DramScope.PseudoChannel, Precharge, RefreshAll, timing.Rp),
        new(DramScope.PseudoChannel, PrechargeAll, RefreshAll, timing.Rp),
        new(DramScope.PseudoChannel, RefreshAll, Activate, timing.Rfc),
        new(DramScope.PseudoChannel, RefreshAll, PrechargeAll, timing.Rfc),
        new(DramScope.PseudoChannel, RefreshAll, RefreshAll, timing.Rfc),
        new(DramScope.PseudoChannel, Activate, RefreshBank, timing.RrdShort),
        new(DramScope.PseudoChannel, RefreshBank, Activate, timing.Rrefd),
        new(DramScope.PseudoChannel, RefreshBank, RefreshBank, timing.RefreshBankSpacing),
        new(DramScope.Bank, RefreshBank, Activate, timing.RfcBank),
        new(DramScope.Bank, Activate, RefreshBank, timing.Rc),
        new(DramScope.Bank, Precharge, RefreshBank, timing.Rp),
    ];
}
