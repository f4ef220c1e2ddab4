using System.Security.Cryptography;
using CoPe.Experiments.Runs;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

public sealed class FileHashesTests : IDisposable
{
    static readonly DateTime Time = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    readonly TemporaryFolder _folder = new();

    string Store => _folder.At("hashes.json");

    string Input => _folder.At("model.safetensors");

    public void Dispose() => _folder.Dispose();

    string Hash()
    {
        var hashes = new FileHashes(Store);
        var hash = hashes.ComputeHash(Input);
        hashes.Save();
        return hash;
    }

    string Write(byte[] bytes)
    {
        File.WriteAllBytes(Input, bytes);
        File.SetLastWriteTimeUtc(Input, Time);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(32 * 4096)]
    [InlineData(32 * 4096 + 1)]
    [InlineData(1_000_003)]
    public void The_hash_is_that_of_the_whole_content_and_is_the_same_when_it_is_remembered(int length)
    {
        var expected = Write(Bytes(length, 1));

        Assert.Equal(expected, Hash());
        Assert.Equal(expected, Hash());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(32 * 4096)]
    [InlineData(1_000_003)]
    public void Other_content_of_the_same_size_and_time_has_another_hash(int length)
    {
        var first = Write(Bytes(length, 1));
        Assert.Equal(first, Hash());

        var second = Write(Bytes(length, 2));

        Assert.Equal(second, Hash());
        Assert.NotEqual(first, second);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_002)]
    public void A_change_of_the_first_or_the_last_byte_of_a_large_file_is_noticed(int position)
    {
        var bytes = Bytes(1_000_003, 1);
        Write(bytes);
        Hash();

        bytes[position] ^= 1;

        Assert.Equal(Write(bytes), Hash());
    }

    [Fact]
    public void A_large_file_of_the_same_size_time_and_sample_is_not_read_whole_again()
    {
        var bytes = Bytes(1_000_003, 1);
        var first = Write(bytes);
        Hash();

        bytes[5000] ^= 1; // between the first two sampled blocks
        Write(bytes);

        Assert.Equal(first, Hash());
    }

    [Fact]
    public void Within_a_command_a_file_has_the_hash_of_the_first_look()
    {
        var hashes = new FileHashes(Store);
        var first = Write(Bytes(10, 1));
        Assert.Equal(first, hashes.ComputeHash(Input));

        Write(Bytes(10, 2));

        Assert.Equal(first, hashes.ComputeHash(Input));
        Assert.NotEqual(first, Hash());
    }

    [Fact]
    public void A_file_that_is_not_what_was_hashed_or_changes_while_it_is_read_is_refused()
    {
        Write(Bytes(10, 1));
        var read = new FileHashes(Store);
        Assert.Throws<RunException>(() => read.ReadUnchanged([Input], () => Write(Bytes(10, 2))));

        var hashed = new FileHashes(Store);
        hashed.ComputeHash(Input);
        Write(Bytes(10, 3));
        Assert.Throws<RunException>(() => hashed.ReadUnchanged([Input], () => 1));

        var late = new FileHashes(Store);
        Assert.Equal(1, late.ReadUnchanged([Input], () => 1));
        Write(Bytes(10, 4));
        Assert.Throws<RunException>(() => late.ComputeHash(Input));
    }

    [Fact]
    public void Files_of_a_folder_that_moves_keep_the_hash_of_what_was_read()
    {
        var hashes = new FileHashes(Store);
        var file = _folder.Write("before/data/users.json", "one");
        var hash = hashes.ComputeHash(file);
        Directory.Move(_folder.At("before"), _folder.At("after"));

        hashes.Follow(_folder.At("before"), _folder.At("after"));
        _folder.Write("after/data/users.json", "other");

        Assert.Equal(hash, hashes.ComputeHash(_folder.At("after/data/users.json")));
    }

    [Fact]
    public void What_is_remembered_of_files_under_a_name_can_be_removed()
    {
        var hashes = new FileHashes(Store);
        foreach (var user in (string[])["ada", "bob"])
        {
            hashes.ComputeHash(_folder.Write($"adapters/{user}/weights", user));
        }
        hashes.Save();

        FileHashes.Remove(Store, new HashSet<string> { "ada" });

        var remembered = Assert.Single(FileHashes.Load(Store)).Key;
        Assert.Contains(_folder.At("adapters/bob/weights"), remembered, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_written_until_it_is_saved()
    {
        Write(Bytes(10, 1));

        new FileHashes(Store).ComputeHash(Input);

        Assert.False(File.Exists(Store));
    }

    [Fact]
    public void A_damaged_store_is_replaced()
    {
        var expected = Write(Bytes(10, 1));
        File.WriteAllText(Store, "{\"cut");

        Assert.Equal(expected, Hash());
        Assert.Contains(expected, File.ReadAllText(Store), StringComparison.Ordinal);
    }
}
