using CoPe.Experiments.Evaluation;

namespace CoPe.Experiments.Tests.Evaluation;

public class MetricValuesTests
{
    static readonly KeyValuePair<string, double>[] Pairs = [new("rouge-l", 0.5), new("meteor", double.NaN)];

    [Fact]
    public void Values_are_found_by_name_and_listed_in_their_order()
    {
        var values = new MetricValues(Pairs);

        Assert.Equal(Pairs, values);
        Assert.Equal(["rouge-l", "meteor"], values.Keys);
        Assert.Equal(0.5, values["rouge-l"]);
        Assert.True(values.ContainsKey("meteor"));
        Assert.False(values.TryGetValue("bleu", out _));
        Assert.Throws<KeyNotFoundException>(() => values["bleu"]);
    }

    [Fact]
    public void Equal_names_are_kept_once() =>
        Assert.Same(
            new MetricValues(Pairs).Keys,
            new MetricValues([new(new string("rouge-l"), 1), new("meteor", 2)]).Keys
        );

    [Fact]
    public void There_may_be_none() => Assert.Empty(new MetricValues([]));
}
