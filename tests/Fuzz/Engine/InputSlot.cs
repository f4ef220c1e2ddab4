using System.IO.MemoryMappedFiles;
using CoPe.Fuzz.Mutations;

namespace CoPe.Fuzz.Engine;

/// <summary>
/// The input at work, in memory that outlives the process: where that is killed, its input is still known.
/// </summary>
sealed class InputSlot : IDisposable
{
    const int HeaderLength = 2 * sizeof(long);

    readonly MemoryMappedFile _file;
    readonly MemoryMappedViewAccessor _view;

    public InputSlot(string path)
    {
        _file = MemoryMappedFile.CreateFromFile(
            path,
            FileMode.OpenOrCreate,
            mapName: null,
            HeaderLength + Mutator.MaxLength
        );
        _view = _file.CreateViewAccessor();
    }

    /// <summary>The number of the input, counted from 1; 0 before the first.</summary>
    public long Number => _view.ReadInt64(0);

    public void Write(long number, byte[] input)
    {
        _view.WriteArray(HeaderLength, input, 0, input.Length);
        _view.Write(sizeof(long), input.LongLength);
        _view.Write(0, number);
    }

    public byte[] ReadInput()
    {
        var input = new byte[_view.ReadInt64(sizeof(long))];
        _view.ReadArray(HeaderLength, input, 0, input.Length);
        return input;
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
