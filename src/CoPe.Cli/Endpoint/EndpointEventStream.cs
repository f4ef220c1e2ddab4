using System.Text;
using System.Text.Json;
using CoPe.Cli.Http;

namespace CoPe.Cli.Endpoint;

/// <summary>
/// A reply as server-sent events, which some endpoints send though none was asked for: each choice comes in pieces.
/// </summary>
static class EndpointEventStream
{
    const string EndOfStream = "[DONE]";

    /// <summary>The choices put together; null where it is no such stream, or one that breaks off.</summary>
    public static EndpointReply? Read(string body)
    {
        var reply = new PartialReply();
        foreach (var data in ReadData(body))
        {
            var isTaken = data == EndOfStream ? reply.End() : ReplyJson.Read(Encoding.UTF8.GetBytes(data), reply.Add);
            if (!isTaken)
            {
                return null;
            }
        }

        return reply.ToReply();
    }

    /// <summary>What the events carry: the data lines of each, which an empty line ends.</summary>
    static IEnumerable<string> ReadData(string body)
    {
        var data = new List<string>();
        using var lines = new StringReader(body);
        while (lines.ReadLine() is { } line)
        {
            if (line.StartsWith("data:", StringComparison.Ordinal))
            {
                data.Add(line["data:".Length..].Trim());
            }
            else if (line.Length == 0 && data.Count > 0)
            {
                yield return string.Join('\n', data);
                data.Clear();
            }
        }

        if (data.Count > 0)
        {
            yield return string.Join('\n', data);
        }
    }

    /// <summary>What has come of a reply.</summary>
    sealed class PartialReply
    {
        readonly SortedDictionary<long, Pieces> _choices = [];
        (long Prompt, long Completion) _tokens;
        bool _isEnded;

        public bool End() => _isEnded = true;

        /// <summary>Adds the pieces of an event; false where it holds none.</summary>
        public bool Add(JsonElement? json)
        {
            if (ReplyJson.Find(json, "choices") is not { ValueKind: JsonValueKind.Array } list)
            {
                return false;
            }

            if (ReplyJson.Find(json, "usage") is { } usage)
            {
                _tokens = EndpointReply.ReadTokens(usage);
            }

            foreach (var piece in ReplyJson.List(list))
            {
                var index = ReplyJson.FindInt64(piece, "index") ?? 0;
                _choices.TryAdd(index, new Pieces());
                _choices[index].Add(piece);
            }

            return true;
        }

        /// <summary>The reply; null where it is not complete.</summary>
        public EndpointReply? ToReply()
        {
            var areFinished = _choices.Count > 0 && _choices.Values.All(choice => choice.IsFinished);
            return _isEnded || areFinished
                ? EndpointReply.Create([.. _choices.Values.Select(choice => choice.ToChoice())], _tokens)
                : null;
        }
    }

    /// <summary>The pieces of one choice.</summary>
    sealed class Pieces
    {
        readonly StringBuilder _text = new();
        bool _isUnusable;
        bool _hasReasoning;
        bool _isCut;

        public bool IsFinished { get; private set; }

        public void Add(JsonElement piece)
        {
            var delta = ReplyJson.Find(piece, "delta");
            var content = ReplyJson.Find(piece, "text") ?? ReplyJson.Find(delta, "content");
            var text = EndpointChoice.ReadContent(content);
            _isUnusable |= content is not null && text is null;
            _text.Append(text);
            _hasReasoning |= EndpointChoice.HasReasoningBeside(piece) || EndpointChoice.HasReasoningBeside(delta);
            var finish = ReplyJson.FindText(piece, "finish_reason");
            _isCut |= finish == "length";
            IsFinished |= finish is not null;
        }

        public EndpointChoice? ToChoice() =>
            _isUnusable || _text.Length == 0 ? null : new(_text.ToString(), _isCut, _hasReasoning);
    }
}
