using CoPe.Decoding;
using CoPe.Experiments.Data;
using CoPe.Experiments.Runs.Recipes;

namespace CoPe.Experiments.Runs.Stages;

/// <summary>
/// Has the base model describe each user from their latest texts, for the method <c>pag</c> (Richardson et al.,
/// "Integrating Summarization and Retrieval for Enhanced Personalization via Large Language Models", 2023).
/// </summary>
sealed class ProfileStage : Stage
{
    public override StageId Id => StageId.WriteProfiles;

    public override IReadOnlyList<string> RecipeKeys =>
        [
            "task",
            "device",
            "users",
            "block_users",
            "history_limit",
            "development_items",
            "decode_dtype",
            "context.item_words",
            "context.profile_items",
            "context.profile_tokens",
            "sft.max_words",
        ];

    public override InputKinds Reads => InputKinds.Model | InputKinds.Wording | InputKinds.Users;

    internal override UserParts ReadsOfUser(Recipe recipe) => UserParts.History;

    public override IEnumerable<StageOutput> Outputs(RunDirectory run) => [new UserLines(run.Profiles)];

    internal override void CheckInputs(RunPreflight preflight) =>
        preflight.CheckHistories(preflight.Context.Recipe.Context.ProfileTokens);

    public override void Execute(StageContext context)
    {
        var users = context.Workspace.Dataset.Users;
        var made = JsonLines.Read(context.Run.Profiles, (UserProfile line) => line.User);
        foreach (var line in WriteProfiles(context, [.. users.Where(user => !made.ContainsKey(user.Id))]))
        {
            made[line.User] = line;
        }

        JsonLines.Write(context.Run.Profiles, users.Select(user => made[user.Id]));
    }

    IReadOnlyList<UserProfile> WriteProfiles(StageContext context, List<LampUser> users)
    {
        if (users.Count == 0)
        {
            return [];
        }

        var workspace = context.Workspace;
        var prompts = new InContextPrompts(context, workspace, ContextKind.Profile);
        var chunks = new ChunkedWork<UserProfile>(context, Id);
        var progress = new ItemProgress(context.Progress, Name, chunks.CompletedItems, users.Count);
        var size = ChunkSize.Compute(
            workspace.DecodingModel,
            workspace.RowsPerPass,
            1,
            context.Recipe.Context.ProfileTokens
        );
        var responses = new ResponseDecoder(workspace.Encoder);
        var lines = chunks.Run(
            users,
            user => user.Id,
            size,
            chunk => WriteProfiles(context, workspace, prompts, responses, chunk, progress)
        );
        prompts.WarnIfShortened(Name);
        responses.WarnIfUnfinished(context.Log, Name, "context.profile_tokens");
        return lines;
    }

    IEnumerable<UserProfile> WriteProfiles(
        StageContext context,
        RunWorkspace workspace,
        InContextPrompts prompts,
        ResponseDecoder responses,
        IEnumerable<LampUser> users,
        ItemProgress progress
    )
    {
        var byHasRequest = users
            .Select(user => (User: user.Id, Prompt: prompts.BuildSummaryPrompt(user)))
            .ToLookup(one => one.Prompt is not null);
        foreach (var (user, _) in byHasRequest[false])
        {
            yield return new UserProfile { User = user, Profile = "" };
        }

        var options = new DecodingOptions { MaxNewTokens = context.Recipe.Context.ProfileTokens };
        var requests = byHasRequest[true]
            .Select(one => new DecodingRequest
            {
                Id = one.User,
                Prompt = one.Prompt!,
                Options = options,
            })
            .ToList();
        foreach (
            var result in workspace
                .CreateEngine(Name, task: null, users: null)
                .Generate(requests, progress, context.Cancellation)
        )
        {
            progress.ReportFinished(result.RequestId);
            yield return new UserProfile
            {
                User = result.RequestId,
                Profile = string.Join(
                    ' ',
                    responses.Decode(result.Ids).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)
                ),
            };
        }
    }
}

/// <summary>A line of <c>profiles.jsonl</c>: how the model describes a user from their history.</summary>
sealed record UserProfile
{
    /// <summary>The user.</summary>
    public required string User { get; init; }

    /// <summary>The description; empty where no item of their history fits into a prompt.</summary>
    public required string Profile { get; init; }
}
