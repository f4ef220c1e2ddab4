using System.Globalization;
using System.Text;

namespace CoPe.Experiments.Runs;

/// <summary>
/// An id as the name of a file or folder, one to one: lower-case letters, digits, <c>-</c>, <c>_</c> and <c>.</c> stand
/// for themselves, everything else is percent-encoded (<c>Ana</c> is <c>%41na</c>, <c>é</c> is <c>%c3%a9</c>). So names
/// differ also where a file system knows no case or joins accents, and none is reserved, hidden, or that of a temporary
/// file (<see cref="AtomicFile.GetAside"/>).
/// </summary>
static class IdFileName
{
    /// <summary>
    /// Characters of a name that is spelled out. A longer one is its beginning, <c>%-</c>, which no other name has, and
    /// the SHA-256 of all of it.
    /// </summary>
    const int MaxLength = 128;

    const int MaxBeginning = 40;

    /// <summary>The name of an id.</summary>
    public static string Encode(string id)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        var name = new StringBuilder();
        var beginning = 0;
        for (var i = 0; i < id.Length; i += CountUnits(id, i))
        {
            beginning = name.Length <= MaxBeginning ? name.Length : beginning;
            Append(name, id, i);
        }

        var whole = name.ToString();
        return whole.Length <= MaxLength ? whole : $"{whole[..beginning]}%-{StableHash.Sha256Hex(whole)}";
    }

    /// <summary>The id of a name; null where the name is of no id, or of one too long to be spelled out.</summary>
    public static string? Decode(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var id = new StringBuilder();
        var bytes = new List<byte>();
        for (var i = 0; i < name.Length;)
        {
            if (name[i] != '%')
            {
                AppendBytes(id, bytes);
                id.Append(name[i++]);
            }
            else if (ParseHex(name, i + 1, 2) is { } value)
            {
                bytes.Add((byte)value);
                i += 3;
            }
            else if (i + 1 < name.Length && name[i + 1] == 'u' && ParseHex(name, i + 2, 4) is { } unit)
            {
                AppendBytes(id, bytes);
                id.Append((char)unit);
                i += 6;
            }
            else
            {
                return null;
            }
        }

        AppendBytes(id, bytes);
        return id.Length > 0 && Encode(id.ToString()) == name ? id.ToString() : null;
    }

    static int CountUnits(string id, int place) => char.IsSurrogatePair(id, place) ? 2 : 1;

    static void Append(StringBuilder name, string id, int place)
    {
        if (IsPlain(id[place]) && !IsReserved(id, place))
        {
            name.Append(id[place]);
        }
        else if (Rune.TryGetRuneAt(id, place, out var rune))
        {
            Span<byte> utf8 = stackalloc byte[4];
            foreach (var value in utf8[..rune.EncodeToUtf8(utf8)])
            {
                name.Append(CultureInfo.InvariantCulture, $"%{value:x2}");
            }
        }
        else
        {
            name.Append(CultureInfo.InvariantCulture, $"%u{(int)id[place]:x4}"); // half a surrogate pair
        }
    }

    static void AppendBytes(StringBuilder id, List<byte> bytes)
    {
        id.Append(Encoding.UTF8.GetString([.. bytes]));
        bytes.Clear();
    }

    static int? ParseHex(string name, int start, int length) =>
        start + length <= name.Length
        && int.TryParse(
            name.AsSpan(start, length),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out var value
        )
            ? value
            : null;

    static bool IsPlain(char letter) =>
        char.IsAsciiDigit(letter) || char.IsAsciiLetterLower(letter) || letter is '-' or '_' or '.';

    /// <summary>
    /// Whether a plain character must not stand here: a point that would hide the file, that Windows would drop, or
    /// that begins the ending of temporary files, and the first letter of a device.
    /// </summary>
    static bool IsReserved(string id, int place) =>
        id[place] == '.'
            ? place == 0 || place == id.Length - 1 || id.AsSpan(place).SequenceEqual(AtomicFile.TemporarySuffix)
            : place == 0 && IsDevice(id);

    static bool IsDevice(string id) =>
        id.Split('.')[0] is "con" or "prn" or "aux" or "nul"
        || (id.Length >= 4 && id[..3] is "com" or "lpt" && char.IsAsciiDigit(id[3]));
}
