using CoPe.Experiments.Runs.Stages;
using CoPe.Testing;

namespace CoPe.Experiments.Tests.Runs.Stages;

public sealed class UserGroupPlanTests : IDisposable
{
    static readonly string[] Users = ["ann", "bob", "cleo", "dan", "eve"];

    readonly TemporaryFolder _folder = new();

    string Checkpoints => Path.Combine(_folder.Path, "checkpoints", "train-sft");

    public void Dispose() => _folder.Dispose();

    static string[] Sizes(UserGroupPlan plan) => [.. plan.Groups.Select(group => string.Join(' ', group))];

    UserGroupPlan Plan(int? usersAtOnce, int chosen, string[]? users = null) =>
        UserGroupPlan.ReadOrCreate(Checkpoints, [users ?? Users], usersAtOnce, _ => chosen);

    string LeaveCheckpoint()
    {
        var checkpoint = Path.Combine(Checkpoints, UserGroupPlan.GetGroupName(0));
        Directory.CreateDirectory(checkpoint);
        return checkpoint;
    }

    [Fact]
    public void A_machine_with_other_memory_resumes_the_same_groups_from_the_same_checkpoint()
    {
        string[] expected = ["ann bob", "cleo dan", "eve"];
        Assert.Equal(expected, Sizes(Plan(null, chosen: 2)));
        var checkpoint = LeaveCheckpoint();
        Assert.Equal(expected, Sizes(Plan(null, chosen: 64)));
        Assert.True(Directory.Exists(checkpoint));
    }

    [Fact]
    public void Another_setting_or_other_users_form_new_groups_and_start_over()
    {
        Plan(null, chosen: 2);
        var checkpoint = LeaveCheckpoint();
        Assert.Equal(["ann bob cleo", "dan eve"], Sizes(Plan(3, chosen: 2)));
        Assert.False(Directory.Exists(checkpoint));
        Assert.Equal(["ann bob cleo", "dan eve"], Sizes(Plan(3, chosen: 2)));
        LeaveCheckpoint();
        Assert.Equal(["bob cleo dan", "eve"], Sizes(Plan(3, chosen: 2, Users[1..])));
        Assert.False(Directory.Exists(checkpoint));
    }

    [Fact]
    public void No_group_has_users_of_two_blocks()
    {
        var plan = UserGroupPlan.ReadOrCreate(
            Checkpoints,
            [Users[..3], Users[3..]],
            usersAtOnce: null,
            block => block.Count == 3 ? 2 : 5
        );
        Assert.Equal(["ann bob", "cleo", "dan eve"], Sizes(plan));
    }

    [Fact]
    public void A_damaged_plan_is_written_again()
    {
        Plan(null, chosen: 2);
        File.WriteAllText(Path.Combine(Checkpoints, "groups.json"), "{");
        Assert.Equal(["ann bob cleo dan eve"], Sizes(Plan(null, chosen: 5)));
    }
}
