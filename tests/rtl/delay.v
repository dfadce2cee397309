// A delay line of STAGES cycles; `holds` tells that a stage holds a valid word (its top bit).
module delay #(parameter WIDTH = 2, parameter STAGES = 0) (
    input  wire             clk,
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out,
    output wire             holds
);
    generate
        if (STAGES == 0) begin : none
            assign out = in;
            assign holds = 1'b0;
        end else begin : some
            reg [WIDTH*STAGES-1:0] line = 0;
            localparam [WIDTH*STAGES-1:0] VALID = {STAGES{1'b1, {(WIDTH-1){1'b0}}}};
            assign out = line[WIDTH*STAGES-1 -: WIDTH];
            assign holds = |(line & VALID);
            always @(posedge clk) line <= (line << WIDTH) | in;
        end
    endgenerate
endmodule
