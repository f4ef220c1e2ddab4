using System.Text.Json;
using CoPe.Experiments.Data;
using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Tasks;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Every task of LaMP and LongLaMP through all stages, on two invented users.</summary>
[Collection("torch")]
public sealed class TaskRunTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    public static TheoryData<string> Names => [.. LampTasks.All.Select(task => task.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_task_runs_from_data_to_report_with_its_own_metrics(string name)
    {
        var task = LampTasks.ByName(name);
        Write(task);

        string[] line =
        [
            "run",
            "recipe.yaml",
            "--run",
            $"of-{name}",
            "--set",
            $"task={name}",
            "--set",
            "data=tasks",
            "--set",
            "predict=base,tam,sft,cope",
            "--set",
            "sft.epochs=1",
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);

        var results = ResultsFile.ReadJson(world.RunAt($"of-{name}").Results);
        Assert.Equal(["base", "tam", "sft", "cope"], results.Methods);
        Assert.All(
            from method in results.Methods
            from metric in Metric.NarrowFor(task.Outcome)
            select results[method, metric.Name],
            cell => Assert.Equal(4, cell.Count)
        );
        Assert.Contains(
            Metric.HeadlineFor(task.Outcome).Title,
            File.ReadAllText(world.RunAt($"of-{name}").Report),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_task_without_input_has_the_references_span_too()
    {
        Write(LampTasks.ByName("tweet_paraphrase"));

        string[] line =
        [
            "run",
            "recipe.yaml",
            "--run",
            "span",
            "--set",
            "task=tweet_paraphrase",
            "--set",
            "data=tasks",
            "--set",
            "predict=base,tam,sft,cope",
            "--set",
            "sft.epochs=1",
            "--set",
            "negatives.span=prompt_and_response",
        ];
        Assert.True(world.RunCommand(default, line) == 0, world.Error);
        Assert.NotEmpty(File.ReadAllLines(world.RunAt("span").Pairs));
    }

    void Write(LampTask task)
    {
        var folder = Directory.CreateDirectory(world.PathOf(Path.Combine("tasks", task.Name))).FullName;
        File.WriteAllText(
            Path.Combine(folder, LampFiles.UsersFile),
            JsonSerializer.Serialize(Enumerable.Range(0, 2).Select(user => User(task, $"u{user}", user)))
        );
        File.WriteAllText(
            Path.Combine(folder, LampFiles.OthersFile),
            JsonSerializer.Serialize(Enumerable.Range(5, 3).Select(user => User(task, $"o{user}", user)))
        );
    }

    static object User(LampTask task, string id, int place) =>
        new
        {
            user_id = id,
            profile = Enumerable
                .Range(0, 2)
                .Select(item =>
                    task.InputFields.Append(task.OutputField)
                        .ToDictionary(field => field, field => Value(task, field, place + item))
                        .Append(new("id", $"{id}-h{item}"))
                        .ToDictionary()
                ),
            query = Enumerable
                .Range(0, 2)
                .Select(query => new
                {
                    id = $"{id}-q{query}",
                    input = $"What of {query} in the harbor?",
                    gold = Gold(task, place + query),
                }),
        };

    static string Value(LampTask task, string field, int place) =>
        field is "category" or "tag" or "score" ? Gold(task, place) : $"the {field} of harbor number {place}";

    static string Gold(LampTask task, int place) =>
        task.Outcome switch
        {
            TaskOutcome.Category => task.Labels[place % task.Labels.Count],
            TaskOutcome.Rating => $"{1 + (place % 5)}",
            _ => $"A harbor of number {place}",
        };
}

public sealed class CustomTaskTests : IDisposable
{
    readonly InProcessCommand _cope = new();

    public void Dispose() => _cope.Dispose();

    [Fact]
    public void A_run_takes_a_custom_task_file_and_the_data_folder_of_its_name()
    {
        Directory.CreateDirectory(_cope.At("data/mails"));
        File.WriteAllText(_cope.At("mails.yaml"), "name: mails\noutput_field: body\nhistory: 'Write a mail'\n");
        File.WriteAllText(
            _cope.At("data/mails/user_others.json"),
            """[{"user_id": "o", "profile": [], "query": [{"id": "x", "input": "i", "gold": "g"}]}]"""
        );
        File.WriteAllText(
            _cope.At("data/mails/user_top_100_history.json"),
            """
            [{"user_id": "u", "profile": [{"body": "Yours, A."}], "query": [{"id": "q1", "input": "i", "gold": "g"}]}]
            """
        );

        Assert.Equal(0, _cope.Run("run", "first", "--set", "task=mails.yaml", "--run", "r", "--quiet"));
        Assert.Equal(1, _cope.Run("run", "first", "--set", "task=mail.yaml", "--run", "r", "--quiet"));
        Assert.Contains(
            "task file mail.yaml does not exist",
            Assert.Single(_cope.ErrorLines),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Shipped_tasks_are_listed_and_shown_as_files()
    {
        Assert.Equal(0, _cope.Run("data", "tasks"));
        Assert.Contains("scholarly_title", _cope.Output, StringComparison.Ordinal);

        Assert.Equal(0, _cope.Run("data", "tasks", "news_headline"));
        Assert.Contains("output_field: title", _cope.Output, StringComparison.Ordinal);
        Assert.Contains("example: ", _cope.Output, StringComparison.Ordinal);
    }
}
