namespace CoPe.Tests.Cli;

public sealed class OwnTaskTests : IDisposable
{
    readonly CopeProcess cope = new();

    public void Dispose() => cope.Dispose();

    [Fact]
    public void A_run_takes_a_task_file_of_ones_own_and_the_data_folder_of_its_name()
    {
        Directory.CreateDirectory(cope.At("data/mails"));
        File.WriteAllText(cope.At("mails.yaml"), "name: mails\noutput_field: body\nhistory: 'Write a mail'\n");
        File.WriteAllText(cope.At("data/mails/user_others.json"), """[{"user_id": "o", "profile": [], "query": [{"id": "x", "input": "i", "gold": "g"}]}]""");
        File.WriteAllText(cope.At("data/mails/user_top_100_history.json"), """[{"user_id": "u", "profile": [{"body": "Yours, A."}], "query": [{"id": "q1", "input": "i", "gold": "g"}]}]""");

        Assert.Equal(0, cope.Run("run", "first", "--set", "task=mails.yaml", "--run", "r", "--quiet"));
        Assert.Equal(1, cope.Run("run", "first", "--set", "task=mail.yaml", "--run", "r", "--quiet"));
        Assert.Contains("task file mail.yaml does not exist", Assert.Single(cope.ErrorLines), StringComparison.Ordinal);
    }

    [Fact]
    public void Shipped_tasks_are_listed_and_shown_as_files()
    {
        Assert.Equal(0, cope.Run("data", "tasks"));
        Assert.Contains("scholarly_title", cope.Output, StringComparison.Ordinal);

        Assert.Equal(0, cope.Run("data", "tasks", "news_headline"));
        Assert.Contains("output_field: title", cope.Output, StringComparison.Ordinal);
        Assert.Contains("example: ", cope.Output, StringComparison.Ordinal);
    }
}
