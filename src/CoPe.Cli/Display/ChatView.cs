using System.Globalization;
using CoPe.Runs.Chat;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A chat: on a terminal the answers grow side by side, on one that cannot redraw they stand so when they are whole, elsewhere each is a line.</summary>
sealed class ChatView(CommandHost host, string user)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);

    readonly bool isLive = host.IsLive && host.IsOutputTerminal;
    readonly bool isAsked = host.Keyboard is not null && host.IsOutputTerminal;

    /// <summary>The next line; null at the end.</summary>
    public string? Ask()
    {
        if (isAsked) host.Out.Write("> ");
        var line = (host.In ?? host.Keyboard)?.ReadLine();
        if (line is null && isAsked) host.Out.WriteLine();
        return line;
    }

    /// <summary>Shows the answers; <paramref name="answer"/> is given what is told of each piece. What stands when it is stopped stays.</summary>
    public void Show(ChatOptions options, Func<Action<ChatSide, string>?, IReadOnlyDictionary<ChatSide, string>> answer)
    {
        if (isLive) ShowLive(options, answer);
        else if (host.IsOutputTerminal) host.Tables().Write(Table(options, answer(null)));
        else
        {
            foreach (var (side, text) in answer(null).OrderBy(pair => pair.Key)) host.Out.WriteLine($"{Title(side, options)}: {text}");
            host.Out.Flush();
        }
    }

    void ShowLive(ChatOptions options, Func<Action<ChatSide, string>?, IReadOnlyDictionary<ChatSide, string>> answer)
    {
        var console = host.Tables();
        var texts = (options.ShowsBase ? new[] { ChatSide.Base, ChatSide.Personal } : [ChatSide.Personal]).ToDictionary(side => side, _ => "");
        IReadOnlyDictionary<ChatSide, string> shown = texts;
        try
        {
            // What grows is cut to the window, and written whole when it is.
            console.Live(Table(options, texts)).AutoClear(true).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Top).Start(live =>
            {
                var drawn = 0L;
                shown = answer((side, piece) =>
                {
                    texts[side] += piece;
                    if (host.Time.GetElapsedTime(drawn) < Pause) return;
                    drawn = host.Time.GetTimestamp();
                    live.UpdateTarget(Table(options, texts));
                    live.Refresh();
                });
            });
        }
        finally
        {
            console.Write(Table(options, shown));
        }
    }

    Table Table(ChatOptions options, IReadOnlyDictionary<ChatSide, string> texts)
    {
        var table = new Table { Border = TableBorder.Rounded, Expand = true };
        var width = (host.Tables().Profile.Width - 1) / texts.Count - 3;
        foreach (var side in texts.Keys.Order()) table.AddColumn(new TableColumn(Markup.Escape(Title(side, options))) { Width = width });
        table.AddRow([.. texts.OrderBy(pair => pair.Key).Select(pair => Markup.Escape(pair.Value))]);
        return table;
    }

    string Title(ChatSide side, ChatOptions options) => side == ChatSide.Base ? "base" : string.Create(CultureInfo.InvariantCulture, $"{user} (contrast {options.Contrast})");
}
