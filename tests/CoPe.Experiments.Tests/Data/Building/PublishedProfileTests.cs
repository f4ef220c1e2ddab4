using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CoPe.Experiments.Data;
using CoPe.Experiments.Data.Building;
using CoPe.Experiments.Tasks;
using CoPe.Testing;
using Parquet.Serialization;

namespace CoPe.Experiments.Tests.Data.Building;

/// <summary>The shapes in which a published file may hold a user's history.</summary>
public sealed class PublishedProfileTests : IDisposable
{
    const string Objects = """[{"id":"1","abstract":"a1","title":"t1"},{"id":"2","abstract":"a2","title":"t2"}]""";
    const string Columns = """{"id":["1","2"],"abstract":["a1","a2"],"title":["t1","t2"]}""";

    readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>The profile as it stands in JSON.</summary>
    public static TheoryData<string> Shapes =>
        [
            Objects,
            Columns,
            """[{"id":1.0,"abstract":"a1","title":"t1"},{"id":2.0,"abstract":"a2","title":"t2"}]""",
            JsonSerializer.Serialize(Objects),
            JsonSerializer.Serialize(Columns),
            JsonSerializer.Serialize(
                (string[])
                    [
                        """{"id":"1","abstract":"a1","title":"t1"}""",
                        """{"id":"2","abstract":"a2","title":"t2","score":NaN}""",
                    ]
            ),
        ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_profile_of_any_of_these_shapes_gives_the_same_history(string profile)
    {
        var report = BuildJson(profile);

        Assert.Equal((2, 4, 0), (report.Examples, report.Items, report.ProblemCount));
        var user = LampFiles.Read(_folder.At("out"), LampTasks.ScholarlyTitle).Users[0];
        Assert.Equal(
            [("1", "a1", "t1"), ("2", "a2", "t2")],
            user.History.Select(item => (item.Id, item.Fields["abstract"], item.Fields["title"]))
        );
    }

    [Theory]
    [InlineData("\"[{'id': '1', 'title': 't'}]\"", "a text of 27 characters that is no JSON")]
    [InlineData("\"nothing\"", "a text of 7 characters that is no JSON")]
    [InlineData("\"7\"", "JSON text that holds a number")]
    [InlineData("""{"id":"1","abstract":"a","title":"t"}""", "one object, whose id is no list")]
    [InlineData("""{"id":["1"],"title":["t","u"]}""", "an object of lists that differ in length: 1 of id, 2 of title")]
    public void Another_profile_is_named_as_what_it_is(string profile, string found)
    {
        var error = Assert.Throws<DataFileException>(() => BuildJson(profile));

        var problem = ReadProblems(profile)[0];
        Assert.Contains($"field \"profile\": found {found}", problem, StringComparison.Ordinal);
        Assert.Contains(PublishedProfile.Expected, problem, StringComparison.Ordinal);
        Assert.NotEmpty(error.Message);
    }

    [Fact]
    public async Task A_parquet_profile_may_be_a_structure_of_lists()
    {
        await WriteParquet<ListsRow>([
            new()
            {
                Id = "10",
                Input = "request 1",
                Profile = new()
                {
                    Id = ["1", "2"],
                    Abstract = ["a1", "a2"],
                    Title = ["t1", "t2"],
                },
            },
            new()
            {
                Id = "20",
                Input = "request 2",
                Profile = new()
                {
                    Id = ["3"],
                    Abstract = ["a3"],
                    Title = ["t3"],
                },
            },
        ]);

        var problems = new List<DataFileException>();
        var examples = Read("x.parquet", problems);

        Assert.Empty(problems);
        Assert.Equal(
            [("1", "a1", "t1"), ("2", "a2", "t2")],
            examples[0].History.Select(item => (item.Id, item.Fields["abstract"], item.Fields["title"]))
        );
        Assert.Equal("3", Assert.Single(examples[1].History).Id);
    }

    [Fact]
    public async Task A_parquet_profile_may_be_JSON_text_or_its_bytes_and_other_bytes_are_named()
    {
        await WriteParquet<BytesRow>([
            new()
            {
                Id = "10",
                Input = "request 1",
                Profile = Encoding.UTF8.GetBytes(Objects),
            },
            new()
            {
                Id = "20",
                Input = "request 2",
                Profile = [0x80, 0x04, 0x95],
            },
        ]);
        var problems = new List<DataFileException>();

        Assert.Equal(["t1", "t2"], Titles(Assert.Single(Read("x.parquet", problems))));
        Assert.Contains(
            "binary data of 3 bytes that are no JSON text",
            Assert.Single(problems).Message,
            StringComparison.Ordinal
        );

        await WriteParquet<TextRow>([
            new()
            {
                Id = "10",
                Input = "request 1",
                Profile = Columns,
            },
        ]);
        Assert.Equal(["t1", "t2"], Titles(Assert.Single(Read("x.parquet", problems))));
    }

    static IEnumerable<string> Titles(PublishedExample example) => example.History.Select(item => item.Fields["title"]);

    BuildReport BuildJson(string profile)
    {
        WriteJson(profile);
        return DataBuild.Run(
            new()
            {
                Definition = TaskFile.LoadShipped("scholarly_title"),
                Sources = [_folder.At("x.jsonl")],
                TestUsers = 1,
                Target = _folder.At("out"),
            }
        );
    }

    List<string> ReadProblems(string profile)
    {
        WriteJson(profile);
        var problems = new List<DataFileException>();
        Read("x.jsonl", problems);
        return [.. problems.Select(problem => problem.Message)];
    }

    void WriteJson(string profile) =>
        _folder.Write(
            "x.jsonl",
            string.Join(
                '\n',
                ((int[])[10, 20]).Select(id =>
                    $$"""{"id":"{{id}}","input":"request {{id}}","output":"answer {{id}}","profile":{{profile}}}"""
                )
            )
        );

    List<PublishedExample> Read(string name, List<DataFileException> problems)
    {
        using var file = PublishedExampleReader.Open(_folder.At(name));
        return [.. new PublishedExampleReader(file, LampTasks.ScholarlyTitle, null, problems.Add).ReadExamples()];
    }

    async Task WriteParquet<T>(IReadOnlyCollection<T> rows)
    {
        await using var stream = File.Create(_folder.At("x.parquet"));
        await ParquetSerializer.SerializeAsync(rows, stream, cancellationToken: TestContext.Current.CancellationToken);
    }

    sealed class ListsRow
    {
        [JsonPropertyName("id")]
        public string Id { get; set; } = "";

        [JsonPropertyName("input")]
        public string Input { get; set; } = "";

        [JsonPropertyName("profile")]
        public ProfileLists Profile { get; set; } = new();
    }

    sealed class ProfileLists
    {
        [JsonPropertyName("id")]
        public List<string> Id { get; set; } = [];

        [JsonPropertyName("abstract")]
        public List<string> Abstract { get; set; } = [];

        [JsonPropertyName("title")]
        public List<string> Title { get; set; } = [];
    }

    sealed class BytesRow
    {
        [JsonPropertyName("id")]
        public string Id { get; set; } = "";

        [JsonPropertyName("input")]
        public string Input { get; set; } = "";

        [JsonPropertyName("profile")]
        public byte[] Profile { get; set; } = [];
    }
}
