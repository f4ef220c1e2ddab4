using System.Globalization;
using CoPe.Runs.Chat;
using Spectre.Console;

namespace CoPe.Cli.Display;

/// <summary>A chat: on a terminal the answers grow side by side, elsewhere each is written when it is whole.</summary>
sealed class ChatView(CommandHost host, string user)
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(80);

    readonly bool isLive = host.IsLive && host.IsOutputTerminal;

    /// <summary>The next line; null at the end.</summary>
    public string? Ask()
    {
        if (isLive && host.Keyboard is not null) host.Out.Write("> ");
        return (host.In ?? host.Keyboard)?.ReadLine();
    }

    /// <summary>Shows the answers; <paramref name="answer"/> is given what is told of each piece.</summary>
    public void Show(ChatOptions options, Func<Action<ChatSide, string>?, IReadOnlyDictionary<ChatSide, string>> answer)
    {
        if (!isLive)
        {
            foreach (var (side, text) in answer(null).OrderBy(pair => pair.Key)) host.Out.WriteLine($"{Title(side, options)}: {text}");
            host.Out.Flush();
            return;
        }

        var console = host.Tables();
        var texts = (options.ShowsBase ? new[] { ChatSide.Base, ChatSide.Personal } : [ChatSide.Personal]).ToDictionary(side => side, _ => "");
        console.Live(Table(options, texts)).Start(live =>
        {
            var drawn = 0L;
            var whole = answer((side, piece) =>
            {
                texts[side] += piece;
                if (host.Time.GetElapsedTime(drawn) < Pause) return;
                drawn = host.Time.GetTimestamp();
                live.UpdateTarget(Table(options, texts));
                live.Refresh();
            });
            live.UpdateTarget(Table(options, whole));
            live.Refresh();
        });
    }

    Table Table(ChatOptions options, IReadOnlyDictionary<ChatSide, string> texts)
    {
        var table = new Table { Border = TableBorder.Rounded, Expand = true };
        foreach (var side in texts.Keys.Order()) table.AddColumn(new TableColumn(Markup.Escape(Title(side, options))));
        table.AddRow([.. texts.OrderBy(pair => pair.Key).Select(pair => Markup.Escape(pair.Value))]);
        return table;
    }

    string Title(ChatSide side, ChatOptions options) => side == ChatSide.Base ? "base" : string.Create(CultureInfo.InvariantCulture, $"{user} (contrast {options.Contrast})");
}
