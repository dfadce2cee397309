namespace Systolic.Components;

/// <summary>Makes the controllers of a memory.</summary>
internal static class DramChannels
{
    /// <summary>One controller per channel.</summary>
    public static IDramChannel[] Create(DramDevice device, DramFidelity fidelity) => [.. Enumerable.Range(0, device.Channels).Select(_ => Create(device.Standard, device.Policy, fidelity))];

    private static IDramChannel Create(DramStandard standard, DramPolicy policy, DramFidelity fidelity) => (policy.Scheduling, fidelity) switch
    {
        (DramScheduling.BankQueues, DramFidelity.Reference) => new BankQueueReference(standard, policy),
        (DramScheduling.BankQueues, _) => new BankQueueChannel(standard, policy),
        (_, DramFidelity.Reference) => new FrFcfsReference(standard, policy),
        _ => new FrFcfsChannel(standard, policy),
    };
}
