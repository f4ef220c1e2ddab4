using System.Diagnostics;
using CoPe.Adapters;
using CoPe.Decoding;
using CoPe.Scoring;
using CoPe.Training;

namespace CoPe.Benchmarks.Answer;

/// <summary>
/// What one user of 20 titles takes: two epochs of SFT, three candidates an item, their selection, DPO; with adapters
/// that act on the answer alone over those that act everywhere.
/// </summary>
sealed class PipelineFigures(AnswerModel model, int rounds)
{
    const int Items = 20;
    const int Prompt = 214;
    const int Answer = 17;
    const int Candidates = 3;

    static readonly string[] Stages = ["sft", "candidates", "selection", "dpo"];

    readonly SupervisedExample[] _history =
    [
        .. model
            .CreatePrompts(Items, Prompt)
            .Select((prompt, i) => new SupervisedExample($"{i}", prompt, model.CreateText(Answer))),
    ];

    /// <summary>All figures.</summary>
    public IEnumerable<(string Name, double Value)> All()
    {
        var (answer, everywhere) = (new List<double[]>(), new List<double[]>());
        for (var round = 0; round < Math.Max(1, rounds / 2); round++)
        {
            answer.Add(Run(ActivePositions.Answer));
            everywhere.Add(Run(ActivePositions.Everywhere));
        }

        var total = Measurement.Median(everywhere.Select(stages => stages.Sum()));
        yield return ("user_pipeline_everywhere_s", total);
        yield return (
            "user_pipeline_answer_over_everywhere",
            Measurement.Median(answer.Select(stages => stages.Sum())) / total
        );
        foreach (var (index, stage) in Stages.Index())
        {
            var whole = Measurement.Median(everywhere.Select(stages => stages[index]));
            yield return ($"pipeline_{stage}_share_everywhere", whole / total);
            yield return (
                $"pipeline_{stage}_answer_over_everywhere",
                Measurement.Median(answer.Select(stages => stages[index])) / whole
            );
        }
    }

    /// <summary>Seconds of each stage.</summary>
    double[] Run(ActivePositions active)
    {
        using var adapters = model.CreateUsers(active, 1);
        using var prompts = new PrefixCache(PrefixCache.DefaultMegabytes);
        IReadOnlyList<DecodingResult> candidates = [];
        IReadOnlyList<ScoredResponse> scores = [];
        return
        [
            Time(() =>
                SftTrainer.Train(
                    CreateContext(TrainingOptions.UserAdapter, prompts),
                    adapters,
                    [new("user", _history)],
                    model.Task
                )
            ),
            Time(() => candidates = Sample()),
            Time(() => scores = Score(candidates, adapters, prompts)),
            Time(() => Prefer(candidates, scores, adapters, prompts)),
        ];
    }

    IReadOnlyList<DecodingResult> Sample()
    {
        var engine = new DecodingEngine(model.Model, model.Task, null, []);
        return engine.GenerateInOrder([
            .. _history.Select(example => new DecodingRequest
            {
                Id = example.Id,
                Prompt = example.Prompt,
                Expert = AdapterSelection.Task,
                Samples = Candidates,
                Options = new DecodingOptions { MaxNewTokens = Answer, DoSample = true },
            }),
        ]);
    }

    IReadOnlyList<ScoredResponse> Score(
        IReadOnlyList<DecodingResult> candidates,
        AdapterBank adapters,
        PrefixCache prompts
    )
    {
        var scorer = new SequenceScorer(model.Model, model.Task, adapters) { Prompts = prompts };
        return scorer.Score(
            _history.Select(
                (example, i) =>
                    new ScoringItem(
                        example.Id,
                        example.Prompt,
                        [example.Response, .. GetCandidates(candidates, i)],
                        [AdapterSelection.TaskAndUser(0), AdapterSelection.Task]
                    )
            )
        );
    }

    void Prefer(
        IReadOnlyList<DecodingResult> candidates,
        IReadOnlyList<ScoredResponse> scores,
        AdapterBank adapters,
        PrefixCache prompts
    )
    {
        var perItem = 2 * (Candidates + 1);
        PreferenceExample[] pairs =
        [
            .. _history.Select(
                (example, i) =>
                    new PreferenceExample(
                        example.Id,
                        example.Prompt,
                        example.Response,
                        [.. GetCandidates(candidates, i).First()]
                    )
                    {
                        Reference = new(
                            (float)scores[i * perItem + Candidates + 1].Sum,
                            (float)scores[i * perItem + Candidates + 2].Sum
                        ),
                    }
            ),
        ];
        DpoTrainer.Train(
            CreateContext(TrainingOptions.Dpo, prompts),
            adapters,
            [new("user", pairs)],
            new(),
            model.Task
        );
    }

    TrainingContext CreateContext(TrainingOptions options, PrefixCache prompts) =>
        new()
        {
            Model = model.Model,
            Options = options,
            Prompts = prompts,
        };

    static IEnumerable<IReadOnlyList<int>> GetCandidates(IReadOnlyList<DecodingResult> candidates, int item) =>
        candidates.Skip(item * Candidates).Take(Candidates).Select(candidate => candidate.Ids);

    static double Time(Action action)
    {
        var watch = Stopwatch.StartNew();
        action();
        return watch.Elapsed.TotalSeconds;
    }
}
