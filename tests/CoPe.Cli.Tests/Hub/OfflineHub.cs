using CoPe.Cli.Hub;
using CoPe.Testing;

namespace CoPe.Cli.Tests.Hub;

/// <summary>A hub without network and with an empty cache.</summary>
static class OfflineHub
{
    public static HubSettings Create(TemporaryFolder folder) =>
        new()
        {
            Endpoint = new("http://localhost:1/"),
            CacheFolder = folder.At("hub"),
            TokenSource = "HF_TOKEN",
            IsOffline = true,
        };
}
