namespace CoPe.Tests;

public sealed class ProcessLimitsTests
{
    const long Megabyte = 1 << 20;

    [Fact]
    public void This_process_is_not_limited_too_much()
    {
        Assert.Null(ProcessLimits.FindProblem());
        ProcessLimits.CheckAddressSpace();
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(256L, 64 * Megabyte, null)]
    [InlineData(255L, null, "only 255 files may be open")]
    [InlineData(1024L, (64 * Megabyte) - 1, "files may have no more than 63 MB")]
    public void A_limit_that_is_too_low_is_named(long? openFiles, long? fileBytes, string? problem)
    {
        var found = ProcessLimits.Check(openFiles, fileBytes);

        Assert.Equal(problem is null, found is null);
        Assert.StartsWith(problem ?? "", found ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_address_space_is_named_with_what_to_do()
    {
        Assert.Null(ProcessLimits.CheckAddressSpace(null));
        Assert.Null(ProcessLimits.CheckAddressSpace(6144 * Megabyte));
        Assert.Contains(
            "limited to 4,096 MB (ulimit -v)",
            ProcessLimits.CheckAddressSpace(4096 * Megabyte),
            StringComparison.Ordinal
        );
    }
}
