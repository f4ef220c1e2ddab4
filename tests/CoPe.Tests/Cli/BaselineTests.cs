using CoPe.Evaluation;
using CoPe.Runs;

namespace CoPe.Tests.Cli;

/// <summary>The optional methods, each asked for by one flag, on top of a run that is complete.</summary>
[Collection("torch")]
public sealed class BaselineTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public void Every_optional_method_answers_every_query_and_is_measured()
    {
        string[] line = ["run", "recipe.yaml", "--run", "baselines", "--set", "predict=base,recent,rag,pag,tam-all,cope-sft,cope", "--set", "context.profile_tokens=4", "--set", "evaluate.likelihood=false"];
        Assert.True(world.Cope(default, line) == 0, world.Error);

        var results = ResultsFile.ReadJson(world.At("baselines").Results);
        Assert.Equal(["base", "recent", "rag", "pag", "tam-all", "cope-sft", "cope"], results.Keys);
        Assert.All(results.Values, method => Assert.Equal(4, method["rouge-l"].Count));
        Assert.Equal(["1", "2"], JsonLines.Read<Profile>(world.At("baselines").Profiles).Select(profile => profile.User));
        Assert.Contains("TAM-all", world.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void What_does_not_fit_into_the_prompt_is_left_out_and_told()
    {
        // The three items and the query fit into the context of 1,024 tokens beside an answer of 5; beside one of 860 not all of them do, but the query does.
        string[] line = ["predict", "recipe.yaml", "--run", "budget", "--method", "recent"];
        Assert.True(world.Cope(default, line) == 0, world.Error);
        Assert.DoesNotContain("hold less of the history", world.Error, StringComparison.Ordinal);

        Assert.True(world.Cope(default, [.. line, "--set", "decode.max_new_tokens=860"]) == 0, world.Error);
        Assert.Contains("warning: predict recent: 4 of 4 prompts hold less of the history than asked for", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_method_that_needs_another_stage_names_its_command()
    {
        Assert.Equal(1, world.Cope(default, "predict", "recipe.yaml", "--run", "needs", "--method", "pag"));
        Assert.Contains("'predict pag' needs 'profile', which has not run in needs: run 'cope profile --run needs' first", world.Error, StringComparison.Ordinal);
    }

    sealed record Profile(string User);
}
