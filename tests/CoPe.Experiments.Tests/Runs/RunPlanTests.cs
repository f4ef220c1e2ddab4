using CoPe.Experiments.Runs;

namespace CoPe.Experiments.Tests.Runs;

public sealed class RunPlanTests : ToyPipeline
{
    static readonly RunPlan Elsewhere = new()
    {
        Instructions = "abacus",
        VectorBits = 8,
        RowsPerPass = 3,
    };

    RunDirectory Run => new(folder.At("run"));

    [Fact]
    public void The_first_machine_plans_a_run_and_the_next_command_keeps_it()
    {
        pipeline.RunStage(Context(), StageId.TrainTam);
        var plan = Assert.IsType<RunPlan>(RunPlan.Read(Run));
        (plan with { RowsPerPass = 5 }).Write(Run);
        var context = Context();

        pipeline.Run(context);

        Assert.Equal(5, context.Workspace.RowsPerPass);
        Assert.Equal(plan with { RowsPerPass = 5 }, RunPlan.Read(Run));
    }

    [Fact]
    public void A_machine_with_other_instructions_computes_nothing_and_reads_what_is_complete()
    {
        pipeline.RunStage(Context(), StageId.TrainTam);
        Elsewhere.Write(Run);

        var error = Assert.Throws<PlanMismatchException>(() => pipeline.Run(Context()));

        Assert.Contains("instruction set abacus", error.Message, StringComparison.Ordinal);
        Assert.Equal([1, 0, 0], Counts);
        pipeline.RunStage(Context(), StageId.TrainTam); // is complete
        Assert.Equal([1, 0, 0], Counts);
    }

    [Fact]
    public void A_run_of_which_nothing_stays_is_planned_again()
    {
        pipeline.Run(Context());
        Elsewhere.Write(Run);

        Assert.Throws<PlanMismatchException>(() => pipeline.Run(Context("sft.epochs=7")));
        pipeline.Run(Context("tam.epochs=7"));

        Assert.Equal([2, 2, 2], Counts);
        Assert.NotEqual(Elsewhere, RunPlan.Read(Run));
    }

    [Fact]
    public void A_rebuild_that_fails_brings_the_plan_back()
    {
        pipeline.Run(Context());
        Elsewhere.Write(Run);
        second.BeforeExecute = _ => throw new IOException("gone");

        Assert.Throws<IOException>(() => pipeline.Run(Context("tam.epochs=7")));

        Assert.Equal(Elsewhere, RunPlan.Read(Run));
    }
}
