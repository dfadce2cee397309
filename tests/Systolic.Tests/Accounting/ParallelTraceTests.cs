using Systolic.Accounting;
using Systolic.Units;

namespace Systolic.Tests.Accounting;

public sealed class ParallelTraceTests
{
    [Fact]
    public void What_of_an_exchange_is_not_exposed_is_hidden() =>
        new ExchangeRun("gradients", "all-reduce", 4, "ring", new Bytes(8), new Bytes(12), new SimTime(10), Repeat: 3, Exposed: new SimTime(4))
            .Hidden.Value.Should().Be(26); // 3 x 10 - 4
}
