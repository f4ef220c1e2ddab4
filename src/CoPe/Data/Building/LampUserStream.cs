using System.Text.Json;

namespace CoPe.Data.Building;

/// <summary>Writes users into a file of them as they come.</summary>
sealed class LampUserStream : IDisposable
{
    const int MostPending = 1 << 15;

    readonly FileStream stream;
    readonly Utf8JsonWriter json;

    public LampUserStream(string path)
    {
        stream = new(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 14);
        json = new(stream);
        json.WriteStartArray();
    }

    public void Write(LampUser user)
    {
        LampFileWriter.WriteUser(json, user);
        if (json.BytesPending > MostPending) json.Flush();
    }

    public void Dispose()
    {
        json.WriteEndArray();
        json.Dispose();
        stream.Dispose();
    }
}
