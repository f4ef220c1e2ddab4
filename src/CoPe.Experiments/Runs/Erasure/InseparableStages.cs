namespace CoPe.Experiments.Runs.Erasure;

/// <summary>Finds the stages that an erasure removes as a whole.</summary>
/// <param name="pipeline">The stages.</param>
/// <param name="context">The run.</param>
/// <param name="users">Its users.</param>
sealed class InseparableStages(Pipeline pipeline, StageContext context, RunUsers users)
{
    readonly RunDirectory _run = context.Run;

    /// <summary>
    /// Stages whose outputs hold a user inseparably, and those built on them: the model trained on everyone, adapters
    /// of others trained against a text of the user, and without the data predictions that cannot be attributed. Stages
    /// that are rebuilt from what is left are none of them.
    /// </summary>
    /// <param name="leaving">The users.</param>
    /// <param name="earlier">The record of an erasure that was interrupted; null for none.</param>
    public List<Stage> Find(IReadOnlyList<UserIdentity> leaving, ErasureJournal? earlier)
    {
        var found = pipeline.Stages.Where(stage => earlier?.Removed.Contains(stage.Name) == true).ToHashSet();
        foreach (var user in leaving)
        {
            var direct = pipeline.Stages.Where(stage => stage.Outputs(_run).Any(one => one.IsInseparableFrom(user)));
            found.UnionWith(direct);
        }

        if (BorrowedNegatives.AreUnattributed(_run))
        {
            found.UnionWith(pipeline.Stages.Where(stage => stage.Id == StageId.SampleNegatives));
        }

        AddDependent(found);
        if (users.Data is null && users.FindUnattributedQueries().Any())
        {
            found.UnionWith(pipeline.Stages.Where(stage => stage.Outputs(_run).OfType<UserPredictions>().Any()));
        }

        return [.. found];
    }

    /// <summary>Adds the stages that are built on others, whatever the recipe says now.</summary>
    void AddDependent(HashSet<Stage> found)
    {
        // Stages are in order: whatever one is built on comes before it.
        foreach (var stage in pipeline.Stages.Where(stage => !HoldsFigures(stage, _run)))
        {
            var ids = found.Select(one => one.Id).ToHashSet();
            if (stage.Needs(context.Recipe).Any(ids.Contains))
            {
                found.Add(stage);
            }
        }
    }

    /// <summary>Whether a stage writes figures over all users, which are made again from what is left.</summary>
    public static bool HoldsFigures(Stage stage, RunDirectory run) => stage.Outputs(run).OfType<UserFigures>().Any();
}
