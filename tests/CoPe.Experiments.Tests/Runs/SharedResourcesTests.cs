using CoPe.Experiments.Runs;

namespace CoPe.Experiments.Tests.Runs;

public class SharedResourcesTests
{
    [Fact]
    public void A_thing_is_made_once_and_disposed_with_the_rest()
    {
        var shared = new SharedResources();
        var made = 0;
        MemoryStream Make()
        {
            made++;
            return new MemoryStream();
        }

        var one = shared.Get("model", Make);
        Assert.Same(one, shared.Get("model", Make));
        Assert.Equal(1, made);
        Assert.Throws<InvalidOperationException>(() => shared.Get("model", () => ""));

        shared.Dispose();
        Assert.False(one.CanRead);
    }

    [Fact]
    public void A_thing_released_is_made_again()
    {
        using var shared = new SharedResources();
        var one = shared.Get("model", () => new MemoryStream());

        shared.Release("model");

        Assert.False(one.CanRead);
        Assert.NotSame(one, shared.Get("model", () => new MemoryStream()));
    }
}
