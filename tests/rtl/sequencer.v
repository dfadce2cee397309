// Decides in every cycle which element row and which tile row are sent, knowing what was sent before and whether the array is busy.
module sequencer #(parameter R = 4, parameter STREAMED = 4, parameter FOLDS = 1, parameter OVERLAP = 0) (
    input  wire clk,
    input  wire busy,
    output wire stream_valid,
    output reg [31:0] stream_fold,
    output reg [31:0] stream_step,
    output wire load_valid,
    output reg [31:0] load_fold,
    output reg [31:0] load_step,
    output wire done
);
    initial begin
        stream_fold = 0;
        stream_step = 0;
        load_fold = 0;
        load_step = 0;
    end

    // The tile before has come into use when its fold has started.
    wire started = load_fold == 0 || stream_fold >= load_fold
        || (stream_fold + 1 == load_fold && (stream_step > 0 || stream_valid));
    wire registers_free = OVERLAP ? started : (stream_fold == load_fold && !busy);

    assign stream_valid = stream_fold < FOLDS && (stream_step > 0 || load_fold > stream_fold);
    assign load_valid = load_fold < FOLDS && (load_step > 0 || registers_free);
    assign done = stream_fold == FOLDS && !busy;

    always @(posedge clk) begin
        if (stream_valid) begin
            stream_step <= stream_step + 1 == STREAMED ? 0 : stream_step + 1;
            stream_fold <= stream_step + 1 == STREAMED ? stream_fold + 1 : stream_fold;
        end
        if (load_valid) begin
            load_step <= load_step + 1 == R ? 0 : load_step + 1;
            load_fold <= load_step + 1 == R ? load_fold + 1 : load_fold;
        end
    end
endmodule
