#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
// Makes the synonym table that METEOR needs from the dict files of WordNet 3.0 (Debian: apt-get install wordnet-base):
//   dotnet run build/WordNetTable.cs -- /usr/share/wordnet src/CoPe/Evaluation/Language/WordNetData
// Output, the same bytes every time: wordnet-3.0.txt.br and LICENSE-WordNet.txt. The text inside holds, after a comment
// of two lines,
// for each part of speech (noun, verb, adj, adv) a line "@noun" with one synset a line below it (its words, sorted,
// spaces between), and a
// line "@noun.exc" with the irregular forms below it (the form, then its base forms).
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

if (args.Length != 2)
{
    Console.Error.WriteLine("usage: dotnet run build/WordNetTable.cs -- FOLDER_OF_DICT_FILES OUTPUT_FOLDER");
    return 2;
}
var (source, target) = (args[0], args[1]);
var table = new StringBuilder(
    "# Synsets and irregular forms of WordNet 3.0. "
        + "WordNet 3.0 Copyright 2006 by Princeton University. All rights reserved.\n"
        + "# Made by build/WordNetTable.cs; the licence stands in LICENSE-WordNet.txt.\n"
);
foreach (var part in (string[])["noun", "verb", "adj", "adv"])
{
    var synsets = ReadSynsets(part);
    CheckAgainstIndex(part, synsets);
    table.Append('@').Append(part).Append('\n');
    var lines = synsets.Values.Select(words => string.Join(' ', words.Order(StringComparer.Ordinal)));
    foreach (var line in lines.Distinct().Order(StringComparer.Ordinal))
        table.Append(line).Append('\n');
    table.Append('@').Append(part).Append(".exc\n");
    foreach (var line in Irregular(part))
        table.Append(line).Append('\n');
}
var text = Encoding.UTF8.GetBytes(table.ToString());
var compressed = Compress(text);
File.WriteAllBytes(Path.Combine(target, "wordnet-3.0.txt.br"), compressed);
File.WriteAllLines(Path.Combine(target, "LICENSE-WordNet.txt"), License());
Console.WriteLine(
    $"{text.Length:N0} bytes of text, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(text))}; "
        + $"{compressed.Length:N0} bytes compressed."
);
return 0;

// A line of a data file: offset lex_filenum ss_type w_cnt word lex_id [word lex_id...] ...; w_cnt is hexadecimal; a
// word may end in "(a)", "(p)" or "(ip)".
Dictionary<string, string[]> ReadSynsets(string part) =>
    File.ReadLines(Path.Combine(source, $"data.{part}"))
        .Where(line => !line.StartsWith(' '))
        .Select(line => line.Split(' '))
        .ToDictionary(
            fields => fields[0],
            fields =>
                Enumerable
                    .Range(0, Convert.ToInt32(fields[3], 16))
                    .Select(i => fields[4 + 2 * i].Split('(')[0])
                    .ToArray()
        );

// A line of an index file: lemma pos synset_cnt p_cnt [symbol...] sense_cnt tagsense_cnt offset [offset...]. A lemma
// must stand in exactly the synsets
// that hold it as a word, whatever its case: then the index need not be shipped.
void CheckAgainstIndex(string part, Dictionary<string, string[]> synsets)
{
    var found = synsets
        .SelectMany(synset =>
            synset.Value.Select(word => word.ToLowerInvariant()).Distinct().Select(lemma => (lemma, synset.Key))
        )
        .ToLookup(pair => pair.lemma, pair => pair.Key);
    var lemmas = 0;
    foreach (
        var fields in File.ReadLines(Path.Combine(source, $"index.{part}"))
            .Where(line => !line.StartsWith(' '))
            .Select(line => line.TrimEnd().Split(' '))
    )
    {
        var expected = fields[^int.Parse(fields[2], CultureInfo.InvariantCulture)..];
        if (!found[fields[0]].Order().SequenceEqual(expected.Order()))
            throw new InvalidDataException(
                $"index.{part}: '{fields[0]}' has the synsets {string.Join(" ", expected)}, "
                    + $"data.{part} has it in {string.Join(" ", found[fields[0]])}."
            );
        lemmas++;
    }
    if (lemmas != found.Count)
        throw new InvalidDataException($"index.{part} has {lemmas} lemmas, data.{part} has {found.Count}.");
}

// Of two lines for one form the later counts, as NLTK reads them.
IEnumerable<string> Irregular(string part) =>
    File.ReadLines(Path.Combine(source, $"{part}.exc"))
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .GroupBy(fields => fields[0])
        .Select(group => string.Join(' ', group.Last()))
        .Order(StringComparer.Ordinal);

// The head of a data file is the license, each line behind its number.
IEnumerable<string> License() =>
    File.ReadLines(Path.Combine(source, "data.noun"))
        .TakeWhile(line => line.StartsWith(' '))
        .Select(line => line.TrimStart().TrimStart('0', '1', '2', '3', '4', '5', '6', '7', '8', '9').Trim());

static byte[] Compress(byte[] text)
{
    var compressed = new byte[BrotliEncoder.GetMaxCompressedLength(text.Length)];
    if (!BrotliEncoder.TryCompress(text, compressed, out var written, quality: 11, window: 24))
        throw new InvalidOperationException("The text could not be compressed.");
    return compressed[..written];
}
