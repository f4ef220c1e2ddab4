namespace CoPe.Tests;

public class HouseTests
{
    [Fact]
    public void Torch_loads_and_adds() => Assert.Equal(3f, TorchSharp.torch.ones(3).sum().item<float>());
}
