using System.CommandLine;
using CoPe.Runs.Recipes;

namespace CoPe.Cli;

/// <summary><c>--decode-dtype</c>, which sets a key of the recipe: <c>decode_dtype</c> for all that decodes, or <c>decode.dtype</c> for what a verb alone does.</summary>
static class DecodeDtypeOption
{
    /// <summary>The option of a command.</summary>
    public static Option<string?> Create()
    {
        var option = new Option<string?>("--decode-dtype")
        {
            Description = $"Number type of the weights while decoding and scoring: {string.Join(", ", WeightLoading.Words)}. int8 is lossy and for the processor alone: half the memory, little more than half the time of a token.", HelpName = "type",
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && !WeightLoading.Words.Contains(token.Value)) result.AddError($"--decode-dtype is '{token.Value}'; it must be one of {string.Join(", ", WeightLoading.Words)}");
        });
        return option;
    }

    /// <summary>What it changes in the recipe, on a command that has it.</summary>
    public static string[] Overrides(ParseResult parsed, Option<string?> option, string? key = "decode.dtype") =>
        parsed.CommandResult.Command.Options.Contains(option) && parsed.GetValue(option) is { } dtype ? [$"{key}={dtype}"] : [];
}
