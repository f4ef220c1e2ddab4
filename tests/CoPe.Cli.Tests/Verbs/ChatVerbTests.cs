using CoPe.Cli.Hosting;

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
