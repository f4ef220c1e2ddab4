using System.Collections;
using System.Text;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Data;

/// <summary>
/// Users whose texts are kept in UTF-8 and become strings for as long as they are read: what a run holds of users whom
/// it is not at work on is a third of what their strings would take.
/// </summary>
static class PackedUser
{
    static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The same user, packed; as they are where a text is no Unicode (half a surrogate pair).</summary>
    public static LampUser Pack(LampUser user)
    {
        try
        {
            return user with
            {
                History = Pack(user.History, WriteItem, ReadItem),
                Queries = Pack(user.Queries, WriteQuery, ReadQuery),
            };
        }
        catch (EncoderFallbackException)
        {
            return user;
        }
    }

    static IReadOnlyList<T> Pack<T>(IReadOnlyList<T> items, Action<BinaryWriter, T> write, Func<BinaryReader, T> read)
    {
        if (items is PackedList<T>)
        {
            return items;
        }

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes, Strict);
        var starts = new int[items.Count];
        foreach (var (place, item) in items.Index())
        {
            starts[place] = checked((int)bytes.Position);
            write(writer, item);
        }

        return new PackedList<T>(bytes.ToArray(), starts, read);
    }

    static void WriteItem(BinaryWriter writer, HistoryItem item)
    {
        writer.Write(item.Id);
        writer.Write7BitEncodedInt(item.Fields.Count);
        foreach (var (name, text) in item.Fields)
        {
            writer.Write(name);
            writer.Write(text);
        }
    }

    static HistoryItem ReadItem(BinaryReader reader)
    {
        var id = reader.ReadString();
        var count = reader.Read7BitEncodedInt();
        var fields = new Dictionary<string, string>(count);
        for (var i = 0; i < count; i++)
        {
            fields.Add(reader.ReadString(), reader.ReadString());
        }

        return new() { Id = id, Fields = fields };
    }

    static void WriteQuery(BinaryWriter writer, LampQuery query)
    {
        writer.Write(query.Id);
        writer.Write(query.Input);
        writer.Write(query.Gold);
    }

    static LampQuery ReadQuery(BinaryReader reader) =>
        new()
        {
            Id = reader.ReadString(),
            Input = reader.ReadString(),
            Gold = reader.ReadString(),
        };

    sealed class PackedList<T>(byte[] bytes, int[] starts, Func<BinaryReader, T> read) : IReadOnlyList<T>
    {
        public int Count => starts.Length;

        public T this[int index] => Read(starts[index], 1).First();

        public IEnumerator<T> GetEnumerator() => Read(0, starts.Length).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        IEnumerable<T> Read(int start, int count)
        {
            using var reader = new BinaryReader(new MemoryStream(bytes, start, bytes.Length - start), Strict);
            for (var i = 0; i < count; i++)
            {
                yield return read(reader);
            }
        }
    }
}
