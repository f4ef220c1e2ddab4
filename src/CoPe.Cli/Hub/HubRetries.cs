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
                await Wait(what, failures, error.Message, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Waits before the next attempt.</summary>
    /// <exception cref="RunException">There have been enough.</exception>
    public async Task Wait(string what, int failures, string trouble, CancellationToken cancellation)
    {
        if (failures >= settings.Attempts)
            throw new RunException($"{what}: {failures} attempts at {settings.Endpoint.Host} failed, last with: {trouble}. What came is kept: run the same command again and it goes on from there");
        var delay = TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, settings.FirstDelay.Ticks << (failures - 1)));
        log.LogDebug("{What}: {Trouble}; again in {Delay} s", what, trouble, delay.TotalSeconds);
        await Task.Delay(delay, time, cancellation).ConfigureAwait(false);
    }
}
