using CoPe.Adapters;
using CoPe.Chat;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Stages;
using CoPe.Experiments.Tasks;
using CoPe.Modeling;
using CoPe.Scoring;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class HeldOutLikelihoodTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    const int MaxWords = 12; // of the fixture's recipe

    [Fact]
    public void Each_models_likelihood_of_a_users_answer_is_that_of_the_scorer_on_this_answer_alone()
    {
        var run = world.RunAt("undisturbed");
        var task = TaskFile.Read(InputPaths.FindTask("news_headline", [AppContext.BaseDirectory]));
        var template = task.Template with { MaxFieldWords = MaxWords };
        var lines = JsonLines.Read<QueryLikelihood>(run.Likelihood).ToDictionary(line => line.Query);
        var encoder = ConversationEncoder.Load(world.PathOf("model"));
        using var model = CausalLm.Load(world.PathOf("model"));
        using var tam = AdapterFile.Read(run.TamAdapter, model.Config);
        foreach (var user in LampFiles.Read(world.PathOf("data"), task.Task).Users)
        {
            using var sft = AdapterFile.Read(run.SftAdapter(user.Id), model.Config);
            using var dpo = AdapterFile.Read(run.DpoAdapter(user.Id), model.Config);
            using var adapters = AdapterBank.Stack([sft, dpo]);
            var scorer = new SequenceScorer(model, tam, adapters);
            foreach (var query in user.Queries)
            {
                var prompt = encoder.EncodePrompt(template.ForQuery(query));
                var answer = encoder.EncodeResponse(template.GetAnswer(query));
                double ComputeNll(AdapterSelection selection) =>
                    -scorer.Score([new ScoringItem(query.Id, prompt, [answer], [selection])])[0].Mean;

                var nll = lines[query.Id].Nll;
                Assert.Equal(answer.Length, lines[query.Id].Tokens);
                Assert.Equal(ComputeNll(AdapterSelection.Base), nll["base"], 1e-3);
                Assert.Equal(ComputeNll(AdapterSelection.Task), nll["tam"], 1e-3);
                Assert.Equal(ComputeNll(AdapterSelection.TaskAndUser(0)), nll["sft"], 1e-3);
                Assert.Equal(ComputeNll(AdapterSelection.TaskAndUser(1)), nll["dpo"], 1e-3);
            }
        }
    }
}
