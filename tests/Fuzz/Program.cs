using System.CommandLine;
using System.Text.Json;
using CoPe.Fuzz.Engine;
using CoPe.Fuzz.Readers;

namespace CoPe.Fuzz;

/// <summary>The fuzzer's command: a run, one input again, or a worker of a run.</summary>
static class Program
{
    static readonly Option<long> Inputs = new("--inputs")
    {
        Description = "Inputs, all readers together.",
        DefaultValueFactory = _ => 1_000_000,
    };
    static readonly Option<long> Seed = new("--seed")
    {
        Description = "Seed of the inputs: the same seed makes the same inputs.",
        DefaultValueFactory = _ => 1,
    };
    static readonly Option<string[]> Readers = new("--reader")
    {
        Description = "One reader alone; may be given several times.",
        HelpName = "name",
    };
    static readonly Option<string> Findings = new("--findings")
    {
        Description = "Folder for inputs with findings.",
        DefaultValueFactory = _ => Path.Combine(Path.GetTempPath(), "cope-fuzz"),
    };
    static readonly Option<FileInfo?> Input = new("--input") { Description = "Reads this one input again." };
    static readonly Option<string?> WorkerSlot = new("--worker") { Hidden = true };
    static readonly Option<long> First = new("--first") { Hidden = true, DefaultValueFactory = _ => 1 };

    public static int Main(string[] args)
    {
        Readers.AcceptOnlyFromAmong([.. FuzzedReaders.All.Select(reader => reader.Name)]);
        var root = new RootCommand("Feeds every reader of foreign input with damaged files.")
        {
            Inputs,
            Seed,
            Readers,
            Findings,
            Input,
            WorkerSlot,
            First,
        };
        root.SetAction(Run);
        return root.Parse(args).Invoke();
    }

    static int Run(ParseResult parsed)
    {
        var names = parsed.GetValue(Readers) ?? [];
        var plan = new FuzzPlan
        {
            Inputs = parsed.GetValue(Inputs),
            Seed = parsed.GetValue(Seed),
            Readers = [.. FuzzedReaders.All.Where(reader => names.Length == 0 || names.Contains(reader.Name))],
            Findings = parsed.GetValue(Findings)!,
        };
        if (parsed.GetValue(Input) is { } file)
        {
            return ReadAgain(plan.Readers, file);
        }

        if (parsed.GetValue(WorkerSlot) is { } slot)
        {
            using var worker = new Worker(plan, slot);
            worker.Run(parsed.GetValue(First), report => Console.Out.WriteLine(JsonSerializer.Serialize(report)));
            return 0;
        }

        var result = new Supervisor(plan, Console.Out).Run();
        FigureTable.Write(result, Console.Out);
        return result.Findings.Count == 0 ? 0 : 1;
    }

    static int ReadAgain(IReadOnlyList<FuzzedReader> readers, FileInfo file)
    {
        if (readers is not [var reader])
        {
            Console.Error.WriteLine("--input needs the one --reader that it is for");
            return 2;
        }

        using var scratch = new Scratch();
        try
        {
            reader.Open(scratch)(File.ReadAllBytes(file.FullName));
            Console.WriteLine("accepted");
            return 0;
        }
        catch (Exception error)
        {
            var fault = Oracle.FindFault(reader, error);
            Console.WriteLine(fault ?? "refused as it should be");
            Console.WriteLine(error);
            return fault is null ? 0 : 1;
        }
    }
}
