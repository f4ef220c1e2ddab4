using CoPe.Data;
using CoPe.Evaluation;

namespace CoPe.Runs.Privacy;

/// <summary>A user in a task's data files.</summary>
/// <param name="folder">The task's data folder.</param>
/// <param name="task">The task.</param>
sealed class UserData(string folder, LampTask task)
{
    string Users => Path.Combine(folder, LampFiles.UsersFile);

    string Labels => Path.Combine(folder, LampFiles.LabelsFile);

    string Others => Path.Combine(folder, LampFiles.OthersFile);

    /// <summary>The test users, golds filled in where they are known.</summary>
    public IEnumerable<LampUser> Read()
    {
        if (!File.Exists(Users)) yield break;
        var golds = Golds();
        using var tokens = new JsonTokenStream(Users);
        foreach (var user in new LampFileReader(tokens, task).Users())
            yield return user with { Queries = [.. user.Queries.Select(query => query.Gold.Length > 0 ? query : query with { Gold = golds.GetValueOrDefault(query.Id, "") })] };
    }

    /// <summary>Whether he is among the other users, on whom the task-adaptive model was trained.</summary>
    public bool IsOther(string id)
    {
        if (!File.Exists(Others)) return false;
        using var tokens = new JsonTokenStream(Others);
        return new LampFileReader(tokens, task).Users().Any(user => user.Id == id);
    }

    /// <summary>Writes the files anew without him; without the last user, there are no files of test users.</summary>
    public void TakeOut(KnownUser gone)
    {
        var rest = Read().Where(user => user.Id != gone.Id).ToList();
        if (rest.Count == 0)
        {
            AtomicFile.Remove(Users);
            AtomicFile.Remove(Labels);
            return;
        }

        var golds = File.Exists(Labels) ? Golds() : null;
        LampFileWriter.WriteUsers(Users, rest);
        if (golds is not null)
            new PredictionFile { Task = task.LampId, Predictions = [.. golds.Where(gold => !gone.Queries.Contains(gold.Key)).Select(gold => new Prediction(gold.Key, gold.Value))] }.Write(Labels);
    }

    Dictionary<string, string> Golds()
    {
        if (!File.Exists(Labels)) return [];
        using var tokens = new JsonTokenStream(Labels);
        return new LampFileReader(tokens, task).Golds();
    }
}
