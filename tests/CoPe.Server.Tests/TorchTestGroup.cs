namespace CoPe.Server.Tests;

/// <summary>Servers run one after the other: each uses all cores.</summary>
[CollectionDefinition("torch", DisableParallelization = true)]
public sealed class TorchTestGroup;
