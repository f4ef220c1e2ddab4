using System.Globalization;
using CoPe.Benchmarks.Tokens;
using CoPe.Benchmarks.Train;

if (args is ["tokens", var folder, var text])
{
    foreach (var (name, value) in new TokenFigures(folder, text).All()) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:G4}"));
    return 0;
}

if (args is not ["train", ..])
{
    Console.Error.WriteLine("usage: CoPe.Benchmarks train [layers of the 0.5B shape, 24 by default] [rounds, 5 by default]");
    Console.Error.WriteLine("       CoPe.Benchmarks tokens TOKENIZER_FOLDER TEXT_FILE");
    return 2;
}

int Number(int position, int otherwise) => args.Length > position ? int.Parse(args[position], CultureInfo.InvariantCulture) : otherwise;

using var figures = new TrainFigures(Number(1, 24), Number(2, 5));
foreach (var (name, value) in figures.All()) Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:G4}"));
return 0;
