using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Cli.Hosting;
using CoPe.Cli.Sessions;
using Spectre.Console;

namespace CoPe.Cli.Tests.Verbs;

/// <summary>Whole chats, with Ctrl-C at chosen moments.</summary>
[Collection("torch")]
public sealed class ChatVerbTests(TinyRunFixture world) : IClassFixture<TinyRunFixture>
{
    static readonly string[] Lines = ["/tokens 24", "A new bridge over the river", "The harbor at night"];

    [Fact]
    public void Ctrl_C_within_an_answer_stops_it_and_the_next_line_is_answered_as_ever()
    {
        var undisturbed = Chat(new ActingTimeProvider(_ => { }), _ => { });
        var interrupts = new List<bool?>();
        // The view reads the clock at each piece of text: the first reading is within the first answer.
        var time = new ActingTimeProvider(handler => interrupts.Add(handler.Handle()));

        var interrupted = Chat(time, _ => { });

        Assert.Equal([true], interrupts);
        Assert.Equal(1, CountStops(interrupted.Error));
        Assert.Equal(0, CountStops(undisturbed.Error));
        Assert.Equal(LastTable(undisturbed.Output), LastTable(interrupted.Output));
    }

    [Fact]
    public void Ctrl_C_at_the_prompt_ends_the_command()
    {
        var atPrompt = new List<bool?>();

        Chat(new ActingTimeProvider(_ => { }), handler => atPrompt.Add(handler.Handle()));

        Assert.Equal(Lines.Length + 1, atPrompt.Count);
        Assert.All(atPrompt, isHandled => Assert.False(isHandled));
    }

    [Fact]
    public void Piped_answers_stand_alone_and_everything_else_goes_to_the_error_stream()
    {
        world.Input = "A new bridge\n/new\nThe harbor at night\n/quit\nnot read\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1"));

        var answers = Assert.IsType<string[]>(world.Output.Split('\n'));
        Assert.Equal(3, answers.Length);
        Assert.Equal("", answers[2]);
        Assert.DoesNotContain("base:", world.Output, StringComparison.Ordinal);
        Assert.Contains("adapter dpo/1 (DPO)", world.Error, StringComparison.Ordinal);
        foreach (var (answer, line) in answers.Zip((string[])["A new bridge", "The harbor at night"]))
        {
            world.Input = null;
            Assert.Equal(0, world.RunCommand(default, "write", "undisturbed", line, "--user", "1"));
            Assert.Equal(answer + "\n", world.Output);
        }
    }

    [Fact]
    public void Both_answers_have_names_where_both_are_asked_for()
    {
        world.Input = "/base on\nA new bridge\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1", "--contrast", "0.2"));

        Assert.Matches("^base: .*\n1 \\(contrast 0.2\\): .*\n$", world.Output);
    }

    [Fact]
    public void A_wrong_command_is_answered_and_the_chat_goes_on()
    {
        world.Input = "/quti\n/tokens 99999999\n/user nobody\n/retry\n/why\n/HELP\n/\e[2Jx\nA new bridge\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1"));

        Assert.Equal(2, world.Output.Split('\n').Length);
        Assert.Contains("did you mean /quit?", world.Error, StringComparison.Ordinal);
        Assert.Contains("/tokens is 99999999", world.Error, StringComparison.Ordinal);
        Assert.Contains("no adapter of user 'nobody'", world.Error, StringComparison.Ordinal);
        Assert.Equal(2, world.Error.Split("nothing was answered yet").Length - 1);
        Assert.All(ChatCommands.All, command => Assert.Contains(command.Usage, world.Error, StringComparison.Ordinal));
        Assert.DoesNotContain('\e', world.Error);
    }

    [Fact]
    public void Another_user_answers_after_user_and_is_named()
    {
        world.Input = "/user 2\nA new bridge\n";
        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1"));
        var (switched, messages) = (world.Output, world.Error);
        world.Input = "A new bridge\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "2"));

        Assert.Equal(world.Output, switched);
        Assert.Contains("user 1: adapter dpo/1", messages, StringComparison.Ordinal);
        Assert.Contains("user 2: adapter dpo/2", messages, StringComparison.Ordinal);
    }

    [Fact]
    public void A_greedy_answer_is_drawn_when_it_is_tried_again_and_the_chat_says_so()
    {
        world.Input = "A new bridge\n/retry\n/temperature 2\n/retry\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1"));

        Assert.Equal(4, world.Output.Split('\n').Length);
        Assert.Single(Regex.Matches(world.Error, "drawn at temperature 0.3: "));
    }

    [Fact]
    public void A_conversation_is_saved_as_text_and_as_json_and_overwrites_nothing_of_a_person()
    {
        var text = world.PathOf("saved.txt");
        File.WriteAllText(world.PathOf("mine.txt"), "mine");
        world.Input = "A new bridge\n/save saved.txt\nThe harbor\n/save saved.txt\n/save saved.json\n/save mine.txt\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1"));

        var answers = world.Output.Split('\n');
        Assert.Equal(
            $"undisturbed, 1, adapter dpo\n\n> A new bridge\n\n1: {answers[0]}\n\n> The harbor\n\n1: {answers[1]}\n",
            File.ReadAllText(text)
        );
        using var json = JsonDocument.Parse(File.ReadAllText(world.PathOf("saved.json")));
        Assert.Equal(
            answers[..2],
            json.RootElement.GetProperty("turns")
                .EnumerateArray()
                .Select(turn => turn.GetProperty("answer").GetString())
        );
        Assert.Equal("mine", File.ReadAllText(world.PathOf("mine.txt")));
        Assert.Contains("mine.txt exists already", world.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cut_line_is_said_to_be_cut()
    {
        world.Input = string.Join(' ', Enumerable.Repeat("rain", 1200)) + "\n";

        Assert.Equal(0, world.RunCommand(default, "chat", "undisturbed", "--user", "1"));

        Assert.Contains("first 12 of 1,200 words", world.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50, true)]
    [InlineData(50, false)]
    [InlineData(80, true)]
    [InlineData(80, false)]
    public void On_a_terminal_answers_and_their_tokens_fit_its_columns(int width, bool usesColor)
    {
        using var output = new StringWriter();
        using var input = new StringReader("/tokens 24\nA new bridge\n/why\n");
        var host = new CommandHost
        {
            Out = output,
            Error = TextWriter.Null,
            In = input,
            IsOutputTerminal = true,
            Colors = usesColor ? ColorSystemSupport.Standard : ColorSystemSupport.NoColors,
            TerminalWidth = width,
            SearchFolders = [world.PathOf(""), AppContext.BaseDirectory],
        };

        Assert.Equal(0, CommandLine.Run(["chat", "undisturbed", "--user", "1"], host));

        if (!usesColor)
        {
            Assert.DoesNotContain('\e', output.ToString());
        }

        var lines = Regex.Replace(output.ToString(), "\e\\[[0-9;]*m", "").Split('\n');
        Assert.All(lines, line => Assert.InRange(line.GetCellWidth(), 0, width));
        Assert.Contains(lines, line => line.Contains("expert", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.TrimStart().StartsWith("sum", StringComparison.Ordinal));
    }

    static int CountStops(string error) => error.Split('\n').Count(line => line == "cope: the answer was stopped");

    static string LastTable(string output) => output[output.LastIndexOf('╭')..];

    (string Output, string Error) Chat(ActingTimeProvider time, Action<InterruptHandler> atPrompt)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var interrupts = time.Interrupts;
        using var input = new ScriptedInput(Lines, () => atPrompt(interrupts));
        var host = new CommandHost
        {
            Out = output,
            Error = error,
            In = input,
            IsOutputTerminal = true,
            ShowsLiveProgress = true,
            Interrupts = interrupts,
            Time = time,
            SearchFolders = [world.PathOf(""), AppContext.BaseDirectory],
        };

        var code = CommandLine.Run(["chat", "undisturbed", "--user", "1"], host);

        Assert.True(code == 0, error.ToString());
        Assert.Null(interrupts.Handle());
        return (output.ToString(), error.ToString());
    }

    /// <summary>A clock that acts when it is first read.</summary>
    sealed class ActingTimeProvider(Action<InterruptHandler> onFirstReading) : TimeProvider
    {
        int _readings;

        public InterruptHandler Interrupts { get; } = new();

        public override long GetTimestamp()
        {
            if (Interlocked.Increment(ref _readings) == 1)
            {
                onFirstReading(Interrupts);
            }

            return base.GetTimestamp();
        }
    }

    /// <summary>Lines of a person, and something that happens while each is awaited.</summary>
    sealed class ScriptedInput(IReadOnlyList<string> lines, Action beforeLine) : TextReader
    {
        int _next;

        public override string? ReadLine()
        {
            beforeLine();
            return _next < lines.Count ? lines[_next++] : null;
        }
    }
}
