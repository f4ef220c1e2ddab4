using CoPe.Runs.Recipes;

namespace CoPe.Runs;

/// <summary>
/// One step of a run. It says what it depends on, so that the pipeline can tell whether its outputs are whole and current; it does its work in <see cref="Execute"/>,
/// writing every file aside and renaming it (<see cref="AtomicFile"/>), and when it is started again over its own partial outputs, goes on from them.
/// </summary>
public abstract class Stage
{
    /// <summary>Its name, which is also its verb: <c>cope train tam</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The command that runs it alone.</summary>
    public virtual string Command => "cope " + Name;

    /// <summary>Keys and sections of the recipe its outputs depend on, for example <c>seed</c>, <c>dpo</c>, <c>decode.contrast</c>. Paths of files are none of them: files count by their content.</summary>
    public abstract IReadOnlyList<string> RecipeKeys { get; }

    /// <summary>Kinds of files it reads.</summary>
    public virtual StageFiles Reads => StageFiles.All;

    /// <summary>Names of the stages whose outputs it reads, under this recipe.</summary>
    public virtual IEnumerable<string> Needs(Recipe recipe) => [];

    /// <summary>False where this recipe does without the stage.</summary>
    public virtual bool IsIn(Recipe recipe) => true;

    /// <summary>Files and folders it writes, which it owns alone: they must exist once it is complete, and are removed before it runs on other inputs.</summary>
    public abstract IEnumerable<string> Outputs(RunDirectory run);

    /// <summary>Why the stage must not be run as it stands, for reasons of its own: what is there, and what to do; null where it may. Not asked where the person has said that what is there may go.</summary>
    public virtual string? Objection(StageContext context, StageStatus status) => null;

    /// <summary>Does the work. Cancellation is looked at often; then what is done is saved and <see cref="OperationCanceledException"/> thrown.</summary>
    public abstract void Execute(StageContext context);
}
