using CoPe.Tokens;

namespace CoPe.Training;

/// <summary>Preference optimisation of the users' supervised adapters, several at once. Adapters drop nothing here, as in the reference.</summary>
public sealed class DpoRun : AdapterTrainingRun<PreferenceExample>
{
    /// <summary>Loss and reference policy.</summary>
    public DpoOptions Dpo { get; init; } = new();
}
