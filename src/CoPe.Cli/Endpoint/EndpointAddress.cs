using CoPe.Cli.Failures;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// The base address of an endpoint, up to and including the version, and the query that goes with every request, as
/// Azure's <c>?api-version=...</c>.
/// </summary>
sealed class EndpointAddress
{
    const string VersionParameter = "api-version";

    readonly Uri _url;

    EndpointAddress(Uri url) => _url = url;

    /// <summary>Whether Azure's way of naming versions is used, with which goes its header for the key.</summary>
    public bool HasApiVersion => Parameters.Any(IsVersion);

    IEnumerable<string> Parameters => _url.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries);

    /// <exception cref="UsageException">It is no address, or holds a user or a password.</exception>
    public static EndpointAddress Parse(string text)
    {
        const string Expected = "expected an address such as http://localhost:8000/v1";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            throw new UsageException($"--endpoint is '{text}'; {Expected}");
        }

        return url.UserInfo.Length == 0
            ? new(url)
            : throw new UsageException(
                $"--endpoint holds a user name or a password, which are not sent; {Expected}, and the key in "
                    + "OPENAI_API_KEY"
            );
    }

    /// <summary>The address of an interface, for example <c>chat/completions</c>; the query stays behind it.</summary>
    public Uri Join(string path) =>
        new UriBuilder(_url) { Path = $"{_url.AbsolutePath.TrimEnd('/')}/{path}", Fragment = "" }.Uri;

    /// <summary>Whether another address is of the same server, and as safe on the way.</summary>
    public bool HasSameOrigin(Uri other) =>
        Uri.Compare(
            _url,
            other,
            UriComponents.SchemeAndServer,
            UriFormat.UriEscaped,
            StringComparison.OrdinalIgnoreCase
        ) == 0;

    /// <summary>
    /// The address as it is shown, and written into runs. Of its query only the version is: other parameters may be
    /// keys.
    /// </summary>
    public override string ToString()
    {
        var address = _url.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped);
        var query = string.Join('&', Parameters.Select(ShowParameter));
        return address.TrimEnd('/') + (query.Length > 0 ? $"?{query}" : "");
    }

    static string ShowParameter(string parameter)
    {
        var nameLength = parameter.IndexOf('=', StringComparison.Ordinal) + 1;
        return IsVersion(parameter) ? parameter : parameter[..nameLength] + "...";
    }

    static bool IsVersion(string parameter) =>
        parameter.StartsWith(VersionParameter + "=", StringComparison.OrdinalIgnoreCase);
}
