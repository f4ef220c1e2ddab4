using System.Text;
using CoPe.Cli.Hub;

namespace CoPe.Cli.Tests.Hub;

public class BlobHashTests
{
    [Theory]
    [InlineData("", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")] // git hash-object of an empty file
    [InlineData("hello\n", "ce013625030ba8dba906f756967f9e9ca394464a")] // and of echo hello
    [InlineData("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")] // FIPS 180-2, B.1
    public void The_hash_is_the_one_that_an_ETag_of_its_length_names(string text, string etag)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        using var hash = new BlobHash(etag, bytes.Length);
        hash.Add("something before"u8);
        hash.Restart();
        hash.Add(bytes.AsSpan(0, bytes.Length / 2));
        hash.Add(bytes.AsSpan(bytes.Length / 2));
        Assert.Null(hash.FindMismatch());
    }

    [Fact]
    public void Other_bytes_have_another_hash_and_other_ETags_name_none()
    {
        using var hash = new BlobHash("ce013625030ba8dba906f756967f9e9ca394464a", 6);
        hash.Add("hallo\n"u8);
        Assert.Equal(40, hash.FindMismatch()?.Length);
        // The ETag of an upload in parts.
        using var unknown = new BlobHash("3f786850e387550fdab836ed7e6dc881de23001b-2", 6);
        unknown.Add("hallo\n"u8);
        Assert.Null(unknown.FindMismatch());
    }
}
