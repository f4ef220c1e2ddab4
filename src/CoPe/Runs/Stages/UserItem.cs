using CoPe.Data;

namespace CoPe.Runs.Stages;

/// <summary>A history item and whose it is.</summary>
readonly record struct UserItem(LampUser User, HistoryItem Item);
