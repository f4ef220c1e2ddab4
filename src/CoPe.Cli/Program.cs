using CoPe.Cli;

return CommandLine.Run(args, CommandHost.CreateForProcess());
