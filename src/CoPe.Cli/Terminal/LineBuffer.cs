using System.Globalization;

namespace CoPe.Cli.Terminal;

/// <summary>
/// A line that is being edited, and the cursor in it. The cursor moves by text elements: a letter with its accents, or
/// an emoji of several code points, is one step.
/// </summary>
sealed class LineBuffer
{
    public string Text { get; private set; } = "";

    /// <summary>Index in <see cref="Text"/>, between two text elements.</summary>
    public int Cursor { get; private set; }

    public void Set(string text) => (Text, Cursor) = (text, text.Length);

    public void Insert(string text)
    {
        Text = Text.Insert(Cursor, text);
        Cursor += text.Length;
    }

    public void MoveLeft() => Cursor = PreviousElement(Cursor);

    public void MoveRight() => Cursor = NextElement(Cursor);

    public void MoveToStart() => Cursor = 0;

    public void MoveToEnd() => Cursor = Text.Length;

    public void MoveWordLeft() => Cursor = PreviousWord(Cursor);

    public void MoveWordRight()
    {
        while (Cursor < Text.Length && char.IsWhiteSpace(Text[Cursor]))
        {
            Cursor++;
        }

        while (Cursor < Text.Length && !char.IsWhiteSpace(Text[Cursor]))
        {
            Cursor++;
        }
    }

    public void DeleteLeft() => Delete(PreviousElement(Cursor), Cursor);

    public void DeleteRight() => Delete(Cursor, NextElement(Cursor));

    public void DeleteWordLeft() => Delete(PreviousWord(Cursor), Cursor);

    public void DeleteToStart() => Delete(0, Cursor);

    public void DeleteToEnd() => Delete(Cursor, Text.Length);

    void Delete(int start, int end)
    {
        Text = Text.Remove(start, end - start);
        Cursor = start;
    }

    int PreviousElement(int index)
    {
        var previous = 0;
        for (var next = 0; next < index; next = NextElement(next))
        {
            previous = next;
        }

        return previous;
    }

    int NextElement(int index) =>
        index < Text.Length ? index + StringInfo.GetNextTextElementLength(Text, index) : index;

    int PreviousWord(int index)
    {
        while (index > 0 && char.IsWhiteSpace(Text[index - 1]))
        {
            index--;
        }

        while (index > 0 && !char.IsWhiteSpace(Text[index - 1]))
        {
            index--;
        }

        return index;
    }
}

/// <summary>The lines entered so far, in memory alone, and the place that the arrow keys have reached.</summary>
sealed class LineHistory
{
    readonly List<string> _lines = [];
    int _place;
    string _draft = "";

    /// <summary>Takes up a line; one that repeats the last is not taken twice.</summary>
    public void Add(string line)
    {
        if (line.Length > 0 && (_lines.Count == 0 || _lines[^1] != line))
        {
            _lines.Add(line);
        }

        (_place, _draft) = (_lines.Count, "");
    }

    /// <summary>The line before; null at the first one. <paramref name="current"/> is kept for the way back.</summary>
    public string? MoveUp(string current)
    {
        if (_place == 0)
        {
            return null;
        }

        if (_place == _lines.Count)
        {
            _draft = current;
        }

        return _lines[--_place];
    }

    /// <summary>The line after, or the draft that was being typed; null behind it.</summary>
    public string? MoveDown()
    {
        if (_place == _lines.Count)
        {
            return null;
        }

        _place++;
        return _place == _lines.Count ? _draft : _lines[_place];
    }
}
