using System.Net;
using CoPe.Cli.Endpoint;
using CoPe.Cli.Failures;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Endpoint;

public class EndpointAddressTests
{
    [Theory]
    [InlineData("http://there/v1", "http://there/v1/chat/completions", "http://there/v1")]
    [InlineData("http://there/v1/", "http://there/v1/chat/completions", "http://there/v1")]
    [InlineData("http://there", "http://there/chat/completions", "http://there")]
    [InlineData(
        "https://there:8443/a%20b/v1",
        "https://there:8443/a%20b/v1/chat/completions",
        "https://there:8443/a%20b/v1"
    )]
    [InlineData("http://there/v1#part", "http://there/v1/chat/completions", "http://there/v1")]
    [InlineData("http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions", "http://[::1]:8000/v1")]
    [InlineData(
        "https://me.openai.azure.com/openai/deployments/tam?api-version=2024-10-21",
        "https://me.openai.azure.com/openai/deployments/tam/chat/completions?api-version=2024-10-21",
        "https://me.openai.azure.com/openai/deployments/tam?api-version=2024-10-21"
    )]
    [InlineData(
        "https://there/v1/?key=s3cret&api-version=1&flag",
        "https://there/v1/chat/completions?key=s3cret&api-version=1&flag",
        "https://there/v1?key=...&api-version=1&..."
    )]
    public void The_path_is_joined_the_query_stays_behind_it_and_what_may_be_a_key_is_not_shown(
        string address,
        string joined,
        string shown
    )
    {
        var parsed = EndpointAddress.Parse(address);
        Assert.Equal(joined, parsed.Join("chat/completions").AbsoluteUri);
        Assert.Equal(shown, parsed.ToString());
    }

    [Theory]
    [InlineData("localhost:8000/v1")]
    [InlineData("ftp://there/v1")]
    [InlineData("/v1")]
    [InlineData("")]
    [InlineData("http://me:s3cret@there/v1")]
    public void What_is_no_base_address_is_refused_without_a_password_shown(string address) =>
        Assert.DoesNotContain(
            "s3cret",
            Assert.Throws<UsageException>(() => EndpointAddress.Parse(address)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("http://there/v1", "Authorization", "Bearer sk-12345678")]
    [InlineData("http://there/openai?api-version=1", "api-key", "sk-12345678")]
    [InlineData("http://there/openai?API-Version=1", "api-key", "sk-12345678")]
    public void The_key_goes_into_the_header_that_the_endpoint_reads(string address, string header, string value)
    {
        using var endpoint = new FakeEndpoint((_, _) => FakeEndpoint.Texts("a", "b", "c"))
        {
            Address = address,
            ApiKey = "sk-12345678",
        };
        endpoint.Sample([FakeEndpoint.Item(1)]);
        Assert.Equal(value, Assert.Single(endpoint.Headers[0].GetValues(header)));
        Assert.DoesNotContain(
            endpoint.Headers[0],
            pair => pair.Key is "api-key" or "Authorization" && pair.Key != header
        );
    }

    [Theory]
    [InlineData(307, "/v2/completions", "http://there/v2/completions")]
    [InlineData(308, "http://there:80/v2/completions?x=1", "http://there/v2/completions?x=1")]
    public void A_redirect_within_the_server_is_followed_with_the_request(int status, string location, string target)
    {
        using var endpoint = new FakeEndpoint(
            (number, _) => number == 0 ? Redirect(status, location) : FakeEndpoint.Texts("a", "b", "c")
        )
        {
            ApiKey = "sk-12345678",
        };
        Assert.Equal(["a", "b", "c"], endpoint.Sample([FakeEndpoint.Item(1)])[0].Texts);
        Assert.Equal(target, endpoint.Addresses[1].AbsoluteUri);
        Assert.Equal(endpoint.Bodies[0].ToJsonString(), endpoint.Bodies[1].ToJsonString());
        Assert.Equal("Bearer sk-12345678", endpoint.Headers[1].Authorization!.ToString());
    }

    [Theory]
    [InlineData(307, "http://elsewhere/v1/completions?key=sk-12345678", "to http://elsewhere/v1/completions, where")]
    [InlineData(307, "//elsewhere/v1", "to http://elsewhere/v1, where")]
    [InlineData(308, "https://there/v1/completions", "to https://there/v1/completions, where")]
    [InlineData(307, "http://there:81/v1", "to http://there:81/v1, where")]
    [InlineData(307, "http://there@elsewhere/v1", "elsewhere/v1, where")]
    [InlineData(307, "http://there.elsewhere/sk-12345678", "to http://there.elsewhere/(secret), where")]
    [InlineData(307, "file:///etc/passwd", "file:///etc/passwd, where")]
    [InlineData(301, "/v1/completions/", "with status 301 to http://there/v1/completions/, where")]
    [InlineData(303, "/v1/completions/", "with status 303")]
    [InlineData(307, null, "without an address")]
    public void A_redirect_to_elsewhere_is_refused_by_name_and_nothing_is_sent_there(
        int status,
        string? location,
        string expected
    )
    {
        using var endpoint = new FakeEndpoint((_, _) => Redirect(status, location)) { ApiKey = "sk-12345678" };
        var error = Assert.Throws<RunException>(() => endpoint.Sample([FakeEndpoint.Item(1)]));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-12345678", error.Message, StringComparison.Ordinal);
        Assert.Equal("there", Assert.Single(endpoint.Addresses).Host);
    }

    [Fact]
    public void Redirects_without_end_are_not_followed_for_ever()
    {
        using var endpoint = new FakeEndpoint((number, _) => Redirect(307, $"/v{number}"));
        var error = Assert.Throws<RunException>(() => endpoint.Sample([FakeEndpoint.Item(1)]));
        Assert.Contains(
            "redirects more than 5 times, last to http://there/v5",
            error.Message,
            StringComparison.Ordinal
        );
    }

    static HttpResponseMessage Redirect(int status, string? location)
    {
        var reply = FakeEndpoint.Json("", (HttpStatusCode)status);
        reply.Headers.TryAddWithoutValidation("Location", location);
        return reply;
    }
}
