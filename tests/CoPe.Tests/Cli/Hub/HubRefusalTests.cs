namespace CoPe.Tests.Cli.Hub;

[Collection("torch")]
public sealed class HubRefusalTests : IDisposable
{
    const string Secret = "hf_verysecret";

    readonly HubWorld world = new();

    public void Dispose() => world.Dispose();

    [Theory]
    [InlineData(401, "GatedRepo", "Access to model acme/tiny is restricted.", false, "acme/tiny is gated (localhost says: Access to model acme/tiny is restricted): ask for access at ")]
    [InlineData(403, "GatedRepo", "You are not in the authorized list.", true, "acme/tiny is gated, and the account of the token from HF_TOKEN has no access (localhost says: You are not in the authorized list)")]
    [InlineData(401, "RepoNotFound", "Repository not found", false, "the hub has no model acme/tiny, or it is private")]
    [InlineData(404, "RepoNotFound", "Repository not found", true, "or the token from HF_TOKEN may not see it")]
    [InlineData(401, "", "Invalid credentials in Authorization header", true, "the hub refuses acme/tiny to the token from HF_TOKEN (localhost says: Invalid credentials in Authorization header): make a new token")]
    [InlineData(401, "", "Invalid username or password.", false, "the hub refuses acme/tiny without a token (localhost says: Invalid username or password)")]
    [InlineData(404, "RevisionNotFound", "Invalid rev id: main", false, "acme/tiny has no revision 'main'")]
    [InlineData(403, "", "Access to this resource is disabled.", false, "Access to this resource is disabled")]
    [InlineData(404, "", "", false, "the hub has no model acme/tiny or no revision 'main' of it (status 404)")]
    public async Task The_hubs_reason_is_told_with_what_to_do(int status, string code, string reason, bool hasToken, string expected)
    {
        world.Token = hasToken ? Secret : null;
        world.Hub.Instead = (_, _) => HubReply.Refusal(status, code, reason);
        Assert.Contains(expected, await world.Refusal(), StringComparison.Ordinal);
        Assert.Single(world.Hub.Requests); // a refusal is final: asking again would not help
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData(HubWorld.Weights)]
    public async Task A_gated_model_whose_list_is_public_refuses_at_its_files(string file)
    {
        world.Hub.Instead = (request, _) => request.Path.EndsWith("/" + file, StringComparison.Ordinal) ? HubReply.Refusal(403, "GatedRepo", "Ask for access") : null;
        var message = await world.Refusal();
        Assert.Contains("acme/tiny is gated", message, StringComparison.Ordinal);
        if (file == "config.json") Assert.DoesNotContain(world.Hub.Requests, request => request.IsCdn);
    }

    [Fact]
    public async Task No_message_shows_the_token()
    {
        world.Token = Secret;
        foreach (var status in (int[])[401, 403, 404, 500])
        {
            world.Hub.Instead = (_, _) => HubReply.Refusal(status, "", $"Your token {Secret} is not welcome");
            Assert.DoesNotContain(Secret, await world.Refusal(), StringComparison.Ordinal);
        }
    }
}
