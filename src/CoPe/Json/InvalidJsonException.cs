namespace CoPe.Json;

/// <summary>
/// A text is not the JSON that was expected. Whoever read it says so in an exception of their own, with the file's
/// name; the message here says where in the text and what, on one line.
/// </summary>
/// <param name="place">Where in the text; empty for the text as a whole.</param>
/// <param name="problem">What was found.</param>
/// <param name="inner">The error behind it, if any.</param>
sealed class InvalidJsonException(string place, string problem, Exception? inner = null)
    : Exception(MessageText.ToOneLine(place.Length == 0 ? problem : $"{place}: {problem}"), inner);
