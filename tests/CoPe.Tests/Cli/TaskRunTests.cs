using System.Text.Json;
using CoPe.Data;
using CoPe.Evaluation;

namespace CoPe.Tests.Cli;

/// <summary>Every task of LaMP and LongLaMP through all stages, on two invented users.</summary>
[Collection("torch")]
public sealed class TaskRunTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    public static TheoryData<string> Names => [.. LampTasks.All.Select(task => task.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_task_runs_from_data_to_report_with_the_metrics_it_asks_for(string name)
    {
        var task = LampTasks.ByName(name);
        Write(task);

        string[] line = ["run", "recipe.yaml", "--run", $"of-{name}", "--set", $"task={name}", "--set", "data=tasks", "--set", "predict=base,tam,sft,cope", "--set", "sft.epochs=1"];
        Assert.True(world.Cope(default, line) == 0, world.Error);

        var results = ResultsFile.ReadJson(world.At($"of-{name}").Results);
        Assert.Equal(["base", "tam", "sft", "cope"], results.Keys);
        Assert.All(results.Values, method => Assert.All(Metric.Shown(task.Outcome), metric => Assert.Equal(4, method[metric.Name].Count)));
        Assert.Contains(Metric.Headline(task.Outcome).Title, File.ReadAllText(world.At($"of-{name}").Report), StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_without_input_has_the_references_span_too()
    {
        Write(LampTasks.ByName("tweet_paraphrase"));

        string[] line = ["run", "recipe.yaml", "--run", "span", "--set", "task=tweet_paraphrase", "--set", "data=tasks", "--set", "predict=base,tam,sft,cope", "--set", "sft.epochs=1", "--set", "negatives.span=prompt_and_response"];
        Assert.True(world.Cope(default, line) == 0, world.Error);
        Assert.NotEmpty(File.ReadAllLines(world.At("span").Pairs));
    }

    void Write(LampTask task)
    {
        var folder = Directory.CreateDirectory(world.PathOf(Path.Combine("tasks", task.Name))).FullName;
        File.WriteAllText(Path.Combine(folder, LampFiles.UsersFile), JsonSerializer.Serialize(Enumerable.Range(0, 2).Select(user => User(task, $"u{user}", user))));
        File.WriteAllText(Path.Combine(folder, LampFiles.OthersFile), JsonSerializer.Serialize(Enumerable.Range(5, 3).Select(user => User(task, $"o{user}", user))));
    }

    static object User(LampTask task, string id, int place) => new
    {
        user_id = id,
        profile = Enumerable.Range(0, 2).Select(item => task.InputFields.Append(task.OutputField).ToDictionary(field => field, field => Value(task, field, place + item)).Append(new("id", $"{id}-h{item}")).ToDictionary()),
        query = Enumerable.Range(0, 2).Select(query => new { id = $"{id}-q{query}", input = $"What of {query} in the harbour?", gold = Gold(task, place + query) }),
    };

    static string Value(LampTask task, string field, int place) => field is "category" or "tag" or "score" ? Gold(task, place) : $"the {field} of harbour number {place}";

    static string Gold(LampTask task, int place) => task.Outcome switch
    {
        TaskOutcome.Category => task.Labels[place % task.Labels.Count],
        TaskOutcome.Rating => $"{1 + (place % 5)}",
        _ => $"A harbour of number {place}",
    };
}
