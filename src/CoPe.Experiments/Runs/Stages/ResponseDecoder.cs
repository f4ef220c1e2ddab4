using CoPe.Chat;
using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Takes the answers out of what a stage generated, and counts those that end within the model's reasoning: they are
/// empty.
/// </summary>
/// <param name="encoder">The model's way of answering.</param>
sealed class ResponseDecoder(ConversationEncoder encoder)
{
    int _count;
    int _unfinishedCount;

    /// <summary>The answer in generated ids.</summary>
    public string Decode(IEnumerable<int> ids)
    {
        var response = encoder.ParseResponse(ids);
        Interlocked.Increment(ref _count);
        if (response.IsUnfinished)
        {
            Interlocked.Increment(ref _unfinishedCount);
        }

        return response.Answer;
    }

    /// <summary>Says how many answers the stage has lost so.</summary>
    /// <param name="log">The run's log.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="key">The recipe key that limits an answer.</param>
    public void WarnIfUnfinished(ILogger log, string stage, string key)
    {
        if (_unfinishedCount > 0)
        {
            log.LogWarning(
                "{Stage}: {Unfinished} of {Count} answers end within the model's reasoning and are empty; "
                    + "raise {Key}, or take a model that answers without reasoning",
                stage,
                _unfinishedCount,
                _count,
                key
            );
        }
    }
}
