using CoPe.Experiments.Settings;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Tasks;

public class TaskFileTests
{
    const string Mails = """
        name: mails
        input_fields: [subject, "to"]
        output_field: body
        answer_labels: [mail]
        max_new_tokens: 200
        system: You write mails.
        history: "Write to {to} about {subject}"
        """;

    [Fact]
    public void A_task_of_ones_own_has_what_its_file_says_and_defaults_for_the_rest()
    {
        var (task, template) = TaskFile.Parse(Mails, "mails.yaml");

        Assert.Equal(
            ("mails", "mails", "body", 200, 1.0, TaskOutcome.Text),
            (task.Name, task.BenchmarkId, task.OutputField, task.MaxNewTokens, task.RepetitionPenalty, task.Outcome)
        );
        var item = new HistoryItem
        {
            Id = "1",
            Fields = new Dictionary<string, string>
            {
                ["subject"] = "rain",
                ["to"] = "Ada",
                ["body"] = "It rains.",
            },
        };
        Assert.Equal(
            ["You write mails.", "Write to Ada about rain"],
            template.ForHistory(item).Select(message => message.Content)
        );
        Assert.Equal("Say it", template.ForQuery(new() { Id = "1", Input = "Say it" })[1].Content);
    }

    public static TheoryData<string> Names => [.. LampTasks.All.Select(task => task.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_shipped_task_written_and_read_again_is_the_same(string name)
    {
        var yaml = TaskFile.ToYaml(TaskFile.LoadShipped(name));

        Assert.Equal(yaml, TaskFile.ToYaml(TaskFile.Parse(yaml, "again.yaml")));
        Assert.Contains($"name: {name}", yaml, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("name: mails", "nam: mails", "did you mean 'name'")]
    [InlineData("name: mails", "seed: 4", "unknown key 'seed' (the top level knows name, benchmark, ")]
    [InlineData("name: mails", "name: ../x", "letters, digits")]
    [InlineData("name: mails", "", "'name' is missing")]
    [InlineData("output_field: body", "", "'output_field' is missing")]
    [InlineData("output_field: body", "output_field: subject", "gives it away")]
    [InlineData("max_new_tokens: 200", "max_new_tokens: 0", "at least 1")]
    [InlineData("max_new_tokens: 200", "outcome: essay", "one of text, category, rating")]
    [InlineData("history:", "query:", "'history' is missing")]
    [InlineData("name: mails", "name: mails\nbenchmark: ../../x", "'benchmark' is '../../x'")]
    [InlineData("name: mails", "name: mails\nbenchmark: ''", "'benchmark' is ''")]
    public void A_faulty_task_file_is_refused_with_a_reason(string good, string bad, string reason) =>
        Assert.Contains(
            reason,
            Assert
                .Throws<SettingsException>(() =>
                    TaskFile.Parse(Mails.Replace(good, bad, StringComparison.Ordinal), "x.yaml")
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void A_wording_with_a_field_that_the_task_has_not_is_refused() =>
        Assert.Contains(
            "nearest is {subject}",
            Assert
                .Throws<DataFileException>(() =>
                    TaskFile.Parse(Mails.Replace("{subject}", "{sujet}", StringComparison.Ordinal), "x.yaml")
                )
                .Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("news_headline", false)]
    [InlineData("mails.yaml", true)]
    [InlineData("data/mails.YML", true)]
    [InlineData("./mails", true)]
    public void A_path_is_told_from_a_name(string task, bool isPath) => Assert.Equal(isPath, TaskFile.IsPath(task));

    [Fact]
    public void Labels_belong_to_tasks_that_ask_for_a_category()
    {
        Assert.Equal(["[1]", "[2]"], LampTasks.Citation.Labels);
        Assert.Equal(
            [15, 15],
            new[] { LampTasks.NewsCategorize, LampTasks.MovieTagging }.Select(task => task.Labels.Count)
        );
        Assert.Contains(
            "set outcome: category",
            Assert.Throws<SettingsException>(() => TaskFile.Parse(Mails + "\nlabels: [a, b]\n", "mails.yaml")).Message,
            StringComparison.Ordinal
        );
    }
}
