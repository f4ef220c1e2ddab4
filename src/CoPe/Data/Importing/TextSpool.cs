using System.Text;

namespace CoPe.Data.Importing;

/// <summary>Texts on the disk, each found again by where it begins: so that a source larger than the memory can be divided by authors. The file is gone when this is disposed.</summary>
sealed class TextSpool : IDisposable
{
    readonly FileStream file;
    readonly BinaryWriter writer;
    readonly BinaryReader reader;

    public TextSpool(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        file = new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
        (writer, reader) = (new(file, Encoding.UTF8, leaveOpen: true), new(file, Encoding.UTF8, leaveOpen: true));
    }

    /// <summary>Takes a text, and says where it begins.</summary>
    public long Add(DataFilePlace place, IReadOnlyList<string> columns)
    {
        var start = file.Position;
        writer.Write(place.File);
        writer.Write(place.Line ?? 0);
        writer.Write(place.Item ?? "");
        foreach (var column in columns) writer.Write(column);
        return start;
    }

    /// <summary>The place and the first columns of the text that begins here.</summary>
    public (DataFilePlace Place, IReadOnlyList<string> Columns) Read(long start, int columns)
    {
        file.Position = start;
        var (path, line, item) = (reader.ReadString(), reader.ReadInt64(), reader.ReadString());
        var place = new DataFilePlace { File = path, Line = line == 0 ? null : line, Item = item.Length == 0 ? null : item };
        return (place, [.. Enumerable.Range(0, columns).Select(_ => reader.ReadString())]);
    }

    public void Dispose()
    {
        writer.Dispose();
        reader.Dispose();
        file.Dispose();
    }
}
