using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Copies an ELF64 library with one of its symbol-version needs marked weak, so that the loader accepts a system
/// without that version.
/// </summary>
/// <remarks>
/// Layout: the ELF-64 object file format, section SHT_GNU_verneed (Verneed and Vernaux records); VER_FLG_WEAK is 2.
/// </remarks>
public class WeakenElfVersionNeed : Task
{
    const uint VersionNeedSection = 0x6ffffffe;
    const byte WeakFlag = 2;

    [Required]
    public string Source { get; set; }

    [Required]
    public string Destination { get; set; }

    [Required]
    public string Version { get; set; }

    public override bool Execute()
    {
        var library = File.ReadAllBytes(Source);
        var needs = Weaken(library);
        if (needs == 0)
            Log.LogMessage(MessageImportance.Low, "{0} does not need {1}: copied as it is.", Source, Version);
        if (File.Exists(Destination) && Same(File.ReadAllBytes(Destination), library))
            return true;
        Directory.CreateDirectory(Path.GetDirectoryName(Destination));
        // A new file, never a write into the old one: outputs may be hard links to it.
        File.Delete(Destination);
        File.WriteAllBytes(Destination, library);
        return true;
    }

    int Weaken(byte[] elf)
    {
        var sections = (int)BitConverter.ToInt64(elf, 40);
        var found = 0;
        for (var i = 0; i < BitConverter.ToUInt16(elf, 60); i++)
        {
            var section = sections + i * 64;
            if (BitConverter.ToUInt32(elf, section + 4) != VersionNeedSection)
                continue;
            var strings = (int)BitConverter.ToInt64(elf, sections + BitConverter.ToInt32(elf, section + 40) * 64 + 24);
            var need = (int)BitConverter.ToInt64(elf, section + 24);
            for (var n = BitConverter.ToInt32(elf, section + 44); n > 0; n--)
            {
                var entry = need + BitConverter.ToInt32(elf, need + 8);
                for (var k = BitConverter.ToUInt16(elf, need + 2); k > 0; k--)
                {
                    if (NameAt(elf, strings + BitConverter.ToInt32(elf, entry + 8)) == Version)
                    {
                        elf[entry + 4] = WeakFlag;
                        found++;
                    }
                    entry += BitConverter.ToInt32(elf, entry + 12);
                }
                need += BitConverter.ToInt32(elf, need + 12);
            }
        }
        return found;
    }

    static string NameAt(byte[] bytes, int start)
    {
        return Encoding.ASCII.GetString(bytes, start, Array.IndexOf(bytes, (byte)0, start) - start);
    }

    static bool Same(byte[] a, byte[] b)
    {
        if (a.Length != b.Length)
            return false;
        for (var i = 0; i < a.Length; i++)
            if (a[i] != b[i])
                return false;
        return true;
    }
}
