namespace CoPe.Serving;

/// <summary>
/// What one name of a request's <c>model</c> stands for: the base model, the task's adapter on it, and a user's on top.
/// </summary>
/// <remarks>
/// With a user's adapter, the answer is decoded by contrast with the same model without it; the base model and the
/// task-adaptive model answer alone.
/// </remarks>
public sealed record PersonalModel
{
    /// <summary>The name, for messages.</summary>
    public required string Name { get; init; }

    /// <summary>Folder of the task's adapter; null for none.</summary>
    public string? TaskAdapter { get; init; }

    /// <summary>Folder of the user's adapter; null for none.</summary>
    public string? UserAdapter { get; init; }

    /// <summary>Name of the model below it, with which its answers are contrasted; null where it has none.</summary>
    public string? Parent { get; init; }
}

/// <summary>The personal models that an engine serves. Called from any thread, once for every request.</summary>
public interface IModelCatalog
{
    /// <summary>What a name stands for; null where it stands for nothing. It must not throw for any text.</summary>
    /// <param name="name">The name, as somebody may have sent it.</param>
    PersonalModel? Find(string name);

    /// <summary>All names, in an order that stays.</summary>
    IEnumerable<string> ListNames();
}

/// <summary>
/// Users whose adapters lie in one folder, each in a folder of their own with the user's name: as many as the disk
/// holds, none of which is looked at before it is asked for. <see cref="BaseName"/> and <see cref="TaskName"/> are the
/// models below them.
/// </summary>
/// <param name="users">Folder of the users' adapters.</param>
/// <param name="taskAdapter">Folder of the task's adapter, on which theirs were trained; null for none.</param>
public sealed class AdapterFolders(string users, string? taskAdapter = null) : IModelCatalog
{
    /// <summary>Name of the base model; no user's folder can have it.</summary>
    public const string BaseName = ":base";

    /// <summary>Name of the task-adaptive model; no user's folder can have it.</summary>
    public const string TaskName = ":tam";

    /// <inheritdoc/>
    public PersonalModel? Find(string name)
    {
        if (name == BaseName)
        {
            return new PersonalModel { Name = name };
        }

        if (name == TaskName)
        {
            return taskAdapter is null
                ? null
                : new PersonalModel
                {
                    Name = name,
                    TaskAdapter = taskAdapter,
                    Parent = BaseName,
                };
        }

        // A plain name is that of an entry of the folder, never a path out of it.
        var isUser = FileName.IsPlain(name) && Directory.Exists(Path.Combine(users, name));
        return isUser
            ? new PersonalModel
            {
                Name = name,
                TaskAdapter = taskAdapter,
                UserAdapter = Path.Combine(users, name),
                Parent = taskAdapter is null ? BaseName : TaskName,
            }
            : null;
    }

    /// <inheritdoc/>
    public IEnumerable<string> ListNames() =>
        Directory
            .EnumerateDirectories(users)
            .Select(folder => Path.GetFileName(folder))
            .Order(StringComparer.Ordinal)
            .Prepend(BaseName)
            .Concat(taskAdapter is null ? [] : [TaskName]);
}
