using System.Globalization;
using CoPe.Benchmarks;
using CoPe.Benchmarks.Answer;
using CoPe.Benchmarks.Decode;
using CoPe.Benchmarks.Gguf;
using CoPe.Benchmarks.Serve;
using CoPe.Benchmarks.Train;
using CoPe.Modeling;

const string Usage = """
    usage: CoPe.Benchmarks train [--layers N] [--rounds N]
           CoPe.Benchmarks dpo [--layers N] [--rounds N]
           CoPe.Benchmarks train-peak [--shape mistral-7b|qwen2.5-0.5b|qwen2.5-1.5b|embedded] [--layers N]
           CoPe.Benchmarks decode [--shape qwen2.5-0.5b|qwen2.5-1.5b|mistral-7b|embedded] [--layers N] [--rounds N]
           CoPe.Benchmarks trace [--shape S] [--users N] [--layers N] [--rounds N] [--dtype bf16|int8|q4]
           CoPe.Benchmarks lowbit [--shape S] [--layers N] [--rounds N]
           CoPe.Benchmarks lowbit MODEL_FOLDER TEXT_FILE TOKENS
           CoPe.Benchmarks memory [--shape S] [--layers N]
           CoPe.Benchmarks start [--shape S] [--layers N]
           CoPe.Benchmarks answer [--shape S] [--layers N] [--rounds N] [--part prompts|train|pipeline]
           CoPe.Benchmarks answer MODEL_FOLDER
           CoPe.Benchmarks prompts MODEL_FOLDER
           CoPe.Benchmarks serve MODEL_FOLDER [--shape S] [--layers N] [--rounds N]
           CoPe.Benchmarks serve-load MODEL_FOLDER
           CoPe.Benchmarks cold-start
           CoPe.Benchmarks gguf [MODEL_FOLDER [ADAPTER_FOLDER...]]
           CoPe.Benchmarks peer [--shape 0.5b|1.5b] [--layers N] [--rounds N]
           CoPe.Benchmarks tokens TOKENIZER_FOLDER TEXT_FILE
    lowbit prints decode's figures of int8 and q4 weights or, with a model and a text, what they do to its
    log-probabilities.
    serve takes the model, or with a shape its tokenizer alone, and 16 clients; serve-load has a thousand clients.
    Prints one line per figure, 'name value'. Layers are those of the shape by default (24 for train and dpo), rounds 5
    and 16.
    peer measures llama.cpp beside us, both on two threads.
    gguf compares exported files with llama.cpp, and llama.cpp's own files with what is read of them; it exits with 1
    where one differs by more than is allowed. Without a model it takes small random ones of every architecture.
    train-peak writes the whole model into the folder for temporary files (14.5 GB for mistral-7b) and takes one SFT
    step and one DPO step.
    """;
void Print(IEnumerable<(string Name, double Value)> figures)
{
    foreach (var (name, value) in figures)
    {
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name} {value:G4}"));
    }
}

if (args is ["tokens", var folder, var text])
{
    Print(new TokenFigures(folder, text).All());
    return 0;
}

if (args is ["lowbit", not ['-', ..] and var model, var words, var tokens])
{
    Print(new LowBitFigures(model, words, int.Parse(tokens, CultureInfo.InvariantCulture)).All());
    return 0;
}

if (args is ["answer", not ['-', ..] and var pipelineModel])
{
    using var loaded = AnswerModel.Load(pipelineModel);
    Print(new PipelineFigures(loaded, rounds: 6).All());
    return 0;
}

if (args is ["serve", not ['-', ..] and var servedModel, .. var ofServing])
{
    string? Find(string name) => ofServing.Chunk(2).FirstOrDefault(pair => pair[0] == name)?[1];
    int? FindNumber(string name) => Find(name) is { } number ? int.Parse(number, CultureInfo.InvariantCulture) : null;
    using var users = new ServedUsers(servedModel, Find("--shape"), FindNumber("--layers"), ServeFigures.Users);
    Print(await new ServeFigures(users, FindNumber("--rounds") ?? 5).MeasureAsync());
    return 0;
}

if (args is ["serve-load", var loadedModel])
{
    using var users = new ServedUsers(loadedModel, shape: null, layers: null, ServeFigures.Users);
    Print(await new LoadFigures(users, clients: 1000, requestsOfClient: 10).MeasureAsync());
    return 0;
}

if (args is ["cold-start"])
{
    Print(await ColdStartFigures.MeasureAsync());
    return 0;
}

if (args is ["peer", .. var ofPeer])
{
    string? FindOption(string name) => ofPeer.Chunk(2).FirstOrDefault(pair => pair[0] == name)?[1];
    int? FindCount(string name) =>
        FindOption(name) is { } number ? int.Parse(number, CultureInfo.InvariantCulture) : null;
    using var peer = new PeerFigures(
        $"qwen2.5-{FindOption("--shape") ?? "0.5b"}",
        FindCount("--layers"),
        FindCount("--rounds") ?? 16
    );
    Print(peer.All());
    return 0;
}

if (args is ["gguf"])
{
    return GgufFamilies.Compare(Print) ? 0 : 1;
}

if (args is ["gguf", var comparedModel, .. var comparedAdapters])
{
    using var comparison = new GgufComparison(comparedModel, comparedAdapters);
    Print(comparison.All());
    return comparison.IsAlike ? 0 : 1;
}

if (args is ["prompts", var modelFolder])
{
    using var figures = new PromptFigures(modelFolder);
    Print(figures.All());
    return 0;
}

var options = args.Skip(1).Chunk(2).ToArray();
if (
    args
        is not [
            "train"
            or "dpo"
            or "train-peak"
            or "decode"
            or "trace"
            or "lowbit"
            or "memory"
            or "start"
            or "answer",
            ..,
        ]
    || options.Any(pair =>
        pair
            is not ["--shape" or "--layers" or "--rounds" or "--users", _]
                and not ["--dtype", "bf16" or "int8" or "q4"]
                and not ["--part", "prompts" or "train" or "pipeline"]
    )
)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

string? Text(string name) => options.FirstOrDefault(pair => pair[0] == name)?[1];
QuantizedDtype? Quantization() =>
    Text("--dtype") switch
    {
        "int8" => QuantizedDtype.Int8,
        "q4" => QuantizedDtype.Q4,
        _ => null,
    };

int? Number(string name) => Text(name) is { } number ? int.Parse(number, CultureInfo.InvariantCulture) : null;
if (args[0] == "train")
{
    using var figures = new TrainFigures(Number("--layers") ?? 24, Number("--rounds") ?? 5);
    Print(figures.All());
}
else if (args[0] == "dpo")
{
    using var randomModel = new RandomModel(RandomModel.CreateConfig("qwen2.5-0.5b", Number("--layers") ?? 24));
    using var loaded = randomModel.Load();
    var figures = new DpoFigures(loaded, Number("--rounds") ?? 5);
    Print(figures.Ratios());
    Print(figures.PartsOfSteps());
}
else if (args[0] == "train-peak")
{
    using var figures = new PeakFigures(Text("--shape") ?? "mistral-7b", Number("--layers"));
    Print(figures.All());
}
else if (args[0] == "answer")
{
    using var figures = new AnswerFigures(
        Text("--shape") ?? "qwen2.5-0.5b",
        Number("--layers"),
        Number("--rounds") ?? 4
    );
    Print(figures.Compute(Text("--part")));
}
else if (args[0] == "start")
{
    Print(StartFigures.Measure(Text("--shape") ?? "qwen2.5-0.5b", Number("--layers")));
}
else if (args[0] == "memory")
{
    Print(new MemoryFigures(Text("--shape") ?? "qwen2.5-0.5b", Number("--layers")).All());
}
else
{
    using var figures = new DecodeFigures(
        Text("--shape") ?? "qwen2.5-0.5b",
        Number("--layers"),
        Number("--rounds") ?? 16
    );
    Print(
        args[0] == "trace" ? figures.Trace(Number("--users") ?? 1, Quantization())
        : args[0] == "lowbit" ? figures.LowBit()
        : figures.All()
    );
}
return 0;
