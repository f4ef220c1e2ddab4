using CoPe.Cli;
using CoPe.Cli.Hosting;

return CommandLine.Run(args, CommandHost.CreateForProcess());
