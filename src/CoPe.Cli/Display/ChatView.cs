using System.Globalization;
using CoPe.Cli.Hosting;
using CoPe.Experiments.Runs.Chat;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>
/// A chat: on a terminal the answers grow side by side, on one that cannot redraw they appear side by side when they
/// are complete, elsewhere each is a line.
/// </summary>
sealed class ChatView(CommandHost host, string user)
{
    static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(80);

    readonly bool _isLive = host.ShowsLiveProgress && host.IsOutputTerminal;
    readonly bool _showsPrompt = host.Keyboard is not null && host.IsOutputTerminal;

    /// <summary>The next line; null at the end.</summary>
    public string? ReadLine()
    {
        if (_showsPrompt)
        {
            host.Out.Write("> ");
        }

        var line = (host.In ?? host.Keyboard)?.ReadLine();
        if (line is null && _showsPrompt)
        {
            host.Out.WriteLine();
        }

        return line;
    }

    /// <summary>
    /// Shows the answers while <paramref name="answer"/> decodes them; it gets the callback for each piece of text, or
    /// null where only complete answers are shown. When it is stopped, the text so far stays on a terminal.
    /// </summary>
    public void ShowAnswers(
        ChatSessionOptions options,
        Func<Action<ChatModelKind, string>?, IReadOnlyDictionary<ChatModelKind, string>> answer
    )
    {
        if (_isLive)
        {
            ShowLive(options, answer);
        }
        else if (host.IsOutputTerminal)
        {
            host.CreateTableConsole().Write(CreateTable(options, answer(null)));
        }
        else
        {
            foreach (var (side, text) in answer(null).OrderBy(pair => pair.Key))
            {
                host.Out.WriteLine($"{SideTitle(side, options)}: {text}");
            }

            host.Out.Flush();
        }
    }

    void ShowLive(
        ChatSessionOptions options,
        Func<Action<ChatModelKind, string>?, IReadOnlyDictionary<ChatModelKind, string>> answer
    )
    {
        var console = host.CreateTableConsole();
        ChatModelKind[] sides = options.IncludesBase
            ? [ChatModelKind.Base, ChatModelKind.Personalized]
            : [ChatModelKind.Personalized];
        var texts = sides.ToDictionary(side => side, _ => "");
        IReadOnlyDictionary<ChatModelKind, string> shown = texts;
        try
        {
            // The growing table is cropped to the window; the complete one is written in full.
            console
                .Live(CreateTable(options, texts))
                .AutoClear(true)
                .Overflow(VerticalOverflow.Crop)
                .Cropping(VerticalOverflowCropping.Top)
                .Start(live =>
                {
                    var drawn = 0L;
                    shown = answer(
                        (side, piece) =>
                        {
                            texts[side] += piece;
                            if (host.Time.GetElapsedTime(drawn) < RefreshInterval)
                            {
                                return;
                            }

                            drawn = host.Time.GetTimestamp();
                            live.UpdateTarget(CreateTable(options, texts));
                            live.Refresh();
                        }
                    );
                });
        }
        finally
        {
            console.Write(CreateTable(options, shown));
        }
    }

    Table CreateTable(ChatSessionOptions options, IReadOnlyDictionary<ChatModelKind, string> texts)
    {
        var table = new Table { Border = TableBorder.Rounded, Expand = true };
        var width = (host.CreateTableConsole().Profile.Width - 1) / texts.Count - 3;
        foreach (var side in texts.Keys.Order())
        {
            table.AddColumn(new TableColumn(Markup.Escape(SideTitle(side, options))) { Width = width });
        }

        table.AddRow([.. texts.OrderBy(pair => pair.Key).Select(pair => Markup.Escape(pair.Value))]);
        return table;
    }

    string SideTitle(ChatModelKind side, ChatSessionOptions options) =>
        side == ChatModelKind.Base
            ? "base"
            : string.Create(CultureInfo.InvariantCulture, $"{user} (contrast {options.Contrast})");
}
