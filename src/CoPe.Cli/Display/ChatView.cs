using System.Globalization;
using CoPe.Chat;
using CoPe.Cli.Hosting;
using CoPe.Cli.Terminal;
using CoPe.Experiments.Runs.Chat;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace CoPe.Cli.Display;

/// <summary>
/// A chat: on a terminal the answers grow side by side (one above the other where it is narrow), on one that cannot
/// redraw they appear when they are complete, elsewhere each is a line.
/// </summary>
sealed class ChatView
{
    /// <summary>From here on two answers stand side by side.</summary>
    const int WideColumns = 64;

    static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(80);

    readonly CommandHost _host;
    readonly LineEditor? _editor;
    readonly bool _isLive;
    readonly bool _showsPrompt;

    public ChatView(CommandHost host, Func<string, IReadOnlyList<string>> complete)
    {
        _host = host;
        _editor = host.CreateLineEditor(complete);
        _isLive = host.ShowsLiveProgress && host.IsOutputTerminal;
        _showsPrompt = host.Keyboard is not null && host.IsOutputTerminal;
    }

    /// <summary>The next line; null at the end.</summary>
    public string? ReadLine()
    {
        if (_editor is not null)
        {
            return _editor.ReadLine();
        }

        if (_showsPrompt)
        {
            _host.Out.Write("> ");
        }

        var line = (_host.In ?? _host.Keyboard)?.ReadLine();
        if (line is null && _showsPrompt)
        {
            _host.Out.WriteLine();
        }

        return line;
    }

    /// <summary>Leaves the line that is being read, because the program ends.</summary>
    public void Abandon() => _editor?.Abandon();

    /// <summary>
    /// Shows the answers while <paramref name="answer"/> decodes them; it gets the callback for each piece of text, or
    /// null where only complete answers are shown. When it is stopped, the text so far stays on a terminal.
    /// </summary>
    /// <param name="user">The user who answers.</param>
    /// <param name="options">How.</param>
    /// <param name="answer">Decodes.</param>
    public ChatTurn ShowAnswers(
        string user,
        ChatSessionOptions options,
        Func<Action<ChatModelKind, ParsedResponse>?, ChatTurn> answer
    )
    {
        if (_isLive)
        {
            return ShowLive(user, options, answer);
        }

        var turn = answer(null);
        if (_host.IsOutputTerminal)
        {
            _host.CreateTableConsole().Write(CreateTables(user, options, GetResponses(turn)));
            return turn;
        }

        foreach (var (side, given) in turn.Answers.OrderBy(pair => pair.Key))
        {
            // One answer needs no name.
            _host.Out.WriteLine(options.IncludesBase ? $"{SideTitle(user, side, options)}: {given.Text}" : given.Text);
        }

        _host.Out.Flush();
        return turn;
    }

    static Dictionary<ChatModelKind, ParsedResponse> GetResponses(ChatTurn turn) =>
        turn.Answers.ToDictionary(
            pair => pair.Key,
            pair => new ParsedResponse(pair.Value.Text, pair.Value.Reasoning, pair.Value.IsUnfinished)
        );

    ChatTurn ShowLive(
        string user,
        ChatSessionOptions options,
        Func<Action<ChatModelKind, ParsedResponse>?, ChatTurn> answer
    )
    {
        var console = _host.CreateTableConsole();
        ChatModelKind[] sides = options.IncludesBase
            ? [ChatModelKind.Base, ChatModelKind.Personalized]
            : [ChatModelKind.Personalized];
        var responses = sides.ToDictionary(side => side, _ => new ParsedResponse("", "", false));
        try
        {
            // The growing table is cropped to the window; the complete one is written in full.
            return console
                .Live(CreateTables(user, options, responses))
                .AutoClear(true)
                .Overflow(VerticalOverflow.Crop)
                .Cropping(VerticalOverflowCropping.Top)
                .Start(live =>
                {
                    var drawn = 0L;
                    var turn = answer(
                        (side, response) =>
                        {
                            responses[side] = response;
                            if (_host.Time.GetElapsedTime(drawn) < RefreshInterval)
                            {
                                return;
                            }

                            drawn = _host.Time.GetTimestamp();
                            live.UpdateTarget(CreateTables(user, options, responses));
                            live.Refresh();
                        }
                    );
                    responses = GetResponses(turn);
                    return turn;
                });
        }
        finally
        {
            console.Write(CreateTables(user, options, responses));
        }
    }

    IRenderable CreateTables(
        string user,
        ChatSessionOptions options,
        IReadOnlyDictionary<ChatModelKind, ParsedResponse> responses
    )
    {
        var isWide = _host.CreateTableConsole().Profile.Width >= WideColumns;
        var sides = responses.OrderBy(pair => pair.Key).ToList();
        return isWide
            ? CreateTable(user, options, sides)
            : new Rows(sides.Select(side => CreateTable(user, options, [side])));
    }

    Table CreateTable(string user, ChatSessionOptions options, List<KeyValuePair<ChatModelKind, ParsedResponse>> sides)
    {
        var table = new Table { Border = TableBorder.Rounded, Expand = true };
        var width = (_host.CreateTableConsole().Profile.Width - 1) / sides.Count - 3;
        foreach (var (side, _) in sides)
        {
            table.AddColumn(new TableColumn(TerminalText.ToMarkup(SideTitle(user, side, options))) { Width = width });
        }

        table.AddRow([.. sides.Select(side => ToMarkup(side.Value))]);
        return table;
    }

    /// <summary>The answer, below what the model reasoned before it, which is dim.</summary>
    static string ToMarkup(ParsedResponse response)
    {
        var answer = TerminalText.ToMarkup(response.Answer);
        return response.Reasoning.Length == 0
            ? answer
            : $"[dim]{TerminalText.ToMarkup(response.Reasoning)}[/]\n\n{answer}";
    }

    static string SideTitle(string user, ChatModelKind side, ChatSessionOptions options) =>
        side == ChatModelKind.Base
            ? "base"
            : string.Create(CultureInfo.InvariantCulture, $"{user} (contrast {options.Contrast})");
}
