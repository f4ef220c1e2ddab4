using CoPe.Data;
using CoPe.Decoding;
using CoPe.Runs.Recipes;

namespace CoPe.Runs.Stages;

/// <summary>Has the base model describe each user from his latest texts, for the method <c>pag</c> (Richardson et al., "Integrating Summarization and Retrieval for Enhanced Personalization via Large Language Models", 2023).</summary>
sealed class ProfileStage : Stage
{
    /// <inheritdoc/>
    public override string Name => "profile";

    /// <inheritdoc/>
    public override IReadOnlyList<string> RecipeKeys =>
        ["task", "users", "history_limit", "development_items", "decode_dtype", "context.item_words", "context.profile_items", "context.profile_tokens", "sft.max_words"];

    /// <inheritdoc/>
    public override StageFiles Reads => StageFiles.Model | StageFiles.Task | StageFiles.Users;

    /// <inheritdoc/>
    public override bool IsIn(Recipe recipe) => recipe.Methods().Any(method => method.Context == ContextKind.Profile);

    /// <inheritdoc/>
    public override IEnumerable<string> Outputs(RunDirectory run) => [run.Profiles];

    /// <inheritdoc/>
    public override void Execute(StageContext context)
    {
        var workspace = new RunWorkspace(context);
        var users = workspace.Dataset.Users;
        var prompts = new ContextPrompts(context, workspace, ContextKind.Profile);
        var portions = new Portions<UserProfile>(context, Name);
        var progress = new ItemProgress(context.Progress, Name, portions.Done, users.Count);
        var size = PortionSize.Of(workspace.DecodingModel, context.Recipe.Decode, 1, context.Recipe.Context.ProfileTokens);
        var made = portions.Run(users, size, portion => Describe(context, workspace, prompts, portion, progress)).ToDictionary(line => line.User);
        prompts.Tell(Name);
        JsonLines.Write(context.Run.Profiles, users.Select(user => made[user.Id]));
    }

    IEnumerable<UserProfile> Describe(StageContext context, RunWorkspace workspace, ContextPrompts prompts, IEnumerable<LampUser> users, ItemProgress progress)
    {
        var asked = users.Select(user => (User: user.Id, Prompt: prompts.Summary(user))).ToLookup(one => one.Prompt is not null);
        foreach (var (user, _) in asked[false]) yield return new UserProfile { User = user, Profile = "" };
        var options = new DecodingOptions { MaxNewTokens = context.Recipe.Context.ProfileTokens };
        var requests = asked[true].Select(one => new DecodingRequest { Id = one.User, Prompt = one.Prompt!, Options = options }).ToList();
        foreach (var result in workspace.Engine(Name, task: null, users: null).Generate(requests, progress, context.Cancellation))
        {
            progress.Finished(result.RequestId);
            yield return new UserProfile { User = result.RequestId, Profile = string.Join(' ', workspace.Encoder.DecodeResponse(result.Ids).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)) };
        }
    }
}
