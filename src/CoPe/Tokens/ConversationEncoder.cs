using CoPe.Prompts;

namespace CoPe.Tokens;

/// <summary>Turns a request, and the answer to it, into ids through the model's own chat template: the one place where prompts become tokens, for every stage.</summary>
public sealed class ConversationEncoder
{
    /// <summary>Reads tokenizer and chat template of a model folder.</summary>
    public static ConversationEncoder Load(string folder) => throw new NotImplementedException();

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer => throw new NotImplementedException();

    /// <summary>Ids of the conversation up to and including the header that opens the assistant's turn.</summary>
    public int[] EncodePrompt(IReadOnlyList<ChatMessage> messages) => throw new NotImplementedException();

    /// <summary>Ids of an answer and of the token that ends the assistant's turn.</summary>
    public int[] EncodeResponse(string answer) => throw new NotImplementedException();

    /// <summary>Text of generated ids, special tokens dropped.</summary>
    public string DecodeResponse(IEnumerable<int> ids) => throw new NotImplementedException();
}
