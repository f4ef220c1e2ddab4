namespace CoPe.Tests;

/// <summary>Tests that count living tensors run one after the other.</summary>
[CollectionDefinition("torch", DisableParallelization = true)]
public sealed class TorchTestGroup;
