namespace Systolic.Components;

/// <summary>The order in which single banks are refreshed.</summary>
internal static class RefreshOrder
{
    /// <summary>The bank of a step: bank groups fastest, then banks of a group, dies and pseudo-channels (DRAMsim3).</summary>
    public static int Bank(DramOrganization parts, int step)
    {
        int die = step / (parts.BankGroups * parts.Banks);
        int inDie = step % (parts.BankGroups * parts.Banks);
        return (die * parts.BankGroups + inDie % parts.BankGroups) * parts.Banks + inDie / parts.BankGroups;
    }
}
