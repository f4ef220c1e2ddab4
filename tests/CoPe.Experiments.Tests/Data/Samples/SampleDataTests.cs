using System.Text.Json;
using System.Text.RegularExpressions;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Samples;
using CoPe.Experiments.Tasks;

namespace CoPe.Experiments.Tests.Data.Samples;

public sealed class SampleDataTests : IClassFixture<SampleDataTests.Written>
{
    static readonly SampleOptions Small = new()
    {
        Users = 6,
        OtherUsers = 12,
        Documents = 500,
        Instructions = 500,
    };
    readonly string _folder;

    public SampleDataTests(Written written) => _folder = written.Folder;

    [Fact]
    public void All_five_text_tasks_are_written_in_the_formats_that_are_read()
    {
        Assert.Equal(5, SampleData.Tasks.Count);
        foreach (var task in SampleData.Tasks)
        {
            var dataset = LampFiles.Read(_folder, task);
            Assert.Equal((6, 12), (dataset.Users.Count, dataset.Others.Count));
            Assert.All(dataset.Users, user => Assert.InRange(user.History.Count, 30, 50));
            Assert.All(dataset.Users.Concat(dataset.Others), user => Assert.Equal(5, user.Queries.Count));
            Assert.All(dataset.Others.SelectMany(user => user.Queries), query => Assert.NotEmpty(query.Gold));
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_files_and_another_seed_others()
    {
        using var again = new Written();
        foreach (var file in Directory.GetFiles(_folder, "*", SearchOption.AllDirectories))
        {
            Assert.Equal(
                File.ReadAllBytes(file),
                File.ReadAllBytes(Path.Combine(again.Folder, Path.GetRelativePath(_folder, file)))
            );
        }

        Assert.NotEqual(
            new SampleWorld(1).CreateItem(SampleTask.All[0], new(1), new(1)).Fields,
            new SampleWorld(1).CreateItem(SampleTask.All[0], new(1), new(2)).Fields
        );
    }

    [Fact]
    public void No_gold_of_a_query_and_no_input_of_one_stands_anywhere_else()
    {
        var corpus = File.ReadAllText(Path.Combine(_folder, "corpus", "neutral.txt"));
        var instructions = File.ReadAllText(Path.Combine(_folder, "corpus", "instructions.jsonl"));
        foreach (var dataset in SampleData.Tasks.Select(task => LampFiles.Read(_folder, task)))
        {
            var template = PromptFile.LoadShipped(dataset.Task);
            var people = dataset.Users.Concat(dataset.Others).ToList();
            var histories = people.SelectMany(user => user.History).ToList();
            var answers = histories.Select(item => item.Fields[dataset.Task.OutputField]).ToHashSet();
            var inputs = histories.Select(template.FormatHistoryItem).ToHashSet();
            var queries = people.SelectMany(user => user.Queries).ToList();
            Assert.Equal(queries.Count, queries.Select(query => query.Gold).Distinct().Count());
            Assert.All(
                queries,
                query =>
                {
                    Assert.DoesNotContain(query.Gold, answers);
                    Assert.DoesNotContain(query.Input, inputs);
                    Assert.DoesNotContain(query.Gold, corpus, StringComparison.Ordinal);
                    Assert.DoesNotContain(query.Gold, instructions, StringComparison.Ordinal);
                }
            );
        }
    }

    [Fact]
    public void Instructions_are_chat_pairs_in_the_wording_of_the_tasks()
    {
        var pairs = File.ReadLines(Path.Combine(_folder, "corpus", "instructions.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.Equal(500, pairs.Count);
        Assert.All(pairs, pair => Assert.StartsWith("Generate", pair.GetProperty("prompt").GetString()));
        Assert.All(pairs, pair => Assert.NotEmpty(pair.GetProperty("answer").GetString()!));
        Assert.Equal(500, File.ReadLines(Path.Combine(_folder, "corpus", "neutral.txt")).Count());
    }

    [Fact]
    public void Instructions_begin_with_unstyled_headlines_and_later_one_of_four_has_an_authors_style()
    {
        var pairs = File.ReadLines(Path.Combine(_folder, "corpus", "instructions.jsonl"))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        Assert.All(
            pairs.Take(500 / 6),
            pair => Assert.StartsWith("Generate a headline", pair.GetProperty("prompt").GetString())
        );
        var carried = pairs
            .Select(pair =>
            {
                var requestWords = Words(pair.GetProperty("prompt").GetString()!).ToHashSet();
                return Words(pair.GetProperty("answer").GetString()!)
                    .Average(word => requestWords.Contains(word) ? 1.0 : 0);
            })
            .Index()
            .ToLookup(share => share.Index >= 500 / 6 && share.Index % 4 == 0, share => share.Item);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"words of the answer that stand in the request: {carried[false].Average():F3} without style, "
                + $"{carried[true].Average():F3} in an author's"
        );
        Assert.True(carried[false].Average() > carried[true].Average() + 0.2);
        Assert.DoesNotContain(carried[false], share => share < 0.25);
    }

    [Theory]
    [InlineData("news_headline", 6, 24)]
    [InlineData("scholarly_title", 5, 24)]
    [InlineData("abstract_generation", 30, 90)]
    [InlineData("review_writing", 25, 90)]
    [InlineData("topic_writing", 25, 90)]
    public void The_authors_own_style_shares_more_words_with_their_text_than_an_average_style(
        string name,
        int shortest,
        int longest
    )
    {
        var task = SampleTask.All.Single(task => task.Task.Name == name);
        var world = new SampleWorld(7);
        double own = 0,
            average = 0;
        for (var n = 0; n < 200; n++)
        {
            var (author, other, draw) = (
                world.CreateAuthor($"{n % 20}"),
                world.CreateAuthor($"other {n}"),
                world.CreateRandom($"{n}")
            );
            var facts = world.DrawNewFacts(task.Domain, draw);
            var gold = Words(world.CreateAnswer(task, facts, author, draw));
            Assert.InRange(gold.Count, shortest, longest);
            own += Overlap(gold, Words(world.CreateAnswer(task, facts, author, draw))) / 200;
            average += Overlap(gold, Words(world.CreateAnswer(task, facts, other, draw))) / 200;
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: own style {own:F3}, another's {average:F3}");
        Assert.True(own > average + 0.2, $"{name}: own style {own:F3}, another's {average:F3}");
    }

    [Fact]
    public void Every_name_in_the_grammar_is_a_symbol_and_every_style_has_a_choice()
    {
        var grammar = SampleGrammar.Shipped;
        foreach (var symbol in grammar.Symbols)
        {
            Assert.NotEmpty(symbol.Alternatives);
            foreach (Match match in Regex.Matches(string.Join(' ', symbol.Alternatives), @"\{([\w.]+)(?::\d)?\}"))
            {
                _ = grammar[match.Groups[1].Value];
            }

            if (symbol.Kind == '~')
            {
                Assert.True(symbol.Alternatives.Distinct().Count() > 1, symbol.Name);
            }
        }
    }

    [Fact]
    public void A_longest_history_below_the_shortest_is_refused() =>
        Assert.Contains(
            "MaxHistory is 5",
            Assert
                .Throws<ArgumentException>(() =>
                    SampleData.Write(
                        _folder,
                        new() { MinHistory = 9, MaxHistory = 5 },
                        cancellation: TestContext.Current.CancellationToken
                    )
                )
                .Message
        );

    static List<string> Words(string text) =>
        Regex.Matches(text.ToLowerInvariant(), "[a-z0-9]+").Select(match => match.Value).ToList();

    // Words in common, each as often as it stands in both, over the mean length: the F1 of unigrams.
    static double Overlap(List<string> a, List<string> b) =>
        2.0
        * a.GroupBy(word => word).Sum(group => Math.Min(group.Count(), b.Count(word => word == group.Key)))
        / (a.Count + b.Count);

    public sealed class Written : IDisposable
    {
        public Written() => SampleData.Write(Folder, Small);

        public string Folder { get; } = Directory.CreateTempSubdirectory("cope-sample-").FullName;

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}
