using System.Text;

namespace CoPe.Data.Importing;

/// <summary>Reads CSV row by row (RFC 4180): quoted fields may hold separators, line breaks and doubled quotes. The separator, a comma, semicolon or tab, is told by the first line.</summary>
sealed class CsvReader(TextReader text, string path)
{
    const int LongestField = 1 << 28;

    readonly StringBuilder field = new();
    readonly List<string> fields = [];
    char separator = ',';
    long line = 1;

    /// <summary>The rows, the header first; blank lines are passed over.</summary>
    /// <exception cref="DataFileException">A quote is opened and never closed.</exception>
    public IEnumerable<CsvRow> Rows()
    {
        separator = Separator();
        while (true)
        {
            var began = line;
            if (!ReadRow()) yield break;
            if (fields.Count > 1 || fields[0].Length > 0) yield return new(began, [.. fields]);
        }
    }

    char Separator()
    {
        // Peeking is a character deep, so the first line is read by itself and put back in front.
        var head = new StringBuilder();
        for (var next = text.Read(); next >= 0; next = text.Read())
        {
            head.Append((char)next);
            if (next == '\n') break;
        }

        text = new Prefixed(head.ToString(), text);
        var isQuoted = false;
        var counts = new Dictionary<char, int> { [','] = 0, [';'] = 0, ['\t'] = 0 };
        for (var i = 0; i < head.Length; i++)
        {
            if (head[i] == '"') isQuoted = !isQuoted;
            else if (!isQuoted && counts.TryGetValue(head[i], out var count)) counts[head[i]] = count + 1;
        }

        return counts.MaxBy(pair => pair.Value).Key;
    }

    bool ReadRow()
    {
        fields.Clear();
        if (text.Peek() < 0) return false;
        while (true)
        {
            var end = text.Peek() == '"' ? Quoted() : Plain();
            fields.Add(field.ToString());
            field.Clear();
            if (end == separator) continue;
            return true;
        }
    }

    /// <summary>Reads up to a separator or the end of the line, and returns which it was.</summary>
    int Plain()
    {
        while (true)
        {
            var next = text.Read();
            if (next == '\r' && text.Peek() == '\n') continue;
            if (next is '\n' or '\r') line++;
            if (next < 0 || next is '\n' or '\r' || next == separator) return next;
            field.Append((char)next);
        }
    }

    int Quoted()
    {
        var began = line;
        text.Read();
        while (true)
        {
            var next = text.Read();
            if (next < 0 || field.Length >= LongestField)
                throw new DataFileException(new() { File = path, Line = began }, "a quote that is never closed", "a quote at the end of the field", "Close it, or double it where it belongs to the text.");
            if (next == '\n') line++;
            if (next != '"') field.Append((char)next);
            else if (text.Peek() == '"') field.Append((char)text.Read());
            else return Plain(); // What stands between the closing quote and the separator belongs to the field.
        }
    }

    sealed class Prefixed(string head, TextReader rest) : TextReader
    {
        int at;

        public override int Peek() => at < head.Length ? head[at] : rest.Peek();

        public override int Read() => at < head.Length ? head[at++] : rest.Read();
    }
}
