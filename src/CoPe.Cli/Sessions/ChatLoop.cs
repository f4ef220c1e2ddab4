using System.Globalization;
using CoPe.Chat;
using CoPe.Cli.Display;
using CoPe.Cli.Failures;
using CoPe.Cli.Hosting;
using CoPe.Decoding;
using CoPe.Experiments.Runs;
using CoPe.Experiments.Runs.Chat;
using CoPe.Scoring;

namespace CoPe.Cli.Sessions;

/// <summary>Reads a chat's lines and commands until the last one, and shows what comes of each.</summary>
sealed class ChatLoop : IDisposable
{
    readonly CommandHost _host;
    readonly StageContext _context;
    readonly ChatView _view;
    readonly HashSet<string> _savedFiles = [];
    readonly PromptCache _cache = new();
    ChatSession _session;
    ChatSessionOptions _options;
    CancellationTokenSource? _answering;

    public ChatLoop(CommandHost host, StageContext context, string? user, ChatSessionOptions options)
    {
        (_host, _context, _options) = (host, context, options);
        _session = new(context, user, _cache);
        _view = new(host, ChatCommands.Complete);
    }

    public void Dispose()
    {
        _session.Dispose();
        _cache.Dispose();
    }

    /// <summary>Chats until the end of the input, or <c>/quit</c>.</summary>
    public void Run()
    {
        _host.WriteWarnings(_session.Adapter.Warnings);
        WriteState();
        _host.WriteMessage(
            "a line is a request, those after it continue it until /new; /help lists what can be changed"
        );
        // Ctrl-C stops the answer in progress; at the prompt it ends the command.
        using var handler = _host.Interrupts.Replace(StopAnswer);
        while (_view.ReadLine() is { } line)
        {
            if (!string.IsNullOrWhiteSpace(line) && !HandleLine(line))
            {
                return;
            }
        }
    }

    bool StopAnswer()
    {
        if (_answering is null)
        {
            _view.Abandon();
            return false;
        }

        _answering.Cancel();
        return true;
    }

    /// <summary>Answers a line or does what a command says; false after the last one.</summary>
    bool HandleLine(string line)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_host.Cancellation);
        _answering = stop;
        try
        {
            if (line.TrimStart() is ['/', ..] command)
            {
                return Execute(command, stop.Token);
            }

            Show(_options, onText => _session.Answer(line, _options, onText, stop.Token));
        }
        catch (Exception error) when (IsAnswerable(error))
        {
            _host.WriteMessage(Failure.Describe(error));
        }
        catch (OperationCanceledException) when (!_host.Cancellation.IsCancellationRequested)
        {
            _host.WriteMessage("the answer was stopped");
        }
        finally
        {
            _answering = null;
        }

        return true;
    }

    /// <summary>Errors that concern one line, after which the chat goes on.</summary>
    static bool IsAnswerable(Exception error) =>
        error
            is UsageException
                or ArgumentException
                or RunException
                or ChatTemplateException
                or NonFiniteLogitsException
                or IOException
                or UnauthorizedAccessException;

    bool Execute(string line, CancellationToken cancellation)
    {
        var (command, value) = ChatCommands.Parse(line);
        switch (command.Name)
        {
            case "quit":
                return false;
            case "help":
                WriteHelp();
                break;
            case "new":
                _session.StartConversation();
                _host.WriteMessage("a new conversation");
                break;
            case "retry":
                Retry(cancellation);
                break;
            case "why":
                RequireAnswer();
                AnswerTokensView.Write(_host, _session.Explain(AnswerTokensView.MostAlternatives, cancellation));
                break;
            case "user":
                ChangeUser(value);
                break;
            case "save":
                Save(value);
                break;
            default:
                _options = ChatCommands.Change(_options, command, value, _session.MaxNewTokensLimit)!;
                _host.WriteMessage(ChatMessages.DescribeOptions(_session, _options));
                break;
        }

        return true;
    }

    void Show(ChatSessionOptions options, Func<Action<ChatModelKind, ParsedResponse>?, ChatTurn> answer)
    {
        var turn = _view.ShowAnswers(_session.User, options, answer);
        foreach (var message in ChatMessages.DescribeLimits(turn, "/tokens"))
        {
            _host.WriteMessage(message);
        }
    }

    void Retry(CancellationToken cancellation)
    {
        RequireAnswer();
        var options = _options;
        var decoding = _session.CreateDecodingOptions(options);
        if (!decoding.DoSample)
        {
            // The best tokens are the same whatever the seed.
            options = options with
            {
                Temperature = decoding.Temperature,
            };
            _host.WriteMessage(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"drawn at temperature {decoding.Temperature}: without drawing the answer would be the same"
                )
            );
        }

        Show(options, onText => _session.Retry(options, onText, cancellation));
    }

    void ChangeUser(string name)
    {
        if (name.Length > 0)
        {
            var next = new ChatSession(_context, name, _cache);
            _session.Dispose();
            _session = next;
            _host.WriteWarnings(next.Adapter.Warnings);
        }

        WriteState();
    }

    void Save(string file)
    {
        RequireAnswer();
        var path = _host.PathOf(file);
        if (File.Exists(path) && !_savedFiles.Contains(path))
        {
            throw new UsageException($"{file} exists already; name another file");
        }

        RunFiles.RefuseWithin([_context.Run], path, file);
        ChatTranscript.Write(path, _context.Run.Name, _session);
        _savedFiles.Add(path);
        _host.WriteMessage($"{DisplayFormat.Plural(_session.Turns.Count, "turn")} saved in {file}");
    }

    void RequireAnswer()
    {
        if (_session.Turns.Count == 0)
        {
            throw new UsageException("nothing was answered yet in this conversation");
        }
    }

    void WriteState()
    {
        _host.WriteMessage(ChatMessages.DescribeAdapter(_context.Run.Name, _session));
        _host.WriteMessage(ChatMessages.DescribeOptions(_session, _options));
    }

    void WriteHelp()
    {
        var width = ChatCommands.All.Max(command => command.Usage.Length);
        foreach (var command in ChatCommands.All)
        {
            var alias = command.Alias is null ? "" : $" (also /{command.Alias})";
            _host.Error.WriteLine($"{command.Usage.PadRight(width)}  {command.Summary}{alias}");
        }
    }
}
