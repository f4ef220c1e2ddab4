using Microsoft.Extensions.Logging;

namespace CoPe.Training;

/// <summary>Makes rows of examples, leaving out those whose answer lies beyond the cut-off, with a warning.</summary>
internal static class RowSource
{
    public static IReadOnlyList<TrainingRow[]> Of<TExample>(
        TrainingRun run, IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<TExample>> examples, Func<TExample, TrainingRow?> row, Func<TExample, string> id)
    {
        return [.. examples.Select((ofUser, user) => Rows(ofUser, user))];

        TrainingRow[] Rows(IReadOnlyList<TExample> ofUser, int user)
        {
            var rows = ofUser.Select(example => RowOrWarning(example, user)).OfType<TrainingRow>().ToArray();
            if (rows.Length == 0 && ofUser.Count > 0) run.Logger.LogWarning("{Stage}: no example of user {User} is left, so the adapter stays as it is.", run.Stage, names[user]);
            return rows;
        }

        TrainingRow? RowOrWarning(TExample example, int user)
        {
            var made = row(example);
            if (made is null)
                run.Logger.LogWarning("{Stage}: example {Example} of user {User} has no answer within the first {CutOff} tokens and is left out; raise the cut-off or shorten the prompt.", run.Stage, id(example), names[user], run.Options.CutOff);
            return made;
        }
    }
}
