using CoPe.Cli;

namespace CoPe.Tests.Cli;

public class FailureTests
{
    public static TheoryData<Exception, string> Errors => new()
    {
        { new ArgumentException("--from is after --to"), "--from is after --to" },
        { new ArgumentException("a rank of 0, expected 1 or more", "rank"), "a rank of 0, expected 1 or more" },
        { new ArgumentOutOfRangeException("rank", 0, "Rank is 0, expected 1 or more."), "Rank is 0, expected 1 or more." },
        { new IOException("the file is gone"), "the file is gone" },
        { new InvalidOperationException("odd\nand more"), "InvalidOperationException: odd and more (--verbose shows where)" },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void An_error_is_one_line_and_names_its_type_only_where_it_is_nobodys_input(Exception error, string line) => Assert.Equal(line, Failure.Describe(error));
}
