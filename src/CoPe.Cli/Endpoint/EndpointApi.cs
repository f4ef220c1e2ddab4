namespace CoPe.Cli.Endpoint;

/// <summary>Which of an endpoint's two ways to answer is asked.</summary>
enum EndpointApi
{
    /// <summary><c>/completions</c> with the prompt's ids: the very tokens of training, template included.</summary>
    Completions,

    /// <summary><c>/chat/completions</c> with the messages: the endpoint applies its own template.</summary>
    Chat,
}
