using Microsoft.Extensions.Logging;

namespace CoPe.Testing;

/// <summary>Keeps what is logged, from any thread.</summary>
public sealed class RecordingLogger : ILogger
{
    readonly Lock _lock = new();
    readonly List<LoggedMessage> _messages = [];

    /// <summary>All messages so far, in the order in which they came.</summary>
    public IReadOnlyList<LoggedMessage> Messages
    {
        get
        {
            lock (_lock)
            {
                return [.. _messages];
            }
        }
    }

    /// <summary>The texts of all messages.</summary>
    public IReadOnlyList<string> Texts => [.. Messages.Select(message => message.Text)];

    /// <summary>The texts of the warnings alone.</summary>
    public IReadOnlyList<string> Warnings =>
        [.. Messages.Where(message => message.Level == LogLevel.Warning).Select(message => message.Text)];

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => true;

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        var message = new LoggedMessage(logLevel, formatter(state, exception));
        lock (_lock)
        {
            _messages.Add(message);
        }
    }
}

/// <summary>A message as it was logged.</summary>
public readonly record struct LoggedMessage(LogLevel Level, string Text);
