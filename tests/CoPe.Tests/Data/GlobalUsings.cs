global using CoPe.Data;
global using CoPe.Prompts;
