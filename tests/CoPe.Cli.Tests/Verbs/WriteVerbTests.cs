using CoPe.Cli.Hosting;

namespace CoPe.Cli.Tests.Verbs;

[Collection("torch")]
public sealed class WriteVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    [Fact]
    public void A_prompt_is_read_from_the_pipe_as_from_the_command_line()
    {
        var named = Write("A new bridge");
        world.Input = "A new bridge\n";

        Assert.Equal(named, Write("-"));
        Assert.Equal(named, Write());
    }

    [Fact]
    public void Seed_temperature_and_tokens_say_how_it_is_written()
    {
        var drawn = Write("A new bridge", "--temperature", "3", "--seed", "1", "--tokens", "24");

        Assert.Equal(drawn, Write("A new bridge", "--temperature", "3", "--seed", "1", "--tokens", "24"));
        Assert.NotEqual(drawn, Write("A new bridge", "--temperature", "3", "--seed", "2", "--tokens", "24"));
    }

    [Theory]
    [InlineData("--contrast", "11")]
    [InlineData("--plausibility", "-1")]
    [InlineData("--temperature", "1000")]
    [InlineData("--tokens", "0")]
    [InlineData("--tokens", "1024")]
    [InlineData("--words", "maybe")]
    [InlineData("--seed", "x")]
    public void A_value_out_of_range_is_a_wrong_command_line_and_writes_nothing(string option, string value)
    {
        var code = world.RunCommand(default, "write", "undisturbed", "A new bridge", "--user", "1", option, value);

        Assert.Equal(ExitCode.Usage, code);
        Assert.Equal("", world.Output);
        Assert.Contains(option, world.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  \n")]
    public void Without_a_prompt_nothing_is_written(string? input)
    {
        world.Input = input;

        Assert.Equal(ExitCode.Usage, world.RunCommand(default, "write", "undisturbed", "--user", "1"));

        Assert.Equal("", world.Output);
    }

    [Fact]
    public void Where_the_model_s_files_disagree_it_is_said_once_whoever_answers_or_scores()
    {
        var template = world.PathOf("model/chat_template.json");
        File.WriteAllText(template, """{"chat_template": "another"}""");
        try
        {
            world.Input = "A new bridge\n";
            foreach (
                var command in (string[][])
                    [
                        ["write", "undisturbed", "A new bridge", "--user", "1", "--tokens", "2", "--allow-stale"],
                        ["chat", "undisturbed", "--user", "1", "--tokens", "2", "--allow-stale"],
                        ["score", "rain", "--prompt", "x", "--model", "model"],
                    ]
            )
            {
                var code = world.RunCommand(default, command);

                Assert.True(code == ExitCode.Ok, world.Error);
                Assert.Single(
                    world.Error.Split('\n'),
                    line =>
                        line.Contains("disagree: chat template: that of chat_template.json", StringComparison.Ordinal)
                );
            }
        }
        finally
        {
            File.Delete(template);
        }
    }

    [Fact]
    public void An_unknown_user_is_an_error_that_names_those_there_are()
    {
        Assert.Equal(ExitCode.Failure, world.RunCommand(default, "write", "undisturbed", "x", "--user", "nobody"));

        Assert.Contains("there are 2: 1, 2", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cancelled_command_ends_as_the_shell_expects()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();

        Assert.Equal(ExitCode.Cancelled, world.RunCommand(stop.Token, "write", "undisturbed", "x", "--user", "1"));
    }

    string Write(params string[] rest)
    {
        var code = world.RunCommand(default, ["write", "undisturbed", .. rest, "--user", "1"]);
        Assert.True(code == ExitCode.Ok, world.Error);
        Assert.EndsWith("\n", world.Output, StringComparison.Ordinal);
        return world.Output;
    }
}
