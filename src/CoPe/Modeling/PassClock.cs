using System.Diagnostics;

namespace CoPe.Modeling;

/// <summary>Adds up where the time of passes goes: at any moment one section is running, and one entered inside another interrupts it, so that the times add up to the whole. For one thread.</summary>
public sealed class PassClock
{
    readonly Dictionary<string, TimeSpan> times = new(StringComparer.Ordinal);
    string? running;
    long since;

    /// <summary>Time of each section so far.</summary>
    public IReadOnlyDictionary<string, TimeSpan> Times => times;

    /// <summary>Runs a section until the result is disposed of, then goes on with the one it interrupted.</summary>
    public Section Enter(string section) => new(this, Switch(section));

    string? Switch(string? next)
    {
        var now = Stopwatch.GetTimestamp();
        if (running is not null) times[running] = times.GetValueOrDefault(running) + Stopwatch.GetElapsedTime(since, now);
        (var before, running, since) = (running, next, now);
        return before;
    }

    /// <summary>A section that runs; the default value is none.</summary>
    public readonly struct Section : IDisposable
    {
        readonly PassClock? clock;
        readonly string? before;

        internal Section(PassClock clock, string? before) => (this.clock, this.before) = (clock, before);

        /// <summary>Ends the section.</summary>
        public void Dispose() => clock?.Switch(before);
    }
}
