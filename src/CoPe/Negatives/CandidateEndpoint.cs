namespace CoPe.Negatives;

/// <summary>Where candidates are drawn elsewhere.</summary>
/// <param name="Name">The options that name address and model, as a person gives them. It is kept with the candidates: those of one name are never mixed with those of another.</param>
/// <param name="Draw">Draws them there.</param>
public sealed record CandidateEndpoint(string Name, CandidateSource Draw);
