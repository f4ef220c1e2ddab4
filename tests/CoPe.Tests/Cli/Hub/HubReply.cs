using System.Text;

namespace CoPe.Tests.Cli.Hub;

/// <summary>What the small hub answers: a status, headers, a body, and where the connection breaks.</summary>
sealed record HubReply(int Status, byte[] Body, params (string Name, string Value)[] Headers)
{
    /// <summary>Bytes of the body after which the connection is cut; null sends all.</summary>
    public int? BreakAfter { get; init; }

    public static HubReply Refusal(int status, string code, string message) =>
        new(status, Encoding.UTF8.GetBytes($$"""{"error": "{{message}}"}"""), ("X-Error-Code", code), ("X-Error-Message", message), ("Content-Type", "application/json"));

    public static HubReply Redirect(string location, params (string Name, string Value)[] headers) => new(302, [], [("Location", location), .. headers]);
}
