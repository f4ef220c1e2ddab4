using System.Text.Json;
using CoPe.Json;

namespace CoPe.Experiments.Runs;

/// <summary>
/// Reads the JSON files of a run as records. They may be damaged, or those of a run that somebody else made.
/// </summary>
static class RunJson
{
    /// <summary>The record that a file holds.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How its keys are named.</param>
    /// <param name="advice">What to do where it is none.</param>
    /// <exception cref="RunException">The file is not of this form.</exception>
    public static T Read<T>(string path, JsonSerializerOptions options, string advice)
    {
        try
        {
            return StrictJson.DeserializeFile<T>(path, options);
        }
        catch (InvalidJsonException error)
        {
            throw CreateDamagedError(path, error.Message, advice, error);
        }
    }

    /// <summary>The record that a file holds; null where there is no file, or it holds none.</summary>
    public static T? TryRead<T>(string path, JsonSerializerOptions? options = null)
        where T : class
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            return StrictJson.DeserializeFile<T>(path, options);
        }
        catch (InvalidJsonException)
        {
            return null;
        }
    }

    /// <summary>The error for a file of a run that is not what it should be.</summary>
    public static RunException CreateDamagedError(string path, string problem, string advice, Exception? inner = null)
    {
        var message = $"{path} is damaged ({problem}): {advice}";
        return inner is null ? new(message) : new(message, inner);
    }
}
