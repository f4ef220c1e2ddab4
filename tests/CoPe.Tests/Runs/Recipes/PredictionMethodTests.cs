using CoPe.Runs.Recipes;

namespace CoPe.Tests.Runs.Recipes;

public class PredictionMethodTests
{
    [Fact]
    public void Names_stand_in_table_order_and_unknown_ones_behind_it_by_name() =>
        Assert.Equal(["base", "rag", "sft+cd", "cope", "alpha", "zeta"], PredictionMethod.InTableOrder(["zeta", "cope", "alpha", "sft+cd", "rag", "base"]));

    [Fact]
    public void A_method_that_is_not_known_is_headed_by_its_name()
    {
        Assert.Equal("CoPe", PredictionMethod.TitleOf("cope"));
        Assert.Equal("my model", PredictionMethod.TitleOf("my model"));
    }
}
