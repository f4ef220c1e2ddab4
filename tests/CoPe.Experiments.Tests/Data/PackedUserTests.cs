using CoPe.Experiments.Data;

namespace CoPe.Experiments.Tests.Data;

public class PackedUserTests
{
    static LampUser CreateUser(string text) =>
        new()
        {
            Id = "ann",
            Name = "Ann",
            History =
            [
                new()
                {
                    Id = "1",
                    Fields = new Dictionary<string, string> { ["title"] = text, ["abstract"] = "" },
                },
                new() { Id = "", Fields = new Dictionary<string, string>() },
            ],
            Queries =
            [
                new()
                {
                    Id = "q",
                    Input = text + text,
                    Gold = text,
                },
                new() { Id = "r", Input = "" },
            ],
        };

    [Theory]
    [InlineData("")]
    [InlineData("plain")]
    [InlineData("line\nline\0 é 漢字 👍🏽")]
    public void A_packed_user_reads_as_before(string text)
    {
        var user = CreateUser(text);

        var packed = PackedUser.Pack(user);

        Assert.NotSame(user.History, packed.History);
        AssertSame(user, packed);
        AssertSame(user, PackedUser.Pack(packed));
        Assert.Same(packed.History, PackedUser.Pack(packed).History);
    }

    [Fact]
    public void Any_item_is_read_alone()
    {
        var packed = PackedUser.Pack(CreateUser("text"));

        Assert.Equal("", packed.History[1].Id);
        Assert.Equal("texttext", packed.Queries[0].Input);
        Assert.Equal("r", packed.Queries[1].Id);
        Assert.Equal("text", packed.History[0].Fields["title"]);
    }

    [Fact]
    public void A_text_with_half_a_character_is_kept_as_it_is()
    {
        var user = CreateUser("half \ud83d");

        AssertSame(user, PackedUser.Pack(user));
    }

    static void AssertSame(LampUser expected, LampUser found)
    {
        Assert.Equal((expected.Id, expected.Name), (found.Id, found.Name));
        Assert.Equal(expected.Queries, found.Queries);
        Assert.Equal(expected.History.Select(item => item.Id), found.History.Select(item => item.Id));
        Assert.Equal(
            expected.History.Select(item => item.Fields.ToArray()),
            found.History.Select(item => item.Fields.ToArray())
        );
    }
}
