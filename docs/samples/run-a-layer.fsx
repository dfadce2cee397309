#r "nuget: Systolic, 0.1.0"
// The same in F#: dotnet fsi run-a-layer.fsx
open Systolic.Machines
open Systolic.Workloads

let layer = TransformerLayer.Prefill(ModelShapes.Gpt2, batch = 1L, tokens = 512L)
let report = MachinePresets.Trn2.Run layer

printfn $"{report.Model}, {report.Phase}: {report.Time}, {report.TotalCycles.Value:N0} cycles, {report.Energy}"
