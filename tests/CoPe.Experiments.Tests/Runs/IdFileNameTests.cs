using System.Text;
using CoPe.Experiments.Runs;
using CoPe.Testing;
using FsCheck;
using FsCheck.Fluent;

namespace CoPe.Experiments.Tests.Runs;

/// <summary>No two ids share a name, whatever they look like, and no name is one that means something else.</summary>
public sealed class IdFileNameTests
{
    static readonly string[] Seeds =
    [
        "foo",
        "Foo",
        "FOO",
        "foo-1cbec737",
        "%46oo",
        "%2546oo",
        ".",
        "..",
        "...",
        ".part",
        "1",
        "1.part",
        "1.part.part",
        "a/b",
        "a\\b",
        "a b",
        "a b ",
        "con",
        "con.txt",
        "CON",
        "com1.part",
        "é",
        "e\u0301",
        "ﬀ",
        "ff",
        "K",
        "\u212a",
        "ß",
        "ss",
        "İ",
        "i\u0307",
        "👍",
        "\ud83d",
        "\udc4d",
        "\ufffd",
        "%ud83d",
        "-",
        "--help",
        "~1",
        "*",
        "nul.",
        "user",
        new('x', 64),
        new('x', 65),
        new('x', 128),
        new('x', 129),
        new('x', 300),
        new('X', 300),
        new string('x', 299) + "y",
        new string('é', 300),
    ];

    /// <summary>The ids with names of today and of earlier versions as ids, in other cases and normal forms.</summary>
    static HashSet<string> Spread(IEnumerable<string> ids)
    {
        var all = ids.ToHashSet();
        for (var round = 0; round < 2; round++)
        {
            foreach (var id in all.ToList())
            {
                var isWhole = !id.Any(char.IsSurrogate);
                all.UnionWith([IdFileName.Encode(id), FormerUserNames.Create(id), id + ".part", id.ToUpperInvariant()]);
                all.UnionWith([id.ToLowerInvariant(), id + " ", id + ".", "." + id, id[..^1] + "%"]);
                all.UnionWith(isWhole ? [id.Normalize(NormalizationForm.FormKD)] : []);
            }
        }

        return all;
    }

    [Fact]
    public void Ids_that_are_each_others_names_cases_and_normal_forms_have_names_of_their_own()
    {
        var ids = Spread(Seeds);

        var names = ids.Select(IdFileName.Encode).ToList();

        Assert.True(ids.Count > 1000);
        Assert.Equal(ids.Count, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(names, AssertPortable);
    }

    [Fact]
    public void A_name_says_its_id_unless_it_is_too_long_and_nothing_else_is_taken_for_a_name()
    {
        foreach (var id in Spread(Seeds))
        {
            var name = IdFileName.Encode(id);
            Assert.Equal(name.Contains("%-", StringComparison.Ordinal) ? null : id, IdFileName.Decode(name));
        }

        Assert.All(
            ["Foo", "%46OO", "%66oo", "a%", "a%2", "a%2g", "a.part", ".a", "a.", "con", "%c3", ""],
            name => Assert.Null(IdFileName.Decode(name))
        );
    }

    [Fact]
    public void Any_two_ids_have_different_names()
    {
        const string letters = "aAéÉ%./ -_0f4\u0301\ud83d\udc4d";
        var id = Gen.Elements<char>(letters.ToCharArray()).NonEmptyListOf().Select(list => string.Concat(list));
        Prop.ForAll(
                Gen.Two(id).ToArbitrary(),
                pair =>
                    pair.Item1
                    == pair.Item2
                    == IdFileName
                        .Encode(pair.Item1)
                        .Equals(IdFileName.Encode(pair.Item2), StringComparison.OrdinalIgnoreCase)
            )
            .QuickCheckThrowOnFailure();
        Prop.ForAll(id.ToArbitrary(), one => AssertPortable(IdFileName.Encode(one))).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_path_of_a_user_is_the_temporary_path_of_another()
    {
        var run = new RunDirectory("run");
        var paths = Spread(Seeds)
            .SelectMany(id => (string[])[run.SftAdapter(id), run.DpoAdapter(id), run.AddedUser(id)])
            .ToHashSet();

        Assert.DoesNotContain(paths, path => paths.Contains(AtomicFile.GetAside(path)));
    }

    [Fact]
    public void Folders_of_all_of_them_stand_beside_each_other_on_a_disk()
    {
        using var folder = new TemporaryFolder();
        var ids = Spread(Seeds.Take(12));
        foreach (var id in ids)
        {
            Directory.CreateDirectory(folder.At(IdFileName.Encode(id)));
        }

        Assert.Equal(ids.Count, Directory.GetDirectories(folder.Path).Length);
    }

    static void AssertPortable(string name)
    {
        Assert.Matches("^[a-z0-9%_-][a-z0-9%._-]*$", name);
        Assert.True(name.Length <= 128, name);
        Assert.False(name.EndsWith('.') || name.EndsWith(".part", StringComparison.Ordinal), name);
        Assert.DoesNotMatch("^(con|prn|aux|nul|com[0-9]|lpt[0-9])$", name.Split('.')[0]);
    }
}
