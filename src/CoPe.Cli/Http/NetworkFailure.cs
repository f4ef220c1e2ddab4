using System.Security.Authentication;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Http;

/// <summary>Why no reply came, in words that name the cause and the host.</summary>
static class NetworkFailure
{
    /// <summary>
    /// The error as one that may pass, an <see cref="HttpRequestException"/>, or as one that does not, a
    /// <see cref="RunException"/>.
    /// </summary>
    public static Exception Explain(HttpRequestException error, Uri address)
    {
        var host = address.Authority;
        if (error.InnerException is AuthenticationException refused)
        {
            return new RunException(
                $"no secure connection to {host} ({refused.Message}): check that the address begins with the right one "
                    + "of http and https, and this machine's clock and certificates",
                error
            );
        }

        var route = DescribeRoute(address);
        var cause = error.HttpRequestError switch
        {
            HttpRequestError.ProxyTunnelError =>
                $"no connection to {route}: check HTTPS_PROXY, the user and password in it, and NO_PROXY",
            HttpRequestError.NameResolutionError =>
                $"the name of {route} is not found: check its spelling and the network",
            HttpRequestError.ConnectionError => $"{route} does not take the connection ({error.Message})",
            HttpRequestError.ResponseEnded => $"{host} ended the connection before its reply did",
            HttpRequestError.InvalidResponse => $"{host} does not answer in HTTP ({error.Message})",
            _ => error.Message,
        };
        return new HttpRequestException(error.HttpRequestError, cause, error, error.StatusCode);
    }

    /// <summary>The host, and the proxy in front of it, which may be the one that fails.</summary>
    static string DescribeRoute(Uri address) =>
        HttpClient.DefaultProxy.GetProxy(address) is { } proxy && !HttpClient.DefaultProxy.IsBypassed(address)
            ? $"{address.Authority} (through the proxy {proxy.Authority})"
            : address.Authority;
}
