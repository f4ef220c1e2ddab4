using System.Net;
using CoPe.Cli.Http;

namespace CoPe.Cli.Tests.Http;

public class RetryAdviceTests
{
    [Theory]
    [InlineData(408, true)]
    [InlineData(409, true)]
    [InlineData(429, true)]
    [InlineData(500, true)]
    [InlineData(502, true)]
    [InlineData(503, true)]
    [InlineData(504, true)]
    [InlineData(529, true)]
    [InlineData(501, false)]
    [InlineData(505, false)]
    [InlineData(511, false)]
    [InlineData(400, false)]
    [InlineData(401, false)]
    [InlineData(403, false)]
    [InlineData(404, false)]
    [InlineData(407, false)]
    [InlineData(413, false)]
    [InlineData(422, false)]
    [InlineData(400, true, "x-should-retry", "true")]
    [InlineData(429, false, "x-should-retry", "false")]
    [InlineData(503, true, "x-should-retry", "perhaps")]
    public void What_may_pass_is_tried_again(int status, bool expected, params string[] headers) =>
        Assert.Equal(expected, RetryAdvice.IsTransient(Reply(status, headers)));

    [Theory]
    [InlineData(429, 17.0, "Retry-After", "17")]
    [InlineData(503, 1.5, "Retry-After", "1.5")]
    [InlineData(503, 0.0, "Retry-After", "0")]
    [InlineData(503, 0.0, "Retry-After", "-5")]
    [InlineData(503, 40.0, "Retry-After", "Wed, 21 Oct 2026 07:28:40 GMT", "Date", "Wed, 21 Oct 2026 07:28:00 GMT")]
    [InlineData(503, 0.0, "Retry-After", "Wed, 21 Oct 2026 07:28:00 GMT", "Date", "Wed, 21 Oct 2026 07:28:40 GMT")]
    [InlineData(503, 60.0, "Retry-After", "Thu, 01 Jan 2026 00:01:00 GMT")] // by the clock here
    [InlineData(429, 0.25, "Retry-After-Ms", "250", "Retry-After", "17")]
    [InlineData(429, 56.0, "RateLimit", "\"resolvers\";r=0;t=55")]
    [InlineData(503, null, "RateLimit", "\"resolvers\";r=0;t=55")]
    [InlineData(503, 31536000.0, "Retry-After", "99999999999999999999999")]
    [InlineData(503, 31536000.0, "Retry-After", "1e300")]
    [InlineData(503, null, "Retry-After", "NaN")]
    [InlineData(503, null, "Retry-After", "soon")]
    [InlineData(503, null)]
    public void The_servers_delay_is_read_in_every_form(int status, double? seconds, params string[] headers) =>
        Assert.Equal(seconds, RetryAdvice.ReadDelay(Reply(status, headers), new NewYear())?.TotalSeconds);

    static HttpResponseMessage Reply(int status, string[] headers)
    {
        var reply = new HttpResponseMessage((HttpStatusCode)status);
        foreach (var pair in headers.Chunk(2))
        {
            reply.Headers.TryAddWithoutValidation(pair[0], pair[1]);
        }

        return reply;
    }

    sealed class NewYear : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    }
}
