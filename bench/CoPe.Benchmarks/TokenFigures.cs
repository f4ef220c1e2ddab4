using System.Diagnostics;
using System.Text;
using CoPe.Tokens;

namespace CoPe.Benchmarks;

/// <summary>
/// Speed of a tokenizer on a text, in MB of UTF-8 per second of processor time: line by line as documents are, first
/// with nothing remembered, then again.
/// </summary>
sealed class TokenFigures(string tokenizerFolder, string textFile)
{
    const int LargestText = 5_000_000;

    public IEnumerable<(string Name, double Value)> All()
    {
        var lines = Lines();
        var bytes = lines.Sum(line => (double)Encoding.UTF8.GetByteCount(line));
        // Compiles the code; the tokenizer measured is another one.
        Tokenizer.Load(tokenizerFolder).Encode(string.Join('\n', lines.Take(200)));
        Tokenizer? tokenizer = null;
        yield return ("load, s", Seconds(() => tokenizer = Tokenizer.Load(tokenizerFolder)));
        List<int[]> ids = [];
        yield return (
            "encode, first time, MB/s",
            bytes / 1e6 / Seconds(() => ids = [.. lines.Select(line => tokenizer!.Encode(line))])
        );
        for (var i = 0; i < 3; i++)
        {
            tokenizer!.Encode(string.Join('\n', lines));
        }

        tokenizer = Tokenizer.Load(tokenizerFolder);
        yield return (
            "encode, new words in a warm process, MB/s",
            bytes / 1e6 / Seconds(() => ids = [.. lines.Select(line => tokenizer!.Encode(line))])
        );
        yield return (
            "encode, again, MB/s",
            bytes / 1e6 / Seconds(() => ids = [.. lines.Select(line => tokenizer!.Encode(line))])
        );
        yield return ("streaming decode, MB/s", bytes / 1e6 / Seconds(() => Stream(tokenizer!, ids)));
        yield return ("bytes per token", bytes / ids.Sum(line => line.Length));
    }

    static void Stream(Tokenizer tokenizer, List<int[]> lines)
    {
        foreach (var ids in lines)
        {
            var decoder = tokenizer.CreateStreamingDecoder();
            foreach (var id in ids)
            {
                decoder.Add(id);
            }

            decoder.Finish();
        }
    }

    List<string> Lines()
    {
        var lines = new List<string>();
        var length = 0;
        foreach (var line in File.ReadLines(textFile))
        {
            lines.Add(line);
            if ((length += line.Length) > LargestText)
            {
                break;
            }
        }
        return lines;
    }

    static double Seconds(Action work)
    {
        using var process = Process.GetCurrentProcess();
        var before = process.TotalProcessorTime;
        work();
        process.Refresh();
        return (process.TotalProcessorTime - before).TotalSeconds;
    }
}
