using CoPe.Experiments.Evaluation;
using CoPe.Experiments.Runs;

namespace CoPe.Cli.Tests.Erasure;

/// <summary>
/// What stays complete when a user is erased: other users, runs of several seeds, runs whose inputs are away.
/// </summary>
public sealed class UserErasureTests : IDisposable
{
    readonly HandWrittenRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Where_the_recipe_limits_the_users_no_other_takes_the_place_of_an_erased_one(bool isDataToo)
    {
        _runs.Run("limited", "--set", "users=2");

        _runs.Forget("limited", "u1", isDataToo ? (string[])["--data"] : []);

        _runs.AssertHolds("limited", "u2");
        _runs.Succeed("run", "--run", "limited");
        _runs.AssertHolds("limited", "u2");
    }

    [Fact]
    public void Runs_of_several_seeds_stay_complete_when_a_user_is_removed_from_their_data()
    {
        _runs.Run("seeds", "--seeds", "2");

        Assert.Equal(1, _runs.Cope("user", "forget", "seeds/seed-42", "u1", "--data"));
        Assert.Contains("'cope user forget seeds u1 --data'", _runs.Error, StringComparison.Ordinal);
        Assert.Contains("u1", File.ReadAllText(_runs.Users), StringComparison.Ordinal);

        _runs.Forget("seeds", "u1", "--data");

        _runs.AssertHolds("seeds/seed-42", "u2", "u3");
        _runs.AssertHolds("seeds/seed-43", "u2", "u3");
        Assert.DoesNotContain("u1", File.ReadAllText(_runs.Users), StringComparison.Ordinal);
    }

    [Fact]
    public void A_child_run_keeps_the_list_it_was_made_with_and_a_new_one_takes_the_list_of_its_parent()
    {
        var parent = _runs.At("outer");
        var child = _runs.At("outer/known");
        ForgottenUsers.Add(parent, "Ada", isAdmitted: false);
        _runs.Folder.Write("outer/known/recipe.yaml", HandWrittenRuns.Recipe);
        var before = ForgottenUsers.Read(child);

        ForgottenUsers.Add(parent, "Bob", isAdmitted: true);

        Assert.Equal(before.Users, ForgottenUsers.Read(child).Users);
        Assert.True(
            ForgottenUsers.Read(_runs.At("outer/added")).Contains("Ada")
                && ForgottenUsers.Read(_runs.At("outer/added")).Contains("Bob")
        );
        Assert.Equal(4, ForgottenUsers.Read(parent).RemainingLimit(5));
    }

    [Fact]
    public void Without_model_and_data_a_user_is_erased_and_what_needs_them_is_removed_and_named()
    {
        _runs.Run("run");
        Directory.Move(_runs.Folder.At("my-model"), _runs.Folder.At("model-away"));
        Directory.Move(_runs.Folder.At("my-data"), _runs.Folder.At("data-away"));

        _runs.Succeed("user", "ls", "run");
        Assert.Contains("\nu1 ", _runs.Output, StringComparison.Ordinal);
        _runs.Succeed("user", "show", "run", "u1");
        _runs.Forget("run", "u1");

        Assert.Contains("is missing: what needs that was removed", _runs.Output, StringComparison.Ordinal);
        Assert.False(
            Directory.Exists(_runs.At("run").SftAdapter("u1"))
                || File.Exists(_runs.At("run").Results)
                || File.Exists(_runs.At("run").PendingErasure)
        );
        Assert.Equal(
            ["21", "31"],
            PredictionFile.Read(_runs.At("run").Predictions("base")).Predictions.Select(answer => answer.Id)
        );

        Directory.Move(_runs.Folder.At("model-away"), _runs.Folder.At("my-model"));
        Directory.Move(_runs.Folder.At("data-away"), _runs.Folder.At("my-data"));
        Assert.Equal(0, _runs.Cope("status", "--run", "run"));
        Assert.Equal(
            3,
            _runs.Output.Split('\n').Count(line => line.TrimEnd().EndsWith(" complete", StringComparison.Ordinal))
        );
        _runs.Succeed("run", "--run", "run");
        _runs.AssertHolds("run", "u2", "u3");
    }

    [Fact]
    public void Without_the_model_alone_the_run_stays_whole()
    {
        _runs.Run("run");
        Directory.Move(_runs.Folder.At("my-model"), _runs.Folder.At("model-away"));

        _runs.Forget("run", "u1");

        Directory.Move(_runs.Folder.At("model-away"), _runs.Folder.At("my-model"));
        _runs.AssertHolds("run", "u2", "u3");
    }
}
