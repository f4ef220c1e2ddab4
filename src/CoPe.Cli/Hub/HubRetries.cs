using CoPe.Runs;
using Microsoft.Extensions.Logging;

namespace CoPe.Cli.Hub;

/// <summary>Asks again, more slowly each time, where the network or the hub fails.</summary>
sealed class HubRetries(HubSettings settings, TimeProvider time, ILogger log)
{
    static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(30);

    /// <summary>The answer of the first attempt that has one.</summary>
    public async Task<T> Ask<T>(string what, Func<Task<T>> ask, CancellationToken cancellation)
    {
        for (var failures = 1; ; failures++)
        {
            try
            {
                return await ask().ConfigureAwait(false);
            }
            catch (HttpRequestException error)
            {
                await Wait(what, failures, error, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits before the next attempt, as long as the server asks for or longer each time.</summary>
    /// <exception cref="RunException">There have been enough, or the server asks for more patience than there is.</exception>
    public async Task Wait(string what, int failures, HttpRequestException trouble, CancellationToken cancellation)
    {
        const string Kept = "What came is kept: run the same command again and it goes on from there";
        if (failures >= settings.Attempts)
            throw new RunException($"{what}: {failures} attempts at {settings.Endpoint.Host} failed, last with: {trouble.Message}. {Kept}");
        var delay = TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, settings.FirstDelay.Ticks << (failures - 1)));
        if ((trouble as HubBusyException)?.RetryAfter is { } asked)
        {
            if (asked > settings.LongestPause)
                throw new RunException($"{what}: {settings.Endpoint.Host} asks to come back in {asked.TotalSeconds:0} s ({trouble.Message}). {Kept}");
            if (asked > delay)
            {
                delay = asked;
                log.LogInformation("{What}: {Trouble}; the hub asks to wait {Delay:0} s", what, trouble.Message, delay.TotalSeconds);
            }
        }
        log.LogDebug("{What}: {Trouble}; again in {Delay} s", what, trouble.Message, delay.TotalSeconds);
        await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
    }
}
