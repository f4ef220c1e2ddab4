using CoPe.Adapters;
using CoPe.Modeling;

namespace CoPe.Benchmarks;

/// <summary>Adapters of the recipes' shapes that nothing was trained into.</summary>
static class RandomAdapters
{
    static readonly LoraConfig Task = new()
    {
        Rank = 16,
        Alpha = 16,
        TargetModules = ["q_proj", "k_proj", "v_proj", "o_proj"],
    };

    /// <summary>A task's, of the paper's shape; the caller's.</summary>
    public static AdapterBank CreateTask(CausalLm model) => AdapterBank.Create(model.Config, Task, [0]);
}
