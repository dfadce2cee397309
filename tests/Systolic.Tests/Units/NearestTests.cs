using Systolic.Units;

namespace Systolic.Tests.Units;

public sealed class NearestTests
{
    [Theory]
    [InlineData("abcd", "abcd")]
    [InlineData("abcd", "ABCD")] // case costs nothing
    [InlineData("abcd", "abXY")] // two of four replaced
    [InlineData("abcd", "ab")] // two of four removed
    [InlineData("ab", "xaby")] // two of four added, at both ends
    [InlineData("kitten", "sitting")] // 3 of 7: two replaced, one added
    public void A_word_of_which_at_most_half_changes_is_near(string word, string near) => Nearest.Of(word, [near]).Should().Equal(near);

    [Theory]
    [InlineData("abcd", "aXYZ")]
    [InlineData("abc", "a")]
    [InlineData("ab", "ba")] // a swap is two changes of two
    [InlineData("abcd", "")]
    public void A_word_of_which_more_than_half_changes_is_not(string word, string far) => Nearest.Of(word, [far]).Should().BeEmpty();

    [Fact]
    public void At_most_three_are_named_nearest_first_then_by_name() =>
        Nearest.Of("abcd", ["abXY", "abcX", "abc", "abcd", "abce"]).Should().Equal("abcd", "abc", "abcX");

    [Fact]
    public void A_hint_lists_what_is_near_or_all() =>
        (Nearest.Hint("abcd", ["abce", "xyz", "abcf"]), Nearest.Hint("abcd", ["x", "y"])).Should().Be(("; did you mean abce or abcf?", "; known: x, y"));

    [Fact]
    public void Only_the_first_128_letters_of_a_word_are_compared()
    {
        string word = new('a', 128);

        Nearest.Of(word + new string('b', 1000), [word]).Should().Equal(word);
        Nearest.Of(new string('a', 63) + new string('b', 65), [word]).Should().BeEmpty(); // the 128th counts
    }
}
