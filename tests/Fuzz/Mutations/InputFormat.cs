namespace CoPe.Fuzz.Mutations;

/// <summary>What an input is, which decides how it is changed.</summary>
enum InputFormat
{
    /// <summary>One JSON value.</summary>
    Json,

    /// <summary>A JSON value a line.</summary>
    JsonLines,

    /// <summary>A safetensors file: a JSON header behind its length, then tensors.</summary>
    Safetensors,

    Yaml,

    /// <summary>A chat template.</summary>
    Template,

    /// <summary>CSV or TSV.</summary>
    Table,

    /// <summary>Text of no format.</summary>
    Text,

    /// <summary>Bytes of no format that a mutation knows: zip, parquet.</summary>
    Binary,
}
