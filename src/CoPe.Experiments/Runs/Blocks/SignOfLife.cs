using System.ComponentModel;
using System.Text.Json;

namespace CoPe.Experiments.Runs.Blocks;

/// <summary>
/// Who is at work in a block, renewed every half minute. That it changes is the sign; its time is shown and never
/// compared, for clocks of machines differ.
/// </summary>
sealed record SignOfLife
{
    static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    /// <summary>Name of the machine.</summary>
    public required string Host { get; init; }

    /// <summary>Number of the process there.</summary>
    public required int Process { get; init; }

    /// <summary>The job of a scheduler; null outside of one.</summary>
    public string? Job { get; init; }

    /// <summary>The stage at work; null before the first.</summary>
    public string? Stage { get; init; }

    /// <summary>When the work began, by the machine's clock.</summary>
    public required DateTimeOffset Started { get; init; }

    /// <summary>When this was written, by the machine's clock.</summary>
    public required DateTimeOffset Written { get; init; }

    /// <summary>How often it was renewed.</summary>
    public int Count { get; init; }

    /// <summary>The sign in a block's folder; null where there is none, or it is being replaced.</summary>
    public static SignOfLife? Read(RunDirectory block)
    {
        try
        {
            return RunJson.TryRead<SignOfLife>(block.SignOfLife, Options);
        }
        catch (IOException)
        {
            return null; // The folder was renamed meanwhile.
        }
    }

    /// <summary>Writes it into a block's folder.</summary>
    public void Write(RunDirectory block) =>
        AtomicFile.WriteText(block.SignOfLife, JsonSerializer.Serialize(this, Options) + "\n");

    /// <summary>Whether its process was one of this machine and is gone.</summary>
    public bool IsOfEndedProcess()
    {
        if (Host != Environment.MachineName || Process == Environment.ProcessId)
        {
            return false;
        }

        try
        {
            using var process = System.Diagnostics.Process.GetProcessById(Process);
            return process.HasExited;
        }
        catch (ArgumentException)
        {
            return true;
        }
        catch (Win32Exception)
        {
            return false; // Another person's, of which nothing more is known.
        }
    }
}
