using Systolic.Cli;

return await SystolicCommandLine.InvokeAsync(args, Terminal.OfProcess(), Library.Shipped);
