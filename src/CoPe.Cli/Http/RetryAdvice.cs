using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace CoPe.Cli.Http;

/// <summary>What a reply's status and headers say about sending the request again.</summary>
static partial class RetryAdvice
{
    /// <summary>
    /// Whether the same request may be answered later: the server says so (<c>x-should-retry</c>), or it timed out,
    /// collided with another one, came too often, or met an error of the server's own.
    /// </summary>
    public static bool IsTransient(HttpResponseMessage response) =>
        FindHeader(response.Headers, "x-should-retry") switch
        {
            "true" => true,
            "false" => false,
            _ => response.StatusCode switch
            {
                HttpStatusCode.RequestTimeout or HttpStatusCode.Conflict or HttpStatusCode.TooManyRequests => true,
                HttpStatusCode.NotImplemented or HttpStatusCode.HttpVersionNotSupported => false,
                HttpStatusCode.NetworkAuthenticationRequired => false,
                var status => status >= HttpStatusCode.InternalServerError,
            },
        };

    /// <summary>
    /// How long the server wants to be left alone: <c>Retry-After-Ms</c>, <c>Retry-After</c> in seconds or as a date by
    /// the server's own clock, or the end of a used up <c>RateLimit</c>; null where it does not say.
    /// </summary>
    public static TimeSpan? ReadDelay(HttpResponseMessage response, TimeProvider time)
    {
        var headers = response.Headers;
        if (ReadNumber(FindHeader(headers, "Retry-After-Ms")) is { } milliseconds)
        {
            return ToDelay(milliseconds / 1000);
        }

        if (FindHeader(headers, "Retry-After") is { } value)
        {
            return ReadNumber(value) is { } seconds ? ToDelay(seconds)
                : headers.RetryAfter?.Date is { } date
                    ? ToDelay((date - (headers.Date ?? time.GetUtcNow())).TotalSeconds)
                : null;
        }

        var isUsedUp = response.StatusCode == HttpStatusCode.TooManyRequests;
        var reset = RateLimitReset().Match(isUsedUp ? FindHeader(headers, "RateLimit") ?? "" : "");
        return reset.Success ? ToDelay(ReadNumber(reset.Groups[1].Value)!.Value + 1) : null;
    }

    static TimeSpan ToDelay(double seconds) =>
        TimeSpan.FromSeconds(Math.Clamp(seconds, 0, TimeSpan.SecondsPerDay * 365.0));

    static double? ReadNumber(string? text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && !double.IsNaN(number)
            ? number
            : null;

    static string? FindHeader(HttpResponseHeaders headers, string name) =>
        headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    /// <summary>Seconds until the window ends, as in <c>"api";r=0;t=55</c>.</summary>
    [GeneratedRegex(@";\s*t=(\d{1,9})\b")]
    private static partial Regex RateLimitReset();
}
