using Microsoft.Extensions.Logging;

namespace CoPe.Experiments.Runs;

/// <summary>
/// What running some stages replaces in a run, and what an earlier attempt at the same has left to resume from.
/// </summary>
sealed class Rebuild
{
    readonly StageContext _context;
    readonly StageLedger _ledger;
    readonly StagePaths _paths;
    readonly List<Stage> _replaced;
    readonly List<Stage> _unfinished;
    readonly List<(Stage Stage, StageStatus Status)> _updated;
    readonly List<Stage> _unfinishedUpdates;
    readonly List<StageStatus> _stale;
    readonly bool _isNeeded;
    readonly bool _replacesPlan;
    RunReplacement? _replacement;

    /// <summary>Plans it; nothing is changed.</summary>
    /// <param name="pipeline">The stages of the run.</param>
    /// <param name="ledger">Where the stages stand.</param>
    /// <param name="context">The run.</param>
    /// <param name="due">The stages that are run, and where each stands.</param>
    /// <param name="again">Complete stages are run too.</param>
    public Rebuild(
        Pipeline pipeline,
        StageLedger ledger,
        StageContext context,
        IReadOnlyList<(Stage Stage, StageStatus Status)> due,
        bool again
    )
    {
        _context = context;
        _ledger = ledger;
        _paths = new(context.Run);
        _replaced = [.. due.Where(one => IsReplaced(one.Status.State, again)).Select(one => one.Stage)];
        _unfinished = [.. _replaced.Where(ledger.HasUnfinished)];
        _stale = [.. due.Select(one => one.Status).Where(status => status.State == StageState.Stale)];
        _updated = [.. due.Where(one => one.Status.State == StageState.UsersChanged && !again)];
        _unfinishedUpdates = [.. _updated.Select(one => one.Stage).Where(ledger.HasUnfinished)];
        var isRepeated = due.Any(one => IsRepeated(one.Status.State, again));
        var replacesData = context.IncomingData is not null && Directory.Exists(context.Run.Data);
        HasWork = again || due.Any(one => one.Status.State != StageState.Complete);
        _replacesPlan = HasWork && pipeline.Stages.Except(_replaced).All(stage => !_paths.HasMarker(stage));
        _isNeeded = _stale.Count > 0 || _updated.Count > 0 || isRepeated || _unfinished.Count > 0 || replacesData;
    }

    /// <summary>Whether a stage is run at all.</summary>
    public bool HasWork { get; }

    /// <summary>Whether anything is computed by the plan that the run has: something of that plan stays.</summary>
    public bool FollowsPlan => HasWork && !_replacesPlan;

    /// <summary>
    /// Sets aside what is replaced and puts what an earlier attempt has made in its place. Where nothing is there yet
    /// to be replaced, stages work in place and this does nothing.
    /// </summary>
    public void Begin()
    {
        if (!_isNeeded)
        {
            RemovePlan();
            TakeIncomingData();
            return;
        }

        if (_stale.Count > 0)
        {
            _context.Log.LogWarning("{Rebuild}", RebuildReasons.Describe(_stale, _context));
        }

        if (_updated.Count > 0)
        {
            var users = _context.Workspace.Dataset.Users.Count;
            _context.Log.LogInformation(
                "{Update}",
                UserChanges.DescribeRun([.. _updated.Select(one => one.Status)], users)
            );
        }

        _replacement = RunReplacement.Begin(_context.Run, ListPaths(), _context.Command);
        RemovePlan();
        TakeIncomingData();
        Resume();
        Update();
    }

    /// <summary>A plan lives as long as anything that was computed by it.</summary>
    void RemovePlan()
    {
        if (_replacesPlan)
        {
            AtomicFile.Remove(_context.Run.Plan);
        }
    }

    void Update()
    {
        foreach (var (stage, _) in _updated)
        {
            if (_unfinishedUpdates.Contains(stage))
            {
                _paths.ResumeUpdate(stage);
            }
            else
            {
                _paths.DiscardUnfinished(stage);
                _ledger.BeginUpdate(stage);
            }
        }
    }

    void TakeIncomingData()
    {
        if (_context.IncomingData is not { } data)
        {
            return;
        }

        var run = _context.Run;
        var folder = Path.GetRelativePath(data, _context.Inputs.Data);
        AtomicFile.Move(data, run.Data);
        _context.Workspace.FollowData(Path.GetFullPath(Path.Combine(run.Data, folder)));
    }

    /// <summary>Ends it: everything is complete.</summary>
    public void Commit()
    {
        _replacement?.Commit();
        if (_replacement is not null)
        {
            RemoveUnfinishedWithoutStages(_context.Run);
        }
    }

    /// <summary>Brings back what was set aside; says what is kept of the attempt.</summary>
    public void RollBack()
    {
        try
        {
            if (!_isNeeded || !RunReplacement.RollBack(_context.Run))
            {
                return;
            }
        }
        catch (IOException error)
        {
            // What stopped the rebuild is what the person must be told; the next command tries again.
            _context.Log.LogWarning("what was replaced is not back yet ({Error})", error.Message);
            return;
        }

        var run = _context.Run;
        var kept = Directory.Exists(run.Unfinished.Root)
            ? $"; what is rebuilt so far stands in {run.Unfinished.Name}, and the same command resumes it"
            : "";
        _context.Log.LogWarning("{Run} is as it was before{Kept}", run.Name, kept);
    }

    static bool IsReplaced(StageState state, bool again) =>
        state is StageState.Stale or StageState.Missing || IsRepeated(state, again);

    static bool IsRepeated(StageState state, bool again) =>
        again && state is (StageState.Complete or StageState.UsersChanged);

    List<ReplacedPath> ListPaths()
    {
        var run = _context.Run;
        List<ReplacedPath> paths =
        [
            new(run.Recipe),
            new(run.Manifest),
            .. _replaced.SelectMany(_paths.ListReplaced),
            .. _updated.SelectMany(one => _paths.ListUpdated(one.Stage, one.Status.Users)),
            .. _unfinishedUpdates.SelectMany(_paths.ListUnfinishedParts).Select(path => new ReplacedPath(path)),
            .. _unfinished.SelectMany(_paths.ListUnfinished).Select(path => new ReplacedPath(path)),
        ];
        if (_replacesPlan)
        {
            paths.Add(new(run.Plan));
        }

        return _context.IncomingData is null ? paths : [.. paths, new(run.Data)];
    }

    void Resume()
    {
        var run = _context.Run;
        if (_replacesPlan && _unfinished.Count > 0 && File.Exists(run.Unfinished.Plan))
        {
            AtomicFile.Move(run.Unfinished.Plan, run.Plan);
        }

        foreach (var stage in _unfinished)
        {
            foreach (var place in _paths.ListUnfinished(stage).ToList())
            {
                AtomicFile.Move(Path.Combine(run.Unfinished.Root, run.GetRelativePath(place)), place);
            }
        }

        var dropped = _replaced.Except(_unfinished).Count(_paths.DiscardUnfinished);
        if (dropped > 0)
        {
            _context.Log.LogWarning(
                "what an earlier rebuild had made of {Count} stages from other inputs is thrown away",
                dropped
            );
        }
    }

    /// <summary>Without a marker, nothing in there can be resumed.</summary>
    static void RemoveUnfinishedWithoutStages(RunDirectory run)
    {
        var folder = run.Unfinished.Root;
        var markers = Path.GetDirectoryName(run.Unfinished.FileHashes)!;
        var hasStages = Directory.Exists(markers) && Directory.EnumerateFiles(markers).Any();
        if (Directory.Exists(folder) && !hasStages)
        {
            AtomicFile.Remove(folder);
        }
    }
}
