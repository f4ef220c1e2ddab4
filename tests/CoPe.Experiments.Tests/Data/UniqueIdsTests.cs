using CoPe.Experiments.Data;

namespace CoPe.Experiments.Tests.Data;

public class UniqueIdsTests
{
    [Fact]
    public void The_second_of_an_id_gets_a_number_that_nobody_has()
    {
        var ids = new UniqueIds();
        Assert.Equal(
            ["a", "a#2", "a#3", "b", "b#2", "a#4", "a#2#2"],
            ((string[])["a", "a", "a#3", "b", "b", "a", "a#2"]).Select(ids.MakeUnique)
        );
    }
}
