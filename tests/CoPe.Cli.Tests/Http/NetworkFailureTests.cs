using System.Security.Authentication;
using CoPe.Cli.Http;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Http;

public class NetworkFailureTests
{
    static readonly Uri Address = new("https://there:8443/v1");

    [Theory]
    [InlineData(HttpRequestError.NameResolutionError, "the name of there:8443 is not found")]
    [InlineData(HttpRequestError.ConnectionError, "there:8443 does not take the connection (as .NET says)")]
    [InlineData(HttpRequestError.ResponseEnded, "there:8443 ended the connection before its reply did")]
    [InlineData(HttpRequestError.InvalidResponse, "there:8443 does not answer in HTTP (as .NET says)")]
    [InlineData(HttpRequestError.ProxyTunnelError, "no connection to there:8443: check HTTPS_PROXY")]
    [InlineData(HttpRequestError.Unknown, "as .NET says")]
    public void What_may_pass_names_the_cause_and_the_host(HttpRequestError error, string expected)
    {
        var explained = NetworkFailure.Explain(new(error, "as .NET says"), Address);
        Assert.IsType<HttpRequestException>(explained);
        Assert.StartsWith(expected, explained.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_address_of_a_proxy_is_not_shown_as_its_password_may_stand_in_it()
    {
        const string Message =
            "The proxy tunnel request to proxy 'http://me:s3cret@proxy:8080/' failed with status code '407'.";
        var explained = NetworkFailure.Explain(new(HttpRequestError.ProxyTunnelError, Message), Address);
        Assert.DoesNotContain("s3cret", explained.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_that_is_not_accepted_does_not_pass_by_waiting()
    {
        var error = new HttpRequestException(
            HttpRequestError.SecureConnectionError,
            "The SSL connection could not be established, see inner exception.",
            new AuthenticationException("The remote certificate is invalid: NotTimeValid")
        );
        var explained = Assert.IsType<RunException>(NetworkFailure.Explain(error, Address));
        Assert.Contains(
            "there:8443 (The remote certificate is invalid: NotTimeValid)",
            explained.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_named()
    {
        using var http = new HttpClient();
        var address = new Uri("http://localhost:1/v1");
        var error = await Assert.ThrowsAsync<HttpRequestException>(() =>
            http.GetAsync(address, TestContext.Current.CancellationToken)
        );
        Assert.StartsWith(
            "localhost:1 does not take the connection",
            NetworkFailure.Explain(error, address).Message,
            StringComparison.Ordinal
        );
    }
}
