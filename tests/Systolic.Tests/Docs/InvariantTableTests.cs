using System.Reflection;
using System.Text.RegularExpressions;

namespace Systolic.Tests.Docs;

public sealed partial class InvariantTableTests
{
    [GeneratedRegex(@"`(?<class>\w+Tests)\.(?<method>\w+)`")]
    private static partial Regex TestName();

    [Fact]
    public void Every_test_that_a_page_names_exists()
    {
        ILookup<string, string> tests = typeof(InvariantTableTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance).Select(method => (Class: type.Name, Method: method.Name)))
            .ToLookup(test => test.Class, test => test.Method);
        (string Page, string Class, string Method)[] named =
            [.. Pages.All.SelectMany(page => TestName().Matches(Pages.Read(page)).Select(match => (page, match.Groups["class"].Value, match.Groups["method"].Value)))];

        named.Should().NotBeEmpty();
        named.Where(test => !tests[test.Class].Contains(test.Method)).Select(test => $"{test.Page}: {test.Class}.{test.Method}").Should().BeEmpty();
    }
}
