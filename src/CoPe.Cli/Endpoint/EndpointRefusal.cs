using System.Net;

namespace CoPe.Cli.Endpoint;

/// <summary>A refusal of an endpoint that sending the same request again does not change.</summary>
/// <param name="status">The status.</param>
/// <param name="code">The endpoint's name for the error; empty where it has none.</param>
/// <param name="reason">Its words, fit for a message.</param>
sealed class EndpointRefusal(HttpStatusCode status, string code, string reason)
    : Exception(reason.Length > 0 ? $"status {(int)status}: {reason}" : $"status {(int)status}")
{
    /// <summary>The endpoint's words.</summary>
    public string Reason => reason;

    /// <summary>Whether it may be meant of a field that the endpoint does not take.</summary>
    public bool MayBeOfAField =>
        status is HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableContent or HttpStatusCode.NotImplemented;

    /// <summary>Whether it stays whatever the status promises: a quota does not come back by waiting.</summary>
    public bool IsFinal => code is "insufficient_quota" or "billing_hard_limit_reached";

    bool IsOfLength => status == HttpStatusCode.RequestEntityTooLarge || code == "context_length_exceeded";

    /// <summary>Whether a filter objects to this prompt or to what the model would answer it.</summary>
    public bool IsOfContent => code is "content_filter" or "content_policy_violation";

    /// <summary>The refusal and what to do, for a person.</summary>
    public string Describe(EndpointOptions options) =>
        $"endpoint {options.Address} refuses the request for model '{options.Model}' with {Message}{Advise(options)}";

    string Advise(EndpointOptions options) =>
        status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden when options.ApiKey is null =>
                $": set {options.KeyVariable} to a key",
            HttpStatusCode.Unauthorized => $": check the key in {options.KeyVariable}",
            HttpStatusCode.Forbidden =>
                $": check what the key in {options.KeyVariable} may use, and whether a firewall stands in between",
            HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed =>
                ": check --endpoint, up to and including the version as in /v1, and --endpoint-model",
            HttpStatusCode.ProxyAuthenticationRequired =>
                ": a proxy wants a user and a password; put them into HTTP_PROXY and HTTPS_PROXY, "
                    + "as in http://user:password@proxy:8080",
            _ when IsOfLength => ": the prompts are longer than it takes; lower sft.max_words",
            _ when IsFinal => ": its quota is used up",
            _ => "",
        };
}
