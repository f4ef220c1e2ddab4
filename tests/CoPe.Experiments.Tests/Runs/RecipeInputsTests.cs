using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Recipes;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Settings;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>Every key of a recipe is known to change results or known not to.</summary>
public sealed class RecipeInputsTests : ToyPipeline
{
    [Fact]
    public void Every_key_is_an_input_of_a_stage_or_counts_by_content_or_changes_speed_only()
    {
        var inputs = RunStages
            .All.SelectMany(stage => SettingsFile.FindLeaves(new Recipe(), stage.RecipeKeys))
            .Select(leaf => leaf.Key)
            .ToHashSet();
        var unnoticed = SettingsFile
            .FindLeaves(new Recipe(), [])
            .Where(leaf => !leaf.IsSpeedOnly && !inputs.Contains(leaf.Key))
            .Where(leaf => !leaf.Property.Property.IsDefined(typeof(CountsByContentAttribute), inherit: true));

        Assert.Empty(unnoticed.Select(leaf => leaf.Key));
    }

    [Fact]
    public void Every_stage_that_computes_depends_on_the_device() =>
        Assert.Equal(
            [StageId.Report],
            RunStages.All.Where(stage => !stage.RecipeKeys.Contains("device")).Select(stage => stage.Id)
        );

    [Fact]
    public void A_run_that_is_continued_on_another_device_is_out_of_date()
    {
        var stage = new ToyStage(StageId.TrainTam, ["task", "device"]);
        var stages = new Pipeline([stage]);
        stages.Run(Context());

        Assert.Equal(StageState.Complete, stages.GetStatus(Context("device=auto"))[0].State);
        var status = stages.GetStatus(Context("device=cpu"))[0];
        Assert.Equal(StageState.Stale, status.State);
        Assert.Equal(["device was not set, is cpu"], status.Reasons);
        stages.Run(Context("device=cpu"));
        Assert.Equal(["device was cpu, is not set"], stages.GetStatus(Context())[0].Reasons);
    }

    [Fact]
    public void A_default_device_is_not_among_the_inputs_so_that_earlier_runs_stay_current() =>
        Assert.Equal(["task"], new Recipe().ListInputs(["task", "device"]).Select(input => input.Key));

    [Fact]
    public void What_is_out_of_range_is_refused_in_code_as_in_a_file()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SftSection { UsersAtOnce = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new Recipe { Users = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new DecodeSection { Decoding = new() { TopP = 2 } });
        Assert.Throws<SettingsException>(() => new Recipe { Predict = [] }.Validate());
        Assert.Throws<SettingsException>(() => Context("predict=[]").Recipe.Validate());
    }

    [Fact]
    public void A_method_requires_what_its_expert_and_its_amateur_are_made_of()
    {
        IEnumerable<StageId> Required(string method, params string[] overrides) =>
            StageId.RequiredBy(PredictionMethod.Find(method).GetRequirements(Context(overrides).Recipe));

        Assert.Empty(Required("base"));
        Assert.Empty(Required("rag"));
        Assert.Equal([StageId.TrainTam], Required("rag", "context.tam=true"));
        Assert.Equal([StageId.WriteProfiles], Required("pag"));
        Assert.Equal([StageId.TrainTamAll], Required("tam-all"));
        Assert.Equal([StageId.TrainTam, StageId.TrainSft], Required("sft+cd"));
        Assert.Equal([StageId.TrainTam, StageId.TrainDpo], Required("cope"));
        Assert.Equal([StageId.TrainTam, StageId.TrainSft, StageId.TrainDpo], Required("cope", "decode.amateur=sft"));
        Assert.Equal([StageId.TrainDpo], Required("cope", "tam.adapter=none"));
        Assert.Empty(Required("tam", "tam.adapter=none"));
    }

    [Fact]
    public void A_recipe_runs_the_stages_that_its_methods_need_and_no_others()
    {
        IEnumerable<StageId> Selected(params string[] overrides) =>
            new Pipeline(RunStages.All).SelectStages(Context(overrides).Recipe).Select(stage => stage.Id);

        var predictBase = StageId.Predict(PredictionMethod.Find("base"));
        Assert.Equal([predictBase, StageId.Evaluate, StageId.Report], Selected("predict=base"));
        Assert.Contains(StageId.SelectNegatives, Selected("predict=cope"));
        Assert.DoesNotContain(StageId.SelectNegatives, Selected("predict=sft+cd"));
        Assert.DoesNotContain(StageId.WriteProfiles, Selected("predict=rag"));
        Assert.DoesNotContain(StageId.TrainTam, Selected("predict=cope", "tam.adapter=none"));
    }
}
