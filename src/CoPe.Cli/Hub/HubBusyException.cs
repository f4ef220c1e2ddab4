using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace CoPe.Cli.Hub;

/// <summary>A refusal that may pass, with the wait that the server asks for.</summary>
sealed partial class HubBusyException : HttpRequestException
{
    public HubBusyException(string message, HttpResponseMessage response) : base(message, null, response.StatusCode) => RetryAfter = Asked(response.StatusCode, response.Headers);

    /// <summary>How long to wait, from <c>Retry-After</c>, or else from the hub's <c>RateLimit</c> where that is used up; null: the server does not say.</summary>
    public TimeSpan? RetryAfter { get; }

    static TimeSpan? Asked(HttpStatusCode status, HttpResponseHeaders headers)
    {
        if (headers.RetryAfter is { Delta: { } delta }) return delta;
        // A moment is told by the server's clock, which need not be ours.
        if (headers.RetryAfter is { Date: { } moment } && headers.Date is { } now) return moment > now ? moment - now : TimeSpan.Zero;
        return status == HttpStatusCode.TooManyRequests && headers.TryGetValues("RateLimit", out var limits) && Reset().Match(string.Join(',', limits)) is { Success: true } reset
            && double.TryParse(reset.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < TimeSpan.MaxValue.TotalSeconds ? TimeSpan.FromSeconds(seconds + 1) : null;
    }

    /// <summary>Seconds until the window ends, as in <c>"api";r=0;t=55</c>.</summary>
    [GeneratedRegex(@";\s*t=(\d{1,9})\b")]
    private static partial Regex Reset();
}
