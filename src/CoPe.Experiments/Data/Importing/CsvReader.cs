using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data.Importing;

/// <summary>
/// Reads CSV row by row (RFC 4180): quoted fields may hold separators, line breaks and doubled quotes. The first line
/// decides whether the separator is a comma, a semicolon or a tab; a line <c>sep=;</c> before the header, as Excel
/// reads and writes it, names it.
/// </summary>
sealed class CsvReader(TextReader text, string path)
{
    const int MaxFieldLength = 1 << 28;

    readonly StringBuilder _field = new();
    readonly List<string> _fields = [];
    char _separator = ',';
    long _line = 1;

    /// <summary>The rows, the header first; blank lines are skipped.</summary>
    /// <exception cref="DataFileException">A quote is opened and never closed.</exception>
    public IEnumerable<CsvRow> ReadRows()
    {
        _separator = DetectSeparator();
        while (true)
        {
            var firstLine = _line;
            if (!ReadRow())
            {
                yield break;
            }

            if (_fields.Count > 1 || _fields[0].Length > 0)
            {
                yield return new(firstLine, [.. _fields]);
            }
        }
    }

    char DetectSeparator()
    {
        // A reader peeks one character ahead only, so the first line is read and put back in front.
        var head = new StringBuilder();
        for (var next = text.Read(); next >= 0; next = text.Read())
        {
            head.Append((char)next);
            if (next == '\n' || (next == '\r' && text.Peek() != '\n'))
            {
                break;
            }
        }

        if (FindNamedSeparator(head.ToString()) is { } named)
        {
            _line++;
            return named;
        }

        text = new PrefixedReader(head.ToString(), text);
        var isQuoted = false;
        var counts = new Dictionary<char, int>
        {
            [','] = 0,
            [';'] = 0,
            ['\t'] = 0,
        };
        for (var i = 0; i < head.Length; i++)
        {
            if (head[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (!isQuoted && counts.TryGetValue(head[i], out var count))
            {
                counts[head[i]] = count + 1;
            }
        }

        return counts.MaxBy(pair => pair.Value).Key;
    }

    /// <summary>The separator that a line <c>sep=;</c> names, in quotes or not; null for any other line.</summary>
    static char? FindNamedSeparator(string line)
    {
        const string Prefix = "sep=";
        var bare = line.TrimEnd('\r', '\n');
        var unquoted = bare is ['"', .., '"'] ? bare[1..^1] : bare;
        return unquoted.Length == Prefix.Length + 1 && unquoted.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)
            ? unquoted[^1]
            : null;
    }

    bool ReadRow()
    {
        _fields.Clear();
        if (text.Peek() < 0)
        {
            return false;
        }

        while (true)
        {
            var end = text.Peek() == '"' ? ReadQuotedField() : ReadPlainField();
            _fields.Add(_field.ToString());
            _field.Clear();
            if (end != _separator)
            {
                return true;
            }
        }
    }

    /// <summary>Reads up to a separator or the end of the line, and returns which it was.</summary>
    int ReadPlainField()
    {
        while (true)
        {
            var next = text.Read();
            if (next == '\r' && text.Peek() == '\n')
            {
                continue;
            }

            if (next is '\n' or '\r')
            {
                _line++;
            }

            if (next < 0 || next is '\n' or '\r' || next == _separator)
            {
                return next;
            }

            _field.Append((char)next);
        }
    }

    int ReadQuotedField()
    {
        var firstLine = _line;
        text.Read();
        while (true)
        {
            var next = text.Read();
            if (next < 0 || _field.Length >= MaxFieldLength)
            {
                throw new DataFileException(
                    new() { File = path, Line = firstLine },
                    "a quote that is never closed",
                    "a quote at the end of the field",
                    "Close it, or double it where it belongs to the text."
                );
            }

            if (next == '\n')
            {
                _line++;
            }

            if (next != '"')
            {
                _field.Append((char)next);
            }
            else if (text.Peek() == '"')
            {
                _field.Append((char)text.Read());
            }
            else
            {
                // What stands between the closing quote and the separator belongs to the field.
                return ReadPlainField();
            }
        }
    }

    sealed class PrefixedReader(string head, TextReader rest) : TextReader
    {
        int _position;

        public override int Peek() => _position < head.Length ? head[_position] : rest.Peek();

        public override int Read() => _position < head.Length ? head[_position++] : rest.Read();
    }
}

/// <summary>A row of a CSV file.</summary>
/// <param name="Line">Line on which it begins, counted from 1.</param>
/// <param name="Fields">Its fields.</param>
sealed record CsvRow(long Line, IReadOnlyList<string> Fields);
