using System.Text;
using CoPe.Chat;
using CoPe.Tokens;

namespace CoPe.Serving;

/// <summary>
/// The text of an answer whose tokens arrive one by one: without what the model reasons before it, and without the stop
/// string that ends it, of which no part is given out before it is known not to be one.
/// </summary>
/// <param name="encoder">The model's tokenizer and template.</param>
/// <param name="stopStrings">What ends the answer.</param>
sealed class AnswerText(ConversationEncoder encoder, IReadOnlyList<string> stopStrings)
{
    readonly StreamingDecoder _decoder = encoder.CreateResponseDecoder();
    readonly StringBuilder _decoded = new();

    /// <summary>Whether reasoning may stand in the text: which of it is the answer shows in the whole alone.</summary>
    readonly bool _mayReason = encoder.Reasoning.Marks.Count > 0;

    int _given;
    bool _isStopped;

    /// <summary>Takes a token and returns the text that is final with it.</summary>
    public string Add(int id, bool isLast)
    {
        _decoded.Append(_decoder.Add(id));
        if (isLast)
        {
            _decoded.Append(_decoder.Finish());
        }

        if (_isStopped)
        {
            return "";
        }

        var final = Cut(FindNotGiven(isLast), isLast);
        _given += final.Length;
        return final;
    }

    string FindNotGiven(bool isLast)
    {
        if (!_mayReason)
        {
            return _decoded.ToString(_given, _decoded.Length - _given);
        }

        var answer = encoder.ParseResponse(_decoded.ToString()).Answer;
        // Blanks at the end may turn out to stand before a mark.
        answer = isLast ? answer : answer.TrimEnd();
        return answer[Math.Min(_given, answer.Length)..];
    }

    /// <summary>What of a text can be given out: up to a stop string, or to where one may have begun.</summary>
    string Cut(string text, bool isLast)
    {
        var found = stopStrings
            .Select(stop => text.IndexOf(stop, StringComparison.Ordinal))
            .Where(place => place >= 0)
            .ToList();
        if (found.Count > 0)
        {
            _isStopped = true;
            return text[..found.Min()];
        }

        if (isLast || stopStrings.Count == 0)
        {
            return text;
        }

        var held = stopStrings.Max(stop => CountBegun(text, stop));
        return text[..^held];
    }

    /// <summary>Length of the longest beginning of a stop string that a text ends with.</summary>
    static int CountBegun(string text, string stop)
    {
        for (var length = Math.Min(stop.Length - 1, text.Length); length > 0; length--)
        {
            if (text.EndsWith(stop[..length], StringComparison.Ordinal))
            {
                return length;
            }
        }

        return 0;
    }
}
