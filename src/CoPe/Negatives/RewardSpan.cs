namespace CoPe.Negatives;

/// <summary>Which tokens the implicit reward counts.</summary>
public enum RewardSpan
{
    /// <summary>The answer's own, under the chat template of training.</summary>
    Response,

    /// <summary>Prompt and answer as raw text, as the reference code does.</summary>
    PromptAndResponse,
}
