using System.Security.Cryptography;
using System.Text;
using CoPe.Experiments.Data.Samples;

namespace CoPe.Experiments.Tests.Data.Samples;

/// <summary>
/// The bytes that a seed gives: tables that name one stay reproducible. A change here is a change of all sample data,
/// and so of the demo's table.
/// </summary>
public sealed class SampleSeedTests
{
    [Theory]
    [InlineData(1, "8ea291efc31e1086b8a66609ba64fa7cff57c5219bfb34fe31dbb9d70057ff76")]
    [InlineData(2, "333df162888b4706096237d0a566b856fdd0e53b3cc3daea9f9be1d80d3954e5")]
    [InlineData(9, "2a49d3d45c95b63ed2fba878eea78d7fba611702b66d250e488a76f45844bb8e")]
    [InlineData(42, "58bf5271b90130a9ab4789d44245ca2121ef11c0e46b117391d9e24219bf6624")]
    public void A_seed_gives_the_bytes_that_it_has_always_given(ulong seed, string sha256)
    {
        var folder = Directory.CreateTempSubdirectory("cope-sample-").FullName;
        try
        {
            SampleData.Write(
                folder,
                new()
                {
                    Seed = seed,
                    Users = 3,
                    OtherUsers = 4,
                    QueriesPerUser = 2,
                    Documents = 20,
                    Instructions = 60,
                },
                cancellation: TestContext.Current.CancellationToken
            );
            Assert.Equal(sha256, ComputeHash(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>SHA-256 over name and bytes of every file, in the order of their names.</summary>
    static string ComputeHash(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var files = Directory
            .GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => (Name: Path.GetRelativePath(folder, file).Replace('\\', '/'), Path: file))
            .OrderBy(file => file.Name, StringComparer.Ordinal);
        foreach (var file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(file.Name + "\0"));
            hash.AppendData(File.ReadAllBytes(file.Path));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
